package forge

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
)

// MessageKind is what a message is about.
type MessageKind string

const (
	MessageStarted     MessageKind = "started"     // a run begins to change the site
	MessageDone        MessageKind = "done"        // the site was changed as planned
	MessageSettled     MessageKind = "settled"     // what was told to be wrong is over
	MessageFailed      MessageKind = "failed"      // a run failed
	MessageBlocked     MessageKind = "blocked"     // a gate, a policy, a lock or a window was in the way
	MessageStale       MessageKind = "stale"       // what would have been done is not what was reviewed
	MessageInterrupted MessageKind = "interrupted" // a person, or the pipeline, stopped the run
	MessageLost        MessageKind = "lost"        // the job ended and left no result
	MessageDrift       MessageKind = "drift"       // the site is not what the repository declares
	MessageUnseen      MessageKind = "unseen"      // it could not be found out whether the site is what the repository declares
	MessageSupport     MessageKind = "support"     // the time to leave a minor before its support ends runs short
)

// Amiss reports whether the kind stays open until a message says that all is well again.
func (k MessageKind) Amiss() bool {
	return slices.Contains([]MessageKind{MessageFailed, MessageBlocked, MessageStale, MessageInterrupted, MessageLost, MessageDrift,
		MessageUnseen}, k)
}

// Opens reports whether the kind is worth a site's issue: what is amiss, and what soon will be.
func (k MessageKind) Opens() bool { return k.Amiss() || k == MessageSupport }

// Ends reports whether the kind says that nothing is amiss any more.
func (k MessageKind) Ends() bool { return k == MessageDone || k == MessageSettled }

// Message is what is to be told of a site. The zero values of its fields are left out.
type Message struct {
	Kind MessageKind
	Site string
	// Tier is the site's label of that name.
	Tier     string
	Revision string
	// From and Target are the k0s versions before and after, where they change.
	From, Target lifecycle.Version
	// Addons are those that change, "metallb 0.16.1 -> 0.16.2".
	Addons []string
	// Verdict is what the plan would do, in one line; Result how it went, in one line.
	Verdict, Result string
	// Finding is what stopped it first.
	Finding *lifecycle.Diagnostic
	// Accepted are the differences from what was reviewed that somebody accepted.
	Accepted []string
	// Took is how long the run was under way; Estimate how long it may take by what former ones took.
	Took, Estimate time.Duration
	// Who runs it.
	Who string
	// Over are the kinds of what was told before and is over now.
	Over []MessageKind
	// The addresses of the job, the pipeline, and the merge request in which the plan was reviewed.
	Job, Pipeline, Review string

	// sameness is what makes two messages of a kind the same one.
	sameness []string
}

// StartMessage is the message that a plan is about to be carried out; false when it has nothing to do.
func StartMessage(p lifecycle.Plan, revision string) (Message, bool) {
	m := planMessage(MessageStarted, p)
	m.Revision = cmp.Or(revision, p.Revision)
	m.sameness = []string{m.Revision, p.Meaning()}
	return m, !p.Empty()
}

// EndMessage is the message of how a run ended. That nothing had to be done is told only where something was amiss before.
func EndMessage(o lifecycle.Outcome) Message {
	m := Message{Kind: kindOfOutcome(o.Kind), Site: o.Site, Revision: o.Revision, From: o.From, Target: o.Target, Verdict: o.Verdict,
		Result: o.Message}
	if !o.Began.IsZero() && o.Ended.After(o.Began) {
		m.Took = o.Ended.Sub(o.Began)
	}
	if o.Review != nil {
		m.Review, m.Accepted = o.Review.Where, o.Review.Accepted
	}
	switch m.Kind {
	case MessageDone:
		m.sameness = []string{o.Revision, o.Plan, o.Run}
	case MessageSettled:
		m.Verdict = ""
	default:
		m.Finding = firstFinding(o.Diagnostics)
		m.sameness = sameFailure(o)
		if m.Finding != nil && strings.Contains(o.Message, m.Finding.Summary) {
			m.Result = "" // the finding says it
		}
	}
	return m
}

// kindOfOutcome maps how a run ended. What this version does not know of ended badly.
func kindOfOutcome(k lifecycle.OutcomeKind) MessageKind {
	switch k {
	case lifecycle.OutcomeDone:
		return MessageDone
	case lifecycle.OutcomeUnchanged:
		return MessageSettled
	case lifecycle.OutcomeBlocked:
		return MessageBlocked
	case lifecycle.OutcomeStale:
		return MessageStale
	case lifecycle.OutcomeInterrupted:
		return MessageInterrupted
	}
	return MessageFailed
}

// sameFailure is what makes two failures the same: the revision, where it failed and at what. The plan is no part of it, for a run that is
// repeated has less to do, and fails in the same place; but of a plan that nobody reviewed it is what is at stake.
func sameFailure(o lifecycle.Outcome) []string {
	if o.Kind == lifecycle.OutcomeStale {
		return []string{o.Revision, o.Plan}
	}
	if d := firstFinding(o.Diagnostics); d != nil { // what has gone on for longer meanwhile is the same failure
		return []string{o.Revision, d.Subject, lifecycle.Gist(d.Summary)}
	}
	return []string{o.Revision, lifecycle.Gist(o.Message)}
}

// LostMessage is the message that a job ended and left no result, with GitLab's word for how: "failed", "canceled", or "" where it is not
// known.
func LostMessage(site, revision, status string) Message {
	m := Message{Kind: MessageLost, Site: site, Revision: revision, sameness: []string{revision, status}}
	switch status {
	case "failed":
		m.Result = "The job failed before the run said how it ended. Its log says why."
	case "canceled":
		m.Result = "The job was cancelled. Retry it: what is done already stays done."
	default:
		m.Result = "It was killed, or never began. Retry the job: what is done already stays done."
	}
	return m
}

// LookMessage is the message of what a look at a site found: that it is not what the repository declares, that this can't be known, or
// that all is well, which is told only where something was amiss before.
func LookMessage(p lifecycle.Plan) Message {
	d := firstFinding(p.Diagnostics)
	switch {
	case d != nil && d.Severity == lifecycle.SeverityError:
		m := Message{Kind: MessageUnseen, Site: p.Site, Revision: p.Revision, Finding: d, sameness: []string{d.Subject, d.Summary}}
		return m
	case !p.Empty():
		m := planMessage(MessageDrift, p)
		m.sameness = []string{p.Meaning()}
		m.Finding = d
		return m
	case d != nil:
		return Message{Kind: MessageUnseen, Site: p.Site, Revision: p.Revision, Finding: d, sameness: []string{d.Subject, d.Summary}}
	case p.Unfinished != "":
		return Message{Kind: MessageUnseen, Site: p.Site, Revision: p.Revision, Result: p.Unfinished, sameness: []string{p.Unfinished}}
	}
	return Message{Kind: MessageSettled, Site: p.Site, Revision: p.Revision}
}

// SupportMessage is the message that a site's time to leave a minor runs short: once for each mark that its slack passes, unless the end of
// support moves. False where there is no hurry.
func SupportMessage(e calendar.Entry) (m Message, near bool) {
	mark, near := e.Near()
	if !near {
		return Message{}, false
	}
	return Message{Kind: MessageSupport, Site: e.Site,
		Finding: &lifecycle.Diagnostic{Severity: lifecycle.SeverityWarning, Subject: e.Site, Summary: e.Line(),
			Hint: "Open that merge request, or bring the one that is there to its end. kiban calendar " + e.Site + " says what is assumed."},
		sameness: []string{e.Runs, e.Ends.Format(time.DateOnly), strconv.Itoa(mark)}}, true
}

// UnseenMessage is the message that a site could not be looked at, and why.
func UnseenMessage(site, revision, why string) Message {
	return Message{Kind: MessageUnseen, Site: site, Revision: revision, Result: why, sameness: []string{why}}
}

// planMessage says what a plan would do.
func planMessage(kind MessageKind, p lifecycle.Plan) Message {
	m := Message{Kind: kind, Site: p.Site, Revision: p.Revision}
	if p.Estimate != nil {
		m.Estimate = p.Estimate.Duration
	}
	if len(p.Hops) > 0 {
		m.From, m.Target = p.FormerVersion(), p.Target
	}
	for _, s := range p.Steps {
		if addon, ok := strings.CutPrefix(s.Target, lifecycle.UnitAddon); ok {
			m.Addons = append(m.Addons, addonChange(addon, s))
		}
	}
	return m
}

func addonChange(name string, s lifecycle.Step) string {
	if s.Action == lifecycle.ActionPrune {
		return name + " is removed"
	}
	return strings.TrimSpace(name + " " + s.Chart)
}

// firstFinding is the first finding that stops a verb, errors before blocks; nil when none does.
func firstFinding(ds lifecycle.Diagnostics) *lifecycle.Diagnostic {
	for _, severity := range [...]lifecycle.Severity{lifecycle.SeverityError, lifecycle.SeverityBlocked} {
		for _, d := range ds {
			if d.Severity == severity {
				return &d
			}
		}
	}
	return nil
}
