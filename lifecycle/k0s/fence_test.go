package k0s

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// fenced is a session whose commands come with the epoch that it gives.
func fenced(f *farm, epoch *int) *Session {
	s := f.open(v135)
	s.opts.Epoch = func() int { return *epoch }
	for _, m := range s.machines {
		m.paths.locks = filepath.Join(f.fakes[m.host.Name].root, "run", "kiban")
	}
	return s
}

func knows(t *testing.T, s *Session) string {
	t.Helper()
	m, err := s.machine("w1")
	if err != nil {
		t.Fatal(err)
	}
	marks, _ := filepath.Glob(m.paths.locks + "/*")
	for i := range marks {
		marks[i] = filepath.Base(marks[i])
	}
	return strings.Join(marks, " ")
}

// A command of a run whose lock another has by now is refused by the machine, which the other one has changed since: nothing of it is
// begun.
func TestA10_ALateCommandIsRefusedByTheMachine(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	epoch := 3
	s := fenced(f, &epoch)
	done := filepath.Join(f.dir, "done")
	step := lifecycle.Step{ID: "w1/run", Target: "w1", Action: lifecycle.ActionRun, Command: []string{"touch", done}}
	if err := s.Do(t.Context(), step, nil); err != nil {
		t.Fatal(err)
	}
	if h, err := s.HostFacts(t.Context(), "w1"); err != nil || h.Epoch != 3 || knows(t, s) != "epoch.3" {
		t.Errorf("the machine tells %d and knows %q, want epoch.3: %v", h.Epoch, knows(t, s), err)
	}
	epoch = 5 // another run
	if err := s.Do(t.Context(), step, nil); err != nil {
		t.Fatal(err)
	}
	if got := knows(t, s); got != "epoch.5" {
		t.Errorf("the machine knows %q, want epoch.5 alone", got)
	}
	if err := os.Remove(done); err != nil {
		t.Fatal(err)
	}
	epoch = 3 // the first one's command arrives late
	err := s.Do(t.Context(), step, nil)
	d, ok := errors.AsType[lifecycle.Diagnostic](err)
	if !ok || d.Severity != lifecycle.SeverityBlocked || d.Subject != "w1" || !strings.Contains(d.Detail, "epoch 3") ||
		!strings.Contains(d.Detail, "knows 5") || !strings.Contains(d.Hint, "kiban status farm") {
		t.Errorf("a late command: %v", err)
	}
	if _, err := os.Stat(done); err == nil {
		t.Error("it was carried out")
	}
	for _, c := range f.audit {
		if strings.Contains(c.Command, "epoch") {
			t.Errorf("the record of commands holds more than the step's own: %s", c.Command)
		}
	}
}

// What a command of the operator says and ends with is not taken for a refusal.
func TestARefusalIsNotMistaken(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	epoch := 1
	s := fenced(f, &epoch)
	step := lifecycle.Step{ID: "w1/run", Target: "w1", Action: lifecycle.ActionRun, Command: []string{"sh", "-c", "exit 76"}}
	err := s.Do(t.Context(), step, nil)
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "ended with status 76") {
		t.Errorf("got %v", err)
	}
}

// Observing writes nothing, with a lock or without; neither does what needs none.
func TestLooksLeaveNoEpoch(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	epoch := 0
	s := fenced(f, &epoch)
	step := lifecycle.Step{ID: "w1/run", Target: "w1", Action: lifecycle.ActionRun, Command: []string{"true"}}
	if err := s.Do(t.Context(), step, nil); err != nil {
		t.Fatal(err)
	}
	epoch = 4
	if _, err := s.Facts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := knows(t, s); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

// Of two that come at once the smaller epoch never passes once the greater has.
func TestEpochsOnlyGrow(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	low, high := 1, 2
	a, b := fenced(f, &low), fenced(f, &high)
	step := lifecycle.Step{ID: "w1/run", Target: "w1", Action: lifecycle.ActionRun, Command: []string{"true"}}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { _ = a.Do(t.Context(), step, nil) })
		wg.Go(func() {
			if err := b.Do(t.Context(), step, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := a.Do(t.Context(), step, nil); err == nil {
		t.Error("the smaller epoch passes after the greater one")
	}
	if got := knows(t, b); !strings.Contains(got, "epoch.2") {
		t.Errorf("the machine knows %q", got)
	}
}

// An epoch that a machine makes up does not use up the numbers.
func TestLockEpoch(t *testing.T) {
	for said, want := range map[string]int{"7": 7, " 7\n": 7, "": 0, "-1": 0, "x": 0, "1000000007": 1000000007, "2147483647": 0,
		"99999999999999999999": 0} {
		if got := lockEpoch(said); got != want {
			t.Errorf("%q: %d, want %d", said, got, want)
		}
	}
}
