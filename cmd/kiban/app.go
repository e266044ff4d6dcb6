package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

// app is what every verb is given.
type app struct {
	Streams
	services
	interrupts *interrupts
	// fleet is the --fleet flag; "" looks upward from the working directory. verbose sends debug messages to Err.
	fleet   string
	verbose bool
}

// Run runs kiban and gives its exit code.
func Run(ctx context.Context, s Streams, args []string) int {
	return run(ctx, s, args, wire())
}

func run(ctx context.Context, s Streams, args []string, services services) int {
	s = s.cleaned()
	defer s.flush()
	ctx, i := watch(ctx, s)
	defer i.stop()
	a := &app{Streams: s, services: services, interrupts: i}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := interruptedBy(ctx, root.ExecuteContext(ctx))
	a.report(err)
	return exitCode(err)
}

// report shows what ended a verb, unless the verb has shown it.
func (a *app) report(err error) {
	var s shown
	var changes changesError
	var plan session.PlanError // was shown with the plan
	if err == nil || errors.As(err, &s) || errors.As(err, &changes) || errors.As(err, &plan) {
		return
	}
	a.findings(lifecycle.AsDiagnostics(err, "kiban could not do that"))
}

// findings shows diagnostics on Err. Nothing can be done about an Err that does not take them.
func (a *app) findings(ds lifecycle.Diagnostics) {
	_ = render.Diagnostics(a.Err, ds, a.errStyle())
}

// note tells the operator something in passing.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.Err, format+"\n", args...)
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "kiban",
		Short: "Keep bare-metal Kubernetes clusters as a git repository declares them",
		Long: `kiban (基盤, "foundation") keeps a fleet of bare-metal Kubernetes clusters in the state that a git repository declares.
It wraps k0s through k0sctl: one overlay folder is one site.

    overlays/<site> -> what is declared -> what is there -> a plan -> carried out step by step, each behind its gates

Exit codes: 0 done, or nothing to do. 1 failed. 2 there are changes (plan --detailed-exitcode). 3 blocked by a gate,
a budget, a policy, a window or another run's lock. 4 what would be done is not what was saved or
reviewed. 130 interrupted.`,
		Args:                       noArgs,
		SilenceErrors:              true,
		SilenceUsage:               true,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SuggestionsMinimumDistance: 2,
		CompletionOptions: cobra.CompletionOptions{
			DisableDefaultCmd: true, // completion.go has ours
		},
	}
	// Libraries log to the process's own logger, which is stderr: what they have to say is for --verbose.
	root.PersistentPreRun = func(*cobra.Command, []string) { slog.SetDefault(a.log()) }
	root.PersistentFlags().StringVar(&a.fleet, "fleet", "", "the repository that holds overlays/ (default: found upward from here)")
	root.PersistentFlags().BoolVar(&a.verbose, "verbose", false, "tell on stderr what is said to machines and to the API")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err.Error()) })
	root.AddCommand(
		newInit(a, nil),
		newSite(a, nil),
		newImport(a, nil),
		newRender(a, nil),
		newValidate(a, nil),
		newSites(a, nil),
		newDiff(a, nil),
		newPin(a, nil),
		newLock(),
		newBundle(a, nil),
		newPlan(a, nil),
		newApply(a, nil),
		newStatus(a, nil),
		newAddons(a, nil),
		newTenants(a, nil),
		newVerify(a, nil),
		newUnlock(a, nil),
		newHosts(a, nil),
		newNode(a, nil),
		newRuns(a, nil),
		newShow(a, nil),
		newBackup(a, nil),
		newRestore(a, nil),
		newRollback(a, nil),
		newKubeconfig(a, nil),
		newCI(a),
		newExplain(a, nil),
		newVersion(a, nil),
		newCompletion(a),
	)
	root.SetHelpCommand(&cobra.Command{Use: "no-help", Hidden: true}) // --help says the same
	return root
}

// usage is an error of the command line: what is wrong with it and where to read more.
func usage(cmd *cobra.Command, what string) error {
	return lifecycle.Errorf("", "%s", what).Try(cmd.CommandPath() + " --help")
}

// noArgs is for commands that take none. For kiban itself, an argument is a verb that it does not have.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasParent() {
		return usage(cmd, fmt.Sprintf("%s takes no argument, such as %q", cmd.Name(), args[0]))
	}
	what := fmt.Sprintf("kiban has no verb %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		what += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return usage(cmd, what)
}

// fleetDir is the repository at hand.
func (a *app) fleetDir() (string, error) {
	if a.fleet != "" {
		return a.fleet, nil
	}
	wd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return a.FindFleet(wd)
}

// loadSite reads a site; warnings are shown, anything worse is the error.
func (a *app) loadSite(ctx context.Context, name string) (lifecycle.Site, string, error) {
	fleet, err := a.fleetDir()
	if err != nil {
		return lifecycle.Site{}, "", err
	}
	site, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{})
	if err := ds.Err(); err != nil {
		return lifecycle.Site{}, "", err
	}
	a.findings(ds)
	return site, fleet, nil
}

// loadMachines is loadSite for a verb about a site's machines, which a site that someone else runs does not have.
func (a *app) loadMachines(ctx context.Context, name string) (lifecycle.Site, string, error) {
	site, fleet, err := a.loadSite(ctx, name)
	if err == nil {
		err = hasMachines(site)
	}
	return site, fleet, err
}

func hasMachines(site lifecycle.Site) error {
	if site.Provider != lifecycle.ProviderExternal {
		return nil
	}
	return lifecycle.Errorf(site.Name, "this site has no machines of its own").
		Because("Its Site says provider: external, so whoever runs the cluster looks after its machines and its control plane.").
		Try("Use the provider's own tools for that.")
}

// oneSite takes the verb's only argument.
func (a *app) oneSite(cmd *cobra.Command, args []string) (string, error) {
	switch {
	case len(args) == 1:
		return args[0], nil
	case len(args) > 1:
		return "", usage(cmd, fmt.Sprintf("one site at a time, not %d", len(args)))
	}
	what := "which site?"
	if fleet, err := a.fleetDir(); err == nil {
		if names, err := a.ListSites(fleet); err == nil && len(names) > 0 {
			what += " The fleet has " + strings.Join(names, ", ") + "."
		}
	}
	return "", usage(cmd, what)
}

// completeSites offers the sites of the fleet to a shell.
func (a *app) completeSites(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	fleet, err := a.fleetDir()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, err := a.ListSites(fleet)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// forSite is the body of a verb that takes one site: it finds out which, holds the checks, then runs, or what a test has in its place.
func forSite[T any](a *app, opts *T, site *string, runF, run func(context.Context, *T) error,
	checks ...func(*cobra.Command) error) func(*cobra.Command, []string) error {
	if runF != nil {
		run = runF
	}
	return func(cmd *cobra.Command, args []string) (err error) {
		if *site, err = a.oneSite(cmd, args); err != nil {
			return err
		}
		for _, check := range checks {
			if err := check(cmd); err != nil {
				return err
			}
		}
		return run(cmd.Context(), opts)
	}
}

// showSite is forSite for a verb that shows the site in a chosen form.
func showSite[T any](a *app, opts *T, site *string, out *output, runF, run func(context.Context, *T) error) func(*cobra.Command,
	[]string) error {
	// the form is known when the flags are
	return forSite(a, opts, site, runF, run, func(cmd *cobra.Command) error { return out.validate(cmd) })
}
