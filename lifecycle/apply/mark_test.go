package apply

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// What an operator closes carries another mark than what a rollout closes.
func TestMarks(t *testing.T) {
	r := &run{Deps: Deps{RunID: "r1"}}
	if m := r.mark(lifecycle.Step{Reason: "an upgrade"}); m != (lifecycle.Mark{Run: "r1", Reason: "an upgrade"}) || m.Maintenance() {
		t.Errorf("a rollout's mark is %+v", m)
	}
	m := r.mark(lifecycle.Step{Reason: "disk swap", Hold: true, TakeOver: true})
	if m != (lifecycle.Mark{Run: "maintenance:r1", Reason: "disk swap", TakeOver: true}) || !m.Maintenance() {
		t.Errorf("an operator's mark is %+v", m)
	}
}
