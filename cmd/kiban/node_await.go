package main

import (
	"bufio"
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
)

// attended are the machines of a run, and the operator, who is asked where a step waits for work by hand.
type attended struct {
	apply.Machines
	done func(ctx context.Context, step lifecycle.Step) error
}

func (m attended) Do(ctx context.Context, step lifecycle.Step, progress func(string)) error {
	if step.Action != lifecycle.ActionAwait {
		return m.Machines.Do(ctx, step, progress)
	}
	progress("press Enter when it is done; Ctrl-C leaves it closed")
	return m.done(ctx, step)
}

// workDone waits for Enter at the terminal. An interrupt that would otherwise let the step in hand finish ends the wait: the operator is
// the one who finishes it.
func (a *app) workDone(stop <-chan struct{}) func(context.Context, lifecycle.Step) error {
	return func(ctx context.Context, step lifecycle.Step) error {
		line := make(chan error, 1)
		go func() {
			_, err := bufio.NewReader(a.In).ReadString('\n')
			line <- err
		}()
		why := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: step.Target, Summary: "the work on it is not done; it stays out of service",
			Hint: "Run the same again, or return it: kiban node uncordon"}
		select {
		case err := <-line:
			if err == nil {
				return nil
			}
			why.Cause, why.Detail = err, "The terminal is gone."
		case <-stop:
			why.Cause = apply.ErrInterrupted
		case <-ctx.Done():
			why.Cause = ctx.Err()
		}
		return why
	}
}
