package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/review"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
)

type planOptions struct {
	app              *app
	several          severalSites
	output           output
	Site             string
	DetailedExitCode bool
	// Out is where the plan is saved for `apply --plan`; "" saves none.
	Out string
	// Report is where the counts of what changes are put for GitLab; "" puts none.
	Report string
	// Bundle is a file of kiban bundle; "" asks the network.
	Bundle string
	lifecycle.PlanOptions
}

func newPlan(a *app, runF func(context.Context, *planOptions) error) *cobra.Command {
	opts := &planOptions{app: a}
	cmd := &cobra.Command{
		Use:   "plan [SITE...]",
		Short: "Show what apply would do to a site; change nothing",
		Long: `Look at a site's machines and API, compare with what the repository declares, and show the steps that lead from one to the other.
Nothing is changed anywhere. A plan that is saved with --out is what "kiban apply --plan" runs, or refuses if anything has changed since.`,
		Example: "  kiban plan tokyo-prod\n  kiban plan tokyo-staging osaka\n  kiban plan --wave 1\n  kiban plan tokyo-prod -o markdown\n" +
			"  kiban plan tokyo-prod --out tokyo.plan --detailed-exitcode",
		ValidArgsFunction: a.completeAllSites,
		RunE: eachSite(a, opts, &opts.Site, &opts.several, true, []string{"out", "report", "bundle"}, runF, planRun,
			func(cmd *cobra.Command) error { return opts.output.validate(cmd) }),
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "markdown")
	cmd.Flags().BoolVar(&opts.DetailedExitCode, "detailed-exitcode", false, "exit with 2 when there are changes, 0 when there are none")
	opts.several.flag(cmd)
	addBundle(cmd, &opts.Bundle)
	addPruneTenants(cmd, &opts.PlanOptions)
	cmd.Flags().StringVar(&opts.Out, "out", "", "save the plan to this file")
	cmd.Flags().StringVar(&opts.Report, "report", "", "put how much changes into this file, as GitLab's Terraform report")
	return cmd
}

func planRun(ctx context.Context, opts *planOptions) error {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	packed, err := a.openBundle(opts.Bundle, site, fleet)
	if err != nil {
		return err
	}
	var doubts lifecycle.Diagnostics // told below the plan: above it they would be out of sight
	defer func() { a.findings(doubts) }()
	s, err := a.openWith(site, fleet, session.Options{Bundle: packed,
		Hooks: session.Hooks{Warn: func(ds lifecycle.Diagnostics) { doubts = append(doubts, ds...) }}})
	if err != nil {
		return err
	}
	plan, err := s.Plan(ctx, opts.PlanOptions)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if err := showPlan(opts, site, plan); err != nil {
		return err
	}
	if err := forge.WriteTerraformReport(opts.Report, plan); err != nil {
		return err
	}
	if err := plan.Diagnostics.Err(); err != nil {
		if opts.Out != "" {
			a.note("The plan was not saved: it could not be applied as it stands.")
		}
		return shown{err}
	}
	if opts.Out != "" {
		if err := review.Save(opts.Out, plan, supply.Built().Version, time.Now()); err != nil {
			return err
		}
		a.note("Saved. To carry out exactly this plan: %s", lifecycle.ShellWords("kiban", "apply", site.Name, "--plan", opts.Out))
	}
	switch {
	case opts.DetailedExitCode && !plan.Empty():
		return changesError{}
	case opts.DetailedExitCode && plan.Unfinished != "":
		return session.Unfinished(plan)
	}
	return nil
}

func showPlan(opts *planOptions, site lifecycle.Site, plan lifecycle.Plan) error {
	a := opts.app
	switch opts.output.form {
	case "json", "yaml":
		a.findings(plan.Diagnostics)
		return writeReport(a.Out, opts.output.form, plan)
	case "markdown":
		return render.PlanMarkdown(a.Out, site, plan)
	}
	return render.PlanText(a.Out, site, plan, a.outStyle())
}
