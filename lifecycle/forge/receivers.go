package forge

import (
	"context"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Receiver is somebody who is told.
type Receiver struct {
	// name is part of the messages' keys; title is for people.
	name, title string
	// passes says why a message is none for this receiver; "" when it is one. Nil: all are.
	passes func(MessageKind) string
	// send says what was done; "" when there was nothing to do, and idle says why that is.
	idle string
	send send
}

// send words a message and sends it.
type send func(ctx context.Context, wording Template, c Claimed) (did string, err error)

// Post sends a text, in Slack's form, to an address that is a secret. lifecycle.ErrMayBeTold: nobody knows whether it arrived.
type Post func(ctx context.Context, address, text string) error

// Open makes ready to speak to a forge.
type Open func() (Forge, error)

// Receivers are those that the environment wants to be told: KIBAN_WEBHOOK is an address, KIBAN_TELL_GITLAB says issue, note or both. One
// that
// is configured wrong is an error beside the others.
func Receivers(getenv func(string) string, to Post, open Open) ([]Receiver, error) {
	var out []Receiver
	if address := getenv("KIBAN_WEBHOOK"); strings.TrimSpace(address) != "" {
		out = append(out, WebhookReceiver(address, to))
	}
	wanted := strings.FieldsFunc(getenv("KIBAN_TELL_GITLAB"), func(r rune) bool { return r == ',' || r == ' ' })
	for _, w := range wanted {
		if w != "issue" && w != "note" {
			return out, lifecycle.Errorf("", "KIBAN_TELL_GITLAB says %q", w).Try("Set it to issue, to note, or to issue,note.")
		}
	}
	p := ProjectOf(getenv)
	if len(wanted) > 0 && (p.URL == "" || p.Name == "") {
		return out, lifecycle.Errorf("", "there is no GitLab project to write to").
			Because("CI_API_V4_URL or CI_PROJECT_ID is not set: this is no pipeline.").
			Try("Unset KIBAN_TELL_GITLAB outside of pipelines.")
	}
	if slices.Contains(wanted, "issue") {
		out = append(out, IssueReceiver(open, p.Name))
	}
	if slices.Contains(wanted, "note") {
		out = append(out, NoteReceiver(open, p.Name, getenv("CI_COMMIT_SHA"), getenv("CI_COMMIT_BRANCH")))
	}
	return out, nil
}

// WebhookReceiver is whoever reads what is posted to an address.
func WebhookReceiver(address string, to Post) Receiver {
	post := func(ctx context.Context, wording Template, c Claimed) (string, error) {
		text, err := wording.ForChat(c.Message)
		if err != nil || text == "" {
			return "", err
		}
		return "told", to(ctx, address, text)
	}
	return Receiver{name: "webhook", title: "the webhook", idle: "the template has no words for it", send: post}
}

// IssueReceiver is the site's issue in a project. It is not told that a run begins.
func IssueReceiver(open Open, project string) Receiver {
	return Receiver{
		name: "issue", title: "the issue of the site",
		idle: "it has the message, or there is no open one to close, or the template has no words for it",
		passes: func(k MessageKind) string {
			if k == MessageStarted {
				return "an issue is for what is amiss"
			}
			return ""
		},
		send: sendTelling(open, func(ctx context.Context, f Forge, t lifecycle.Telling) (string, error) {
			return f.TellIssue(ctx, project, t)
		}),
	}
}

// NoteReceiver is the merge request that a commit came into a branch with. It is not told what a look at the site found.
func NoteReceiver(open Open, project, commit, branch string) Receiver {
	return Receiver{
		name: "note", title: "the merge request", idle: "the commit came with none, or the template has no words for it",
		passes: func(k MessageKind) string {
			if k == MessageDrift || k == MessageUnseen || k == MessageSupport {
				return "a look at a site belongs to no merge request"
			}
			return ""
		},
		send: sendTelling(open, func(ctx context.Context, f Forge, t lifecycle.Telling) (string, error) {
			where, err := f.TellNote(ctx, project, commit, branch, t)
			if err != nil || where == "" {
				return "", err
			}
			return where + " has it", nil
		}),
	}
}

// sendTelling sends what tell puts on the forge.
func sendTelling(open Open, tell func(context.Context, Forge, lifecycle.Telling) (string, error)) send {
	return func(ctx context.Context, wording Template, c Claimed) (string, error) {
		text, err := wording.ForGitLab(c.Message)
		if err != nil || text == "" {
			return "", err
		}
		f, err := open()
		if err != nil {
			return "", err
		}
		return tell(ctx, f, lifecycle.Telling{Site: c.Site, Key: c.Key(), Body: text, Amiss: c.Kind.Opens(), Ends: c.Kind.Ends()})
	}
}
