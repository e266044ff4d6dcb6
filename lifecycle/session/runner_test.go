package session

import (
	"context"
	"errors"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// silent fails whatever is asked of it.
type silent struct{}

func (silent) Do(context.Context, lifecycle.Step, func(string)) error {
	return errors.New("a machine was asked")
}

// Work by hand is the operator's; every other step is the machine's.
func TestAttended(t *testing.T) {
	step, said, asked := lifecycle.Step{ID: "worker-1/await", Target: "worker-1", Action: lifecycle.ActionAwait}, "", 0
	m := attended{Machines: silent{}, done: func(context.Context, lifecycle.Step) error { asked++; return nil }}
	if err := m.Do(t.Context(), step, func(s string) { said += s }); err != nil || asked != 1 ||
		!strings.Contains(said, "press Enter when it is done") {
		t.Errorf("%q, asked %d times, %v", said, asked, err)
	}
	told := ""
	before := attended{Machines: silent{}, done: m.done, before: func(_ context.Context, s lifecycle.Step) { told += s.ID }}
	if err := before.Do(t.Context(), step, func(string) {}); err != nil || told != "worker-1/await" {
		t.Errorf("before work by hand: %q, %v", told, err)
	}
	asked = 1
	if err := (attended{Machines: silent{}}).Do(t.Context(), step, func(string) {}); err == nil ||
		!strings.Contains(err.Error(), "nobody is here") {
		t.Errorf("without an operator: %v", err)
	}
	step.Action = lifecycle.ActionReboot
	if err := m.Do(t.Context(), step, nil); err == nil || asked != 1 {
		t.Errorf("another step did not reach the machine: %v", err)
	}
}
