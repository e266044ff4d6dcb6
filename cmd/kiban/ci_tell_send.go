package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

// telling is one message for GitLab.
type telling struct {
	Site      string
	Key, Body string
	// Amiss opens the site's issue, Ends closes it.
	Amiss, Ends bool
}

// tellServices are the ways to those who are told. did says what was done on GitLab: "opened https://…", or "" when there was nothing to do.
type tellServices struct {
	// SendWebhook posts a text, in Slack's form, to an address that is a secret. lifecycle.ErrMayBeTold: nobody knows whether it arrived.
	SendWebhook func(ctx context.Context, address, text string) error
	// TellIssue tells the site's issue.
	TellIssue func(ctx context.Context, project gitlabProject, log *slog.Logger, t telling) (did string, err error)
	// TellNote tells the merge request that a commit came into a branch with.
	TellNote func(ctx context.Context, project gitlabProject, commit, branch string, log *slog.Logger, t telling) (did string, err error)
}

// receiver is whom the environment wants to be told.
type receiver struct {
	// name is part of the messages' keys; title is for people.
	name, title string
	// passes says why a message is none for this receiver; "" when it is one. Nil: all are.
	passes func(forge.MessageKind) string
	// send says what was done; "" when there was nothing to do, and idle says why that is.
	idle string
	send func(ctx context.Context, wording forge.Template, c forge.Claimed) (did string, err error)
}

// receivers are those that are configured. One that is configured wrong is an error beside the others.
func (a *app) receivers() ([]receiver, error) {
	var out []receiver
	if address := a.Getenv("KIBAN_WEBHOOK"); strings.TrimSpace(address) != "" {
		out = append(out, a.webhook(address))
	}
	wanted := strings.FieldsFunc(a.Getenv("KIBAN_TELL_GITLAB"), func(r rune) bool { return r == ',' || r == ' ' })
	if len(wanted) == 0 {
		return out, nil
	}
	for _, w := range wanted {
		if w != "issue" && w != "note" {
			return out, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: fmt.Sprintf("KIBAN_TELL_GITLAB says %q", w), Hint: "Set it to issue, to note, or to issue,note."}
		}
	}
	project, err := a.toldProject()
	if err != nil {
		return out, err
	}
	if slices.Contains(wanted, "issue") {
		out = append(out, a.issue(project))
	}
	if slices.Contains(wanted, "note") {
		out = append(out, a.mergedNote(project))
	}
	return out, nil
}

// toldProject is the project that is written to.
func (a *app) toldProject() (gitlabProject, error) {
	p := a.gitlabProject()
	if p.API == "" || p.Project == "" {
		return p, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "there is no GitLab project to write to", Detail: "CI_API_V4_URL or CI_PROJECT_ID is not set: this is no pipeline.",
			Hint: "Unset KIBAN_TELL_GITLAB outside of pipelines."}
	}
	return p, nil
}

func (a *app) webhook(address string) receiver {
	return receiver{name: "webhook", title: "the webhook", idle: "the template has no words for it", send: func(ctx context.Context, wording forge.Template, c forge.Claimed) (string, error) {
		text, err := wording.ForChat(c.Message)
		if err != nil || text == "" {
			return "", err
		}
		return "told", a.SendWebhook(ctx, address, text)
	}}
}

func (a *app) issue(project gitlabProject) receiver {
	return receiver{name: "issue", title: "the issue of the site", idle: "it has the message, or there is no open one to close, or the template has no words for it",
		passes: func(k forge.MessageKind) string {
			if k == forge.MessageStarted {
				return "an issue is for what is amiss"
			}
			return ""
		},
		send: a.toGitLab(func(ctx context.Context, t telling) (string, error) { return a.TellIssue(ctx, project, a.log(), t) })}
}

func (a *app) mergedNote(project gitlabProject) receiver {
	return receiver{name: "note", title: "the merge request", idle: "the commit came with none, or the template has no words for it",
		passes: func(k forge.MessageKind) string {
			if k == forge.MessageDrift || k == forge.MessageUnseen {
				return "a look at a site belongs to no merge request"
			}
			return ""
		},
		send: a.toGitLab(func(ctx context.Context, t telling) (string, error) {
			where, err := a.TellNote(ctx, project, a.Getenv("CI_COMMIT_SHA"), a.Getenv("CI_COMMIT_BRANCH"), a.log(), t)
			if err != nil || where == "" {
				return "", err
			}
			return where + " has it", nil
		})}
}

func (a *app) toGitLab(tell func(context.Context, telling) (string, error)) func(context.Context, forge.Template, forge.Claimed) (string, error) {
	return func(ctx context.Context, wording forge.Template, c forge.Claimed) (string, error) {
		text, err := wording.ForGitLab(c.Message)
		if err != nil || text == "" {
			return "", err
		}
		return tell(ctx, telling{Site: c.Site, Key: c.Key(), Body: text, Amiss: c.Kind.Amiss(), Ends: c.Kind.Ends()})
	}
}

// tell claims the message, sends it, and writes down that it was told. What could not be sent may be told by the next that tries; but what may have
// arrived is left claimed, so that only one who tries much later sends it again.
func (a *app) tell(ctx context.Context, memory *toldMemory, r receiver, m forge.Message, wording forge.Template) error {
	if r.passes != nil {
		if why := r.passes(m.Kind); why != "" {
			a.note("Not told to %s: %s.", r.title, why)
			return nil
		}
	}
	mine := lifecycle.Told{Claim: rand.Text(), By: a.toldBy(), At: now()}
	var claimed forge.Claimed
	var why string
	memory.update(ctx, func(b forge.Book) { claimed, why = b.Claim(m, r.name, mine) })
	if why != "" {
		a.note("Not told to %s: %s.", r.title, why)
		return nil
	}
	sending, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	did, err := r.send(sending, wording, claimed)
	after := context.WithoutCancel(ctx) // a moment more, so that a retry knows
	if err != nil {
		if !errors.Is(err, lifecycle.ErrMayBeTold) {
			memory.update(after, func(b forge.Book) { b.Release(claimed, mine) })
		}
		return err
	}
	mine.At = now()
	memory.update(after, func(b forge.Book) { b.Confirm(claimed, mine) })
	if did == "" {
		a.note("Nothing to tell to %s: %s.", r.title, r.idle)
		return nil
	}
	a.note("%s: %s (%s).", strings.ToUpper(r.title[:1])+r.title[1:], did, m.Kind)
	return nil
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// toldBy is who tells, for others to read: a job's address, or a person and a machine.
func (a *app) toldBy() string {
	who, where := a.operator()
	if a.gitlab() && where != "" {
		return "job " + where
	}
	return strings.TrimSuffix(who+" on "+where, " on ")
}
