package forge

import (
	"context"

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
			if k == MessageDrift || k == MessageUnseen {
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
		return tell(ctx, f, lifecycle.Telling{Site: c.Site, Key: c.Key(), Body: text, Amiss: c.Kind.Amiss(), Ends: c.Kind.Ends()})
	}
}
