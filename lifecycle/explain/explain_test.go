package explain

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Every word that people meet is known, under each of its names.
func TestEveryWordIsKnown(t *testing.T) {
	for _, word := range []string{"lock", "run", "unit", "soak", "wave", "tier", "canary", "drift", "H3", "h40", "hazard", "gate", "Gates",
		"pdb", "site", "etcd quorum", "windows", "no end", "exit", "exit codes", "3", "Site.spec.upgrade", "kiban.lock", "daemonset"} {
		if _, err := Text(word, 100); err != nil {
			t.Errorf("%s: %v", word, err)
		}
	}
}

func TestTyposAreSuggested(t *testing.T) {
	all, err := Topics()
	if err != nil {
		t.Fatal(err)
	}
	for typo, want := range map[string]string{
		"gat": "gate", "cordno": "cordon", "sok": "soak", "quorm": "quorum", "maxUnavailable": "Site.spec.upgrade.workers.maxUnavailable",
		"etcd-quorom": "etcd-quorum", "Site.spec.upgrad": "Site.spec.upgrade", "unavailable": "Site.spec.upgrade.workers.maxUnavailable",
	} {
		if got := alike(all, typo); !slices.Contains(got, want) || len(got) > most {
			t.Errorf("%s: got %v, want %s among at most %d", typo, got, want, most)
		}
	}
	if got := alike(all, "zzzzzzzz"); len(got) > 0 {
		t.Errorf("nothing is called like zzzzzzzz, but %v", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"gate", "gate", 0}, {"gat", "gate", 1}, {"agte", "gate", 1}, {"", "run", 3}, {"lock", "look", 1}, {"soak", "stage", 3}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s to %s: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// What people read has no names of Go in it, and every entry says something.
func TestWordsAreForPeople(t *testing.T) {
	all, err := Topics()
	if err != nil {
		t.Fatal(err)
	}
	foreign := regexp.MustCompile(`\b(nil|struct|Step\.[A-Z]|Host[A-Z]\w+|Params|Gate[A-Z]\w+|Action[A-Z]\w+)\b`)
	for _, topic := range all {
		if topic.Text == "" {
			t.Errorf("%s says nothing", topic.Name)
		}
		if word := foreign.FindString(topic.Text); word != "" {
			t.Errorf("%s speaks of %s", topic.Name, word)
		}
	}
}

// No line is wider than the terminal, but for a word that is.
func TestLinesFit(t *testing.T) {
	for _, width := range []int{60, 80, 120, 200} {
		for _, topic := range []string{"", "plan", "gates", "Site.spec.upgrade.workers", "fields"} {
			text, err := Text(topic, width)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(text) {
				if line = strings.TrimRight(line, "\n"); len([]rune(line)) > width && strings.Contains(strings.TrimSpace(line), "  ") {
					t.Errorf("%q at %d: %s", topic, width, line)
				}
			}
		}
	}
}

// wordsOf are the words of a page as it is shown: without the lines of tables, and with links as they can be followed at a terminal.
func wordsOf(page string) []string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "|") {
			if strings.Trim(line, "|-: \n") == "" {
				continue
			}
			line = strings.ReplaceAll(line, `\|`, "\x00")
			line = strings.ReplaceAll(strings.ReplaceAll(line, "|", " "), "\x00", "|")
		}
		b.WriteString(line)
	}
	text := regexp.MustCompile(`\]\(([a-z0-9-]+\.md)[^)]*\)`).ReplaceAllString(b.String(), " (docs/$1)")
	text = regexp.MustCompile(`\]\(#[^)]*\)`).ReplaceAllString(text, "")
	return strings.Fields(strings.ReplaceAll(text, "[", ""))
}

// A page is written for a terminal: paragraphs and tables fit, commands stay as they are, links name what can be asked for.
func TestPageAtATerminal(t *testing.T) {
	p := page{width: 40}
	p.markdown("# Head\n\nOne paragraph that is\nof two lines, see [backups](backup.md#x) and\n[there](#there).\n\n" +
		"- an item that is longer than the line is wide\n  and goes on\n10. ten\n\n" +
		"    kiban backup tokyo-prod --out /srv/backups/  # as it is\n\n```sh\n- x\n```\n" +
		"| a | b |\n|---|:--|\n| `x\\|y` | two |\n\n" +
		"| name | what it is |\n|---|---|\n| first | a meaning that is too long for its column here |\n| | z |\n")
	want := `# Head

One paragraph that is of two lines, see
backups (docs/backup.md) and there.

- an item that is longer than the line
  is wide and goes on
10. ten

    kiban backup tokyo-prod --out /srv/backups/  # as it is

` + "```sh\n- x\n```\na      b\n`x|y`  two\n" + `
name
    what it is
first
    a meaning that is too long for its
    column here
    z
`
	if got := p.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every page can be read with the binary alone, and says no more and no less than in the repository.
func TestPagesAreWhole(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("..", "..", "docs"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".md" {
			continue
		}
		n++
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		text, err := Text("docs/"+e.Name(), 80)
		if got, want := strings.Fields(strings.ReplaceAll(text, "[", "")), wordsOf(string(page)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: it has other words than in the repository (%v)", e.Name(), err)
		}
		for line := range strings.Lines(text) {
			if code := strings.Contains(string(page), line); len([]rune(line)) > 81 && !code && len(strings.Fields(line)) > 2 {
				t.Errorf("%s: a line does not fit: %s", e.Name(), line)
			}
		}
		if !slices.Contains(Names(), "docs/"+e.Name()) {
			t.Errorf("%s is not offered", e.Name())
		}
	}
	if n < 30 {
		t.Errorf("only %d pages", n)
	}
	if _, err := Text("docs/backups", 80); err == nil || lifecycle.AsDiagnostics(err, "")[0].Hint != "kiban explain docs/backup.md" {
		t.Errorf("a slip of the finger: %v", err)
	}
}
