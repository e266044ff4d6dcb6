package session

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestPinnedBy: each step of the record may be done twice, and none opens or ends what another has.
func TestPinnedBy(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	from, to := lifecycle.Version{Major: 1, Minor: 35}, lifecycle.Version{Major: 1, Minor: 36}
	do := func(prev lifecycle.Pinned, a lifecycle.Action, after time.Duration) lifecycle.Pinned {
		return pinnedBy(prev, lifecycle.Step{Action: a, From: from, Version: to}, map[string]string{"api/v1/pods": "a"}, at.Add(after))
	}
	var none lifecycle.Pinned
	for _, a := range []lifecycle.Action{lifecycle.ActionSoak, lifecycle.ActionCommit, lifecycle.ActionUnpin} {
		if got := do(none, a, 0); got.Open() || !got.Since.IsZero() {
			t.Errorf("%s opens a record: %+v", a, got)
		}
	}
	pin := do(none, lifecycle.ActionPin, 0)
	if !pin.Open() || pin.Former != from || pin.To != to || pin.Storage["api/v1/pods"] != "a" {
		t.Errorf("pinned: %+v", pin)
	}
	if again := do(pin, lifecycle.ActionPin, time.Hour); !again.Since.Equal(at) {
		t.Errorf("pinned again: %+v", again)
	}
	soaks := do(do(pin, lifecycle.ActionSoak, time.Hour), lifecycle.ActionSoak, 2*time.Hour)
	if !soaks.Soaks.Equal(at.Add(time.Hour)) {
		t.Errorf("soaks since %s", soaks.Soaks)
	}
	done := do(do(soaks, lifecycle.ActionCommit, 3*time.Hour), lifecycle.ActionUnpin, 4*time.Hour)
	if done.Open() || done.End != lifecycle.EndCommit || !done.Ended.Equal(at.Add(3*time.Hour)) {
		t.Errorf("ended: %+v", done)
	}
	anew := do(soaks, lifecycle.ActionPin, 3*time.Hour)
	if !anew.Since.Equal(at) || !anew.Soaks.IsZero() || anew.Storage["api/v1/pods"] != "a" {
		t.Errorf("it went back, and begins anew: %+v", anew)
	}
	if next := do(done, lifecycle.ActionPin, 5*time.Hour); !next.Open() || !next.Soaks.IsZero() || next.End != "" {
		t.Errorf("the next one: %+v", next)
	}
}

// keptPin is a cluster that keeps its pin.
type keptPin struct {
	lifecycle.Pinned
	reads, writes int
}

func (k *keptPin) KeepPinned(_ context.Context, next func(lifecycle.Pinned) lifecycle.Pinned) error {
	k.reads++
	if now := next(k.Pinned); !reflect.DeepEqual(now, k.Pinned) {
		k.Pinned, k.writes = now, k.writes+1
	}
	return nil
}

// pinReader gives what is kept a method of the name that its field has.
type pinReader struct{ *keptPin }

func (r *pinReader) Pinned(context.Context) (lifecycle.Pinned, error) {
	r.reads++
	return r.keptPin.Pinned, nil
}

// TestKeepReturn: a look of a run or of a schedule is kept where a control plane is held back and its API answers, and nowhere else is
// anything written. What is kept is read once.
func TestKeepReturn(t *testing.T) {
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	open := lifecycle.Pinned{Former: lifecycle.Version{Major: 1, Minor: 35}, To: lifecycle.Version{Major: 1, Minor: 36}, Since: at}
	soaks := lifecycle.Site{Name: "lab", Policy: lifecycle.Policy{ControlPlane: lifecycle.TwoStep{Soak: time.Hour}}}
	well := lifecycle.State{ObservedAt: at}
	acts := lifecycle.State{ObservedAt: at, API: lifecycle.APIState{Servers: []lifecycle.APIServer{{Host: "a", Emulates: "1.36"}}}}
	for name, tt := range map[string]struct {
		site   lifecycle.Site
		seen   lifecycle.State
		kept   lifecycle.Pinned
		writes int
		lost   bool
	}{
		"it can go back":          {soaks, well, open, 1, false},
		"it no longer can":        {soaks, acts, open, 1, true},
		"no control plane is so":  {soaks, well, lifecycle.Pinned{}, 0, false},
		"the site asks for none":  {lifecycle.Site{Name: "lab"}, acts, open, 0, false},
		"the API does not answer": {soaks, lifecycle.State{API: lifecycle.APIState{Unknown: "no answer"}}, open, 0, false},
	} {
		k := &keptPin{Pinned: tt.kept}
		if err := keepReturn(t.Context(), &pinReader{k}, tt.site, tt.seen); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if k.reads > 1 || k.reads < k.writes {
			t.Errorf("%s: it was read %d times", name, k.reads)
		}
		if k.writes != tt.writes || !k.Lost.IsZero() != tt.lost || (tt.writes == 1 && !tt.lost && !k.Seen.Equal(at)) {
			t.Errorf("%s: %d writes, %+v", name, k.writes, k.Pinned)
		}
	}
	if err := keepReturn(t.Context(), nil, soaks, well); err != nil {
		t.Error(err)
	}
}

// otherwise is a site of which an API server acts as the newer version already.
type otherwise struct{ *bench }

func (o otherwise) Observe(context.Context) (lifecycle.State, error) {
	return lifecycle.State{Site: "lab", ObservedAt: time.Date(2026, 11, 4, 9, 0, 0, 0, time.UTC),
		API: lifecycle.APIState{Servers: []lifecycle.APIServer{{Host: "controller-3", Emulates: "1.36"}}}}, nil
}

// TestTheFirstLookKeepsALoss: that a control plane can't go back any more is kept by the look before a run, whatever the run then does with
// the machine that showed it, and where the run is refused, too. A look that only tells keeps nothing.
func TestTheFirstLookKeepsALoss(t *testing.T) {
	refused := planOf("f", "worker-1/upgrade")
	refused.Diagnostics = lifecycle.Diagnostics{lifecycle.Errorf("lab", "the control plane can't go back")}
	for name, tt := range map[string]struct {
		plan lifecycle.Plan
		do   func(*Session) error
		want bool
	}{
		"a machine is removed": {planOf("f", "controller-3/remove"),
			func(s *Session) error { _, err := s.Node(t.Context(), lifecycle.NodeTask{}); return err }, true},
		"apply": {planOf("f", "worker-1/upgrade"),
			func(s *Session) error { _, err := s.Apply(t.Context(), ApplyOptions{}); return err }, true},
		"a run that is refused": {refused, func(s *Session) error {
			if _, err := s.Apply(t.Context(), ApplyOptions{}); err == nil {
				return errors.New("it was not refused")
			}
			return nil
		}, true},
		"a plan": {planOf("f", "worker-1/upgrade"), func(s *Session) error {
			_, err := s.Plan(t.Context(), lifecycle.PlanOptions{})
			return err
		}, false},
	} {
		b := &bench{plans: []lifecycle.Plan{tt.plan}}
		kept := &keptPin{Pinned: lifecycle.Pinned{Former: lifecycle.Version{Major: 1, Minor: 35}, To: lifecycle.Version{Major: 1, Minor: 36},
			Since: time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)}}
		s := b.open(t, Options{})
		s.site.Policy.ControlPlane.Soak = time.Hour
		s.parts.Site, s.parts.Pins = otherwise{b}, &pinReader{kept}
		if err := tt.do(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if lost := !kept.Lost.IsZero(); lost != tt.want || kept.writes > 1 {
			t.Errorf("%s: %d writes, %+v", name, kept.writes, kept.Pinned)
		}
	}
}
