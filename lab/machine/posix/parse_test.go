package posix_test

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// calls are the commands of a line that name their program and its arguments in plain words, those behind sudo, env and their like too.
func calls(line string) [][]string {
	f, err := syntax.NewParser(syntax.Variant(syntax.LangPOSIX)).Parse(strings.NewReader(line), "")
	if err != nil {
		return nil
	}
	var out [][]string
	syntax.Walk(f, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok && len(c.Args) > 0 {
			var words []string
			for _, w := range c.Args {
				words = append(words, word(w))
			}
			out = append(out, expand(words)...)
		}
		return true
	})
	return out
}

// word is a word's text, with what the shell would fill in left as a blank question mark.
func word(w *syntax.Word) string {
	var b strings.Builder
	var add func(parts []syntax.WordPart)
	add = func(parts []syntax.WordPart) {
		for _, p := range parts {
			switch p := p.(type) {
			case *syntax.Lit:
				b.WriteString(p.Value)
			case *syntax.SglQuoted:
				b.WriteString(p.Value)
			case *syntax.DblQuoted:
				add(p.Parts)
			default:
				b.WriteString("?")
			}
		}
	}
	add(w.Parts)
	return b.String()
}

// wrappers run the rest of their arguments as a command.
var wrappers = []string{"sudo", "env", "timeout", "nohup", "xargs", "quiet", "soon", "within", "command", "exec"}

func expand(words []string) [][]string {
	out := [][]string{words}
	switch {
	case slices.Contains(wrappers, words[0]):
		for i, w := range words[1:] {
			if plainName(w) {
				return append(out, expand(words[i+1:])...)
			}
		}
	case words[0] == "sh":
		if i := slices.Index(words, "-c"); i > 0 && i+1 < len(words) {
			out = append(out, calls(words[i+1])...)
		}
	}
	return out
}

// plainName reports whether a word may be the name of one of the lab's programs.
func plainName(w string) bool { return slices.Contains(names, w) }
