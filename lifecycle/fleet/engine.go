package fleet

import (
	"context"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Engine applies the sites that may go, some side by side, until none may any more. It keeps nothing: whoever begins anew goes on
// from where the sites are, and so does another engine with the same repository.
type Engine struct {
	// Known is what is known of all sites already; nil: they are asked first.
	Known *Facts
	// Look asks the named sites anew, or all where none is named, and gives all that is known then.
	Look func(ctx context.Context, names []string) (Facts, error)
	// Apply applies one site, and tells how that ended. It ends early, in order, when stop is closed or ctx ends.
	Apply func(ctx context.Context, stop <-chan struct{}, site string) lifecycle.Outcome
	// Only are the sites that may be applied; none: all. The others count all the same for who waits for whom.
	Only []string
	// Parallel is how many sites are applied side by side, 1 at least.
	Parallel int
	// Began and Ended are told of each site, one call at a time; either may be nil.
	Began func(Place)
	Ended func(lifecycle.Outcome)
}

// Result is where an engine's run ended.
type Result struct {
	// Queue is how the sites stand then.
	Queue Queue `json:"queue"`
	// Outcomes are how the sites that were applied ended, in the order in which they did.
	Outcomes []lifecycle.Outcome `json:"outcomes,omitempty"`
	// Stopped: somebody asked it to stop, and more might have gone.
	Stopped bool `json:"stopped,omitempty"`
}

// Run applies sites until none may go, or stop is closed: then those in hand end in order, and no other begins. The error is
// that of looking; how sites end is in the result.
func (e Engine) Run(ctx context.Context, stop <-chan struct{}) (_ Result, err error) {
	known := e.Known
	if known == nil {
		facts, err := e.Look(ctx, nil)
		if err != nil {
			return Result{}, err
		}
		known = &facts
	}
	r := &running{Engine: e, facts: *known, tried: map[string]string{}, active: map[string]bool{}, ended: make(chan lifecycle.Outcome)}
	for {
		r.queue = Next(r.facts)
		if !r.stopped && err == nil {
			r.start(ctx, stop)
		}
		if len(r.active) == 0 {
			return Result{Queue: r.queue, Outcomes: r.outcomes, Stopped: r.stopped}, err
		}
		halt := stop
		if r.stopped {
			halt = nil // it was heard
		}
		select {
		case o := <-r.ended:
			if lookErr := r.end(ctx, o); err == nil && !r.stopped {
				err = lookErr
			}
		case <-halt:
			r.stopped = true
		}
	}
}

// running is an engine at work.
type running struct {
	Engine
	facts Facts
	queue Queue
	// tried is what each site's plan meant when it was begun: one that means the same afterwards is not begun again. active are in hand.
	tried    map[string]string
	active   map[string]bool
	ended    chan lifecycle.Outcome
	outcomes []lifecycle.Outcome
	stopped  bool
}

// start begins as many sites as there is room for.
func (r *running) start(ctx context.Context, stop <-chan struct{}) {
	for _, p := range r.queue.Of(TurnGo) {
		if len(r.active) >= max(r.Parallel, 1) {
			return
		}
		meaning := r.facts.Known[p.Site].Drift.Value.Meaning
		before, tried := r.tried[p.Site]
		if r.active[p.Site] || tried && before == meaning || len(r.Only) > 0 && !slices.Contains(r.Only, p.Site) {
			continue
		}
		r.tried[p.Site], r.active[p.Site] = meaning, true
		if r.Began != nil {
			r.Began(p)
		}
		go func() { r.ended <- r.Apply(ctx, stop, p.Site) }()
	}
}

// end takes note of how a site ended, and looks at it again.
func (r *running) end(ctx context.Context, o lifecycle.Outcome) error {
	delete(r.active, o.Site)
	r.outcomes = append(r.outcomes, o)
	if r.Ended != nil {
		r.Ended(o)
	}
	facts, err := r.Look(ctx, []string{o.Site})
	if err != nil {
		return err
	}
	r.facts = facts
	return nil
}
