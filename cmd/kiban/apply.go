package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/review"
)

type applyOptions struct {
	app  *app
	Site string
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
		Use:   "apply SITE",
		Short: "Bring a site to what the repository declares, step by step",
		Long: `Make a plan, show it, ask, and carry it out: each step behind its gates, workers within the site's window.
The first failure stops the rollout: machines in hand are finished, no other is begun. The same command again carries on from what is there.

With --plan the saved plan is carried out, and nothing but it: it is refused (exit code 4) if anything it rests on has changed.
With --reviewed a new plan is made and held against the one that a merge request showed: it goes if it means the same, or is what a run of
that plan which was cut off has left to do. Otherwise nothing is touched (exit code 4), and what differs is shown with an id;
--accept-changes ID carries out exactly the plan of that id, and the run's record says who accepted what.
One run changes a site at a time. While another does, this one stops with exit code 3 and says who it is, or waits with --lock-timeout.
A tenant that has left the repository stays in the cluster, unless --prune-tenants says that it goes with all its data.
Ctrl-C once lets the steps in hand finish and stops; twice stops now.`,
		Example:           "  kiban apply tokyo-prod\n  kiban apply tokyo-prod --yes\n  kiban apply tokyo-prod --plan tokyo.plan\n  kiban apply tokyo-prod --yes --reviewed reviewed/tokyo-prod.json --result result.json",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, applyVerb, opts.checkReview),
	}
	cmd.Flags().StringVar(&opts.Plan, "plan", "", "carry out the plan saved in this file, without asking")
	cmd.Flags().StringVar(&opts.Reviewed, "reviewed", "", "the file with the plan that was reviewed, as kiban ci reviewed fetches it; when it is not there, nobody has reviewed one")
	cmd.Flags().StringVar(&opts.Accept, "accept-changes", "", "carry out the plan of this id, although it is not the one that was reviewed")
	cmd.Flags().StringVar(&opts.Result, "result", "", "put how it ended into this file, as JSON")
	addBundle(cmd, &opts.Bundle)
	cmd.Flags().DurationVar(&opts.LockTimeout, "lock-timeout", 0, "how long to wait while another run is changing the site, such as 10m")
	addPruneTenants(cmd, &opts.PlanOptions)
	cmd.Flags().BoolVar(&opts.Yes, "yes", false, "do not ask")
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
	p := applying{applyOptions: opts, site: site, fleet: fleet, outcome: outcome}
	if opts.Plan != "" {
		saved, err := review.ReadSaved(opts.Plan)
		if err != nil {
			return err
		}
		if err := mayPrune(opts, saved); err != nil {
			return err
		}
		p.saved = &saved
	}
	packed, err := a.openBundle(opts.Bundle, site, fleet)
	if err != nil {
		return err
	}
	if p.conn, err = a.connectWith(site, fleet, connectOptions{Bundle: packed}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.conn.Close()) }()
	if p.review, err = a.openReview(opts, fleet, p.conn); err != nil {
		return err
	}
	return applyPlans(ctx, p)
}

// applying is one apply of a site: what it works with and what it goes by.
type applying struct {
	*applyOptions
	site  lifecycle.Site
	fleet string
	conn  connection
	// saved is the plan that is to be carried out and no other; nil: whatever is planned now.
	saved *lifecycle.Plan
	// review is what people said yes to beforehand; nil where that is not asked for.
	review *review.Approval
	// outcome is told how it goes.
	outcome *lifecycle.Outcome
}

// applyPlans carries out one plan after another until one leads all the way. Most sites need one; what a plan can't foresee, such as the
// nodes behind an API that does not answer yet, is for the next.
func applyPlans(ctx context.Context, p applying) error {
	a, site := p.app, p.site
	id := newRunID(time.Now())
	lock := &applyLock{contender: p.conn.Contend(a.claim(site, id, applyOf(site), p.LockTimeout))}
	defer lock.giveUp()
	var last *lifecycle.Plan
	for {
		plan, err := a.observeAndPlan(ctx, site, p.conn, p.PlanOptions)
		if err != nil {
			return err
		}
		if again, err := lock.await(ctx, plan); again || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		planned(p.outcome, site, plan)
		if p.saved != nil {
			if err := review.CheckFresh(*p.saved, plan); err != nil {
				return err
			}
		}
		confirmed := lock.confirmed(plan, func(why error) {
			a.note("The site has changed since the plan above was made; this is the plan now. What has changed: %s", why)
		})
		if !confirmed && (!plan.Empty() || len(plan.Diagnostics) > 0) {
			if err := a.announce(site, a.estimated(ctx, p.conn, plan)); err != nil {
				return err
			}
		}
		if err := plan.Diagnostics.Err(); err != nil {
			return shown{err}
		}
		if plan.Empty() && plan.Unfinished != "" {
			return unfinished(plan)
		}
		if plan.Empty() {
			return p.done(last, render.Verdict(site, plan))
		}
		if last != nil && sameSteps(*last, plan) {
			return noProgress(site, plan)
		}
		if p.outcome.Review, err = p.review.Allows(ctx, plan); err != nil {
			return err
		}
		if p.saved == nil && !confirmed {
			if err := a.confirmPlan(ctx, p.Yes, site, plan); err != nil {
				return err
			}
		}
		if again, err := lock.take(ctx, plan); again || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		p.outcome.Run = id
		message, err := a.carryOutAs(ctx, id, site, p.fleet, p.conn, plan, p.outcome.Review)
		p.outcome.Message = message
		if err != nil {
			return err
		}
		id = newRunID(time.Now()) // another plan is another run
		if plan.Unfinished == "" {
			return p.done(nil, fmt.Sprintf("%s is applied: %s.", site.Name, message))
		}
		if p.saved != nil {
			return p.done(nil, fmt.Sprintf("%s: %s. More remains: %s. Make the next plan: kiban plan %s", site.Name, message, plan.Unfinished, site.Name))
		}
		a.note("%s: %s. The next plan follows, because this one could not see beyond its end: %s", site.Name, message, plan.Unfinished)
		p.review.Began()
		last = &plan
	}
}

// announce shows the plan before it is carried out; folded in the log of a GitLab job, which is read for what happened.
func (a *app) announce(site lifecycle.Site, plan lifecycle.Plan) error {
	show := func(w io.Writer) error { return render.PlanText(w, site, plan, a.errStyle()) }
	if a.gitlab() && plan.Diagnostics.Err() == nil {
		return render.Section(a.Err, time.Now, "plan", "Plan: "+render.Verdict(site, plan), show)
	}
	return show(a.Err)
}

// done prints the verb's one line of result, and notes it where nothing was carried out.
func (p applying) done(last *lifecycle.Plan, text string) error {
	if p.outcome.Message == "" {
		p.outcome.Message = text
	}
	return p.app.result(last, text)
}

// result prints the verb's one line of result. After an earlier plan has done something, an empty one means that all is done.
func (a *app) result(last *lifecycle.Plan, text string) error {
	if last != nil {
		text = last.Site + " is applied."
	}
	_, err := fmt.Fprintln(a.Out, text)
	return err
}

func sameSteps(a, b lifecycle.Plan) bool {
	return slices.EqualFunc(a.Steps, b.Steps, func(x, y lifecycle.Step) bool { return x.ID == y.ID })
}

// unfinished says that nothing is left to do but what cannot be known.
func unfinished(plan lifecycle.Plan) error {
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityBlocked, Subject: plan.Site, Summary: "not wholly as declared", Detail: plan.Unfinished,
		Hint: "See to what the warnings name, then run the same command again."}
}

func noProgress(site lifecycle.Site, plan lifecycle.Plan) error {
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: site.Name, Summary: "the same plan came up again after it was carried out",
		Detail: "What remains: " + plan.Unfinished, Hint: "kiban status " + site.Name}
}
