package main

import (
	"errors"
	"fmt"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/review"
	"kiban.dev/kiban/lifecycle/session"
)

// The exit codes. They are part of the interface: pipelines branch on them.
const (
	exitDone        = 0   // done, or nothing to do
	exitFailed      = 1   // failed: the input is wrong, or an effect did not come about
	exitChanges     = 2   // plan and diff --detailed-exitcode, pin --check: there are changes
	exitBlocked     = 3   // blocked: a gate, a budget, a policy, a closed window or another run's lock says "not now"; drill: not known
	exitStale       = 4   // what would be done is not what was saved or reviewed
	exitInterrupted = 130 // interrupted, as a shell counts SIGINT
)

// exitCode maps what ended a verb to its code. Nothing else in kiban decides on codes.
func exitCode(err error) int {
	var changes changesError
	var program programError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, session.ErrInterrupted), errors.Is(err, apply.ErrInterrupted):
		return exitInterrupted
	case errors.As(err, &program):
		return program.code
	case errors.Is(err, review.ErrStale):
		return exitStale
	case errors.As(err, &changes):
		return exitChanges
	}
	ds := lifecycle.AsDiagnostics(err, "")
	if ds.Has(lifecycle.SeverityBlocked) && !ds.Has(lifecycle.SeverityError) {
		return exitBlocked
	}
	return exitFailed
}

// changesError says that a plan has changes, where the caller asked to be told by the exit code.
type changesError struct{}

func (changesError) Error() string { return "there are changes" }

// programError is the exit code of a program that kiban was asked to run, which has said itself what was wrong.
type programError struct{ code int }

func (e programError) Error() string { return fmt.Sprintf("it ended with exit code %d", e.code) }

// shown is an error that the operator has seen already: it decides the exit code only.
type shown struct{ error }

func (s shown) Unwrap() error { return s.error }
