package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
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
		Long: `Read what the repository declared at an earlier revision, without touching the work tree, and apply that: with a plan that is shown first, and
behind the same gates. Without --to it is the revision that was applied before the present one, by the cluster's own record of its runs.

k0s does not take a control plane back to an older version. That is refused, and the backup that leads there is named.
The repository still declares what it did: revert it there too, or the next apply goes forward again.`,
		Example:           "  kiban rollback tokyo-prod\n  kiban rollback tokyo-prod --to 4f1c2a9",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, rollbackRun),
	}
	cmd.Flags().StringVar(&opts.To, "to", "", "the revision to go back to: a commit, a tag, HEAD~2")
	cmd.Flags().DurationVar(&opts.LockTimeout, "lock-timeout", 0, "how long to wait while another run is changing the site, such as 10m")
	cmd.Flags().BoolVar(&opts.Yes, "yes", false, "do not ask")
	return cmd
}

func rollbackRun(ctx context.Context, opts *rollbackOptions) (err error) {
	a := opts.app
	if !opts.Yes && !a.InTTY {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "nobody is here to confirm the plan: stdin is not a terminal", Subject: opts.Site, Hint: "Add --yes."}
	}
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
	folder, err := scratchDir("kiban-rollback-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	site, err := a.siteAt(ctx, fleet, opts.Site, revision, folder)
	if err != nil {
		return err
	}
	conn, err := a.connect(site, fleet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	state, err := conn.Observe(ctx)
	if err != nil {
		return err
	}
	kept, err := backup.List(backups(site, fleet).Dir, site.Name)
	if err != nil {
		return err
	}
	if err := tooFarBack(site, state, kept); err != nil {
		return err
	}
	a.note("Going back to revision %s of the repository.", site.Revision)
	if err := applyPlans(ctx, applying{applyOptions: &applyOptions{app: a, Site: site.Name, Yes: opts.Yes, LockTimeout: opts.LockTimeout}, site: site, fleet: fleet, conn: conn, outcome: &lifecycle.Outcome{}}); err != nil {
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
	site, ds := a.LoadSite(ctx, folder, name)
	if err := ds.Err(); err != nil {
		return site, err
	}
	a.findings(ds)
	site.Revision = full
	return site, nil
}

// appliedBefore asks the cluster which revision was applied before the present one.
func (a *app) appliedBefore(ctx context.Context, name string) (revision string, err error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err != nil {
		return "", err
	}
	conn, err := a.connect(site, fleet)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	runs, err := conn.Runs(ctx)
	if err != nil {
		return "", lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: name, Summary: "the cluster cannot be asked what was applied before", Detail: err.Error(),
			Hint: "Name the revision: --to REV", Cause: err}
	}
	revision = revisionBefore(runs)
	if revision == "" {
		return "", lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: name, Summary: "no revision before the present one is known",
			Detail: "The cluster's record of its runs holds none that was applied to its end from a clean work tree.", Hint: "Name the revision: --to REV. `kiban runs " + name + "` lists what was run."}
	}
	return revision, nil
}

// revisionBefore finds, in runs from the newest to the oldest, the revision of the last one that succeeded with another declaration than
// the newest run's. One from a work tree with uncommitted changes cannot be had again.
func revisionBefore(runs []lifecycle.RunRecord) string {
	for _, r := range runs {
		if r.Digest != runs[0].Digest && r.Result == lifecycle.RunDone && r.Revision != "" && !strings.HasSuffix(r.Revision, "-dirty") {
			return r.Revision
		}
	}
	return ""
}

// tooFarBack refuses what k0s cannot take back: a control plane at an older version than it has.
func tooFarBack(site lifecycle.Site, state lifecycle.State, kept []backup.File) error {
	var have lifecycle.Version
	for _, h := range site.Cluster.Controllers() {
		if s, ok := state.Host(h.Name); ok {
			for _, v := range []lifecycle.Version{s.Running, s.Binary} {
				if s.Data && have.Less(v) {
					have = v
				}
			}
		}
	}
	want := site.Cluster.Version
	if !want.Less(have) {
		return nil
	}
	d := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: fmt.Sprintf("k0s does not go back from %s to %s", have, want),
		Detail: "A control plane's data is written in the form of its version. The way back is a backup that was taken at the older one."}
	for _, f := range kept {
		if f.Version == want {
			d.Detail += fmt.Sprintf("\nThere is one of %s: %s", f.Taken.Format("2006-01-02 15:04:05 UTC"), f.Path)
			d.Hint = fmt.Sprintf("Revert the repository to %s, reset the controllers, then: kiban restore %s --from %s. What was written since the backup is lost.", site.Revision, site.Name, f.Path)
			return d
		}
	}
	d.Hint = fmt.Sprintf("No backup of %s is in .kiban/backups/%s here; look where backups of the site are copied to.", want, site.Name)
	return d
}
