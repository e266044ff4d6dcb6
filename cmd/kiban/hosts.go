package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

func newHosts(a *app, runF func(context.Context, *trustOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hosts",
		Short: "See to the SSH host keys of a site's machines",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTrust(a, runF))
	return cmd
}

type trustOptions struct {
	app    *app
	output output
	Site   string
	All    bool
	Yes    bool
}

func newTrust(a *app, runF func(context.Context, *trustOptions) error) *cobra.Command {
	opts := &trustOptions{app: a}
	cmd := &cobra.Command{
		Use:   "trust SITE",
		Short: "Fetch the machines' SSH host keys, show them, and put them into known_hosts",
		Long: `Ask the machines of a site for their SSH host keys, without logging in. Show those that the site's known_hosts file does not have,
and put them there once somebody has compared them with the machines' consoles
(` + "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`" + `).

A machine that shows another key than the known one was set up anew, or another one answers in its place. It is shown as CHANGED, and its
lines are left alone unless --all is given. Exit code 1 when a machine did not answer, or when changed keys were left alone.`,
		Example:           "  kiban hosts trust tokyo-prod\n  kiban hosts trust tokyo-prod --all",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return trustRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	cmd.Flags().BoolVar(&opts.All, "all", false, "also replace the keys that have changed")
	cmd.Flags().BoolVarP(&opts.Yes, "yes", "y", false, "do not ask")
	return cmd
}

// trusted is the result of the verb: what was there to review, and what became of it.
type trusted struct {
	Site string `json:"site"`
	File string `json:"file"`
	lifecycle.HostKeys
	// Written is how many of the keys are in the file now.
	Written int `json:"written"`
}

func trustRun(ctx context.Context, opts *trustOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	site, ds := a.LoadSite(ctx, fleet, opts.Site, session.LoadOptions{UnknownHosts: true})
	if err := ds.Err(); err != nil {
		return err
	}
	if err := site.HasMachines(); err != nil {
		return err
	}
	seen, err := a.HostKeys(ctx, site)
	if err != nil {
		return err
	}
	review, accept, problems := session.ReviewKeys(seen, site, opts.All)
	text := opts.output.form == "text"
	table, style := a.Out, a.outStyle()
	if !text {
		table, style = a.Err, a.errStyle()
	}
	if err := render.HostKeys(table, review, style); err != nil {
		return err
	}
	if len(accept) > 0 {
		if err := a.confirmWith(ctx, opts.Yes, site.Name,
			"compare the fingerprints with the machines' consoles, then run the command with --yes",
			"Do the fingerprints match those on the machines' consoles? Only 'yes' is accepted: ", "yes"); err != nil {
			return err
		}
		if err := a.TrustHosts(site.SSH.KnownHosts, accept); err != nil {
			return err
		}
	}
	if text {
		err = a.result(render.KeysVerdict(seen, accept, problems, site.SSH.KnownHosts))
	} else {
		err = writeReport(a.Out, opts.output.form, trusted{site.Name, site.SSH.KnownHosts, lifecycle.HostKeys{Keys: review,
			Failed: seen.Failed}, len(accept)})
	}
	if err != nil {
		return err
	}
	return problems.Err()
}
