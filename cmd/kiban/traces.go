package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// runTraces makes spans of a run's events, and delivers them.
type runTraces interface {
	Sink() lifecycle.Sink
	// Close delivers what is left. Its error is a warning.
	Close() error
}

// traced has a run that is watched told to a collector as well, where the environment names one. That it can't be is no reason not to
// run.
func (a *app) traced(v session.View) session.View {
	if a.OpenTraces == nil {
		return v
	}
	t, err := a.OpenTraces(context.Background(), a.Getenv)
	if t == nil || err != nil {
		a.findings(asWarnings(err))
		return v
	}
	show, done := v.Sink, v.Close
	v.Sink = lifecycle.Sinks(show, t.Sink())
	v.Close = func() error {
		err := done()
		a.findings(asWarnings(t.Close()))
		return err
	}
	return v
}

// asWarnings are findings that stop nothing.
func asWarnings(err error) lifecycle.Diagnostics {
	ds := lifecycle.AsDiagnostics(err, "traces can't be delivered")
	for i := range ds {
		ds[i].Severity = lifecycle.SeverityWarning
	}
	return ds
}
