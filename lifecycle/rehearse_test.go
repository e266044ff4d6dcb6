package lifecycle

import "testing"

func TestRehearseAsks(t *testing.T) {
	drains := Step{ID: "worker-1/drain", Action: ActionDrain, Disrupts: true}
	upgrades := Step{ID: "worker-1/upgrade", Action: ActionUpgrade, Disrupts: true}
	backs := Step{ID: "backup", Action: ActionBackup}
	for _, tt := range []struct {
		on    RehearseOn
		steps []Step
		want  bool
	}{
		{RehearseUpgrade, []Step{backs, drains, upgrades}, true},
		{RehearseUpgrade, []Step{backs, drains}, false},
		{RehearseDisruption, []Step{backs, drains}, true},
		{RehearseDisruption, []Step{backs}, false},
		{RehearseDisruption, nil, false},
		{"", []Step{drains, upgrades}, false},
	} {
		if got := (Rehearse{On: tt.on}).Asks(Plan{Steps: tt.steps}); got != tt.want {
			t.Errorf("%q of %v: got %t", tt.on, tt.steps, got)
		}
	}
}
