package risks

import (
	"strings"
	"testing"
)

// FuzzRead: whatever a file holds, it is a risk that can be judged and told of, or each mistake has a line of the file.
func FuzzRead(f *testing.F) {
	for _, r := range Known() {
		text, err := files.ReadFile(r.File)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("a: &a [*a]\n")
	f.Add("id: x\nwhen:\n  - any:\n      - any: []\n")
	f.Add("to: {since: v9999.9999}\nsources:\n  - {a: b}\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, mistakes := Read("risks/x.yaml", []byte(text))
		for _, m := range mistakes {
			if m.Line < 1 || m.Line > 1+strings.Count(text, "\n")+strings.Count(text, "\r")+strings.Count(text, "\u0085")+
				strings.Count(text, "\u2028")+strings.Count(text, "\u2029") || m.Text == "" {
				t.Errorf("line %d of %q: %q", m.Line, text, m.Text)
			}
		}
		if len(mistakes) > 0 {
			return
		}
		if r.Text(80) == "" {
			t.Error("nothing is told of it")
		}
		r.Judge(Facts{})
	})
}
