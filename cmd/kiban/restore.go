package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/session"
)

type restoreOptions struct {
	app  *app
	Site string
	// From is the backup, Identity the file with the private key that opens it.
	From, Identity string
	// Rejoin sets every worker up anew.
	Rejoin bool
	Yes    bool
}

func newRestore(a *app, runF func(context.Context, *restoreOptions) error) *cobra.Command {
	opts := &restoreOptions{app: a}
	cmd := &cobra.Command{
		Use:   "restore SITE --from BACKUP",
		Short: "Rebuild a site's control plane from a backup",
		Long: `Rebuild the control plane that the repository declares from a backup, on the same machines or on others: fill the first
controller and start it, let the others join, and bring the workers back. What happened in the cluster after the backup is lost.

The controllers must be fresh or reset: it is refused while one runs, holds a former control plane, or cannot be reached. The declared k0s
version must be the backup's. The plan is shown first, and the site's name is asked for.`,
		Example: "  kiban backup list lab\n  kiban restore lab --from lab-v1.35.7+k0s.0-20261121T020000Z.tar.gz.age\n" +
			"  kiban restore lab --from /mnt/backup.tar.gz.age --identity key.txt",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			if opts.From == "" {
				return usage(cmd, "from which backup? --from FILE, or a name of `kiban backup list`")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return restoreRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.From, "from", "", "the backup: a file, or a name that kiban backup list shows, which is fetched")
	cmd.Flags().StringVar(&opts.Identity, "identity", "", "the file with the age private key that opens an encrypted backup")
	cmd.Flags().BoolVar(&opts.Rejoin, "rejoin-workers", false, "reset every worker and join it anew, also those that could go on")
	a.runFlags(cmd, &opts.Yes, nil)
	return cmd
}

func restoreRun(ctx context.Context, opts *restoreOptions) (err error) {
	a := opts.app
	site, fleet, err := a.loadMachines(ctx, opts.Site)
	if err != nil {
		return err
	}
	file, err := a.fetchBackup(ctx, site, fleet, opts.From)
	if err != nil {
		return err
	}
	source, err := backup.Open(file, opts.Identity)
	if err != nil {
		return err
	}
	s, err := a.openWith(site, fleet, session.Options{Restore: source, Hooks: asking(a.confirmName(opts.Yes, site.Name,
		"The control plane of "+site.Name+" is rebuilt from the backup."))})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	result, err := s.Restore(ctx, opts.Rejoin)
	if err != nil {
		return err
	}
	message := result.Summary
	if result.Remains != "" {
		message += ". More remains: " + result.Remains
	}
	return a.result(fmt.Sprintf("%s is restored from %s: %s.", site.Name, filepath.Base(source.Path), message))
}

// fetchBackup gives the file of a backup: the one that is named, or the one that is fetched from where the site keeps it.
func (a *app) fetchBackup(ctx context.Context, site lifecycle.Site, fleet, from string) (file string, err error) {
	if !backup.Elsewhere(from) {
		return from, nil
	}
	s, err := a.open(site, fleet)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.FetchBackup(ctx, from)
}
