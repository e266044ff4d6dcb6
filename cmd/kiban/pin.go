package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/pins"
)

type pinOptions struct {
	app    *app
	output output
	// Sites are the sites to lock; none means the whole fleet.
	Sites []string
	// Check writes nothing, and tells by the exit code whether there is something to write.
	Check bool
	// AcceptChanged takes other content for a version that is locked.
	AcceptChanged bool
}

func newPin(a *app, runF func(context.Context, *pinOptions) error) *cobra.Command {
	opts := &pinOptions{app: a}
	cmd := &cobra.Command{
		Use:   "lock [SITE...]",
		Short: "Write down the digests of charts, manifests and k0s binaries",
		Long: `Ask every source of a site for what its versions stand for today, and write the digests of charts, manifests and k0s binaries into kiban.lock,
beside the overlay: to be committed. From then on nothing else is installed. Without SITE every site of the fleet is locked.
A version whose content is another one than the lock file says is refused, because versions do not change: someone has replaced it.`,
		Example:           "  kiban lock tokyo-prod\n  kiban lock --check",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			opts.Sites = args
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return pinRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json")
	cmd.Flags().BoolVar(&opts.Check, "check", false, "write nothing; exit with 2 when a lock file would change")
	cmd.Flags().BoolVar(&opts.AcceptChanged, "accept-changed", false, "take other content for a version that is locked, after someone has found out why")
	return cmd
}

// pinReport is what was found of one site.
type pinReport struct {
	Site    string      `json:"site"`
	Changes []pinChange `json:"changes,omitempty"`
	// Written says that the lock file was written.
	Written bool `json:"written"`
}

func pinRun(ctx context.Context, opts *pinOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	names := opts.Sites
	if len(names) == 0 {
		if names, err = a.ListSites(fleet); err != nil {
			return err
		}
	}
	reports := []pinReport{}
	var failed error
	differs := false
	for _, name := range names {
		report, err := pinSite(ctx, opts, fleet, name)
		if err != nil {
			a.report(err)
			failed = errors.Join(failed, err)
			continue
		}
		differs = differs || len(report.Changes) > 0
		reports = append(reports, report)
	}
	if err := writePinReports(a.Out, reports, opts); err != nil {
		return err
	}
	switch {
	case failed != nil:
		return shown{failed}
	case opts.Check && differs:
		return changesError{}
	}
	return nil
}

// pinSite resolves what one site declares, and writes its lock file when that says something else.
func pinSite(ctx context.Context, opts *pinOptions, fleet, name string) (pinReport, error) {
	a, report := opts.app, pinReport{Site: name}
	site, ds := a.LoadUnlocked(ctx, fleet, name)
	if err := ds.Err(); err != nil {
		return report, err
	}
	file := filepath.Join(site.Dir, lifecycle.PinsFile)
	former, err := pins.Read(file)
	if err != nil {
		return report, err
	}
	a.note("Asking the sources of %s.", name)
	now, err := resolvePins(ctx, a, site, a.store(fleet, storeOptions{Refresh: true}))
	if err != nil {
		return report, err
	}
	report.Changes = comparePins(former, now)
	if !opts.AcceptChanged {
		if err := refuseChanged(name, report.Changes).Err(); err != nil {
			return report, err
		}
	}
	if opts.Check || former != nil && len(report.Changes) == 0 {
		return report, nil
	}
	if former == nil && now.Empty() {
		return report, nil
	}
	report.Written = true
	return report, pins.Write(file, now)
}

// refuseChanged is the error of versions whose content was replaced.
func refuseChanged(site string, changes []pinChange) lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, c := range changes {
		if c.Change == pinChanged {
			ds = append(ds, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site + "/" + lifecycle.PinsFile,
				Summary: c.What + " has other content than it had", Detail: fmt.Sprintf("It is locked as %s, and its source serves %s now.", c.From, c.To),
				Hint: "Find out who replaced it and why. To take the new content: kiban lock " + site + " --accept-changed"})
		}
	}
	return ds
}

func writePinReports(w io.Writer, reports []pinReport, opts *pinOptions) error {
	if opts.output.form == "json" {
		return writeJSON(w, reports)
	}
	for _, r := range reports {
		line := "locked as declared"
		switch {
		case len(r.Changes) > 0 && opts.Check:
			line = lifecycle.PinsFile + " would change"
		case r.Written:
			line = lifecycle.PinsFile + " written"
		}
		fmt.Fprintf(w, "%s: %s\n", r.Site, line)
		for _, c := range r.Changes {
			fmt.Fprintf(w, "  %-8s %s%s\n", c.Change, c.What, c.digests())
		}
	}
	return nil
}
