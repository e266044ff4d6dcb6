package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/review"
	"kiban.dev/kiban/lifecycle/session"
)

type applyOptions struct {
	app     *app
	several severalSites
	Site    string
	// Plan is a file that `plan --out` wrote; "" makes a plan now.
	Plan string
	// Reviewed is a file that `ci reviewed` wrote; "" asks for no review. Accept names the plan that may go although another one was reviewed.
	Reviewed, Accept string
	// Result is the file that takes the Outcome; "" writes none.
	Result string
	Yes    bool
	// LockTimeout is how long another run's lock is waited for.
	LockTimeout time.Duration
	// Bundle is a file of kiban bundle; "" asks the network.
	Bundle string
	lifecycle.PlanOptions
}

func newApply(a *app, runF func(context.Context, *applyOptions) error) *cobra.Command {
	opts := &applyOptions{app: a}
	cmd := &cobra.Command{
		Use:   "apply [SITE...]",
		Short: "Bring a site to what the repository declares, step by step",
		Long: `Make a plan, show it, ask, and carry it out: each step behind its gates, workers within the site's window.
The first failure stops the rollout: machines in hand are finished, no other is begun. The same command again carries on from what is there.

With --plan the saved plan is carried out, and nothing but it: it is refused (exit code 4) if anything it rests on has changed.
With --reviewed a new plan is made and held against the one that a merge request showed: it goes if it means the same, or is what a run of
that plan which was cut off has left to do. Otherwise nothing is touched (exit code 4), and what differs is shown with an id;
--accept-changes ID carries out exactly the plan of that id, and the run's record says who accepted what.
One run changes a site at a time. While another does, this one stops with exit code 3 and says who it is, or waits with --lock-timeout.
A tenant that has left the repository stays in the cluster, unless --prune-tenants says that it goes with all its data.
Several sites are applied one after another, each with its plan and its question; the first that fails ends it, and what was not begun is
said. --wave takes the sites of a wave.
Ctrl-C once lets the steps in hand finish and stops; twice stops now.`,
		Example: "  kiban apply tokyo-prod\n  kiban apply tokyo-staging osaka\n  kiban apply --wave 1\n  kiban apply tokyo-prod --yes\n" +
			"  kiban apply tokyo-prod --plan tokyo.plan\n" +
			"  kiban apply tokyo-prod --yes --reviewed tokyo-prod.json --result result.json",
		ValidArgsFunction: a.completeAllSites,
		RunE: eachSite(a, opts, &opts.Site, &opts.several, false,
			[]string{"plan", "reviewed", "accept-changes", "result", "bundle"}, runF, applyVerb, opts.checkReview),
	}
	cmd.Flags().StringVar(&opts.Plan, "plan", "", "carry out the plan saved in this file, without asking")
	cmd.Flags().StringVar(&opts.Reviewed, "reviewed", "",
		"the file with the plan that was reviewed, as kiban ci reviewed fetches it; when it is not there, nobody has reviewed one")
	cmd.Flags().StringVar(&opts.Accept, "accept-changes", "", "carry out the plan of this id, although it is not the one that was reviewed")
	cmd.Flags().StringVar(&opts.Result, "result", "", "put how it ended into this file, as JSON")
	opts.several.flag(cmd)
	addBundle(cmd, &opts.Bundle)
	addPruneTenants(cmd, &opts.PlanOptions)
	a.runFlags(cmd, &opts.Yes, &opts.LockTimeout)
	return cmd
}

func applyVerb(ctx context.Context, opts *applyOptions) error {
	return opts.app.withResult(ctx, opts.Result, opts.Site, func(o *lifecycle.Outcome) error { return applySite(ctx, opts, o) })
}

func applySite(ctx context.Context, opts *applyOptions, outcome *lifecycle.Outcome) (err error) {
	a := opts.app
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	outcome.Revision = site.Revision
	what, err := opts.wanted()
	if err != nil {
		return err
	}
	packed, err := a.openBundle(opts.Bundle, site, fleet)
	if err != nil {
		return err
	}
	s, err := a.openWith(site, fleet, session.Options{Bundle: packed, LockTimeout: opts.LockTimeout,
		Hooks: asking(a.confirmPlan(opts.Yes, site))})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	result, err := s.Apply(ctx, what)
	became(outcome, site, result)
	if opts.Reviewed != "" && exitCode(err) == exitBlocked {
		a.note("Not now. A schedule with KIBAN_GO = true takes it up when it may go; this job can be retried then, too.")
	}
	if err != nil {
		return err
	}
	text := applied(site, result)
	outcome.Message = cmp.Or(outcome.Message, text)
	return a.result(text)
}

// wanted reads the plans that the flags name.
func (o *applyOptions) wanted() (session.ApplyOptions, error) {
	what := session.ApplyOptions{PlanOptions: o.PlanOptions, Accept: o.Accept}
	if o.Plan != "" {
		saved, err := review.ReadSaved(o.Plan)
		if err != nil {
			return what, err
		}
		what.Saved = &session.SavedPlan{Plan: saved, File: o.Plan}
	}
	if o.Reviewed != "" {
		reviewed, err := review.ReadReviewed(o.Reviewed)
		if err != nil {
			return what, err
		}
		what.Reviewed = &reviewed
	}
	return what, nil
}

// checkReview finds flags that say nothing together.
func (o *applyOptions) checkReview(cmd *cobra.Command) error {
	switch {
	case o.Reviewed != "" && o.Plan != "":
		return usage(cmd, "--reviewed makes a new plan and --plan carries out a saved one: choose")
	case o.Reviewed == "" && cmd.Flags().Changed("reviewed"):
		return usage(cmd, "which plan was reviewed? --reviewed names its file")
	case o.Reviewed == "" && o.Accept != "":
		return usage(cmd, "--accept-changes accepts what differs from a reviewed plan: name that with --reviewed")
	}
	return nil
}

// addPruneTenants gives a verb the flag that lets tenants go.
func addPruneTenants(cmd *cobra.Command, opts *lifecycle.PlanOptions) {
	cmd.Flags().BoolVar(&opts.PruneTenants, "prune-tenants", false,
		"delete the tenants that have left the repository, with their namespaces and all data in them")
	cmd.Flags().BoolVar(&opts.NewCluster, "new-cluster", false, "begin a new cluster although the site had one, with all that was in it lost")
	cmd.Flags().BoolVar(&opts.RetryFailed, "retry-failed", false,
		"in a job: put a version or a change on a machine again on which it failed before")
}

// applied is the verb's one line of result.
func applied(site lifecycle.Site, r session.Result) string {
	switch {
	case r.Run == "":
		return render.Verdict(site, r.Plans[len(r.Plans)-1])
	case r.Verified:
		return site.Name + " is applied."
	case r.Remains != "":
		return fmt.Sprintf("%s: %s. More remains: %s. Make the next plan: kiban plan %s", site.Name, r.Summary, r.Remains, site.Name)
	}
	return fmt.Sprintf("%s is applied: %s.", site.Name, r.Summary)
}

// result prints a verb's one line of result.
func (a *app) result(text string) error {
	_, err := fmt.Fprintln(a.Out, text)
	return err
}
