package main

import (
	"context"
	"errors"
	"fmt"
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
	// LockTimeout is how long another run's lock is waited for.
	LockTimeout time.Duration
}

func newNode(a *app, runF func(context.Context, *nodeOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node VERB SITE [NODE]",
		Short: "Look after one machine: cordon, drain, maintain, reboot, remove, replace",
		Long: `Look after one machine of a site. What changes anything is a plan like any other: it is shown, confirmed, and carried out step by
step behind the same gates, windows and disruption budgets as an upgrade, and it is recorded as a run.

A node that an operator takes out of service carries a mark that no other run of kiban touches: apply upgrades it, and leaves it closed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			what := fmt.Sprintf("node has no verb %q", args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				what += fmt.Sprintf("; did you mean %q?", near[0])
			}
			return usage(cmd, what)
		},
		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newNodeList(a, runF), newNodeShow(a, runF))
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
	addOutput(cmd, &opts.output, "text", "json")
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
	addOutput(cmd, &opts.output, "text", "json")
	return cmd
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

// nodeReport is the machine-readable form of one machine.
type nodeReport struct {
	Name string `json:"name"`
	// Declared is nil for a node that the site does not declare; Machine and Node are nil where there is none.
	Declared    *lifecycle.Host       `json:"declared,omitempty"`
	Machine     *lifecycle.HostState  `json:"machine,omitempty"`
	BootID      string                `json:"bootID,omitempty"`
	Node        *lifecycle.NodeState  `json:"node,omitempty"`
	Maintenance bool                  `json:"maintenance"`
	APIServer   *lifecycle.APIServer  `json:"apiServer,omitempty"`
	Etcd        *lifecycle.EtcdMember `json:"etcdMember,omitempty"`
	// Pods are those under a disruption budget; Stuck those that a drain would refuse to move.
	Pods  []render.GuardedPod   `json:"pods,omitempty"`
	Stuck []lifecycle.StuckPod  `json:"stuck,omitempty"`
	Found lifecycle.Diagnostics `json:"problems,omitempty"`
}

func newNodeReport(site lifecycle.Site, st lifecycle.State, problems lifecycle.Diagnostics, name string) nodeReport {
	r := nodeReport{Name: name, Pods: render.GuardedPods(st, name)}
	declared, ok := site.Cluster.Host(name)
	if ok {
		r.Declared = &declared
	}
	declared.Name = name
	if h, ok := st.Host(name); ok {
		r.Machine, r.BootID = &h, h.BootID
	}
	if n, ok := st.Node(name); ok {
		r.Node, r.Maintenance = &n, n.Unschedulable && n.Mark.Maintenance()
	}
	for _, s := range st.API.Servers {
		if s.Host == name {
			r.APIServer = &s
		}
	}
	if m, ok := st.Etcd.MemberOf(declared); ok {
		r.Etcd = &m
	}
	for _, s := range st.Stuck {
		if s.Node == name {
			r.Stuck = append(r.Stuck, s)
		}
	}
	for _, d := range problems {
		if d.Subject == name {
			r.Found = append(r.Found, d)
		}
	}
	return r
}

func nodeListRun(ctx context.Context, opts *nodeOptions) error {
	a := opts.app
	site, st, err := a.observeSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	if opts.output.form == "json" {
		reports, problems := []nodeReport{}, a.Problems(site, st)
		for _, name := range render.NodeNames(site, st) {
			reports = append(reports, newNodeReport(site, st, problems, name))
		}
		return writeJSON(a.Out, reports)
	}
	return render.NodesText(a.Out, site, st)
}

func nodeShowRun(ctx context.Context, opts *nodeOptions) error {
	a := opts.app
	site, st, err := a.observeSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	r := newNodeReport(site, st, a.Problems(site, st), opts.Task.Host)
	if r.Declared == nil && r.Node == nil {
		return noSuchNode(site, opts.Task.Host)
	}
	if opts.output.form == "json" {
		return writeJSON(a.Out, r)
	}
	return render.NodeText(a.Out, site, st, r.Name, r.Found, a.outStyle())
}

func noSuchNode(site lifecycle.Site, name string) error {
	return lifecycle.Errorf(name, "there is no such machine or node in %s", site.Name).Try("kiban node list " + site.Name)
}

// observeSite loads a site and looks at what is there.
func (a *app) observeSite(ctx context.Context, name string) (lifecycle.Site, lifecycle.State, error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err != nil {
		return site, lifecycle.State{}, err
	}
	s, err := a.openWith(site, fleet, session.Options{Glance: true})
	if err != nil {
		return site, lifecycle.State{}, err
	}
	st, err := s.Observe(ctx)
	return site, st, errors.Join(err, s.Close())
}

// siteAndNode takes a verb's two arguments.
func (a *app) siteAndNode(cmd *cobra.Command, args []string) (site, node string, err error) {
	switch len(args) {
	case 0:
		_, err = a.oneSite(cmd, args)
		return "", "", err
	case 1:
		return "", "", usage(cmd, "which node of "+args[0]+"?")
	case 2:
		return args[0], strings.ToLower(args[1]), nil
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
