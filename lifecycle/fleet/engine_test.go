package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// world is a fleet whose sites are applied by a map of what becomes of them.
type world struct {
	mu     sync.Mutex
	facts  Facts
	breaks func(site string) bool
	// began are the sites in the order in which they were begun; most is how many were in hand at one time.
	began     []string
	now, most int
}

func (w *world) look(context.Context, []string) (Facts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.facts
	f.Known = map[string]Collected{}
	for name, c := range w.facts.Known {
		f.Known[name] = c
	}
	return f, nil
}

// apply takes a minute, or ends when it is asked to stop.
func (w *world) apply(_ context.Context, stop <-chan struct{}, site string) lifecycle.Outcome {
	w.mu.Lock()
	w.began = append(w.began, site)
	w.now++
	w.most = max(w.most, w.now)
	w.mu.Unlock()
	o := lifecycle.Outcome{Site: site, Kind: lifecycle.OutcomeDone}
	select {
	case <-time.After(time.Minute):
	case <-stop:
		o.Kind = lifecycle.OutcomeInterrupted
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now--
	c := w.facts.Known[site]
	switch {
	case o.Kind == lifecycle.OutcomeInterrupted:
	case w.breaks != nil && w.breaks(site):
		o.Kind = lifecycle.OutcomeFailed
		failed(&c)
		c.Runs.Value[0].Ended = noon
	default:
		done(&c)
	}
	w.facts.Known[site] = c
	return o
}

// forty are 40 sites in four waves of ten. Those of every wave whose number ends in 3 or 7 have machines of another kind, five of them
// are
// planted to fail.
func forty() *world {
	sites := map[string]func(*Collected){}
	for i := range 40 {
		wave, n := i/10+1, i%10
		edit := func(c *Collected) { c.Machines.Value = []Machine{debian25} }
		if n == 3 || wave == 4 && n == 7 {
			edit = nil // debian18
		}
		sites[fmt.Sprintf("%d/site-%d-%d", wave, wave, n)] = edit
	}
	w := &world{facts: fleetOfSites(sites)}
	w.breaks = func(site string) bool { return w.facts.Known[site].Machines.Value[0] == debian18 }
	return w
}

// TestStopByLikeness: of five sites whose machines are alike, one is harmed; every other site goes on.
func TestStopByLikeness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := forty()
		r, err := Engine{Look: w.look, Apply: w.apply, Parallel: 4}.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var harmed []string
		for _, o := range r.Outcomes {
			if o.Kind == lifecycle.OutcomeFailed {
				harmed = append(harmed, o.Site)
			}
		}
		if !slices.Equal(harmed, []string{"site-1-3"}) || len(r.Queue.Of(TurnDone)) != 35 || len(r.Queue.Of(TurnHeld)) != 5 || w.most != 4 {
			t.Errorf("harmed %v, %d done, %d held, %d at one time", harmed, len(r.Queue.Of(TurnDone)), len(r.Queue.Of(TurnHeld)), w.most)
		}
		for i, site := range w.began {
			if i > 0 && site[:6] < w.began[i-1][:6] {
				t.Errorf("%s was begun after %s", site, w.began[i-1])
			}
		}
	})
}

// TestEngineGoesOnWhereAnotherStopped: stopped midway, three times, and begun anew, the sites end as they do in one go; none is applied
// twice that was done.
func TestEngineGoesOnWhereAnotherStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		whole := forty()
		one, err := Engine{Look: whole.look, Apply: whole.apply, Parallel: 4}.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		w := forty()
		var last Result
		doneOnes := map[string]int{}
		for round := range 4 {
			stop := make(chan struct{})
			if round < 3 {
				time.AfterFunc(150*time.Second, func() { close(stop) })
			}
			if last, err = (Engine{Look: w.look, Apply: w.apply, Parallel: 3 + round}).Run(t.Context(), stop); err != nil {
				t.Fatal(err)
			}
			if last.Stopped != (round < 3) {
				t.Errorf("engine %d: stopped %v", round, last.Stopped)
			}
			for _, o := range last.Outcomes {
				if o.Kind == lifecycle.OutcomeDone {
					doneOnes[o.Site]++
				}
			}
		}
		if got, want := turns(last.Queue), turns(one.Queue); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for site, n := range doneOnes {
			if n > 1 {
				t.Errorf("%s was applied %d times", site, n)
			}
		}
	})
}

// A site that is as it was after it was applied is not applied again and again; one whose plan is another is.
func TestEngineTriesAPlanOnce(t *testing.T) {
	for _, tt := range []struct {
		name   string
		after  string
		begins int
	}{{"the same plan", "m1", 1}, {"another", "m2", 2}} {
		f := fleetOfSites(map[string]func(*Collected){"1/a": func(c *Collected) { c.Drift.Value.Meaning = "m1" }})
		begins := 0
		apply := func(_ context.Context, _ <-chan struct{}, site string) lifecycle.Outcome {
			begins++
			c := f.Known[site]
			c.Drift.Value.Meaning = tt.after
			f.Known[site] = c
			return lifecycle.Outcome{Site: site, Kind: lifecycle.OutcomeBlocked}
		}
		look := func(context.Context, []string) (Facts, error) { return f, nil }
		if _, err := (Engine{Look: look, Apply: apply, Parallel: 2}).Run(t.Context(), nil); err != nil || begins != tt.begins {
			t.Errorf("%s: begun %d times, %v", tt.name, begins, err)
		}
	}
}

// Only the named sites are applied, and when looking fails nothing new is begun.
func TestEngineBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{facts: fleetOfSites(map[string]func(*Collected){"1/a": nil, "1/b": nil, "2/c": nil})}
		r, err := Engine{Look: w.look, Apply: w.apply, Parallel: 9, Only: []string{"b", "c"}}.Run(t.Context(), nil)
		if err != nil || !slices.Equal(w.began, []string{"b"}) || turns(r.Queue) != "a: go, b: done, c: waits" {
			t.Errorf("%v, %s, %v", w.began, turns(r.Queue), err)
		}
		w = &world{facts: fleetOfSites(map[string]func(*Collected){"1/a": nil, "1/b": nil})}
		looks := 0
		look := func(ctx context.Context, names []string) (Facts, error) {
			if looks++; looks > 1 {
				return Facts{}, errors.New("no disk")
			}
			return w.look(ctx, names)
		}
		if _, err := (Engine{Look: look, Apply: w.apply, Parallel: 1}).Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(),
			"no disk") ||
			len(w.began) != 1 {
			t.Errorf("%v, %v", err, w.began)
		}
	})
}
