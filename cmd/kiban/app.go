package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
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
	interrupts *session.Interrupts
	// fleet is the --fleet flag; "" looks upward from the working directory. verbose sends debug messages to Err.
	fleet   string
	verbose bool
	// progressForm is the --progress flag.
	progressForm string
}

// Run runs kiban and gives its exit code.
func Run(ctx context.Context, s Streams, args []string) int {
	return run(ctx, s, args, wire())
}

func run(ctx context.Context, s Streams, args []string, services services) int {
	s = s.cleaned()
	defer s.flush()
	ctx, i := session.Listen(ctx, s.Signals, s.Err, s.leave)
	defer i.Stop()
	a := &app{Streams: s, services: services, interrupts: i}
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := session.InterruptedBy(ctx, root.ExecuteContext(ctx))
	a.report(err)
	return exitCode(err)
}

// report shows what ended a verb, unless the verb has shown it.
func (a *app) report(err error) {
	var s shown
	var changes changesError
	var plan session.PlanError // was shown with the plan
	var program programError
	if err == nil || errors.As(err, &program) || errors.As(err, &s) || errors.As(err, &changes) || errors.As(err, &plan) {
		return
	}
	ds := lifecycle.AsDiagnostics(err, "kiban could not do that")
	if exitCode(err) == exitInterrupted && len(ds) == 1 && ds[0].Cause == err {
		return // nothing but the interrupt, which was said when it came
	}
	a.findings(ds)
}

// findings shows diagnostics on Err. Nothing can be done about an Err that does not take them.
func (a *app) findings(ds lifecycle.Diagnostics) {
	if a.events != nil {
		_ = a.events.Findings(ds)
		return
	}
	_ = render.Diagnostics(a.Err, ds, a.errStyle())
}

// note tells the operator something in passing.
func (a *app) note(format string, args ...any) {
	fmt.Fprintf(a.Err, format+"\n", args...)
}

func newRoot(a *app) *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "kiban",
		Short: "Keep bare-metal Kubernetes clusters as a git repository declares them",
		Long: `kiban (基盤, "foundation") keeps a fleet of bare-metal Kubernetes clusters in the state that a git repository declares.
It wraps k0s through k0sctl: one overlay folder is one site.

    overlays/<site> -> what is declared -> what is there -> a plan -> carried out step by step, each behind its gates

Exit codes: 0 done, or nothing to do. 1 failed. 2 there are changes (--detailed-exitcode, pin --check). 3 blocked by a gate,
a budget, a policy, a window or another run's lock. 4 what would be done is not what was saved or
reviewed. 130 interrupted.`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version || a.verbose { // -v by itself asks for the version, as of other tools
				return versionRun(cmd.Context(), &versionOptions{app: a, output: output{form: "text"}})
			}
			return cmd.Help()
		},
		CompletionOptions: cobra.CompletionOptions{
			DisableDefaultCmd: true, // completion.go has ours
		},
	}
	if a.Name == "kubectl-kiban" { // kubectl calls its plugins so
		root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl kiban"}
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.begin(cmd) }
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.PersistentFlags().StringVar(&a.fleet, "fleet", "",
		"the repository that holds overlays/ (default: $KIBAN_FLEET, or found upward from here)")
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false,
		"tell on stderr what is said to machines and to the API (or KIBAN_LOG=debug)")
	root.SetFlagErrorFunc(wrongFlag)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { _ = render.Help(a.Out, manual(cmd), a.columns()) }) // there is nowhere to say more
	addGroup(root, "Every day", newStatus(a, nil), newPlan(a, nil), newApply(a, nil), newValidate(a, nil), newDiff(a, nil), newRuns(a, nil),
		newShow(a, nil))
	addGroup(root, "Foresight", newReady(a, nil), newRehearse(a, nil), newCalendar(a))
	addGroup(root, "Machines", newNode(a, nil), newSSH(a, nil), newHosts(a, nil), newKubeconfig(a, nil))
	addGroup(root, "The fleet", newSites(a, nil), newSite(a, nil), newFleet(a), newInit(a, nil), newImport(a, nil), newRender(a, nil),
		newPin(a, nil), newBundle(a, nil), newSchema(a))
	addGroup(root, "Addons and tenants", newAddons(a, nil), newTenants(a, nil), newVerify(a, nil))
	addGroup(root, "Recovery", newBack(a, nil), newCommit(a, nil), newRollback(a, nil), newRenew(a, nil), newMaintain(a, nil),
		newBackup(a, nil), newRestore(a, nil), newDrill(a, nil), newUnlock(a, nil))
	addGroup(root, "Pipelines", newCI(a))
	addGroup(root, "About kiban", newExplain(a, nil), newVersion(a, nil), newCompletion(a))
	help := newHelp()
	root.SetHelpCommand(help)
	root.SetHelpCommandGroupID("About kiban")
	root.InitDefaultHelpCmd()
	root.AddCommand(newLock())
	for _, verb := range root.Commands() {
		verb.SuggestFor = suggestFor()[verb.Name()]
	}
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
	if cmd.HasParent() && !cmd.HasSubCommands() {
		return usage(cmd, fmt.Sprintf("%s takes no argument, such as %q", cmd.Name(), args[0]))
	}
	return noVerb(cmd, args[0])
}

// begin is what comes before every verb: what the environment says in place of flags.
func (a *app) begin(cmd *cobra.Command) error {
	switch level := a.Getenv("KIBAN_LOG"); level {
	case "":
	case "debug":
		a.verbose = true
	default:
		return usage(cmd, fmt.Sprintf("KIBAN_LOG=%s says nothing; KIBAN_LOG=debug is --verbose", level))
	}
	if err := a.beginProgress(cmd); err != nil {
		return err
	}
	slog.SetDefault(a.log()) // libraries log to the process's own logger, which is stderr: what they have to say is for --verbose
	return nil
}

// theSite is the site that is meant where none is named: that of KIBAN_SITE, or the only one that the fleet has; else "", and what there
// is.
func (a *app) theSite() (name string, all []string) {
	if name = a.Getenv("KIBAN_SITE"); name != "" {
		return name, nil
	}
	fleet, err := a.fleetDir()
	if err != nil {
		return "", nil
	}
	if all, err = a.ListSites(fleet); err != nil || len(all) != 1 {
		return "", all
	}
	a.note("Site %s, the only one of the fleet.", all[0])
	return all[0], nil
}

// fleetDir is the repository at hand.
func (a *app) fleetDir() (string, error) {
	if fleet := cmp.Or(a.fleet, a.Getenv("KIBAN_FLEET")); fleet != "" {
		return fleet, nil
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
	site, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{KnownHostsLater: true})
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
		err = site.HasMachines()
	}
	return site, fleet, err
}

// oneSite takes the verb's only argument.
func (a *app) oneSite(cmd *cobra.Command, args []string) (string, error) {
	switch {
	case len(args) == 1:
		return args[0], nil
	case len(args) > 1:
		return "", usage(cmd, fmt.Sprintf("one site at a time, not %d", len(args)))
	}
	name, all := a.theSite()
	switch {
	case name != "":
		return name, nil
	case len(all) > 0:
		return "", usage(cmd, "which site? The fleet has "+strings.Join(all, ", ")+".")
	}
	return "", usage(cmd, "which site?")
}

// sitesOr are the sites that are named or selected, the one that is meant where none is, or else all of the fleet.
func (a *app) sitesOr(cmd *cobra.Command, args []string, s *selection) ([]string, error) {
	return a.namedOr(cmd, args, s, func() ([]string, error) { return a.meantOrAll(cmd) })
}

// meantOrAll are the site that is meant where none is named, or else all of the fleet.
func (a *app) meantOrAll(cmd *cobra.Command) ([]string, error) {
	name, all := a.theSite()
	switch {
	case name != "":
		return []string{name}, nil
	case len(all) > 0:
		return all, nil
	}
	fleet, err := a.fleetDir()
	if err == nil {
		_, err = a.ListSites(fleet)
	}
	if err == nil {
		_, err = a.oneSite(cmd, nil) // says that there is none
	}
	return nil, err
}

// completeAllSites offers the sites of the fleet that are not named yet to a shell.
func (a *app) completeAllSites(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	names, directive := a.completeSites(cmd, nil, begun)
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(args, n) }), directive
}

// completeSites offers the sites of the fleet to a shell.
func (a *app) completeSites(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	fleet, err := a.fleetDir()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := a.ListSites(fleet) // a folder that is no site keeps no other from being offered
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

// eachSite is the body of a verb that takes several sites, one after another: the first that fails ends it, unless each only looks. alone
// names the flags that go with one site only.
func eachSite[T any](a *app, opts *T, site *string, several *severalSites, looks bool, alone []string, runF, run func(context.Context,
	*T) error,
	checks ...func(*cobra.Command) error) func(*cobra.Command, []string) error {
	if runF != nil {
		run = runF
	}
	return func(cmd *cobra.Command, args []string) error {
		names, err := a.namesOf(cmd, args, several, looks)
		if err != nil {
			return err
		}
		for _, flag := range alone {
			if len(names) > 1 && cmd.Flags().Changed(flag) {
				return usage(cmd, "--"+flag+" goes with one site, not with "+fmt.Sprint(len(names)))
			}
		}
		for _, check := range checks {
			if err := check(cmd); err != nil {
				return err
			}
		}
		return a.oneByOne(names, looks, func(name string) error {
			*site = name
			return run(cmd.Context(), opts)
		})
	}
}

// oneByOne does something with one site after another.
func (a *app) oneByOne(names []string, looks bool, do func(name string) error) error {
	var failed, changed error
	for i, name := range names {
		if len(names) > 1 {
			a.note("\n%s, %d of %s", name, i+1, lifecycle.Count(len(names), "site"))
		}
		err := do(name)
		var changes changesError
		switch {
		case err == nil:
		case errors.As(err, &changes):
			changed = err
		case !looks || len(names) == 1:
			if rest := names[i+1:]; len(rest) > 0 {
				a.note("Not begun: %s.", strings.Join(rest, ", "))
			}
			return err
		default:
			a.report(err)
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return shown{failed}
	}
	return changed
}

// showSite is forSite for a verb that shows the site in a chosen form.
func showSite[T any](a *app, opts *T, site *string, out *output, runF, run func(context.Context, *T) error) func(*cobra.Command,
	[]string) error {
	// the form is known when the flags are
	return forSite(a, opts, site, runF, run, func(cmd *cobra.Command) error { return out.validate(cmd) })
}
