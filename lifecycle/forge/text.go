package forge

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"kiban.dev/kiban/lifecycle"
)

// ChatText is text for Slack and for what takes Slack's messages. GitLab is text for a GitLab issue or note. Each is kept as it came, and
// written so that it is nothing but text: no markup, no mention, no command.
type (
	ChatText   string
	GitLabText string
)

// form is a way to write text.
type form interface {
	~string
	fmt.Stringer
}

// String writes the text for a chat. Slack has no way to write its signs of markup as themselves, so others that look like them stand in. A
// mention is kept from being one by a character of no width, where the receiver looks for "@here" as well.
func (t ChatText) String() string {
	var b strings.Builder
	runes := []rune(string(t))
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	for i, r := range runes {
		switch {
		case r == '_' && word(i-1) && word(i+1), r == '@' && word(i-1): // in a name, in an address
			b.WriteRune(r)
		case r == '_', r == '@':
			b.WriteString("\u200b" + string(r) + "\u200b")
		default:
			b.WriteString(chatRune(r))
		}
	}
	return b.String()
}

func chatRune(r rune) string {
	switch r {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '*':
		return "∗"
	case '~':
		return "∼"
	case '`':
		return "'"
	case ']':
		return "]\u200b" // a link's text ends otherwise, where the receiver reads Markdown
	}
	return string(r)
}

// String writes the text as GitLab's Markdown.
func (t GitLabText) String() string {
	s := strings.NewReplacer("&lt;", "&lt;", "&gt;", "&gt;", "&", `\&`, "_", `\_`, "]", `\]`, "#", `\#`, "!", `\!`, "~", `\~`, "$", `\$`, "%",
		`\%`).Replace(lifecycle.Markdown(string(t)))
	if strings.HasPrefix(s, "/") {
		return `\` + s // at the beginning of a line it would be a quick action
	}
	return s
}

// clean is text on one line, of at most so many characters, without what is not to be seen.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case lifecycle.Misleads(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return s
}

// markup is what the functions of a template made. It is written as it is.
type markup string

// plain is what a template gave to a function, as text.
func plain(v any) string {
	switch v := v.(type) {
	case ChatText:
		return string(v)
	case GitLabText:
		return string(v)
	}
	return fmt.Sprint(v)
}

// safe is what a template gave to a function, written in form T.
func safe[T form](v any) string {
	if m, done := v.(markup); done {
		return string(m)
	}
	return T(plain(v)).String()
}

// address is where a link may lead: to a page, and to nothing else. "" is nowhere.
func address(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return strings.NewReplacer("(", "%28", ")", "%29", "|", "%7C", "<", "%3C", ">", "%3E", " ", "%20", "*", "%2A", "`", "%60").
		Replace(u.String())
}
