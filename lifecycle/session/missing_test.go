package session

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Whoever is told that all windows are closed is told the command to give when one opens: apply behind a plan, else the one that was given.
func TestClosedWindowsNameTheCommand(t *testing.T) {
	p := planOf("f", "worker-1/reboot")
	p.Steps[0].Before = []lifecycle.Gate{{Kind: lifecycle.GateWindow}}
	for name, c := range map[string]struct {
		verb func(*Session) error
		hint string
	}{
		"plan": {func(s *Session) error { _, err := s.Plan(t.Context(), lifecycle.PlanOptions{}); return err }, "kiban apply lab"},
		"node": {func(s *Session) error { _, err := s.Node(t.Context(), lifecycle.NodeTask{}); return err }, "run the same command again"},
	} {
		var warned lifecycle.Diagnostics
		b := &bench{plans: []lifecycle.Plan{p}}
		s := b.open(t, Options{Hooks: Hooks{Warn: func(ds lifecycle.Diagnostics) { warned = append(warned, ds...) }}})
		day := (time.Now().UTC().Weekday() + 4) % 7
		s.site.Policy.Windows = []lifecycle.Window{{Days: []time.Weekday{day}, Start: 60, End: 120, TimeZone: "UTC"}}
		if err := c.verb(s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(warned) != 1 || !strings.Contains(warned[0].Summary, "windows are closed") || !strings.Contains(warned[0].Hint, c.hint) ||
			name != "plan" && strings.Contains(warned[0].Hint, "apply") {
			t.Errorf("%s: %+v", name, warned)
		}
	}
}
