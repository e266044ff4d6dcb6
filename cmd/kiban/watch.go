package main

import (
	"bufio"
	"context"
	"io"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

// announce shows the plan before it is carried out; folded in the log of a GitLab job, which is read for what happened.
func (a *app) announce(site lifecycle.Site, plan lifecycle.Plan) error {
	show := func(w io.Writer) error { return render.PlanText(w, site, plan, a.errStyle()) }
	if a.gitlab() && plan.Diagnostics.Err() == nil {
		return render.Section(a.Err, a.errStyle(), time.Now, "plan", "Plan: "+render.Verdict(site, plan), show)
	}
	return show(a.Err)
}

// watchRun shows a run while it goes on. The first interrupt lets its steps in hand finish.
func (a *app) watchRun(plan lifecycle.Plan, run, journal string) session.View {
	a.note("\nRun %s, recorded in %s", run, journal)
	show, say, done := a.progress(plan)
	stop := a.interrupts.graceful(say)
	return session.View{Sink: show, Stop: stop, WorkDone: a.workDone(stop), Close: done}
}

// progress chooses how a run is shown: redrawn in place on a terminal, in sections in a GitLab job, line by line elsewhere. say is
// where other messages go meanwhile; done must be called at the end.
func (a *app) progress(plan lifecycle.Plan) (show lifecycle.Sink, say io.Writer, done func() error) {
	titles := map[string]string{}
	for _, s := range plan.Stages {
		titles[s.ID] = s.Title
	}
	none := func() error { return nil }
	switch {
	case a.gitlab():
		return render.GitLab(a.Err, titles, a.errStyle()), a.Err, none
	case a.live() && !a.verbose:
		view := render.Live(a.Err, a.Size, titles, a.errStyle())
		return view.Sink, view, view.Close
	}
	return render.Plain(a.Err, a.errStyle()), a.Err, none
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
		why := lifecycle.Errorf(step.Target, "the work on it is not done; it stays out of service").
			Try("Run the same again, or return it: kiban node uncordon")
		select {
		case err := <-line:
			if err == nil {
				return nil
			}
			return why.Because("The terminal is gone.").From(err)
		case <-stop:
			return why.Hiding(apply.ErrInterrupted)
		case <-ctx.Done():
			return why.Hiding(ctx.Err())
		}
	}
}
