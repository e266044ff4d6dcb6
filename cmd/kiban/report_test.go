package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// TestInterruptIsNoFailure: whoever pressed Ctrl-C was told that it is heard, and is not told then that kiban could not do something.
func TestInterruptIsNoFailure(t *testing.T) {
	said := func(err error) string {
		var errs strings.Builder
		a := &app{Streams: Streams{Err: &errs, Getenv: func(string) string { return "" }}.cleaned()}
		a.report(err)
		a.flush()
		return errs.String()
	}
	if got := said(errors.Join(session.ErrInterrupted, context.Canceled)); got != "" {
		t.Errorf("got %q", got)
	}
	found := errors.Join(session.ErrInterrupted, lifecycle.Errorf("lab", "worker-1 was left half way"))
	if got := said(found); !strings.Contains(got, "half way") {
		t.Errorf("what it left is not told: %q", got)
	}
	if got := said(context.Canceled); got == "" {
		t.Error("what nobody asked to end ended without a word")
	}
}

// TestUnlockAsksItsOwnQuestion: what is agreed to is to take a lock from somebody, and no plan.
func TestUnlockAsksItsOwnQuestion(t *testing.T) {
	f := &fakeSite{locks: []lifecycle.Lock{other()}}
	r := f.kiban(t, t.TempDir(), func(s *Streams) { s.InTTY, s.In = true, strings.NewReader("no\n") }, "unlock", "lab")
	if r.code != exitFailed || f.lockCalls != nil || !strings.Contains(r.err, "\nTake the lock away from it? Only 'yes' is accepted: ") ||
		!strings.Contains(r.err, "nothing was changed") {
		t.Errorf("exit %d, %v: %s", r.code, f.lockCalls, r.err)
	}
}
