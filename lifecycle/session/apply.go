package session

import (
	"context"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
)

// ApplyOptions say which plan may be carried out.
type ApplyOptions struct {
	lifecycle.PlanOptions
	// Saved is the plan that is carried out and no other; nil makes a plan now.
	Saved *SavedPlan
	// Reviewed is what a merge request showed: a new plan goes only if it means the same. Nil asks for no review.
	Reviewed *lifecycle.ReviewedPlan
	// Accept is the review.ID of a plan that may go although another one was reviewed.
	Accept string
}

// SavedPlan is a plan, and the file that it was read from.
type SavedPlan struct {
	lifecycle.Plan
	File string
}

// Apply brings the site to what the repository declares.
func (s *Session) Apply(ctx context.Context, opts ApplyOptions) (Result, error) {
	g := goal{doing: "apply", estimate: true, follow: opts.Saved == nil}
	if s.site.Revision != "" {
		g.doing += " of revision " + s.site.Revision
	}
	g.plan = s.planWith(opts.PlanOptions)
	if opts.Saved != nil {
		if err := review.CheckPruning(opts.Saved.Plan, opts.Saved.File, opts.PruneTenants); err != nil {
			return Result{}, err
		}
		g.saved = &opts.Saved.Plan
	}
	if opts.Reviewed != nil {
		reviewed := *opts.Reviewed
		if s.site.Fleet.SignedReviews {
			var why string
			if reviewed, why = review.Signed(reviewed); why != "" {
				s.opts.Hooks.say("The reviewed plan does not count: " + why + ".")
			}
		}
		if s.site.Promotion.Rehearsed {
			var why string
			if reviewed, why = review.Rehearsed(reviewed, s.site.Rehearse); why != "" {
				s.opts.Hooks.say("The reviewed plan does not count: " + why + ".")
			}
		}
		g.approval = &review.Approval{Reviewed: reviewed, Accept: strings.TrimSpace(opts.Accept), Runs: s.knownRuns, Note: s.opts.Hooks.say}
	}
	return s.converge(ctx, g)
}

// Plan looks at the site and says what Apply would do. Nothing is changed.
func (s *Session) Plan(ctx context.Context, opts lifecycle.PlanOptions) (lifecycle.Plan, error) {
	plan, err := s.planNow(ctx, goal{plan: s.planWith(opts)})
	if err != nil {
		return plan, err
	}
	s.warnOfWindow(plan, false)
	s.warnOfRun(ctx)
	s.warnOfMissing(ctx, plan)
	return s.estimated(ctx, plan), nil
}

// planWith makes plans with the operator's choices, and what is known of where this runs.
func (s *Session) planWith(opts lifecycle.PlanOptions) func(lifecycle.State) lifecycle.Plan {
	opts.InJob = opts.InJob || s.opts.InJob
	return func(seen lifecycle.State) lifecycle.Plan { return s.parts.Plans.Make(s.site, seen, opts) }
}
