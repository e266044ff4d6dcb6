package lifecycle

import (
	"fmt"
	"time"
)

// Try is a start of a controller's k0s by a run, and what came of it.
type Try struct {
	Host string `json:"host"`
	// Action is what started it, Version the k0s that was started; zero where the step did not say.
	Action  Action  `json:"action"`
	Version Version `json:"version,omitzero"`
	// At is when the step ended, by the clock of the machine that ran it.
	At time.Time `json:"at"`
	// Why is the first line of why it did not come up; "" where it did.
	Why string `json:"why,omitempty"`
}

// String tells of it: "upgrade to v1.36.3+k0s.0 on 2026-11-30 05:00 UTC did not come up: ...".
func (t Try) String() string {
	text := fmt.Sprintf("%s of k0s %s on %s", t.Action, t.Version, Stamp(t.At))
	if t.Version.IsZero() {
		text = fmt.Sprintf("%s on %s", t.Action, Stamp(t.At))
	}
	if t.Why == "" {
		return text + " brought it up"
	}
	return text + " did not bring it up: " + t.Why
}

// Tried is the last start of a controller's k0s that is remembered, and the run that made it.
func (p Past) Tried(host string) (Try, RunRecord, bool) {
	for _, r := range p.Runs {
		for _, t := range r.Tried {
			if t.Host == host {
				return t, r, true
			}
		}
	}
	return Try{}, RunRecord{}, false
}

// FailedChange is what a machine's k0s was to run with and did not come up with, so that it was taken back.
type FailedChange struct {
	Host string `json:"host"`
	// Change identifies what it was to run with, as Step.Change does.
	Change string `json:"change"`
	Why    string `json:"why,omitempty"`
}

// FailedChange is the last time that a change was taken back on a machine, and the run that did it.
func (p Past) FailedChange(host, change string) (FailedChange, RunRecord, bool) {
	for _, r := range p.Runs {
		for _, f := range r.FailedChanges {
			if f.Host == host && f.Change == change && change != "" {
				return f, r, true
			}
		}
	}
	return FailedChange{}, RunRecord{}, false
}
