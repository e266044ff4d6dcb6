package pages

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const root = "../.."

// TestLinksLeadSomewhere: every relative link of every page names a file that is there, and every anchor a heading.
func TestLinksLeadSomewhere(t *testing.T) {
	seen := 0
	pages, err := Markdown(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		for _, link := range linksOf(read(t, page)) {
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			seen++
			path, anchor, _ := strings.Cut(link, "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: there is no %s", page, link)
				continue
			}
			if anchor != "" && !slices.Contains(anchorsOf(read(t, target)), anchor) {
				t.Errorf("%s: %s has no heading for #%s", page, target, anchor)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d links were found", seen)
	}
}

// TestEveryPageIsFound: every page of docs/ can be reached from its list.
func TestEveryPageIsFound(t *testing.T) {
	list := linksOf(read(t, filepath.Join(root, "docs", "README.md")))
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		name := filepath.Base(page)
		if name != "README.md" && !slices.ContainsFunc(list, func(link string) bool { return strings.HasPrefix(link, name) }) {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}

func TestLinksAndAnchors(t *testing.T) {
	text := "# A page\n\n[a](b.md#c) `[no](link)` ![x](y.svg)\n\n    [no](code)\n\n```\n[no](code)\n```\n" +
		"## What `kiban` says, and how: it *is*\n## A page\n"
	if got, want := linksOf(text), []string{"b.md#c", "y.svg"}; !slices.Equal(got, want) {
		t.Errorf("links: got %q, want %q", got, want)
	}
	if got, want := anchorsOf(text), []string{"a-page", "what-kiban-says-and-how-it-is", "a-page-1"}; !slices.Equal(got, want) {
		t.Errorf("anchors: got %q, want %q", got, want)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inlineCode = regexp.MustCompile("`[^`]*`")
	heading    = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
)

// prose are the lines of a page that are no code.
func prose(text string) []string {
	var out []string
	fenced := false
	before := ""
	inBlock := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		indented := strings.HasPrefix(line, "    ")
		inBlock = indented && (inBlock || before == "") || inBlock && line == ""
		before = line
		if !fenced && !inBlock {
			out = append(out, line)
		}
	}
	return out
}

func linksOf(text string) []string {
	var out []string
	for _, line := range prose(text) {
		for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(line, ""), -1) {
			out = append(out, m[1])
		}
	}
	return out
}

// anchorsOf are the headings' anchors, as GitLab and GitHub make them.
func anchorsOf(text string) []string {
	var out []string
	count := map[string]int{}
	for _, line := range prose(text) {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		var b strings.Builder
		for _, r := range strings.ToLower(m[1]) {
			switch {
			case r == ' ' || r == '-':
				b.WriteByte('-')
			case r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				b.WriteRune(r)
			}
		}
		a := b.String()
		if n := count[a]; n > 0 {
			out = append(out, a+"-"+string(rune('0'+n)))
		} else {
			out = append(out, a)
		}
		count[a]++
	}
	return out
}
