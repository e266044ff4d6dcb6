package timeline

import (
	"fmt"
	"html"
	"strings"
)

// markup is text that may be markup: what this package itself wrote. Everything else that goes into a page is escaped.
type markup string

// page collects markup.
type page struct{ b strings.Builder }

// put writes format, with every argument that is text escaped. What hosts, people and the API wrote never becomes markup that way.
func (p *page) put(format string, args ...any) {
	safe := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case markup, int, float64:
			safe[i] = a
		default:
			safe[i] = escape(fmt.Sprint(a))
		}
	}
	fmt.Fprintf(&p.b, format, safe...)
}

// escape makes text safe in elements and in quoted attributes, and leaves out what no page may hold.
func escape(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return html.EscapeString(s)
}
