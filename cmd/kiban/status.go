package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/render"
)

type statusOptions struct {
	app    *app
	output output
	Site   string
}

func newStatus(a *app, runF func(context.Context, *statusOptions) error) *cobra.Command {
	opts := &statusOptions{app: a}
	cmd := &cobra.Command{
		Use:   "status SITE",
		Short: "Show what is there: machines, nodes, API servers, etcd, addons, problems",
		Long: `Show what is there, by one command a machine and a few questions to the API. Nothing is changed.
It exits with 0 whatever it finds, as long as it could look: a machine that does not answer is a fact like any other.`,
		Example:           "  kiban status tokyo-prod\n  kiban status tokyo-prod -o json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, statusRun),
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

// statusReport is the machine-readable form.
type statusReport struct {
	lifecycle.State
	// Locks are what a run holds; two while it sets the cluster up.
	Locks []lifecycle.Lock `json:"locks,omitempty"`
	// Provider is who runs the machines; Declared is the k0s version, where kiban does.
	Provider lifecycle.Provider    `json:"provider,omitempty"`
	Declared lifecycle.Version     `json:"declared"`
	Problems lifecycle.Diagnostics `json:"problems,omitempty"`
}

func statusRun(ctx context.Context, opts *statusOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	s, err := a.open(site, fleet)
	if err != nil {
		return err
	}
	state, err := s.Observe(ctx)
	if err != nil {
		return errors.Join(err, s.Close())
	}
	locks, unread := s.Locks(ctx) // a lock that can't be read is shown as such
	if err := s.Close(); err != nil {
		return err
	}
	report := statusReport{State: state, Locks: locks, Provider: site.Provider, Declared: site.Cluster.Version,
		Problems: a.Problems(site, state)}
	if opts.output.form != "text" {
		return writeReport(a.Out, opts.output.form, report)
	}
	if err := render.StatusText(a.Out, site, state, report.Problems, a.outStyle()); err != nil {
		return err
	}
	now := time.Now()
	_, err = io.WriteString(a.Out, render.SupportLine(state, now)+lockLines(locks, unread, now))
	return err
}

// lockLines is what status says of the lock; nothing when nobody has it.
func lockLines(locks []lifecycle.Lock, unread error, now time.Time) string {
	var b strings.Builder
	for _, l := range lock.ByRun(locks) {
		fmt.Fprintf(&b, "\nLocked: %s\n", strings.ReplaceAll(lock.Describe(l, now), "\n", "\n        "))
	}
	if unread != nil {
		fmt.Fprintf(&b, "\nLocked: not known: %v\n", unread)
	}
	return b.String()
}
