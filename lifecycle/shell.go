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
