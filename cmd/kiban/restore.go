package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/render"
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
		Use:   "restore SITE --from FILE",
		Short: "Rebuild a site's control plane from a backup",
		Long: `Rebuild the control plane that the repository declares from a backup, on the same machines or on others: fill the first controller and start
it, let the others join, and bring the workers back. What happened in the cluster after the backup is lost.

The controllers must be fresh or reset: it is refused while one runs, holds a former control plane, or cannot be reached. The declared k0s
version must be the backup's. The plan is shown first, and the site's name is asked for.`,
		Example:           "  kiban restore tokyo-prod --from .kiban/backups/tokyo-prod/tokyo-prod-v1.35.7+k0s.0-20261121T020000Z.tar.gz.age --identity key.txt",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			if opts.From == "" {
				return usage(cmd, "from which backup? --from FILE")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return restoreRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.From, "from", "", "the backup")
	cmd.Flags().StringVar(&opts.Identity, "identity", "", "the file with the age private key that opens an encrypted backup")
	cmd.Flags().BoolVar(&opts.Rejoin, "rejoin-workers", false, "reset every worker and join it anew, also those that could go on")
	cmd.Flags().BoolVar(&opts.Yes, "yes", false, "do not ask")
	return cmd
}

func restoreRun(ctx context.Context, opts *restoreOptions) (err error) {
	a := opts.app
	site, fleet, err := a.loadMachines(ctx, opts.Site)
	if err != nil {
		return err
	}
	source, err := backup.Open(opts.From, opts.Identity)
	if err != nil {
		return err
	}
	conn, err := a.connectWith(site, fleet, connectOptions{Restore: source})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	a.note("Looking at %s of %s.", lifecycle.Count(len(site.Cluster.Hosts), "machine"), site.Name)
	state, err := conn.Observe(ctx)
	if err != nil {
		return err
	}
	from := lifecycle.Backup{Name: filepath.Base(source.Path), Site: source.Site, Version: source.Version, Digest: source.Digest}
	plan := a.PlanRestore(site, state, from, opts.Rejoin)
	if err := render.PlanText(a.Err, site, plan, a.errStyle()); err != nil {
		return err
	}
	if err := plan.Diagnostics.Err(); err != nil {
		return shown{err}
	}
	if err := a.confirmName(ctx, opts.Yes, site.Name); err != nil {
		return err
	}
	message, err := a.carryOut(ctx, site, fleet, conn, plan)
	if err != nil {
		return err
	}
	if plan.Unfinished != "" {
		message += ". More remains: " + plan.Unfinished
	}
	_, err = fmt.Fprintf(a.Out, "%s is restored from %s: %s.\n", site.Name, from.Name, message)
	return err
}

// confirmName has the person at the terminal type the site's name: what follows cannot be taken back.
func (a *app) confirmName(ctx context.Context, yes bool, site string) error {
	if yes {
		return nil
	}
	if !a.InTTY {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "nobody is here to confirm the plan: stdin is not a terminal", Subject: site, Hint: "Review the plan above, then add --yes."}
	}
	fmt.Fprintf(a.Err, "\nThe control plane of %s is rebuilt from the backup. Type the site's name to carry this out: ", site)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.In).ReadString('\n') // no line is no
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case said := <-answer:
		if said == site {
			return nil
		}
	}
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "not confirmed: nothing was changed", Subject: site}
}
