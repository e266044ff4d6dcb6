package twin

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// turns tells people whose turn it is while a plan runs: one line for each machine that is disturbed.
type turns struct {
	note          func(string)
	planned, done int
	disrupts      map[string]bool // by step
	told          map[string]bool // by machine
}

func newTurns(note func(string)) *turns {
	return &turns{note: note, disrupts: map[string]bool{}, told: map[string]bool{}}
}

func (t *turns) see(e lifecycle.Event) {
	switch e.Kind {
	case lifecycle.EventPlanned:
		t.planned++
		t.disrupts[e.Step] = e.Disrupts
	case lifecycle.EventFinished:
		t.done++
	case lifecycle.EventStarted:
		if (t.disrupts[e.Step] || e.Action == lifecycle.ActionCordon) && e.Target != "" && !t.told[e.Target] {
			t.told[e.Target] = true
			t.note(fmt.Sprintf("%s has its turn: %d of %d steps done.", e.Target, t.done, t.planned))
		}
	}
}
