package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

type pinOptions struct {
	app    *app
	output output
	selection
	// Sites are the sites to pin; none means the whole fleet.
	Sites []string
	// Check writes nothing, and tells by the exit code whether there is something to write.
	Check bool
	// AcceptChanged takes other content for a version that is pinned.
	AcceptChanged bool
}

func newPin(a *app, runF func(context.Context, *pinOptions) error) *cobra.Command {
	opts := &pinOptions{app: a}
	cmd := &cobra.Command{
		Use:   "pin [SITE...]",
		Short: "Write down the digests of charts, manifests and k0s binaries",
		Long: `Ask every source of a site for what its versions stand for today, and write the digests of charts, manifests and k0s binaries
into kiban.lock, beside the overlay: to be committed. From then on nothing else is installed. Without SITE every site of the fleet is
pinned. A version whose content is another one than the lock file says is refused, because versions do not change: someone has replaced
it.`,
		Example:           "  kiban pin tokyo-prod\n  kiban pin --check",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			var err error
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selection, wholeFleet); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return pinRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	opts.selection.flag(cmd)
	cmd.Flags().BoolVar(&opts.Check, "check", false, "write nothing; exit with 2 when a lock file would change")
	cmd.Flags().BoolVar(&opts.AcceptChanged, "accept-changed", false,
		"take other content for a version that is pinned, after someone has found out why")
	return cmd
}

// newLock does nothing but ask what was meant: pinning digests had this name once, and the lock of a site is another thing.
func newLock() *cobra.Command {
	return &cobra.Command{
		Use:                "lock",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usage(cmd.Root(), `kiban has no verb "lock"; did you mean "kiban pin" (digests) or "kiban unlock" (run lock)?`)
		},
	}
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
	reports := []supply.PinReport{}
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
	if opts.output.data() {
		err = writeReport(a.Out, opts.output.form, reports)
	} else {
		_, err = fmt.Fprint(a.Out, supply.PinText(reports, opts.Check))
	}
	if err != nil {
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

// pinSite pins what one site declares.
func pinSite(ctx context.Context, opts *pinOptions, fleet, name string) (supply.PinReport, error) {
	a := opts.app
	site, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{UnknownHosts: true, Unpinned: true})
	if err := ds.Err(); err != nil {
		return supply.PinReport{}, err
	}
	a.note("Asking the sources of %s.", name)
	from := a.sources(fleet, storeOptions{Refresh: true})
	from.Say = func(what string) { a.note("  %s", what) }
	return supply.Pin(ctx, site, from,
		supply.PinOptions{Check: opts.Check, AcceptChanged: opts.AcceptChanged})
}
