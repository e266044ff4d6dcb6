package lifecycle

import (
	"encoding/json"
	"testing"
)

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"plain, 基盤, naïve\n\tnext":                                   "plain, 基盤, naïve\n\tnext",
		"\x1b[2J\x1b]0;owned\a":                                      "[2J]0;owned",
		"\u009b31m\u009d0;x\u009c":                                   "31m0;x",
		"a\rb\r\nc\x00\x7f\v\f":                                      "ab\nc",
		"pay \u202e1.0.0\u202c now, \u2066x\u2069\u200e\u200f\u061c": "pay 1.0.0 now, x",
		"zero\u200bwidth\u200c\u200d\u2060\ufeff\u00ad":              "zerowidth",
		"tags \U000e0041\U000e007f":                                  "tags ",
		"lines\u2028and\u2029more":                                   "linesandmore",
		"fillers \u3164\u115f\uffa0\u034f":                           "fillers ",
		"\u06dd is drawn":                                            "\u06dd is drawn",
		"a sign ⚠\ufe0f":                                             "a sign ⚠\ufe0f",
		"not\xffUTF\xe2\x80":                                         "not\ufffdUTF\ufffd",
	} {
		if got := Harmless(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestHarmlessJSON: programs read the same, and what shows the document is not steered.
func TestHarmlessJSON(t *testing.T) {
	const hostile = "\x1b[2J\u009b31m\x7f\u202e\u200b\u2028\U000e0041 基盤"
	doc, err := json.Marshal(map[string]string{hostile: hostile})
	if err != nil {
		t.Fatal(err)
	}
	safe := HarmlessJSON(doc)
	if string(safe) != Harmless(string(safe)) {
		t.Errorf("it misleads: %q", safe)
	}
	var got map[string]string
	if err := json.Unmarshal(safe, &got); err != nil || got[hostile] != hostile {
		t.Errorf("it says something else: %q, %v", got, err)
	}
	if plain := []byte("{\n  \"a\": \"ü\"\n}\n"); string(HarmlessJSON(plain)) != string(plain) {
		t.Error("a document without such characters was changed")
	}
}
