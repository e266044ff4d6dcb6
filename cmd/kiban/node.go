package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type nodeOptions struct {
	app    *app
	output output
	Site   string
	Task   lifecycle.NodeTask
	Yes    bool
	// Lines is how many of a log are shown.
	Lines int
	// LockTimeout is how long another run's lock is waited for.
	LockTimeout time.Duration
}

func newNode(a *app, runF func(context.Context, *nodeOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node VERB SITE [NODE]",
		Short: "Look after one machine: logs, cordon, drain, maintain, reboot, remove, replace",
		Long: `Look after one machine of a site. What changes anything is a plan like any other: it is shown, confirmed, and carried out step by
step behind the same gates, windows and disruption budgets as an upgrade, and it is recorded as a run.

A node that an operator takes out of service carries a mark that no other run of kiban touches: apply upgrades it, and leaves it closed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return noVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(newNodeList(a, runF), newNodeShow(a, runF), newNodeLogs(a, runF))
	for _, v := range nodeVerbs() {
		cmd.AddCommand(newNodeVerb(a, v, runF))
	}
	return cmd
}

func newNodeList(a *app, runF func(context.Context, *nodeOptions) error) *cobra.Command {
	opts := &nodeOptions{app: a}
	cmd := &cobra.Command{
		Use:               "list SITE",
		Short:             "List machines and nodes as they are",
		Example:           "  kiban node list tokyo-prod\n  kiban node list tokyo-prod -o json",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, err = a.oneSite(cmd, args); err != nil {
				return err
			}
			return opts.look(cmd, runF, nodeListRun)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

func newNodeShow(a *app, runF func(context.Context, *nodeOptions) error) *cobra.Command {
	opts := &nodeOptions{app: a}
	cmd := &cobra.Command{
		Use:               "show SITE NODE",
		Short:             "Show one machine and its node: versions, service, marks, pods under disruption budgets",
		Example:           "  kiban node show tokyo-prod worker-3\n  kiban node show tokyo-prod worker-3 -o json",
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, opts.Task.Host, err = a.siteAndNode(cmd, args); err != nil {
				return err
			}
			return opts.look(cmd, runF, nodeShowRun)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

func newNodeLogs(a *app, runF func(context.Context, *nodeOptions) error) *cobra.Command {
	opts := &nodeOptions{app: a, output: output{form: "text", forms: []string{"text"}}}
	cmd := &cobra.Command{
		Use:   "logs SITE NODE",
		Short: "Show the last lines of the log of a machine's k0s, without secrets",
		Long: `Show the last lines that k0s on a machine wrote to its journal, oldest first. What looks like a secret is masked.
To follow it: kiban ssh SITE NODE -- sudo journalctl -u 'k0s*' -f`,
		Example:           "  kiban node logs tokyo-prod worker-3\n  kiban node logs tokyo-prod worker-3 --lines 500",
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if opts.Site, opts.Task.Host, err = a.siteAndNode(cmd, args); err != nil {
				return err
			}
			if opts.Lines < 1 {
				return usage(cmd, "how many lines? --lines 100")
			}
			return opts.look(cmd, runF, nodeLogsRun)
		},
	}
	cmd.Flags().IntVarP(&opts.Lines, "lines", "n", 100, "how many lines")
	return cmd
}

func nodeLogsRun(ctx context.Context, opts *nodeOptions) error {
	a, host := opts.app, opts.Task.Host
	var lines []string
	_, err := a.withMachines(ctx, opts.Site, session.Options{Glance: true}, func(s *session.Session) (err error) {
		if _, ok := s.Site().Cluster.Host(host); !ok {
			return noSuchNode(s.Site(), host)
		}
		if lines, err = s.LastLog(ctx, host, opts.Lines); err != nil {
			return lifecycle.Errorf(host, "its log can't be read").From(err).Try("kiban status " + opts.Site)
		}
		return nil
	})
	if err != nil || len(lines) == 0 {
		return err
	}
	return a.result(strings.Join(lines, "\n"))
}

// look runs a verb that only looks, in a form that it has.
func (o *nodeOptions) look(cmd *cobra.Command, runF, run func(context.Context, *nodeOptions) error) error {
	if err := o.output.validate(cmd); err != nil {
		return err
	}
	if runF != nil {
		run = runF
	}
	return run(cmd.Context(), o)
}

func nodeListRun(ctx context.Context, opts *nodeOptions) error {
	a := opts.app
	site, st, err := a.observeSite(ctx, opts.Site, session.Options{Glance: true})
	if err != nil {
		return err
	}
	defer a.nodesUnasked(st)
	if opts.output.data() {
		reports, problems := []render.NodeReport{}, a.Problems(site, st)
		for _, name := range render.NodeNames(site, st) {
			reports = append(reports, render.NewNodeReport(site, st, problems, name))
		}
		return errors.Join(writeReport(a.Out, opts.output.form, reports), unseen(st))
	}
	return errors.Join(render.NodesText(a.Out, site, st, a.outStyle()), unseen(st))
}

func nodeShowRun(ctx context.Context, opts *nodeOptions) error {
	a := opts.app
	site, st, err := a.observeSite(ctx, opts.Site, session.Options{Glance: true})
	if err != nil {
		return err
	}
	r := render.NewNodeReport(site, st, a.Problems(site, st), opts.Task.Host)
	if r.Declared == nil && r.Node == nil {
		return noSuchNode(site, opts.Task.Host)
	}
	defer a.nodesUnasked(st)
	if opts.output.data() {
		return writeReport(a.Out, opts.output.form, r)
	}
	return render.NodeText(a.Out, site, st, r.Name, r.Found, a.outStyle())
}

// nodesUnasked says, behind what is shown, that nodes could not be asked for: a machine whose node was not seen may have one.
func (a *app) nodesUnasked(st lifecycle.State) {
	if err := unaskedAPI(st); err != nil && unseen(st) == nil {
		_ = render.Diagnostics(a.Err, lifecycle.AsDiagnostics(err, ""), a.errStyle()) // what was asked for is shown
	}
}

func noSuchNode(site lifecycle.Site, name string) error {
	return lifecycle.Errorf(name, "there is no such machine or node in %s", site.Name).Try("kiban node list " + site.Name)
}

// siteAndNode takes a verb's two arguments.
func (a *app) siteAndNode(cmd *cobra.Command, args []string) (site, node string, err error) {
	switch len(args) {
	case 0:
		if site, err = a.oneSite(cmd, args); err == nil {
			err = usage(cmd, "which node of "+site+"?")
		}
		return "", "", err
	case 1:
		if site, all := a.theSite(); site != "" && site != args[0] && !slices.Contains(all, args[0]) {
			return site, strings.ToLower(args[0]), nil
		}
		return "", "", usage(cmd, "which node of "+args[0]+"?")
	case 2:
		return args[0], strings.ToLower(args[1]), nil
	}
	if strings.Contains(cmd.Use, "[-- ") {
		return "", "", usage(cmd, fmt.Sprintf("what is to run there stands behind --: %s %s %s -- %s", cmd.CommandPath(), args[0], args[1],
			strings.Join(args[2:], " ")))
	}
	return "", "", usage(cmd, fmt.Sprintf("one node at a time, not %d", len(args)-1))
}

// completeNodes offers a shell the sites, and then the machines that the site declares.
func (a *app) completeNodes(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeSites(cmd, args, begun)
	}
	fleet, err := a.fleetDir()
	if err != nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	site, _ := a.LoadSite(cmd.Context(), fleet, args[0], session.LoadOptions{}) // what is wrong with it is for other verbs to say
	var names []string
	for _, h := range site.Cluster.Hosts {
		names = append(names, h.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
