package session

import (
	"context"
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Back takes a control plane that acts as its former release back to that, with nothing lost. A Result without a Run: nothing was to be
// done.
func (s *Session) Back(ctx context.Context) (Result, error) {
	return s.converge(ctx, goal{doing: lifecycle.GoingBack, follow: true,
		plan: func(seen lifecycle.State) lifecycle.Plan { return s.parts.Plans.Back(s.site, seen) }})
}

// Commit gives up the way back of a control plane that acts as its former release: from then on it is the newer one.
func (s *Session) Commit(ctx context.Context) (Result, error) {
	return s.converge(ctx, goal{doing: "commit",
		plan: func(seen lifecycle.State) lifecycle.Plan { return s.parts.Plans.Commit(s.site, seen) }})
}

func (w *world) Pinned(ctx context.Context) (lifecycle.Pinned, error) { return w.api.Pinned(ctx) }

// Storage is how a host's API server stores resources, and how the record of the pin has it.
func (w *world) Storage(ctx context.Context, host string) (now, kept map[string]string, err error) {
	pinned, err := w.api.Pinned(ctx)
	if err != nil {
		return nil, nil, err
	}
	now, err = w.api.Storage(ctx, host)
	return now, pinned.Storage, err
}

// KeepPinned changes what the cluster keeps of its pin.
func (w *world) KeepPinned(ctx context.Context, next func(prev lifecycle.Pinned) lifecycle.Pinned) error {
	api, err := w.ownCluster(ctx)
	if err != nil {
		return err
	}
	return api.KeepPinned(ctx, next)
}

// keepReturn has the cluster keep whether its control plane can still go back, as it was seen: a look that finds it gone counts for good.
func keepReturn(ctx context.Context, pins Pins, site lifecycle.Site, seen lifecycle.State) error {
	if pins == nil || !pinMatters(site, seen) || seen.API.Unknown != "" || seen.API.NotYet {
		return nil
	}
	return pins.KeepPinned(ctx, func(prev lifecycle.Pinned) lifecycle.Pinned { return prev.Looked(site, seen) })
}

// keepLoss has the cluster keep that its control plane can't go back any more, where the look before a run finds that first: what the run
// then does may take the trace away, as removing the machine does. It is kept where the run is refused, too.
func (s *Session) keepLoss(ctx context.Context, g goal) {
	seen := s.lastSeen()
	prev := seen.Past.Pinned.Value
	if g.blind || len(prev.Why) > 0 || len(prev.Looked(s.site, seen).Why) == 0 {
		return
	}
	if err := keepReturn(ctx, s.parts.Pins, s.site, seen); err != nil {
		s.opts.Hooks.warn(noReturnKept(s.site.Name, err))
	}
}

// noReturnKept is the warning that it could not.
func noReturnKept(site string, err error) lifecycle.Diagnostic {
	return lifecycle.Warnf(site, "the cluster could not keep whether its control plane can still go back").From(err).
		Try("The next look may: kiban ci soak " + site + " --record")
}

// NotePin brings the cluster's record of its pin to what a step says.
func (w *world) NotePin(ctx context.Context, step lifecycle.Step) error {
	now := time.Now().UTC().Truncate(time.Second)
	var storage map[string]string
	if step.Action == lifecycle.ActionPin {
		var err error
		if storage, err = w.api.Storage(ctx, ""); err != nil {
			return fmt.Errorf("how resources are stored: %w", err)
		}
	}
	return w.KeepPinned(ctx, func(prev lifecycle.Pinned) lifecycle.Pinned { return pinnedBy(prev, step, storage, now) })
}

// pinnedBy is the record after a step, which may have been done already.
func pinnedBy(prev lifecycle.Pinned, step lifecycle.Step, storage map[string]string, now time.Time) lifecycle.Pinned {
	switch {
	case step.Action == lifecycle.ActionPin && !prev.Open():
		return lifecycle.Pinned{Format: lifecycle.PinnedFormat, Former: step.From, To: step.Version, Since: now, Storage: storage}
	case !prev.Open():
		return prev
	case step.Action == lifecycle.ActionPin:
		prev.Soaks = time.Time{} // it went back, and begins anew
	case step.Action == lifecycle.ActionSoak && prev.Soaks.IsZero():
		prev.Soaks = now
	case step.Action == lifecycle.ActionCommit:
		prev.Ended, prev.End = now, lifecycle.EndCommit
	case step.Action == lifecycle.ActionUnpin:
		prev.Ended, prev.End = now, lifecycle.EndBack
	}
	return prev
}
