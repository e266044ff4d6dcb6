package pages

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page that people find by what kiban printed.
const symptoms = "docs/troubleshooting.md"

// TestQuotedMessagesAreThere: what docs/troubleshooting.md says that kiban prints is what its source prints, word for word. A heading in
// code is such a message; "…" stands for what differs from time to time.
func TestQuotedMessagesAreThere(t *testing.T) {
	said := messages(t)
	quotes := quoted(read(t, filepath.Join(root, symptoms)))
	if len(quotes) < 40 {
		t.Fatalf("only %d messages are quoted", len(quotes))
	}
	seen := map[string]bool{}
	for _, quote := range quotes {
		if seen[quote] {
			t.Errorf("%s: %q has two sections; whoever searches finds half of it", symptoms, quote)
		}
		seen[quote] = true
		form := formOf(quote)
		there := false
		for _, m := range said {
			if form.MatchString(m.text) {
				there = true
				break
			}
		}
		if !there {
			t.Errorf("%s: kiban never prints %q", symptoms, quote)
		}
	}
}

// whatKeepsOut are the places of the source that say why kiban was not let in to a machine.
var whatKeepsOut = map[string]*regexp.Regexp{
	"lifecycle/plan/inspect.go":     regexp.MustCompile(`shutOutOf\(m, "([^"]+)"\)`),
	"lifecycle/observe/problems.go": regexp.MustCompile(`case lifecycle\.Host\w+:\s+return "([^"]+)"`),
}

// TestWhatKeepsOutIsExplained: the first thing that somebody new meets is that a machine, or a file here, keeps kiban out. Each such
// message has its section.
func TestWhatKeepsOutIsExplained(t *testing.T) {
	quotes := quoted(read(t, filepath.Join(root, symptoms)))
	for file, says := range whatKeepsOut {
		found := says.FindAllStringSubmatch(read(t, filepath.Join(root, file)), -1)
		if len(found) < 5 {
			t.Errorf("%s: only %d messages were found", file, len(found))
		}
		for _, m := range found {
			if !slices.Contains(quotes, m[1]) {
				t.Errorf("%s: %q of %s has no section", symptoms, m[1], file)
			}
		}
	}
}

func TestQuotes(t *testing.T) {
	page := "### `a … b`, `c`\n\ntext `no`\n### none\n"
	if got := strings.Join(quoted(page), "|"); got != "a … b|c" {
		t.Errorf("got %q", got)
	}
	for quote, text := range map[string]string{"not reached": "not reached", "runs k0s …": "runs k0s %s; %s is declared",
		"the … is off by … s": "the clock is off by %d s"} {
		if !formOf(quote).MatchString(text) {
			t.Errorf("%q is not found in %q", quote, text)
		}
	}
	if formOf("the lock is held").MatchString("the lock was held") {
		t.Error("another message counts as the same")
	}
}

var codeInHeading = regexp.MustCompile("`([^`]+)`")

// quoted are the messages that headings of the third rank quote.
func quoted(page string) []string {
	var out []string
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "### ") {
			continue
		}
		for _, m := range codeInHeading.FindAllStringSubmatch(line, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

func formOf(quote string) *regexp.Regexp {
	parts := strings.Split(quote, "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(strings.TrimSpace(parts[i]))
	}
	return regexp.MustCompile(strings.Join(parts, `.*`))
}
