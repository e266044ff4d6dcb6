package lifecycle

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Misleads reports whether a character steers what shows it, or can't be seen there, so that a reader is told something else than what the
// text says. What machines, clusters, files and servers say may hold any. By the Unicode Character Database:
//
//   - Cc, the controls: C0 with escape, bell and carriage return, DEL, and C1 with CSI and OSC; not the line feed and the tab;
//   - Cf, format characters: the bidirectional controls (PropList's Bidi_Control: ALM, LRM, RLM, the embeddings, overrides and isolates),
//     zero-width space, joiner and non-joiner, word joiner, byte order mark, soft hyphen, tags. Not the signs that stand before a number
//
// and
//
//	  are drawn (Prepended_Concatenation_Mark);
//	- Zl and Zp, the other line and paragraph ends;
//	- Other_Default_Ignorable_Code_Point: fillers that are drawn as nothing. Variation selectors stay: they say how the one before is
//
// drawn.
func Misleads(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point) ||
		unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// Harmless is text without the characters that mislead. What is not UTF-8 is shown as U+FFFD.
func Harmless(s string) string {
	return strings.Map(func(r rune) rune {
		if Misleads(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

// HarmlessJSON is a JSON document in which the characters that mislead are written as escapes, which say the same to programs. (A document
// has such characters within its strings only.)
func HarmlessJSON(doc []byte) []byte {
	if !strings.ContainsFunc(string(doc), Misleads) {
		return doc
	}
	var b strings.Builder
	for _, r := range string(doc) {
		switch {
		case !Misleads(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return []byte(b.String())
}
