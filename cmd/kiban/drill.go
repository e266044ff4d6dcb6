package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

type drillOptions struct {
	app    *app
	output output
	Site   string
	// Backup is a file, a name, or "latest"; Identity the file with the private key that opens it.
	Backup, Identity string
}

func newDrill(a *app, runF func(context.Context, *drillOptions) error) *cobra.Command {
	opts := &drillOptions{app: a}
	cmd := &cobra.Command{
		Use:   "drill SITE",
		Short: "Prove a backup: restore it in a lab, and read back what is in it",
		Long: `Restore a backup of the site as kiban restore would, in a lab of the site's controllers: decrypt it, verify it, boot etcd and the API
servers of its version from it, with the keys that are in it. Every object is decoded, counted by kind, and compared with what was
counted when the backup was taken; a sample is read whole. Then a plan says what would be left to do. Nothing of the site is touched.

A backup that passes is proven. When, by whom and how long it took is recorded in the cluster and beside the backup, wherever it is kept;
kiban status and kiban backup list show it, and spec.backup.proven wants it before controllers change.

The lab is kiban-lab, found by KIBAN_LAB, beside kiban, or in the PATH.

Exit code 0: the backup is proven; 1: it is not, for something in it is wrong or did not come back; 3: it is not known whether it can
be restored, for it could not be tried: no key opens it, there is no lab or no room for one, nobody counted what was to be in it.`,
		Example: "  kiban drill tokyo-prod --identity key.txt\n" +
			"  kiban drill tokyo-prod --backup last.tar.gz.age --identity key.txt -o markdown",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, drillRun),
	}
	cmd.Flags().StringVar(&opts.Backup, "backup", "latest", "the backup: latest, a file, or a name that kiban backup list shows")
	cmd.Flags().StringVar(&opts.Identity, "identity", "", "the file with the age private key that opens an encrypted backup")
	addOutput(cmd, &opts.output, "text", "json", "yaml", "markdown")
	return cmd
}

func drillRun(ctx context.Context, opts *drillOptions) error {
	a := opts.app
	var d lifecycle.Drill
	about := supply.Built()
	_, err := a.withMachines(ctx, opts.Site, session.Options{}, func(s *session.Session) (err error) {
		d, err = s.Drill(ctx, session.DrillOptions{Backup: opts.Backup, Identity: opts.Identity, Kiban: about.Version,
			Revision: about.Revision})
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(drilled(a, d, opts.output), d.Findings.Err())
}

// drilled shows a drill.
func drilled(a *app, d lifecycle.Drill, o output) error {
	switch {
	case o.data():
		return writeReport(a.Out, o.form, d)
	case o.form == "markdown":
		return render.DrillMarkdown(a.Out, d)
	}
	return render.DrillText(a.Out, d, a.outStyle())
}
