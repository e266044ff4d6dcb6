package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/session"
)

func other() lifecycle.Lock {
	now := time.Now()
	return lifecycle.Lock{Holder: "20260102-100000-abcdef", Epoch: 3, Who: "bob in https://gitlab.example/jobs/7",
		Doing: "apply of revision 3f2a9c1", Since: now.Add(-time.Minute), Renewed: now,
		Where: "lease kube-system/kiban"}
}

// What is shown is what runs: the plan is made again under the lock, and shown again if it differs.
func TestApplyMakesThePlanAgainUnderTheLock(t *testing.T) {
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes")
	if want := []string{"await", "take", "release"}; r.code != 0 || f.made != 2 || len(f.applied) != 1 || !slices.Equal(f.lockCalls, want) {
		t.Errorf("exit %d, %d plans made, %d applied, %v: %s", r.code, f.made, len(f.applied), f.lockCalls, r.err)
	}
	if n := strings.Count(r.err, "because"); n != 1 {
		t.Errorf("the plan was shown %d times: %s", n, r.err)
	}
	if id := f.claims[0].Lock.Holder; !strings.Contains(r.err, "Run "+id) {
		t.Errorf("the lock is held by %s, which is not the run: %s", id, r.err)
	}

	f = &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade"), planOf("g", "controller-1/start")}}
	r = f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes")
	if r.code != 0 || len(f.applied) != 1 || f.applied[0].Steps[0].ID != "controller-1/start" ||
		!strings.Contains(r.err, "has changed since the plan above") {
		t.Errorf("exit %d, applied %+v: %s", r.code, f.applied, r.err)
	}

	// Done by another meanwhile.
	f = &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade"), planOf("g")}}
	if r = f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes"); r.code != 0 || f.applied != nil ||
		f.lockCalls[len(f.lockCalls)-1] != "release" {
		t.Errorf("exit %d, applied %v, %v: %s", r.code, f.applied, f.lockCalls, r.err)
	}

	// A saved plan is refused instead.
	fleet := t.TempDir()
	f = &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade"), planOf("f", "worker-1/upgrade"), planOf("g", "controller-1/start")}}
	f.kiban(t, fleet, nil, "plan", "lab", "--out", fleet+"/x.plan")
	if r = f.kiban(t, fleet, nil, "apply", "lab", "--plan", fleet+"/x.plan"); r.code != exitStale || f.applied != nil ||
		f.lockCalls[len(f.lockCalls)-1] != "release" {
		t.Errorf("exit %d, applied %v, %v: %s", r.code, f.applied, f.lockCalls, r.err)
	}
}

func TestApplyWithoutChangesAsksForNoLock(t *testing.T) {
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f")}}
	if r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes"); r.code != 0 || f.lockCalls != nil {
		t.Errorf("exit %d, %v", r.code, f.lockCalls)
	}
}

func TestApplyStopsWhereAnotherIsAtWork(t *testing.T) {
	blocked := planOf("f", "worker-1/upgrade")
	blocked.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: "half way"}}
	// what a plan says in the middle of another run is not worth telling
	for _, p := range []lifecycle.Plan{planOf("f", "worker-1/upgrade"), blocked} {
		f := &fakeSite{plans: []lifecycle.Plan{p}, await: func() (bool, error) { return false, lock.Held("lab", other(), time.Now()) }}
		r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes")
		if r.code != exitBlocked || f.applied != nil {
			t.Errorf("exit %d, applied %v: %s", r.code, f.applied, r.err)
		}
		for _, want := range []string{"bob in https://gitlab.example/jobs/7", "since", "apply of revision 3f2a9c1", "--lock-timeout",
			"kiban unlock lab"} {
			if !strings.Contains(r.err, want) {
				t.Errorf("does not say %q: %s", want, r.err)
			}
		}
	}
	// Having waited, it looks again.
	waits := 0
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade"), planOf("g")},
		await: func() (bool, error) { waits++; return true, nil }}
	if r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--lock-timeout", "5m"); r.code != 0 || f.applied != nil || waits != 1 ||
		f.claims[0].Wait != 5*time.Minute {
		t.Errorf("exit %d, applied %v, %d waits, %s: %s", r.code, f.applied, waits, f.claims[0].Wait, r.err)
	}
}

func TestLockIsReleasedAfterAFailure(t *testing.T) {
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	f.run = func(context.Context, lifecycle.Plan, session.Run) error { return errors.New("no") }
	if r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes"); r.code != exitFailed || f.lockCalls[len(f.lockCalls)-1] != "release" {
		t.Errorf("exit %d, %v: %s", r.code, f.lockCalls, r.err)
	}
}

func TestUnlock(t *testing.T) {
	f := &fakeSite{}
	if r := f.kiban(t, t.TempDir(), nil, "unlock", "lab"); r.code != 0 || r.out != "No run holds the lock of lab.\n" {
		t.Errorf("exit %d: %s%s", r.code, r.out, r.err)
	}
	f.locks = []lifecycle.Lock{other()}
	f.state.Nodes = []lifecycle.NodeState{{Name: "worker-3", Mark: lifecycle.Mark{Run: other().Holder, Reason: "v1 to v2"}}}
	if r := f.kiban(t, t.TempDir(), nil, "unlock", "lab"); r.code != exitFailed || f.lockCalls != nil ||
		!strings.Contains(r.err, "kiban unlock lab --yes") {
		t.Errorf("without anybody to ask: exit %d, %v: %s", r.code, f.lockCalls, r.err)
	}
	r := f.kiban(t, t.TempDir(), nil, "unlock", "lab", "--yes")
	if r.code != 0 || !slices.Equal(f.lockCalls, []string{"break " + other().Holder}) {
		t.Errorf("exit %d, %v: %s", r.code, f.lockCalls, r.err)
	}
	for _, want := range []string{"bob in https://gitlab.example/jobs/7", "apply of revision 3f2a9c1", "so it lives, or has died since",
		"worker-3 (v1 to v2)"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("does not say %q: %s", want, r.err)
		}
	}
	if r := f.kiban(t, t.TempDir(), nil, "status", "lab"); !strings.HasPrefix(r.out, // first: all below it is in motion
		"Locked: bob in https://gitlab.example/jobs/7 has it since") {
		t.Errorf("status: %s", r.out)
	}
	if r := f.kiban(t, t.TempDir(), nil, "status", "lab", "-o", "json"); !strings.Contains(r.out, `"who": "bob in`) {
		t.Errorf("status: %s", r.out)
	}
}

// While a run is at work, nobody is sent to plan or to apply beside it; one that is silent for long is nobody's reason to wait.
func TestHintsWaitForTheRunAtWork(t *testing.T) {
	silent := other()
	silent.Renewed = silent.Renewed.Add(-time.Hour)
	for _, tt := range []struct {
		name  string
		locks []lifecycle.Lock
		waits bool
	}{{"nobody", nil, false}, {"a run at work", []lifecycle.Lock{other()}, true}, {"a silent one", []lifecycle.Lock{silent}, false}} {
		f := &fakeSite{locks: tt.locks, plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
		f.state.Nodes = []lifecycle.NodeState{{Name: "worker-1", Ready: true, Unschedulable: true,
			Mark: lifecycle.Mark{Run: other().Holder, Reason: "v1 to v2"}}}
		r := f.kiban(t, t.TempDir(), nil, "status", "lab")
		if got := strings.Contains(r.out, "Let run "+other().Holder+" end, which is at work on the site. Then: kiban plan lab"); got != tt.waits {
			t.Errorf("%s: status: %s", tt.name, r.out)
		}
		r = f.kiban(t, t.TempDir(), nil, "plan", "lab")
		if got := strings.Contains(r.err, "another run is at work on this site") && strings.Contains(r.err, "bob in"); got != tt.waits ||
			r.code != 0 {
			t.Errorf("%s: plan: exit %d: %s", tt.name, r.code, r.err)
		}
		r = f.kiban(t, t.TempDir(), nil, "unlock", "lab", "--yes")
		if got := strings.Contains(r.out, "Next, once that run has ended: kiban apply lab"); got != (tt.locks != nil) {
			t.Errorf("%s: unlock: %s", tt.name, r.out)
		}
	}
}

// What is said of a holder is what is known: a process that is seen to have ended is dead, and no other.
func TestA5_UnlockSaysWhatIsTrueOfADeadHolder(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name    string
		renewed time.Duration // ago
		gone    bool
		want    string
	}{
		{"renewed a moment ago, and its process has ended", time.Second, true, "It is dead for certain"},
		{"renewed a moment ago", 2 * time.Second, false, "it was last renewed 2s ago, so it lives, or has died since"},
		{"renewed by a clock that is ahead", -time.Hour, false, "it was last renewed 0s ago"},
		{"renewed long ago", time.Hour, false, "Whether it lives is not known from here. By its own clock it was last renewed at"},
	} {
		if got := lock.Fate(lifecycle.Lock{Holder: "r", Renewed: now.Add(-tt.renewed)}, tt.gone, now); !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
	// A run is told once, with all the places that it has the lock in.
	one, two := other(), other()
	two.Where, two.Renewed = "/run/kiban on controller-1", two.Renewed.Add(time.Second)
	f := &fakeSite{locks: []lifecycle.Lock{one, two}}
	r := f.kiban(t, t.TempDir(), nil, "unlock", "lab", "--yes")
	if r.code != 0 || strings.Count(r.err, "has it since") != 1 ||
		!strings.Contains(r.err, "(lease kube-system/kiban, /run/kiban on controller-1)") || len(f.lockCalls) != 2 {
		t.Errorf("exit %d, %v: %s", r.code, f.lockCalls, r.err)
	}
}

// Who holds the lock: the person, or the job that can be looked at.
func TestClaimSaysWho(t *testing.T) {
	claims := func(env map[string]string) string {
		f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
		r := f.kiban(t, t.TempDir(), func(s *Streams) { s.Getenv = func(k string) string { return env[k] } }, "apply", "lab", "--yes")
		if r.code != 0 || len(f.claims) != 1 {
			t.Fatalf("exit %d: %s", r.code, r.err)
		}
		return f.claims[0].Lock.Who
	}
	host, _ := os.Hostname()
	if who := claims(map[string]string{"USER": "alice"}); who != "alice@"+host {
		t.Errorf("who: %s", who)
	}
	env := map[string]string{"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "alice", "CI_JOB_URL": "https://gitlab.example/jobs/7"}
	if who := claims(env); who != "alice in https://gitlab.example/jobs/7" {
		t.Errorf("who: %s", who)
	}
}

// After a restore the cluster has the lock that a run had when the backup was taken: status tells of it as that, of one site and of
// several.
func TestStatusTellsALapsedLock(t *testing.T) {
	left := other()
	left.Renewed = left.Renewed.Add(-139 * time.Hour)
	f := &fakeSite{locks: []lifecycle.Lock{left}, plans: []lifecycle.Plan{planOf("f")},
		runs: []lifecycle.RunRecord{{ID: "20260109-100000-abcdef", Site: "lab", Doing: "restore from x.tar.gz",
			Ended: time.Now().Add(-time.Minute)}}}
	r := f.kiban(t, t.TempDir(), nil, "status", "lab")
	for _, want := range []string{"Not locked. A lock that has lapsed is left of run " + left.Holder, "last heard of 5 days 19 h ago",
		"It came with the backup that was restored since"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("nothing says %q:\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out, "unlock") || strings.HasPrefix(r.out, "Locked") {
		t.Errorf("status takes it for a run at work:\n%s", r.out)
	}
	if r := f.kiban(t, t.TempDir(), nil, "status", "lab", "lab"); strings.Contains(r.out, left.Holder) {
		t.Errorf("status of several sites takes it for a run at work:\n%s", r.out)
	}
}
