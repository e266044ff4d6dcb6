package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
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
		Long: `Stream a backup from a running controller, encrypt it to the recipients that the site declares (age), and read it again before it counts.
It is kept as .kiban/backups/SITE/SITE-VERSION-TIME.tar.gz.age, and older ones go as spec.backup says. The path of the file is the result.

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
	store := backups(site, fleet)
	store.Out = opts.Out
	file := ""
	conn, err := a.connectWith(site, fleet, connectOptions{KeepBackup: func(v lifecycle.Version, take func(io.Writer) error) (_ string, err error) {
		file, err = store.Keep(v, take)
		return file, err
	}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := a.carryOut(ctx, site, fleet, conn, a.PlanBackup(site)); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.Out, file)
	return err
}

// takesBackup reports whether a step of the plan takes a backup.
func takesBackup(plan lifecycle.Plan) bool {
	return slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionBackup })
}

// backups is where a site's backups are kept.
func backups(site lifecycle.Site, fleet string) backup.Store {
	return backup.Store{Site: site.Name, Dir: filepath.Join(stateDir(fleet), "backups", site.Name), Rules: site.Backup}
}
