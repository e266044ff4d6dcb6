package lifecycle

import "strings"

// Markdown is text as Markdown that shows it on one line and does nothing else, in a table's cell too: what hosts and people wrote must
// become neither markup nor a mention.
func Markdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", ">", "&gt;", "`", "'", "*", `\*`, "[", `\[`, "@",
		`\@`).Replace(s)
}

// OneLine keeps text from ending the line, or the block of code, that it stands in.
func OneLine(s string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(s) }
