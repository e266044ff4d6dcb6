package session

import (
	"context"
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// Hooks show what happens to people, and ask them. Each may be nil: then nothing is shown, and nobody is asked.
type Hooks struct {
	// Note tells something in passing.
	Note func(text string)
	// Warn tells of findings that stop nothing.
	Warn func(lifecycle.Diagnostics)
	// Show shows a plan before it is carried out, or with the findings that stop it. Its error stops the verb.
	Show func(lifecycle.Plan) error
	// Confirm asks whether the plan that was shown may be carried out. Its error is no.
	Confirm func(ctx context.Context, plan lifecycle.Plan) error
	// Watch is told of a run that begins, and where its journal is.
	Watch func(plan lifecycle.Plan, run, journal string) View
}

// View is how somebody watches one run, and what they may do meanwhile. The zero View watches nothing.
type View struct {
	// Sink gets the run's events after the journal has them.
	Sink lifecycle.Sink
	// Stop, when closed, lets the steps in hand finish and starts no other.
	Stop <-chan struct{}
	// WorkDone waits until the work is done that a step waits for.
	WorkDone func(ctx context.Context, step lifecycle.Step) error
	// Close is called when the run has ended.
	Close func() error
}

func (h Hooks) say(text string) {
	if h.Note != nil {
		h.Note(text)
	}
}

func (h Hooks) note(format string, args ...any) { h.say(fmt.Sprintf(format, args...)) }

func (h Hooks) warn(ds ...lifecycle.Diagnostic) {
	if h.Warn != nil {
		h.Warn(ds)
	}
}

func (h Hooks) show(p lifecycle.Plan) error {
	if h.Show == nil {
		return nil
	}
	return h.Show(p)
}

func (h Hooks) confirm(ctx context.Context, p lifecycle.Plan) error {
	if h.Confirm == nil {
		return nil
	}
	return h.Confirm(ctx, p)
}

func (h Hooks) watch(p lifecycle.Plan, run, journal string) View {
	var v View
	if h.Watch != nil {
		v = h.Watch(p, run, journal)
	}
	if v.Sink == nil {
		v.Sink = func(lifecycle.Event) error { return nil }
	}
	if v.Close == nil {
		v.Close = func() error { return nil }
	}
	return v
}
