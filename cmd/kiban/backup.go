package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
)

type backupOptions struct {
	app  *app
	Site string
	// Out is a file or a folder; "" keeps the backup with the site's others.
	Out string
}

func newBackup(a *app, runF func(context.Context, *backupOptions) error) *cobra.Command {
	opts := &backupOptions{app: a}
	cmd := &cobra.Command{
		Use:   "backup SITE",
		Short: "Take a backup of a site's control plane",
		Long: `Stream a backup from a running controller, encrypt it to the recipients that the site declares (age), and read it again before it
counts. It is kept as .kiban/backups/SITE/SITE-VERSION-TIME.tar.gz.age, and older ones go as spec.backup says. The path of the file is the
result.

It holds what the control plane is rebuilt from: the cluster's data and its keys. It does not hold what is in volumes.`,
		Example:           "  kiban backup tokyo-prod\n  kiban backup tokyo-prod --out /srv/backups/",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, backupRun),
	}
	cmd.Flags().StringVar(&opts.Out, "out", "", "put it in this file or folder, where no older ones are removed")
	return cmd
}

func backupRun(ctx context.Context, opts *backupOptions) (err error) {
	a := opts.app
	site, fleet, err := a.loadMachines(ctx, opts.Site)
	if err != nil {
		return err
	}
	s, err := a.open(site, fleet)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	file, err := s.Backup(ctx, opts.Out)
	if err != nil {
		return err
	}
	return a.result(file)
}
