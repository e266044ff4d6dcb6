package lifecycle

import (
	"regexp"
	"strings"
)

// plainWord is what every shell takes as it is written.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$`)

// ShellWord is a word as it is typed at a shell: as it is where that is safe, else in quotes. Every value that somebody else chose goes
// through it on its way into a command that people are to copy.
func ShellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// ShellWords are words as they are typed at a shell.
func ShellWords(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = ShellWord(w)
	}
	return strings.Join(quoted, " ")
}

// SplitWords splits a command line as a shell would, such as the value of --kubelet-extra-args: blanks separate, quotes group. An open
// quote goes to the end.
func SplitWords(value string) []string {
	var words []string
	var word strings.Builder
	open, quote := false, byte(0)
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			open, quote = true, c
		case quote != '\'' && c == '\\' && i+1 < len(value):
			i++
			word.WriteByte(value[i])
			open = true
		case quote == 0 && (c == ' ' || c == '\t'):
			if open {
				words = append(words, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteByte(c)
			open = true
		}
	}
	if open {
		words = append(words, word.String())
	}
	return words
}
