package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

func newBack(a *app, runF func(context.Context, *renewOptions) error) *cobra.Command {
	opts := &renewOptions{app: a}
	cmd := &cobra.Command{
		Use:   "back SITE",
		Short: "Take a control plane that soaks back to its former version",
		Long: `While the control plane of a site soaks (spec.upgrade.controlPlane.soak), its new version has only acted as the former one: each
controller gets its former k0s again, one after another, behind the gates of any restart, in a maintenance window. No backup is needed
and nothing is lost. If all windows are closed and it can't wait, declare one that is open now (spec.upgrade.windows of the Site).

The repository still declares the newer version: declare the former one there, and apply, which takes away what made it act as that. As
long as the newer one is declared, an apply at a terminal goes forward again, and one in a job is blocked.`,
		Example:           "  kiban back tokyo-prod",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, backRun),
	}
	a.runFlags(cmd, &opts.Yes, &opts.LockTimeout)
	return cmd
}

func backRun(ctx context.Context, opts *renewOptions) error {
	var to lifecycle.Version
	return upkeepSays(ctx, opts, "kiban back "+opts.Site, "The control plane of "+opts.Site+" has its former version.",
		func(site lifecycle.Site) string { return wentBack(site, to) },
		func(s *session.Session) (session.Result, error) {
			res, err := s.Back(ctx)
			if len(res.Plans) > 0 {
				to = res.Plans[0].Target
			}
			return res, err
		})
}

// wentBack says that a control plane has the version to again, and what takes the pin away, which remains.
func wentBack(site lifecycle.Site, to lifecycle.Version) string {
	const is = "The control plane has its former version, and is still pinned to it; "
	if site.Cluster.Version == to {
		return is + "kiban apply " + site.Name + " takes that away"
	}
	return is + "to take that away, declare that version, too, and apply"
}

func newCommit(a *app, runF func(context.Context, *renewOptions) error) *cobra.Command {
	opts := &renewOptions{app: a}
	cmd := &cobra.Command{
		Use:   "commit SITE",
		Short: "Make the new version of a control plane that soaks the one for good",
		Long: `While the control plane of a site soaks, it can go back (kiban back). This ends that: the new programs stop acting as the former
version, one controller after another, behind a backup that has what was stored in the soak. From then on only a backup leads back, so
the site's name is asked for. Workers follow with the next apply.`,
		Example:           "  kiban commit tokyo-prod",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, commitRun),
	}
	a.runFlags(cmd, &opts.Yes, &opts.LockTimeout)
	return cmd
}

func commitRun(ctx context.Context, opts *renewOptions) error {
	opts.asks = opts.app.confirmName(opts.Yes, opts.Site, "After this kiban back no longer works: only a backup leads back.")
	return upkeep(ctx, opts, "kiban commit "+opts.Site, "Nothing is left to commit on the controllers of "+opts.Site+".",
		"The control plane is committed", func(s *session.Session) (session.Result, error) { return s.Commit(ctx) })
}
