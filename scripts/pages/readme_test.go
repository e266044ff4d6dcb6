package pages

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestJapaneseReadmeIsTheSame: README.ja.md has the commands and links of README.md, in the same order, and as many chapters. A command
// that is changed in one and not in the other would lead half of the readers astray.
func TestJapaneseReadmeIsTheSame(t *testing.T) {
	english, japanese := read(t, filepath.Join(root, "README.md")), read(t, filepath.Join(root, "README.ja.md"))
	if got, want := blocksOf(japanese), blocksOf(english); !slices.Equal(got, want) {
		t.Errorf("the commands differ:\nREADME.md    %q\nREADME.ja.md %q", without(want, got), without(got, want))
	}
	if len(blocksOf(english)) < 20 {
		t.Errorf("only %d lines of commands were found", len(blocksOf(english)))
	}
	if got, want := sorted(inlineCommands(japanese)), sorted(inlineCommands(english)); !slices.Equal(got, want) {
		t.Errorf("the commands in the text differ:\nREADME.md    %q\nREADME.ja.md %q", without(want, got), without(got, want))
	}
	links := func(text string) []string {
		return sorted(slices.DeleteFunc(linksOf(text), func(l string) bool { return strings.HasPrefix(l, "README") }))
	}
	if got, want := links(japanese), links(english); !slices.Equal(got, want) {
		t.Errorf("the links differ:\nREADME.md    %q\nREADME.ja.md %q", without(want, got), without(got, want))
	}
	if got, want := strings.Count(japanese, "\n## "), strings.Count(english, "\n## "); got != want {
		t.Errorf("README.ja.md has %d chapters, README.md %d", got, want)
	}
}

func TestBlocksWithoutTheirComments(t *testing.T) {
	text := "Text\n\n    make demo      # one\n    kiban apply x  # ＃二\n      # controller-1\n\nmore `kiban plan` and `x`\n"
	if got, want := blocksOf(text), []string{"make demo", "kiban apply x", "# controller-1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := inlineCommands(text), []string{"kiban plan"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

var (
	commentBehind = regexp.MustCompile(` +# .*$`)
	inText        = regexp.MustCompile("`((?:kiban|make|--)[^`]*)`")
)

// blocksOf are the lines of a page's indented blocks, without what is said behind them.
func blocksOf(page string) []string {
	var out []string
	for line := range strings.Lines(page) {
		if code, is := strings.CutPrefix(strings.TrimRight(line, "\n"), "    "); is && strings.TrimSpace(code) != "" {
			code = strings.TrimSpace(code)
			if !strings.HasPrefix(code, "#") {
				code = strings.TrimSpace(commentBehind.ReplaceAllString(code, ""))
			}
			out = append(out, code)
		}
	}
	return out
}

func inlineCommands(page string) []string {
	var out []string
	for _, line := range prose(page) {
		for _, m := range inText.FindAllStringSubmatch(line, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// without are those of a that b does not have.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}
