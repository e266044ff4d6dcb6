package render

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func exampleManual() Manual {
	return Manual{Name: "kiban plan", Usage: "kiban plan SITE", Short: "Show what apply would do to a site; change nothing",
		Long: "Look at a site's machines and API, compare with what the repository declares, and show the steps that lead\n" +
			"from one to the other.\n\n" +
			"  plan    plans each site, with its counts for the merge request's widget, and puts the note on it, at the end of\n" +
			"          the pipeline\n  backup  takes one\n\nThe end.",
		Examples: []string{"kiban plan tokyo-prod"},
		Flags: []ManualEntry{{"-o, --output TEXT", "form of the result: text, json, yaml, markdown (default text)"},
			{"    --a-flag-with-a-very-long-name TEXT,...", "what it is for"}},
		Verbs: []ManualGroup{{"Every day", []ManualEntry{{"status",
			"Show what is there: machines, nodes, API servers, etcd, addons, problems"}}}}}
}

// TestHelpFitsTheTerminal: no line is wider than the terminal, but for what is typed, and nothing is lost by that.
func TestHelpFitsTheTerminal(t *testing.T) {
	words := ""
	for _, width := range []int{60, 80, 120, 200} {
		var b strings.Builder
		if err := Help(&b, exampleManual(), width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("%d columns: a line has %d: %q", width, n, line)
			}
		}
		all := strings.Join(strings.Fields(b.String()), " ")
		if words != "" && all != words {
			t.Errorf("%d columns: the words are not those of other widths:\n%s\n%s", width, all, words)
		}
		words = all
	}
}

func TestHelpAt60Columns(t *testing.T) {
	var b strings.Builder
	if err := Help(&b, exampleManual(), 60); err != nil {
		t.Fatal(err)
	}
	const want = `Show what apply would do to a site; change nothing

Usage:
  kiban plan SITE

Examples:
  kiban plan tokyo-prod

Look at a site's machines and API, compare with what the
repository declares, and show the steps that lead from one
to the other.

  plan    plans each site, with its counts for the merge
          request's widget, and puts the note on it, at the
          end of the pipeline
  backup  takes one

The end.

Every day:
  status  Show what is there: machines, nodes, API servers,
          etcd, addons, problems

Flags:
  -o, --output TEXT     form of the result: text, json,
                        yaml, markdown (default text)
      --a-flag-with-a-very-long-name TEXT,...
                        what it is for

More of a verb: kiban help VERB
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// TestManPage: text never becomes a request of roff.
func TestManPage(t *testing.T) {
	var b strings.Builder
	m := exampleManual()
	m.Long = ".so /etc/passwd\n'quoted \\n"
	if err := ManPage(&b, m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".TH KIBAN\\-PLAN 1\n", "kiban\\-plan \\- Show what", "\\&.so /etc/passwd 'quoted \\en",
		".B \\-o, \\-\\-output TEXT\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in\n%s", want, b.String())
		}
	}
}
