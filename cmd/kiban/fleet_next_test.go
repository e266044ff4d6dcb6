package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestFleetNext: what was collected says who may go; a failure that is alike holds both sites until somebody lifts it, on record.
func TestFleetNext(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3)), runs: []lifecycle.RunRecord{{ID: "20261128-1900", Doing: "apply",
		Result: lifecycle.RunFailed,
		Ended:  time.Now().Add(-time.Hour), Failures: []lifecycle.Failure{{Action: lifecycle.ActionUpgrade, Role: lifecycle.RoleWorker,
			Where: "worker-1", Why: "the kubelet does not start"}}}}}
	f.state.ObservedAt = time.Now().UTC()
	fleet := t.TempDir()
	ask := func(code int, args ...string) result {
		t.Helper()
		r := kibanIn(t, fleet, collectable(f, nil), nil, append([]string{"fleet"}, args...)...)
		if r.code != code {
			t.Fatalf("%v: exit %d\n%s%s", args, r.code, r.out, r.err)
		}
		return r
	}
	if r := ask(exitFailed, "next"); !strings.Contains(r.err, "kiban fleet collect") {
		t.Errorf("nothing was collected: %s", r.err)
	}
	ask(exitDone, "collect")
	if r := ask(exitBlocked, "next"); strings.Count(r.out, "held") != 2 || !strings.Contains(r.err, "2 held.") {
		t.Errorf("%s%s", r.out, r.err)
	}
	if r := ask(exitBlocked, "next", "-o", "names"); r.out != "" {
		t.Errorf("names: %s", r.out)
	}
	holds := ask(exitDone, "holds").out
	if !strings.Contains(holds, "lab, osaka") || !strings.Contains(holds, "the kubelet does not start") {
		t.Errorf("%s", holds)
	}
	id := strings.Fields(strings.Split(holds, "\n")[1])[0]
	ask(exitFailed, "holds", "lift", id) // without a reason
	ask(exitFailed, "holds", "lift", "ffffffffff", "--why", "it is gone")
	if _, err := os.Stat(filepath.Join(fleet, lifecycle.HoldsFile)); err == nil {
		t.Error("something was lifted")
	}
	ask(exitDone, "holds", "lift", id[:6], "--why", "the kernel was replaced")
	if r := ask(exitDone, "next", "-o", "names"); r.out != "lab\nosaka\n" {
		t.Errorf("lifted: %s%s", r.out, r.err)
	}
	if r := ask(exitDone, "holds"); r.out != "No failure holds a site.\n" {
		t.Errorf("lifted: %s", r.out)
	}
	if r := ask(exitDone, "next", "-o", "json"); !strings.Contains(r.out, `"by": "`) || !strings.Contains(r.out, "the kernel was replaced") {
		t.Errorf("it is not on record: %s", r.out)
	}
	file := filepath.Join(fleet, lifecycle.HoldsFile)
	if err := os.WriteFile(file, []byte("kind: Holds\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := ask(exitFailed, "next"); !strings.Contains(r.err, "holds.yaml") {
		t.Errorf("a file that is wrong: %s", r.err)
	}
}

// TestFleetApplyAsks: without a person and without --yes no site is applied; with nothing to do nobody is asked.
func TestFleetApplyAsks(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3))}
	f.state.ObservedAt = time.Now().UTC()
	fleet := t.TempDir()
	r := kibanIn(t, fleet, collectable(f, nil), nil, "fleet", "apply")
	if r.code != exitFailed || !strings.Contains(r.err, "2 go.") || !strings.Contains(r.err, "kiban fleet apply --yes") || f.applied != nil {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	services := collectable(f, nil)
	f.planners.Make = func(site lifecycle.Site, _ lifecycle.State, _ lifecycle.PlanOptions) lifecycle.Plan {
		return lifecycle.Plan{Site: site.Name}
	}
	r = kibanIn(t, fleet, services, nil, "fleet", "apply")
	if r.code != exitDone || r.out != "No site was applied. Now: 2 done.\n" {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
}
