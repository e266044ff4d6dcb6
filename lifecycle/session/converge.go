package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
)

// goal is what one verb wants of the site.
type goal struct {
	// doing is what the site's lock says of the run: "apply of revision 3f2a9c1".
	doing string
	// plan makes the plan from what is there. blind: it needs no look.
	plan  func(seen lifecycle.State) lifecycle.Plan
	blind bool
	// awaits says that the machine in question is away and worth to be waited for before anything is planned; nil: none is.
	awaits func(seen lifecycle.State, began, now time.Time) (why string, awaits bool)
	// estimate says that people want to know how long it may take.
	estimate bool
	// saved is the plan that is to be carried out and no other; nil: whatever is planned now. Who saved it has said yes to it.
	saved *lifecycle.Plan
	// approval is what people said yes to beforehand; nil where that is not asked for.
	approval *review.Approval
	// follow says that a plan which could not see beyond its end is followed by the next.
	follow bool
	// keepBackup is where a backup goes that a step of a run takes; nil: with the site's others.
	keepBackup func(run string) lifecycle.KeepBackup
}

// Result is what became of a verb that changes a site. It says how far the verb came when there is an error, too.
type Result struct {
	// Plans are those that were made, in their order. An empty one after a run is not among them: it only says that the run did all.
	Plans []lifecycle.Plan
	// Run is the run that was begun last, "" when nothing was carried out; Summary its last word: "3 of 3 steps done in 4m10s".
	Run, Summary string
	// Review is what people had said yes to, for the record; nil where that was not asked for.
	Review *lifecycle.Review
	// Remains says what the plan that was carried out could not see beyond its end; "" when nothing is left.
	Remains string
	// Verified: a look after the last run found nothing left to do.
	Verified bool
}

// planned notes a plan that was made. It takes the place of those that were made after the last that was carried out.
func (r *Result) planned(p lifecycle.Plan, carriedOut int) {
	r.Plans = r.Plans[:carriedOut]
	if !p.Empty() || r.Run == "" {
		r.Plans = append(r.Plans, p)
	}
}

// PlanError says that a plan's findings stop it. Hooks.Show has shown the plan with them.
type PlanError struct{ Diagnostics lifecycle.Diagnostics }

func (e PlanError) Error() string { return e.Diagnostics.Error() }

// Unwrap gives the findings.
func (e PlanError) Unwrap() error { return e.Diagnostics }

// converge is the one way in which a site is changed: look, plan, wait for whoever has the lock, show, ask, take the lock, look again, and
// act. One plan after another is carried out until one leads all the way. Most goals need one; what a plan can't foresee, such as the nodes
// behind an API that does not answer yet, is for the next.
func (s *Session) converge(ctx context.Context, g goal) (res Result, err error) {
	turn := s.turn(g.doing)
	defer turn.giveUp()
	away := &absence{session: s, awaits: g.awaits}
	var last *lifecycle.Plan
	carriedOut := 0
	for {
		plan, err := s.planNow(ctx, g)
		if err != nil {
			return res, err
		}
		again, err := turn.await(ctx, plan)
		if err == nil && !again {
			again, err = away.wait(ctx)
		}
		if err != nil {
			return res, err
		}
		if again {
			continue
		}
		s.keepLoss(ctx, g)
		res.planned(plan, carriedOut)
		agreed, err := s.present(ctx, g, turn, plan)
		if err != nil {
			return res, err
		}
		if plan.Empty() {
			res.Verified = res.Run != ""
			return res, Unfinished(plan)
		}
		if last != nil && sameSteps(*last, plan) {
			return res, noProgress(plan)
		}
		if res.Review, err = g.approval.Allows(ctx, plan); err != nil {
			return res, err
		}
		if g.saved == nil && !agreed && !g.blind {
			if err := s.opts.Hooks.confirm(ctx, plan); err != nil {
				return res, err
			}
		}
		if again, err := turn.take(ctx, plan); err != nil {
			return res, err
		} else if again {
			continue
		}
		res.Run = turn.run
		s.forget()
		res.Summary, err = s.carryOut(ctx, g, turn, plan, res.Review)
		if err != nil {
			return res, err
		}
		if res.Remains = plan.Unfinished; res.Remains == "" || !g.follow {
			return res, nil
		}
		s.opts.Hooks.note("%s: %s. The next plan follows, because this one could not see beyond its end: %s",
			s.site.Name, res.Summary, res.Remains)
		turn.next()
		g.approval.Began()
		last = &plan
		carriedOut++
	}
}

// planNow looks and plans.
func (s *Session) planNow(ctx context.Context, g goal) (lifecycle.Plan, error) {
	if g.blind {
		return g.plan(lifecycle.State{}), nil
	}
	if s.site.Provider == lifecycle.ProviderExternal {
		s.opts.Hooks.note("Looking at the cluster of %s.", s.site.Name)
	} else {
		s.opts.Hooks.note("Looking at %s of %s.", lifecycle.Count(len(s.site.Cluster.Hosts), "machine"), s.site.Name)
	}
	state, err := s.Observe(ctx)
	if err != nil {
		return lifecycle.Plan{}, err
	}
	return s.judged(ctx, state, g.plan(state)), nil
}

// differences are what a plan that no longer holds differs in, a line each.
func differences(why error) string {
	d, ok := errors.AsType[lifecycle.Diagnostic](why)
	if !ok || d.Detail == "" {
		return "  " + why.Error()
	}
	return "  " + strings.ReplaceAll(d.Detail, "\n", "\n  ")
}

// present shows the plan, unless it is the one that was agreed to before the lock was there and still may go. The error is why it can't be
// carried out: then it was shown, with its findings.
func (s *Session) present(ctx context.Context, g goal, t *turn, plan lifecycle.Plan) (agreed bool, err error) {
	if g.saved != nil {
		if err := review.CheckFresh(*g.saved, plan); err != nil {
			return false, err
		}
	}
	agreed = t.agreedTo(plan, func(why error) {
		s.opts.Hooks.note("The site has changed since the plan above was made; this is the plan now. What has changed:\n%s", differences(why))
	})
	err = plan.Diagnostics.Err()
	if (!agreed || err != nil) && !g.blind && (!plan.Empty() || len(plan.Diagnostics) > 0) {
		shown := plan
		if g.estimate {
			shown = s.estimated(ctx, plan)
		}
		if err := s.opts.Hooks.show(shown); err != nil {
			return false, err
		}
		s.warnOfWindow(plan, true)
	}
	if err != nil && !g.blind {
		err = PlanError{plan.Diagnostics}
	}
	return agreed, err
}

func sameSteps(a, b lifecycle.Plan) bool {
	return slices.EqualFunc(a.Steps, b.Steps, func(x, y lifecycle.Step) bool { return x.ID == y.ID })
}

// Unfinished is the error of an empty plan that does not lead all the way: nothing is left to do but what can't be known. It is nil for a
// plan that does.
func Unfinished(plan lifecycle.Plan) error {
	if plan.Unfinished == "" {
		return nil
	}
	return lifecycle.Blockedf(plan.Site, "not wholly as declared").Because(plan.Unfinished).
		Try("See to what the warnings name, then run the same command again.")
}

func noProgress(plan lifecycle.Plan) error {
	return lifecycle.Errorf(plan.Site, "the same plan came up again after it was carried out").Because("What remains: " + plan.Unfinished).
		Try("kiban status " + plan.Site)
}
