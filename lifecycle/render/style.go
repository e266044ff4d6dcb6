package render

import (
	"fmt"
	"time"
)

// Style says what a writer can show; Writer.Style gives it. The zero value is plain text, for any writer.
type Style struct {
	key string
	// color allows ANSI colours: a terminal, and nobody asked for none (NO_COLOR, TERM=dumb).
	color bool
	// columns is how wide lines may be; 0: as wide as they are, for files, pipes and logs.
	columns int
}

// Within is the style for a terminal of so many columns.
func (s Style) Within(columns int) Style {
	s.columns = columns
	return s
}

// raw is a sequence that steers the writer's other end, as only the writer's own Style can write it.
func (s Style) raw(seq string) string {
	if s.key == "" {
		return ""
	}
	return s.key + seq + string([]byte{markEnd})
}

const (
	codeBold   = "1"
	codeDim    = "2"
	codeRed    = "31"
	codeGreen  = "32"
	codeYellow = "33"
	codeCyan   = "36"
)

func (s Style) paint(code, text string) string {
	if !s.color || code == "" || text == "" {
		return text
	}
	return s.raw("\x1b["+code+"m") + text + s.raw("\x1b[0m")
}

// Duration shows a span as people say it: 850ms, 12s, 3m05s, 2h10m.
func Duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		if s := int(d.Seconds()) % 60; s != 0 {
			return fmt.Sprintf("%dm%02ds", int(d.Minutes()), s)
		}
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}

// wrap breaks words into lines of at most width, each behind indent.
func wrap(words []string, sep, indent string, width int) []string {
	var lines []string
	line := ""
	for i, w := range words {
		if i < len(words)-1 {
			w += sep
		}
		if line != "" && len(indent)+len(line)+1+len(w) > width {
			lines = append(lines, indent+line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(lines, indent+line)
}
