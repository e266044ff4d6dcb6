package allowed

import (
	"errors"
	"strings"
)

var errQuotes = errors.New("a quote is not closed")

// words takes text apart as a shell does: at blanks, with quotes and backslashes. Nothing is expanded.
func words(text string) ([]string, error) {
	var out []string
	var word strings.Builder
	var quote rune
	begun, escaped := false, false
	for _, c := range text {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			begun, escaped = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			begun, quote = true, c
		case c == ' ' || c == '\t':
			if begun {
				out = append(out, word.String())
				word.Reset()
			}
			begun = false
		default:
			begun = true
			word.WriteRune(c)
		}
	}
	if quote != 0 || escaped {
		return nil, errQuotes
	}
	if begun {
		out = append(out, word.String())
	}
	return out, nil
}

// unquoted is a value without the pair of quotes around it, if there is one.
func unquoted(value string) string {
	if n := len(value); n >= 2 && (value[0] == '\'' || value[0] == '"') && value[n-1] == value[0] {
		if parts, err := words(value); err == nil && len(parts) == 1 {
			return parts[0]
		} else if err == nil && len(parts) == 0 {
			return ""
		}
	}
	return value
}

// printable reports whether text holds no control character: a line break in an argument would begin a new line of the unit that k0s
// writes.
func printable(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c == 0x7f })
}
