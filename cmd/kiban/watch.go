package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

// runFlags gives a verb that carries out a plan the flags of all of them. Nil: it has no such choice.
func (a *app) runFlags(cmd *cobra.Command, yes *bool, lockTimeout *time.Duration) {
	f := cmd.Flags()
	if yes != nil {
		f.BoolVarP(yes, "yes", "y", false, "do not ask")
	}
	if lockTimeout != nil {
		f.DurationVar(lockTimeout, "lock-timeout", 0, "how long to wait while another run is changing the site, such as 10m")
	}
	forms := []string{"auto", "plain", "json"}
	f.StringVar(&a.progressForm, "progress", "auto", "how the run is shown on stderr: auto (redrawn in place at a terminal), plain (a line "+
		"an event), json (an event a line, and nothing else)")
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp)) // as addOutput
}

// beginProgress has stderr say everything as events where a program reads it.
func (a *app) beginProgress(cmd *cobra.Command) error {
	switch a.progressForm {
	case "", "auto", "plain":
		return nil
	case "json":
		a.events = render.NewEventLines(a.Err)
		a.Err = a.events
		a.interrupts.Tell(a.Err)
		return nil
	}
	return usage(cmd, fmt.Sprintf("--progress %s is none of auto, plain, json", a.progressForm))
}

// announce shows the plan before it is carried out; folded in the log of a GitLab job, which is read for what happened.
func (a *app) announce(site lifecycle.Site, plan lifecycle.Plan) error {
	show := func(w io.Writer) error { return render.PlanText(w, site, plan, a.errStyle()) }
	if a.events != nil { // each of its steps is an event, once the run begins
		a.note("%s", render.Verdict(site, plan))
		return a.events.Findings(plan.Diagnostics)
	}
	if a.gitlab() && plan.Diagnostics.Err() == nil {
		return render.Section(a.Err, a.errStyle(), time.Now, "plan", "Plan: "+render.Verdict(site, plan), show)
	}
	return show(a.Err)
}

// watchRun shows a run while it goes on. The first interrupt lets its steps in hand finish.
func (a *app) watchRun(plan lifecycle.Plan, run, journal string) session.View {
	a.note("\nRun %s, recorded in %s", run, journal)
	show, say, done := a.progress(plan)
	stop := a.interrupts.Graceful(say)
	return a.traced(session.View{Sink: show, Stop: stop, WorkDone: session.WorkDone(a.In, plan.Site, stop), Close: done})
}

// progress chooses how a run is shown: redrawn in place on a terminal, in sections in a GitLab job, line by line elsewhere. say is
// where other messages go meanwhile; done must be called at the end.
func (a *app) progress(plan lifecycle.Plan) (show lifecycle.Sink, say io.Writer, done func() error) {
	none := func() error { return nil }
	switch {
	case a.events != nil:
		return a.events.Sink, a.Err, none
	case a.gitlab():
		return render.GitLab(a.Err, plan, a.errStyle()), a.Err, none
	case a.live() && !a.verbose && a.progressForm != "plain":
		view := render.Live(a.Err, a.Size, plan, a.errStyle())
		return view.Sink, view, view.Close
	}
	return render.Plain(a.Err, a.errStyle()), a.Err, none
}
