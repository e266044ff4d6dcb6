package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestPlanIsEstimated: plan and apply say how long it may take, by what the cluster keeps; not knowing it stops neither.
func TestPlanIsEstimated(t *testing.T) {
	known := []lifecycle.RunRecord{{ID: "20261120-220000-aaaaaa",
		Took: []lifecycle.Took{{Action: lifecycle.ActionUpgrade, Steps: 2, Total: 8 * time.Minute}}}}
	machine := planOf("f", "worker-1/upgrade")
	machine.ClusterUID = "1234"
	fresh, addon := machine, planOf("f", "addon/metallb/apply")
	fresh.ClusterUID = ""
	addon.ClusterUID = "1234"
	addon.Steps[0].Target, addon.Steps[0].Action = "addon/metallb", lifecycle.ActionApply
	for _, tt := range []struct {
		name  string
		plan  lifecycle.Plan
		runs  []lifecycle.RunRecord
		err   error
		want  bool
		calls int
	}{
		{"by a past run", machine, known, nil, true, 1},
		{"without one", machine, nil, nil, false, 1},
		{"with records that can't be read", machine, known, errors.New("forbidden"), false, 1},
		{"before there is a cluster", fresh, known, nil, false, 0},
		{"of addons alone", addon, known, nil, false, 0},
		{"with nothing to do", planOf("f"), known, nil, false, 0},
	} {
		for _, args := range [][]string{{"plan", "lab"}, {"plan", "lab", "-o", "json"}, {"apply", "lab", "--yes"}} {
			f := &fakeSite{plans: []lifecycle.Plan{tt.plan}, runs: tt.runs, runsErr: tt.err}
			r := f.kiban(t, t.TempDir(), nil, args...)
			said := strings.Contains(r.out+r.err, "about 4 min, by 1 past run") || strings.Contains(r.out, `"estimate"`)
			if r.code != exitDone || said != tt.want || f.runsAsked != tt.calls {
				t.Errorf("%s, %s: exit %d, estimated %t, records asked for %d times:\n%s%s", tt.name, strings.Join(args, " "), r.code, said,
					f.runsAsked, r.out, r.err)
			}
			if len(f.applied) > 0 && f.applied[0].Estimate != nil {
				t.Errorf("%s: what is carried out is not the plan as it was made", tt.name)
			}
		}
	}
}

// Where versions change, the planner asks what failed before, and the estimate how long it took: the cluster is asked once for both.
func TestRecordsAreAskedForOnceALook(t *testing.T) {
	old := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}, state: lifecycle.State{Hosts: []lifecycle.HostState{
		{Name: "worker-1", ServiceName: "k0sworker", Service: lifecycle.ServiceRunning, Binary: old, Running: old}}}}
	f.plans[0].ClusterUID = "uid"
	if r := f.kiban(t, t.TempDir(), nil, "plan", "lab"); r.code != exitDone || f.runsAsked != 1 {
		t.Errorf("exit %d, records asked for %d times: %s", r.code, f.runsAsked, r.err)
	}
}
