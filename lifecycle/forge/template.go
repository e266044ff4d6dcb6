package forge

import (
	_ "embed"
	"fmt"
	"io"
	"os"
	"strings"
	"text/template"
	"time"

	"kiban.dev/kiban/lifecycle"
)

//go:embed message.tmpl
var shipped string

// Limits of one text, and of a message: what a person reads in a chat.
const (
	longestText    = 300
	longestMessage = 8000
	mostListed     = 6
)

// fields are what a template sees. Texts are written as nothing but text.
type fields[T form] struct {
	Kind                        MessageKind
	Site, Tier, Revision        T
	Headline, Sign              string
	From, Target                T
	Addons, Accepted            []T
	Verdict, Result             T
	Where, Reason, Detail, Hint T
	Took, Estimate              T
	Who                         T
	Over                        []MessageKind
	Job, Pipeline, Review       T
}

// Template is how messages are worded.
type Template struct{ text, name string }

// ShippedTemplate is the wording that comes with kiban.
func ShippedTemplate() Template { return Template{shipped, "message.tmpl"} }

// ParseTemplate reads a wording and tries it out on a message. Errors are Diagnostics whose subject is name.
func ParseTemplate(name, text string) (Template, error) {
	t := Template{text, name}
	for _, kind := range []MessageKind{MessageStarted, MessageFailed, MessageDrift} {
		if _, err := t.ForChat(Message{Kind: kind, Site: "tokyo-prod", Finding: &lifecycle.Diagnostic{Summary: "a reason"}}); err != nil {
			return Template{}, err
		}
	}
	return t, nil
}

// ForChat words a message for Slack and its like. "" says that the template has nothing to say.
func (t Template) ForChat(m Message) (string, error) {
	return execute[ChatText](t, m, template.FuncMap{
		"bold": func(v any) markup { return around("*", safe[ChatText](v)) },
		"code": func(v any) markup {
			return around("`", strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'").Replace(plain(v)))
		},
		"link": func(to, label any) markup {
			if to := address(plain(to)); to != "" {
				return markup("<" + strings.ReplaceAll(to, "&", "&amp;") + "|" + safe[ChatText](label) + ">")
			}
			return markup(safe[ChatText](label))
		},
	})
}

// Print writes messages as a webhook would get them, one below the other.
func (t Template) Print(w io.Writer, messages []Message) error {
	for _, m := range messages {
		text, err := t.ForChat(m)
		if err == nil {
			_, err = fmt.Fprintln(w, text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ForGitLab words a message in GitLab's Markdown. "" says that the template has nothing to say.
func (t Template) ForGitLab(m Message) (string, error) {
	text, err := execute[GitLabText](t, m, template.FuncMap{
		"bold": func(v any) markup { return around("**", safe[GitLabText](v)) },
		"code": func(v any) markup { return around("`", strings.ReplaceAll(plain(v), "`", "'")) },
		"link": func(to, label any) markup {
			if to := address(plain(to)); to != "" {
				return markup("[" + safe[GitLabText](label) + "](" + to + ")")
			}
			return markup(safe[GitLabText](label))
		},
	})
	return strings.ReplaceAll(text, "\n", "  \n"), err // a line of the template is a line of the message
}

func around(mark, text string) markup {
	if text == "" {
		return ""
	}
	return markup(mark + text + mark)
}

func execute[T form](t Template, m Message, functions template.FuncMap) (string, error) {
	bad := func(err error) error {
		why, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "template: "), " in type ") // what the type is called is no help
		return lifecycle.Errorf(t.name, "the template makes no message").
			Because(why).
			Try("kiban explain docs/messages.md lists the fields and functions that a template has.").
			Hiding(err)
	}
	parsed, err := template.New(t.name).Funcs(functions).Option("missingkey=error").Parse(t.text)
	if err != nil {
		return "", bad(err)
	}
	var b strings.Builder
	if err := parsed.Execute(&limited{&b}, fieldsOf[T](m)); err != nil {
		return "", bad(err)
	}
	return strings.TrimSpace(b.String()), nil
}

// limited takes no more than a message may have.
type limited struct{ b *strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > longestMessage {
		return 0, fmt.Errorf("the message has more than %d bytes", longestMessage)
	}
	return l.b.Write(p)
}

func fieldsOf[T form](m Message) fields[T] {
	text := func(s string) T { return T(clean(s, longestText)) }
	f := fields[T]{Kind: m.Kind, Site: text(m.Site), Tier: text(m.Tier), Revision: text(lifecycle.ShortRevision(m.Revision)),
		Headline: headline(m), Sign: messageSign(m.Kind),
		Verdict: text(m.Verdict), Result: text(m.Result), Who: text(m.Who), Took: text(period(m.Took)), Estimate: text(period(m.Estimate)),
		Over: m.Over,
		Job:  T(address(m.Job)), Pipeline: T(address(m.Pipeline)), Review: T(address(m.Review))}
	if !m.From.IsZero() {
		f.From = text(m.From.String())
	}
	if !m.Target.IsZero() {
		f.Target = text(m.Target.String())
	}
	f.Addons, f.Accepted = listed[T](m.Addons), listed[T](m.Accepted)
	if d := m.Finding; d != nil {
		f.Reason, f.Detail, f.Hint = text(d.Summary), text(detail(m.Kind, d.Detail)), text(d.Hint)
		if !strings.Contains(d.Summary, d.Subject) && d.Subject != m.Site {
			f.Where = text(d.Subject)
		}
	}
	return f
}

// listed are the first of a list, and how many more there are.
func listed[T form](all []string) (out []T) {
	for i, s := range all {
		if i == mostListed && len(all) > mostListed+1 {
			return append(out, T(fmt.Sprintf("and %d more", len(all)-i)))
		}
		out = append(out, T(clean(s, longestText)))
	}
	return out
}

// detail is how much of a finding's detail is told: its first line, for the rest are logs; but all that differs from what was reviewed.
func detail(kind MessageKind, text string) string {
	if kind == MessageStale {
		return strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	}
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return first
}

func period(d time.Duration) string {
	switch {
	case d < time.Second: // nothing was waited for
		return ""
	case d < time.Minute:
		return d.Round(time.Second).String()
	}
	return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
}

// ReadTemplate is the wording that a file holds; "" is kiban's own. Of one that makes no message, people are told in kiban's own words all
// the same.
func ReadTemplate(file string) (Template, error) {
	if file == "" {
		return ShippedTemplate(), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return ShippedTemplate(), lifecycle.Errorf(file, "the template can't be read").From(err).
			Try("--template and KIBAN_TELL_TEMPLATE name a file, as seen from the folder that kiban runs in.")
	}
	t, err := ParseTemplate(file, string(b))
	if err != nil {
		return ShippedTemplate(), err
	}
	return t, nil
}
