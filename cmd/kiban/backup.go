package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type backupOptions struct {
	app  *app
	Site string
	// Out is a file or a folder; "" keeps the backup wherever the site says.
	Out string
	// Scheduled is for a pipeline's schedule.
	Scheduled bool
}

func newBackup(a *app, runF func(context.Context, *backupOptions) error) *cobra.Command {
	opts := &backupOptions{app: a}
	cmd := &cobra.Command{
		Use:   "backup SITE",
		Short: "Take a backup of a site's control plane",
		Long: `Stream a backup from a running controller, encrypt it to the recipients that the site declares (age), and read it again before it
counts. It is kept as .kiban/backups/SITE/SITE-VERSION-TIME.tar.gz.age, and copied to each place of spec.backup.to, which must give it back
unaltered. Older ones go as spec.backup says. The path of the file is the result.

It holds what the control plane is rebuilt from: the cluster's data and its keys. It does not hold what is in volumes.

With --scheduled, for a pipeline's schedule, a site without a place in spec.backup.to is an error, for what lies here is gone with the job.
None is taken where each place has a verified one that is younger than an hour, so that a job may be retried.`,
		Example: "  kiban backup tokyo-prod\n  kiban backup tokyo-prod --out /srv/backups/\n  kiban backup tokyo-prod --scheduled\n" +
			"  kiban backup list tokyo-prod",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, backupRun),
	}
	cmd.Flags().StringVar(&opts.Out, "out", "", "put it in this file or folder and nowhere else, where no older ones are removed")
	cmd.Flags().BoolVar(&opts.Scheduled, "scheduled", false, "for a pipeline's schedule: only to where it outlives the job, once an hour")
	cmd.MarkFlagsMutuallyExclusive("out", "scheduled")
	a.runFlags(cmd, nil, nil)
	cmd.AddCommand(newBackupList(a, nil))
	return cmd
}

func backupRun(ctx context.Context, opts *backupOptions) error {
	a := opts.app
	var file, fresh string
	_, err := a.withMachines(ctx, opts.Site, session.Options{}, func(s *session.Session) (err error) {
		if opts.Scheduled {
			file, fresh, err = s.ScheduledBackup(ctx)
		} else {
			file, err = s.Backup(ctx, opts.Out)
		}
		return err
	})
	if err != nil {
		return err
	}
	if fresh != "" {
		a.note("%s has a backup that is younger than an hour wherever it is to be: %s", opts.Site, fresh)
		return nil
	}
	return a.result(file)
}

type backupListOptions struct {
	app    *app
	output output
	Site   string
}

func newBackupList(a *app, runF func(context.Context, *backupListOptions) error) *cobra.Command {
	opts := &backupListOptions{app: a}
	cmd := &cobra.Command{
		Use:   "list SITE",
		Short: "List a site's backups, wherever they are kept",
		Long: `List the backups of a site, newest first: those in .kiban/backups, and those in each place of spec.backup.to. VERIFIED says
when one was read back from there and was the same; one that never was does not count. A place that cannot be asked is an error,
after the others.

kiban restore SITE --from NAME fetches one and restores it.`,
		Example:           "  kiban backup list tokyo-prod\n  kiban backup list tokyo-prod -o json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, backupListRun),
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

func backupListRun(ctx context.Context, opts *backupListOptions) error {
	a := opts.app
	var kept []lifecycle.KeptBackup
	var ds lifecycle.Diagnostics
	if _, err := a.withMachines(ctx, opts.Site, session.Options{}, func(s *session.Session) error {
		kept, ds = s.Backups(ctx)
		return nil
	}); err != nil {
		return err
	}
	var err error
	switch {
	case opts.output.data():
		err = writeReport(a.Out, opts.output.form, kept)
	case len(kept) == 0:
		a.note("No backup of %s is known.", opts.Site)
	default:
		err = render.Backups(a.Out, kept, a.outStyle())
	}
	return errors.Join(err, ds.Err())
}
