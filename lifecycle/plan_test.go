package lifecycle

import (
	"slices"
	"testing"
)

func TestFormerVersions(t *testing.T) {
	v := func(minor, patch int) Version { return Version{Major: 1, Minor: minor, Patch: patch} }
	up := func(from Version) Step { return Step{Action: ActionUpgrade, From: from} }
	for name, tt := range map[string]struct {
		plan Plan
		want []Version
	}{
		"none changes": {Plan{Target: v(36, 3)}, nil},
		"one": {Plan{Target: v(36, 3), Hops: []Version{v(36, 3)}, Steps: []Step{up(v(35, 7)), up(v(35, 7))}},
			[]Version{v(35, 7)}},
		"several, the oldest first": {Plan{Target: v(36, 3), Hops: []Version{v(36, 3)}, Steps: []Step{up(v(35, 9)), up(v(35, 7))}},
			[]Version{v(35, 7), v(35, 9)}},
		"what it passes through is none": {Plan{Target: v(36, 3), Hops: []Version{v(35, 7), v(36, 3)},
			Steps: []Step{up(v(34, 1)), up(v(35, 7))}}, []Version{v(34, 1)}},
		"back": {Plan{Target: v(36, 2), Hops: []Version{v(36, 2)}, Steps: []Step{up(v(36, 3))}},
			[]Version{v(36, 3)}},
		"what was cut off at the target": {Plan{Target: v(36, 3), Hops: []Version{v(36, 3)}, Steps: []Step{up(v(36, 3)), up(v(35, 7))}},
			[]Version{v(35, 7)}},
		"a joining machine has no former": {Plan{Target: v(36, 3), Hops: []Version{v(36, 3)},
			Steps: []Step{{Action: ActionJoinWorker, Version: v(36, 3)}, up(Version{})}}, nil},
		"other steps say nothing of former": {Plan{Target: v(36, 3), Hops: []Version{v(36, 3)},
			Steps: []Step{{Action: ActionUpload, From: v(35, 7)}}}, nil},
	} {
		got := tt.plan.FormerVersions()
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
		if oldest := tt.plan.FormerVersion(); len(tt.want) > 0 && oldest != tt.want[0] || len(tt.want) == 0 && !oldest.IsZero() {
			t.Errorf("%s: the oldest is %v", name, oldest)
		}
	}
}
