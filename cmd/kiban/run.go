package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
	"kiban.dev/kiban/lifecycle/render"
)

// stateDir is where kiban keeps its own files, beside the fleet it runs in.
func stateDir(fleet string) string { return filepath.Join(fleet, ".kiban") }

// cacheDir is where it keeps what it fetched: charts, manifests, binaries and unpacked bundles.
func cacheDir(fleet string) string { return filepath.Join(stateDir(fleet), "cache") }

// newRunID names a run: when it began, and enough chance that two of the same second differ.
func newRunID(now time.Time) string {
	b := make([]byte, 3)
	rand.Read(b) // never fails
	return now.UTC().Format("20060102-150405-") + hex.EncodeToString(b)
}

// carryOutAs runs a plan with a journal and with progress on Err. review is what people said yes to; nil where that was not asked for. It gives the
// run's own summary.
func (a *app) carryOutAs(ctx context.Context, id string, site lifecycle.Site, fleet string, conn connection, plan lifecycle.Plan, review *lifecycle.Review) (summary string, err error) {
	if d := backups(site, fleet).Unencrypted(); d != nil && takesBackup(plan) {
		a.findings(lifecycle.Diagnostics{*d})
	}
	base := filepath.Join(stateDir(fleet), "runs", site.Name, id)
	j, err := journal.Open(base + ".jsonl")
	if err != nil {
		return "", unrecordable(site, err)
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	commands, err := os.OpenFile(base+".commands.jsonl", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", unrecordable(site, err)
	}
	defer func() { err = errors.Join(err, commands.Close()) }()
	a.note("\nRun %s, recorded in %s", id, j.Path())
	show, say, done := a.progress(plan)
	who, where := a.operator()
	stop := a.interrupts.graceful(say)
	run := applyRun{ID: id, Who: who, Where: where, Review: review, Claim: a.claim(site, id, "", 0), Sink: lifecycle.Sinks(j.Sink, show, keepSummary(&summary)), Commands: commands, Stop: stop, WorkDone: a.workDone(stop)}
	err = conn.Apply(ctx, plan, run)
	return summary, errors.Join(err, done())
}

func unrecordable(site lifecycle.Site, err error) error {
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the run can't be recorded, so nothing was done", Detail: err.Error(),
		Hint: "Make the folder .kiban of the fleet writable.", Subject: site.Name, Cause: err}
}

// keepSummary is a sink that remembers the run's last word.
func keepSummary(into *string) lifecycle.Sink {
	return func(e lifecycle.Event) error {
		if e.Kind == lifecycle.EventSummary {
			*into = fmt.Sprintf("%s in %s", strings.TrimSuffix(e.Message, "."), e.Elapsed.Round(time.Second))
		}
		return nil
	}
}

// progress chooses how a run is shown: redrawn in place on a terminal, in sections in a GitLab job, line by line elsewhere. say is
// where other messages go meanwhile; done must be called at the end.
func (a *app) progress(plan lifecycle.Plan) (show lifecycle.Sink, say interface{ Write([]byte) (int, error) }, done func() error) {
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
