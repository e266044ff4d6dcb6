package session

import (
	"context"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// sourceWithin bounds the look at the source of k0s: a plan does not wait for it.
const sourceWithin = 5 * time.Second

// warnOfMissing says of versions that a plan brings to machines that the site's source does not have them. It is no part of the plan, which
// means the same wherever it is made.
func (s *Session) warnOfMissing(ctx context.Context, plan lifecycle.Plan) {
	if s.parts.Missing == nil {
		return
	}
	ctx, cancel := lifecycle.Within(ctx, sourceWithin, "no answer")
	defer cancel()
	asked, seen := map[string]bool{}, s.lastSeen()
	for _, step := range plan.Steps {
		h, _ := seen.Host(step.Target)
		id := step.Version.String() + "/" + h.Arch
		if step.Action != lifecycle.ActionUpload || asked[id] {
			continue
		}
		asked[id] = true
		if d, missing := s.parts.Missing(ctx, step.Version, h.Arch); missing {
			s.opts.Hooks.warn(d)
		}
	}
}

// warnOfWindow says that what a plan disturbs has to wait for a maintenance window. onItsWay: the plan stands right above, and the verb
// that made it would carry it out now.
func (s *Session) warnOfWindow(plan lifecycle.Plan, onItsWay bool) {
	d, closed := lifecycle.OutsideWindows(plan, s.site.Policy.Windows, time.Now())
	if !closed {
		return
	}
	if onItsWay {
		s.opts.Hooks.say("")
		d = d.Try(lifecycle.AwaitWindow)
	}
	s.opts.Hooks.warn(d)
}

// warnOfRun says that a run is at work on the site, by the cluster's lock, which it has for whatever it does: one question to an API that
// answers. It is no part of the plan, which means the same wherever it is made.
func (s *Session) warnOfRun(ctx context.Context) {
	api := s.lastSeen().API
	if s.parts.Lock == nil || api.Unknown != "" || api.NotYet {
		return
	}
	locks, _ := s.parts.Lock.Locks(ctx, lifecycle.State{API: api}) // of one that does not tell, nothing is known; apply finds out
	if alive := AtWork(locks); len(alive) > 0 {
		s.opts.Hooks.warn(lock.AtWork(s.site.Name, alive, time.Now()))
	}
}
