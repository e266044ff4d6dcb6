package session

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/addons"
	"kiban.dev/kiban/lifecycle/promotion"
)

// soakLimit bounds the look at a site after a run, and the wait for its cluster to keep what was seen.
const soakLimit = time.Minute

// SoakNow looks at the site, and says how long it has run its versions, healthy: what its cluster keeps of that, and this look.
func (s *Session) SoakNow(ctx context.Context) (lifecycle.Soak, error) {
	seen, err := s.Observe(ctx)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	return s.soakSeen(ctx, seen), nil
}

// RecordSoak is SoakNow, and has the cluster keep the look. What is wrong while a run changes the site is not kept: it may be the run's
// doing. watch is how long a lock is watched to see whether a run is at work.
func (s *Session) RecordSoak(ctx context.Context, watch time.Duration) (lifecycle.Soak, error) {
	seen, err := s.Observe(ctx)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	look := s.looked(seen)(lifecycle.Soak{})
	switch {
	case seen.API.NotYet:
		return look, nil // nothing can keep anything
	case look.Healthy:
		return s.keepLook(ctx, seen)
	}
	run, err := s.runAtWork(ctx, watch)
	if err != nil {
		return lifecycle.Soak{}, err
	}
	if run != "" {
		s.opts.Hooks.note("Not recorded: run %s is changing %s, and what is wrong may be its doing. It records what it leaves.",
			run, s.site.Name)
		return s.soakSeen(ctx, seen), nil
	}
	return s.keepLook(ctx, seen)
}

// Brings are the versions that the site's plan brings, or may bring where the site could not be seen; and how long it has run its own,
// unless the plan brings none.
func (s *Session) Brings(ctx context.Context) (versions []lifecycle.SoakVersion, own lifecycle.Soak, err error) {
	seen, err := s.Observe(ctx)
	if err != nil {
		return nil, own, err
	}
	versions = promotion.Brought(s.parts.Plans.Make(s.site, seen, lifecycle.PlanOptions{}))
	for _, v := range promotion.Unseen(s.site, seen) {
		if !slices.Contains(versions, v) {
			versions = append(versions, v)
		}
	}
	if len(versions) > 0 {
		own = s.soakSeen(ctx, seen)
	}
	return versions, own, nil
}

// looked adds a look to what was known before it.
func (s *Session) looked(seen lifecycle.State) func(prev lifecycle.Soak) lifecycle.Soak {
	return func(prev lifecycle.Soak) lifecycle.Soak { return promotion.Observe(prev, s.site, seen, time.Now()) }
}

// soakSeen adds a look to what the cluster keeps. One that does not tell is a warning: the look itself counts.
func (s *Session) soakSeen(ctx context.Context, seen lifecycle.State) lifecycle.Soak {
	var prev lifecycle.Soak
	if !seen.API.NotYet && seen.API.Unknown == "" {
		var err error
		if prev, err = s.Soak(ctx); err != nil {
			s.opts.Hooks.warn(lifecycle.Warnf(s.site.Name,
				"how long the cluster has run its versions could not be read; only what is seen now counts").From(err))
		}
	}
	return s.looked(seen)(prev)
}

// keepLook has the cluster keep the look, and says what was seen where it can't.
func (s *Session) keepLook(ctx context.Context, seen lifecycle.State) (lifecycle.Soak, error) {
	if err := keepReturn(ctx, s.parts.Pins, s.site, seen); err != nil {
		s.opts.Hooks.warn(noReturnKept(s.site.Name, err))
	}
	soak, err := s.parts.Records.KeepSoak(ctx, s.looked(seen))
	if err == nil {
		return soak, nil
	}
	d := lifecycle.Errorf(s.site.Name, "the cluster could not keep how it was seen").Hiding(err).
		Try("kiban status " + s.site.Name + " says what is wrong. Without --record it is only shown how long the site has run what.")
	if look := s.looked(seen)(lifecycle.Soak{}); !look.Healthy {
		d = d.Because(fmt.Sprintf("%s is not healthy: %s.", s.site.Name, look.Reason))
	}
	return soak, d.Because(err.Error())
}

// runAtWork is the run that changes the site now, "" when none does. A run that was killed may hold a lock still: one that is at work
// renews it.
func (s *Session) runAtWork(ctx context.Context, watch time.Duration) (string, error) {
	before, _ := s.Locks(ctx) // a place that does not tell is no reason to overlook what another does
	if len(before) == 0 {
		return "", nil
	}
	select {
	case <-ctx.Done():
		return "", lifecycle.WhyEnded(ctx)
	case <-time.After(watch):
	}
	after, err := s.Locks(ctx)
	for _, l := range before {
		i := slices.IndexFunc(after, func(o lifecycle.Lock) bool { return o.Where == l.Where })
		switch {
		case i >= 0 && (!after[i].Same(l) || after[i].Beat != l.Beat):
			return l.Holder, nil
		case i < 0 && err == nil: // given up meanwhile
			return l.Holder, nil
		}
	}
	return "", nil
}

// soaked has the cluster keep what it runs since now, after a run that came to its end. One that does not is worth a warning and no more.
func (w *world) soaked(ctx context.Context, plan lifecycle.Plan, run Run, r *recorder) {
	if harmless(plan) || run.Follows {
		return // nothing has changed; or what it comes to is not known yet
	}
	ctx, cancel := lifecycle.Within(ctx, soakLimit, "no answer")
	defer cancel()
	state, err := w.look(ctx, addons.Glance{Engine: w.units})
	if err == nil {
		if err := keepReturn(ctx, w, w.site, state); err != nil {
			r.warn(noReturnKept(w.site.Name, err))
		}
		_, err = w.KeepSoak(ctx, func(prev lifecycle.Soak) lifecycle.Soak {
			if does(plan, lifecycle.ActionRestore) {
				prev = promotion.Restored(prev)
			}
			return promotion.Observe(prev, w.site, state, time.Now())
		})
	}
	if err != nil {
		r.warn(lifecycle.Warnf(w.site.Name, "the cluster could not note which versions it runs from now on").From(err).
			Try("Sites that wait for this one count from when it does: kiban ci soak " + w.site.Name + " --record"))
	}
}
