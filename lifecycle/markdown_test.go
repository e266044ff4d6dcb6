package lifecycle

import "testing"

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"worker-1 is Ready":       "worker-1 is Ready",
		"a|b\nc\rd":               `a\|b c d`,
		"<img src=x> **b** `c`":   `&lt;img src=x&gt; \*\*b\*\* 'c'`,
		"[x](y) @all":             `\[x](y) \@all`,
		`\[x](y) \*b\* \@all C:\`: `\\\[x](y) \\\*b\\\* \\\@all C:\\`, // a backslash of theirs would undo one of ours
	} {
		if got := Markdown(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
