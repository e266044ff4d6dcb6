package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/session"
)

type rollbackOptions struct {
	app  *app
	Site string
	// To is the revision to go back to; "" is the one that was applied before.
	To          string
	Yes         bool
	LockTimeout time.Duration
}

func newRollback(a *app, runF func(context.Context, *rollbackOptions) error) *cobra.Command {
	opts := &rollbackOptions{app: a}
	cmd := &cobra.Command{
		Use:   "rollback SITE",
		Short: "Bring a site to what an earlier revision of the repository declares",
		Long: `Read what the repository declared at an earlier revision, without touching the work tree, and apply that: with a plan that is
shown first, and behind the same gates. Without --to it is the revision that was applied before the present one, by the cluster's own
record of its runs. A site that had another name then is named as it is now; it is known by spec.api.clusterUID.

k0s does not take a control plane back to an older version: that is refused, and the backup that leads there is named. Only a control
plane that soaks goes back to its former version, with nothing lost: see kiban back, and kiban explain docs/way-back.md.
The repository still declares what it did: revert it there too, or the next apply goes forward again.`,
		Example:           "  kiban rollback tokyo-prod\n  kiban rollback tokyo-prod --to 4f1c2a9",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, rollbackRun),
	}
	cmd.Flags().StringVar(&opts.To, "to", "", "the revision to go back to: a commit, a tag, HEAD~2")
	a.runFlags(cmd, &opts.Yes, &opts.LockTimeout)
	return cmd
}

func rollbackRun(ctx context.Context, opts *rollbackOptions) (err error) {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	revision := opts.To
	if revision == "" {
		if revision, err = a.appliedBefore(ctx, opts.Site); err != nil {
			return err
		}
	}
	folder, err := fleets.Scratch("kiban-rollback-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	site, err := a.siteAt(ctx, fleet, opts.Site, revision, folder)
	if err != nil {
		return err
	}
	if !opts.Yes && !a.InTTY {
		return lifecycle.Errorf(opts.Site, "nobody is here to confirm the plan: stdin is not a terminal").Try("Add --yes.")
	}
	s, err := a.openWith(site, fleet, session.Options{LockTimeout: opts.LockTimeout, Hooks: asking(a.confirmPlan(opts.Yes, site))})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	result, err := s.Rollback(ctx)
	if err != nil {
		return err
	}
	if err := a.result(applied(site, result)); err != nil {
		return err
	}
	a.note("The repository still declares what it did: revert it there too, or the next apply goes forward again.")
	return nil
}

// siteAt reads a site as a revision declared it.
func (a *app) siteAt(ctx context.Context, fleet, name, revision, folder string) (lifecycle.Site, error) {
	full, err := a.Checkout(fleet, revision, folder)
	if err != nil {
		return lifecycle.Site{}, lifecycle.AsDiagnostics(err, "the revision cannot be read")
	}
	if err := a.renameBack(ctx, fleet, name, folder, full); err != nil {
		return lifecycle.Site{}, err
	}
	site, ds := a.LoadSite(ctx, folder, name, session.LoadOptions{Beside: fleet})
	if err := ds.Err(); err != nil {
		return site, err
	}
	a.findings(ds)
	site.Revision = full
	return site, nil
}

// renameBack gives a site that was renamed since its present name, in a folder that has what a revision declared.
func (a *app) renameBack(ctx context.Context, fleet, name, folder, revision string) error {
	now, err := a.source().Now(fleet)
	if err != nil {
		return err
	}
	then, err := a.source().Past(folder, fleet, revision)
	if err != nil {
		return err
	}
	was, err := fleets.Formerly(ctx, then, now, name)
	if err != nil || was == "" {
		return err
	}
	a.note("%s was called %s then.", name, was)
	r, err := scaffold.Rename(folder, was, name)
	if err != nil {
		return err
	}
	return r.Do()
}

// appliedBefore asks the cluster which revision was applied before the present one.
func (a *app) appliedBefore(ctx context.Context, name string) (revision string, err error) {
	_, err = a.withSite(ctx, name, session.Options{}, func(s *session.Session) (err error) {
		revision, err = s.RevisionBefore(ctx)
		return err
	})
	return revision, err
}
