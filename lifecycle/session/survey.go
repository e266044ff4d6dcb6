package session

import (
	"context"
	"slices"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
)

// Survey looks at the site once, and asks all that is known of it. Nothing is changed, at the site and elsewhere. Where ctx has a
// deadline, what has not answered shortly before that counts as not known, and the rest is told. The error is that of the look.
func (s *Session) Survey(ctx context.Context) (v lifecycle.Survey, err error) {
	if end, bounded := ctx.Deadline(); bounded {
		within, cancel := lifecycle.Within(ctx, time.Until(end)*9/10, "no answer")
		defer cancel()
		ctx = within
	}
	if v.State, err = s.Observe(ctx); err != nil || v.Unseen() {
		return v, err
	}
	var all sync.WaitGroup
	for _, ask := range []func(){
		func() { v.Locks = s.locksNow(ctx) },
		func() { v.Readiness, v.Plan = s.foreseen(ctx, v.State) },
		func() { v.Soak = asked(v.State, func() (lifecycle.Soak, error) { return s.soakLooked(ctx, v.State) }) },
		func() {
			v.Pinned = asked(v.State, func() (lifecycle.Pinned, error) { return s.pinnedNow(ctx, v.State) })
		},
		func() { v.Runs = asked(v.State, func() ([]lifecycle.RunRecord, error) { return s.recordsNow(ctx) }) },
		func() { v.Backups, v.Unasked = s.keptBackups(ctx) },
		func() { v.Tenants = asked(v.State, func() ([]lifecycle.TenantUse, error) { return s.TenantUse(ctx) }) },
	} {
		all.Go(ask)
	}
	all.Wait()
	if v.Runs.Known() {
		v.Plan = s.estimated(ctx, v.Plan)
	}
	return v, nil
}

// asked asks the cluster, where there is one that answers.
func asked[T any](seen lifecycle.State, ask func() (T, error)) lifecycle.Answer[T] {
	switch {
	case seen.API.NotYet:
		return lifecycle.Answer[T]{Unknown: "there is no cluster yet"}
	case seen.API.Unknown != "":
		return lifecycle.Answer[T]{Unknown: "the API did not answer: " + seen.API.Unknown}
	}
	return answer(ask())
}

// locksNow are the locks that runs hold, as far as the places of the lock tell.
func (s *Session) locksNow(ctx context.Context) lifecycle.Answer[[]lifecycle.Lock] {
	held, err := s.Locks(ctx)
	out := answer(held, err)
	out.Value = held
	return out
}

// foreseen is what the next version would break, and the plan with what its own would.
func (s *Session) foreseen(ctx context.Context, seen lifecycle.State) (lifecycle.Answer[lifecycle.Readiness], lifecycle.Plan) {
	var ready lifecycle.Answer[lifecycle.Readiness]
	if to, err := s.reachable(seen, nextVersion(s.site, seen), false); err != nil {
		ready = answer(lifecycle.Readiness{}, err)
	} else {
		ready = answer(s.withPlanned(ctx, seen, s.readiness(ctx, seen, to)), nil)
	}
	return ready, s.judged(ctx, seen, s.planWith(lifecycle.PlanOptions{})(seen))
}

// soakLooked is how long the cluster has run its versions by what it keeps, this look included.
func (s *Session) soakLooked(ctx context.Context, seen lifecycle.State) (lifecycle.Soak, error) {
	prev, err := s.Soak(ctx)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	return promotion.Observe(prev, s.site, seen, seen.ObservedAt), nil
}

// pinnedNow is what the cluster keeps of an upgrade in two steps, where there may be one.
func (s *Session) pinnedNow(ctx context.Context, seen lifecycle.State) (lifecycle.Pinned, error) {
	switch {
	case s.parts.Pins == nil || !pinMatters(s.site, seen):
		return lifecycle.Pinned{}, nil
	case seen.Past.Pinned.Unknown == "" && !seen.Past.Pinned.Value.Since.IsZero():
		return seen.Past.Pinned.Value, nil // the look has asked
	}
	return s.parts.Pins.Pinned(ctx)
}

// keptBackups are the site's backups, and the places that could not be asked for theirs.
func (s *Session) keptBackups(ctx context.Context) (kept lifecycle.Answer[[]lifecycle.KeptBackup], unasked []string) {
	if err := s.site.HasMachines(); err != nil {
		return answer([]lifecycle.KeptBackup(nil), err), nil
	}
	found, ds := s.Backups(ctx)
	for _, d := range ds {
		unasked = append(unasked, lifecycle.OneLine(d.Error()))
	}
	slices.Sort(unasked)
	if len(found) == 0 && len(unasked) > 0 {
		return lifecycle.Answer[[]lifecycle.KeptBackup]{Unknown: unasked[0]}, unasked
	}
	return lifecycle.Answer[[]lifecycle.KeptBackup]{Value: found}, unasked
}
