package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

// withResult runs a verb that changes a site and puts how it ended into a file, whatever that is; "" writes none. What lies there from an
// earlier attempt goes first: a process that is killed must not leave another one's result behind.
func (a *app) withResult(ctx context.Context, file, site string, verb func(*lifecycle.Outcome) error) error {
	o := &lifecycle.Outcome{Format: lifecycle.OutcomeFormat, Site: site, Began: time.Now()}
	if file == "" {
		return verb(o)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return lifecycle.NoOutcome(file, err, "Nothing was done.")
	}
	err := verb(o)
	end(o, session.InterruptedBy(ctx, err), time.Now())
	b, unsaid := json.MarshalIndent(o, "", "  ")
	if unsaid == nil {
		unsaid = os.WriteFile(file, append(lifecycle.HarmlessJSON(b), '\n'), 0o600)
	}
	if unsaid == nil {
		return err
	}
	a.report(err) // what happened must not be hidden by a file that could not be written
	unsaid = lifecycle.NoOutcome(file, unsaid, "The verb itself had come to its end: "+o.Message)
	a.report(unsaid)
	return shown{errors.Join(err, unsaid)}
}

// became notes what became of the verb.
func became(o *lifecycle.Outcome, site lifecycle.Site, r session.Result) {
	for _, p := range r.Plans {
		o.Planned(render.Verdict(site, p), p)
	}
	o.Run, o.Message, o.Review = r.Run, r.Summary, r.Review
}

// end notes how it ended.
func end(o *lifecycle.Outcome, err error, now time.Time) {
	o.Ended, o.ExitCode = now, exitCode(err)
	switch {
	case err == nil && o.Run == "":
		o.Kind = lifecycle.OutcomeUnchanged
	case err == nil:
		o.Kind = lifecycle.OutcomeDone
	case o.ExitCode == exitInterrupted:
		o.Kind = lifecycle.OutcomeInterrupted
	case o.ExitCode == exitStale:
		o.Kind = lifecycle.OutcomeStale
	case o.ExitCode == exitBlocked:
		o.Kind = lifecycle.OutcomeBlocked
	default:
		o.Kind = lifecycle.OutcomeFailed
	}
	if err != nil {
		o.Failed(err)
	}
}
