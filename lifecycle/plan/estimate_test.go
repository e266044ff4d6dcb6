package plan

import (
	"fmt"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// pastRun is a run whose actions took so long in all, two steps each.
func pastRun(day int, took map[lifecycle.Action]time.Duration) lifecycle.RunRecord {
	r := lifecycle.RunRecord{ID: fmt.Sprintf("run-%02d", day), Began: time.Date(2026, 11, day, 22, 0, 0, 0, time.UTC)}
	for a, d := range took {
		r.Took = append(r.Took, lifecycle.Took{Action: a, Steps: 2, Total: 2 * d})
	}
	return r
}

// rolloutOf upgrades n workers in one stage.
func rolloutOf(n int, stage lifecycle.Stage) lifecycle.Plan {
	stage.ID = "workers"
	p := lifecycle.Plan{Stages: []lifecycle.Stage{stage}}
	for i := range n {
		for _, a := range []lifecycle.Action{lifecycle.ActionCordon, lifecycle.ActionDrain, lifecycle.ActionUpgrade, lifecycle.ActionUncordon} {
			p.Steps = append(p.Steps, lifecycle.Step{Stage: "workers", Target: fmt.Sprintf("worker-%d", i+1), Action: a})
		}
	}
	return p
}

func TestEstimate(t *testing.T) {
	const drain, upgrade = lifecycle.ActionDrain, lifecycle.ActionUpgrade
	// a minute a worker
	known := []lifecycle.RunRecord{pastRun(1, map[lifecycle.Action]time.Duration{drain: 20 * time.Second, upgrade: 40 * time.Second})}
	two := rolloutOf(4, lifecycle.Stage{Width: 2})
	two.Stages = append(two.Stages, lifecycle.Stage{ID: "addons", Width: 1})
	two.Steps = append(two.Steps, lifecycle.Step{Stage: "addons", Target: "addon/metallb", Action: lifecycle.ActionApply})
	for _, tt := range []struct {
		name string
		plan lifecycle.Plan
		runs []lifecycle.RunRecord
		want time.Duration // 0: none
		by   int
	}{
		{"nothing to do", lifecycle.Plan{}, known, 0, 0},
		{"no past run", rolloutOf(1, lifecycle.Stage{Width: 1}), nil, 0, 0},
		{"one by one", rolloutOf(5, lifecycle.Stage{Width: 1}), known, 5 * time.Minute, 1},
		{"two at a time", rolloutOf(5, lifecycle.Stage{Width: 2}), known, 3 * time.Minute, 1},
		{"a canary first", rolloutOf(5, lifecycle.Stage{Width: 2, Canary: 1}), known, 3 * time.Minute, 1},
		{"a canary of a wide window", rolloutOf(5, lifecycle.Stage{Width: 4, Canary: 1}), known, 2 * time.Minute, 1},
		{"more canaries than machines", rolloutOf(2, lifecycle.Stage{Width: 4, Canary: 9}), known, 2 * time.Minute, 1},
		{"no limit", rolloutOf(64, lifecycle.Stage{}), known, time.Minute, 1},
		{"more than go at once", rolloutOf(65, lifecycle.Stage{}), known, 2 * time.Minute, 1},
		{"one failure domain at a time", rolloutOf(5, lifecycle.Stage{Width: 4, Domains: []lifecycle.Domain{
			{Name: "a", Targets: []string{"worker-1", "worker-2"}}, {Name: "b", Targets: []string{"worker-3", "worker-4", "worker-5"}}}}), known,
			2 * time.Minute, 1},
		{"a canary in the first domain", rolloutOf(4, lifecycle.Stage{Width: 4, Canary: 1, Domains: []lifecycle.Domain{
			{Name: "a", Targets: []string{"worker-1", "worker-2"}}, {Name: "b", Targets: []string{"worker-3", "worker-4"}}}}), known,
			3 * time.Minute, 1},
		{"an action that was never seen", two, known, 0, 0},
		{"stages one after another", two, append(known, pastRun(2, map[lifecycle.Action]time.Duration{lifecycle.ActionApply: 30 * time.Second})),
			2*time.Minute + 30*time.Second, 2},
		{"the newest three runs, in whatever order they come", rolloutOf(1, lifecycle.Stage{Width: 1}), []lifecycle.RunRecord{
			pastRun(1, map[lifecycle.Action]time.Duration{drain: time.Hour, upgrade: time.Hour}),
			pastRun(4, map[lifecycle.Action]time.Duration{drain: time.Minute, upgrade: 4 * time.Minute}),
			pastRun(5, map[lifecycle.Action]time.Duration{lifecycle.ActionApply: time.Second}),
			pastRun(3, map[lifecycle.Action]time.Duration{drain: time.Minute, upgrade: 5 * time.Minute}),
			pastRun(2, map[lifecycle.Action]time.Duration{drain: time.Minute, upgrade: 6 * time.Minute})}, 6 * time.Minute, 3},
		{"a record that says nothing", rolloutOf(1, lifecycle.Stage{Width: 1}),
			[]lifecycle.RunRecord{{ID: "x", Took: []lifecycle.Took{{Action: drain}, {Action: upgrade, Steps: 1, Total: -time.Hour}}}}, 0, 0},
		{"moments alone", lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s"}},
			Steps: []lifecycle.Step{{Stage: "s", Target: "w", Action: lifecycle.ActionUncordon}}}, nil, 0, 0},
		{"an operator's work", lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s"}},
			Steps: []lifecycle.Step{{Stage: "s", Target: "w", Action: lifecycle.ActionAwait}}},
			[]lifecycle.RunRecord{pastRun(1, map[lifecycle.Action]time.Duration{lifecycle.ActionAwait: time.Hour})}, 0, 0},
	} {
		got := Estimate(tt.plan, tt.runs)
		if (got == nil) != (tt.want == 0) || got != nil && (got.Duration != tt.want || got.Runs != tt.by) {
			t.Errorf("%s: got %+v, want %s by %d", tt.name, got, tt.want, tt.by)
		}
	}
}

// TestEstimateIsNoMeaning: how long something may take is no part of what it does.
func TestEstimateIsNoMeaning(t *testing.T) {
	p := rolloutOf(2, lifecycle.Stage{Width: 1})
	with := p
	with.Estimate = &lifecycle.Estimate{Duration: time.Hour, Runs: 3}
	if p.Meaning() != with.Meaning() {
		t.Error("an estimate makes another plan of it")
	}
}
