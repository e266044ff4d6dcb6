package render

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// twoColumns reports whether a terminal shows a character in two columns: those of East Asia, and pictures.
func twoColumns(r rune) bool {
	for _, span := range [...][2]rune{{0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3}, {0xf900, 0xfaff},
		{0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}} {
		if span[0] <= r && r <= span[1] {
			return true
		}
	}
	return false
}

// nextColumns is what a text begins with, a character or a mark of a Style: how many bytes it has, and how many columns of a terminal it
// takes. A mark takes none.
func nextColumns(s string) (size, columns int) {
	if s[0] == markBegin {
		if end := strings.IndexByte(s, markEnd); end > 0 {
			return end + 1, 0
		}
	}
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r < 0x300:
	case unicode.In(r, unicode.Mn, unicode.Me):
		return size, 0
	case twoColumns(r):
		return size, 2
	}
	return size, 1
}

// columnsOf is how many columns of a terminal a text takes.
func columnsOf(s string) (n int) {
	for s != "" {
		size, columns := nextColumns(s)
		s, n = s[size:], n+columns
	}
	return n
}

// cutAt divides a text where it is as wide as that, or at its end.
func cutAt(s string, width int) (head, rest string) {
	at, n := 0, 0
	for at < len(s) {
		size, columns := nextColumns(s[at:])
		if n += columns; n > width && at > 0 {
			return s[:at], s[at:]
		}
		at += size
	}
	return s, ""
}

// wrapColumns breaks a line between words where it is wider than width; what follows hangs by that many columns. A word that is wider than
// there is room is broken, too: a terminal that breaks lines by itself breaks redrawing in place. No width: no break.
func wrapColumns(line string, hang, width int) []string { return wrapLine(line, hang, width, true) }

// wrapText is wrapColumns for what people read and copy: a command, in backticks or as a line of its own, stays in one piece, and so does a
// word that is wider than there is room. A terminal breaks those by itself, and whoever copies them gets them whole.
func wrapText(line string, hang, width int) []string {
	if strings.HasPrefix(strings.TrimLeft(line, " -"), "kiban ") {
		return []string{line}
	}
	return wrapLine(line, hang, width, false)
}

func wrapLine(line string, hang, width int, broken bool) []string {
	if width <= 0 || columnsOf(line) <= width {
		return []string{line}
	}
	if hang >= width {
		hang = 0
	}
	var out []string
	now, empty := "", true
	flush := func() { out, now, empty = append(out, now), strings.Repeat(" ", hang), true }
	for rest := line; rest != ""; {
		var gap, word string
		gap, word, rest = nextWord(rest, !broken)
		switch {
		case !empty && columnsOf(now)+len(gap)+columnsOf(word) > width:
			flush()
			gap = ""
		case empty && len(gap) >= width:
			gap = ""
		}
		now, empty = now+gap, false
		for room := width - columnsOf(now); broken && columnsOf(word) > room; room = width - hang {
			var head string
			head, word = cutAt(word, room)
			now += head
			flush()
			empty = false
		}
		now += word
	}
	return append(out, now)
}

// nextWord takes the first word off a text, and the blanks before it. quoted: what stands in backticks is one word.
func nextWord(text string, quoted bool) (gap, word, rest string) {
	word = strings.TrimLeft(text, " ")
	gap = text[:len(text)-len(word)]
	end := 0
	for end < len(word) && word[end] != ' ' {
		if closing := strings.IndexByte(word[end+1:], '`'); quoted && word[end] == '`' && closing >= 0 {
			end += closing + 1
		}
		end++
	}
	return gap, word[:end], word[end:]
}

// Folded writes text for people within the style's width: a line that is longer goes on below, by four columns more than it began with.
func Folded(w io.Writer, text string, style Style) error {
	t := planText{style: style}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		t.hanging(len(line)-len(strings.TrimLeft(line, " "))+4, line)
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}
