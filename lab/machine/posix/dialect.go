package posix

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// declared are the functions of a script.
func declared(f *syntax.File) map[string]bool {
	names := map[string]bool{}
	syntax.Walk(f, func(n syntax.Node) bool {
		if d, ok := n.(*syntax.FuncDecl); ok {
			names[d.Name.Value] = true
		}
		return true
	})
	return names
}

// plain takes from a script what a POSIX shell reads otherwise than the interpreter: the last part of a pipeline is a subshell, braces are
// characters, and a dollar before a quote is one.
func plain(f *syntax.File) {
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe {
				n.Y = subshell(n.Y)
			}
		case *syntax.CallExpr:
			plainWords(n.Args)
		case *syntax.WordIter:
			plainWords(n.Items)
		}
		return true
	})
}

func subshell(s *syntax.Stmt) *syntax.Stmt {
	if _, ok := s.Cmd.(*syntax.CallExpr); ok && !assigns(s) {
		return s
	}
	if _, ok := s.Cmd.(*syntax.Subshell); ok {
		return s
	}
	return &syntax.Stmt{Position: s.Position, Cmd: &syntax.Subshell{Lparen: s.Position, Rparen: s.Position, Stmts: []*syntax.Stmt{s}}}
}

// assigns reports whether a simple command may change the shell itself.
func assigns(s *syntax.Stmt) bool {
	c := s.Cmd.(*syntax.CallExpr)
	if len(c.Args) == 0 {
		return true
	}
	switch c.Args[0].Lit() {
	case "read", "cd", "eval", "exit", "export", "set", "unset", "shift", ".", "umask", "exec", "return":
		return true
	}
	return false
}

func plainWords(words []*syntax.Word) {
	for _, w := range words {
		var parts []syntax.WordPart
		for _, p := range w.Parts {
			switch p := p.(type) {
			case *syntax.Lit:
				p.Value = escapeBraces(p.Value)
			case *syntax.SglQuoted:
				if p.Dollar {
					p.Dollar = false
					parts = append(parts, &syntax.Lit{ValuePos: p.Left, ValueEnd: p.Left, Value: `\$`})
				}
			case *syntax.DblQuoted:
				if p.Dollar {
					p.Dollar = false
					parts = append(parts, &syntax.Lit{ValuePos: p.Left, ValueEnd: p.Left, Value: `\$`})
				}
			}
			parts = append(parts, p)
		}
		w.Parts = parts
	}
}

// escapeBraces makes characters of the braces that would be expanded.
func escapeBraces(s string) string {
	if !strings.Contains(s, "{") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			b.WriteByte(s[i])
			i++
		case s[i] == '{':
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
