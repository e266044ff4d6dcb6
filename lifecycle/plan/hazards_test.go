package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// The hazards are those of running k0sctl as it is (docs/hazards.md); each test names the one that it guards against.

// upgraded is a plan for a cluster of an older version, after something befell it.
func upgraded(t *testing.T, controllers, workers int, befall func(*world), edit ...func(*lifecycle.Site)) lifecycle.Plan {
	t.Helper()
	w := built(t, newSite(v135, controllers, workers, edit...))
	w.declare(newSite(v136, controllers, workers, edit...))
	if befall != nil {
		befall(w)
	}
	return makePlan(w.site, w.observe())
}

// ids are the ids of a plan's steps, of one target or (with "") of all.
func ids(p lifecycle.Plan, target string) []string {
	var out []string
	for _, s := range p.Steps {
		if target == "" || s.Target == target {
			out = append(out, strings.TrimPrefix(s.ID, s.Target+"/"))
		}
	}
	return out
}

func wantIDs(t *testing.T, p lifecycle.Plan, target string, want ...string) {
	t.Helper()
	if got := ids(p, target); !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", target, got, want)
	}
}

func hasGate(gs []lifecycle.Gate, kind lifecycle.GateKind, target string) bool {
	return slices.ContainsFunc(gs, func(g lifecycle.Gate) bool { return g.Kind == kind && g.Target == target })
}

// controllerRestarts asks about every restart of a controller, whatever it is for, with the width of the step's stage.
func controllerRestarts(t *testing.T, ask func(t *testing.T, s lifecycle.Step, width int)) {
	t.Helper()
	for name, to := range map[string]lifecycle.Site{
		"upgrade":   newSite(v136, 3, 0),
		"config":    newSite(v135, 3, 0, eachHost(lifecycle.RoleController, config(`{"spec":{"telemetry":{"enabled":false}}}`))),
		"arguments": newSite(v135, 3, 0, eachHost(lifecycle.RoleController, argument("--debug=true"))),
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v135, 3, 0))
			w.declare(to)
			p := makePlan(to, w.observe())
			restarts := 0
			for _, s := range p.Steps {
				if s.Disrupts {
					restarts++
					ask(t, s, p.Stages[slices.IndexFunc(p.Stages, func(st lifecycle.Stage) bool { return st.ID == s.Stage })].Width)
				}
			}
			if restarts != 3 {
				t.Errorf("%d restarts of three controllers", restarts)
			}
		})
	}
}

// H2: controllers change one by one, each only while the others serve, and the next only when its own API server and etcd do again.
func TestHazard_H2_ControllersChangeOneByOne(t *testing.T) {
	controllerRestarts(t, func(t *testing.T, s lifecycle.Step, width int) {
		switch {
		case width != 1:
			t.Errorf("%s is in a stage of width %d", s.ID, width)
		case !hasGate(s.Before, lifecycle.GateEtcdQuorum, s.Target) || !hasGate(s.Before, lifecycle.GateAPIServers, s.Target):
			t.Errorf("%s does not ask whether the others serve: %v", s.ID, s.Before)
		case !hasGate(s.After, lifecycle.GateAPIReady, s.Target) || !hasGate(s.After, lifecycle.GateEtcdMember, s.Target):
			t.Errorf("%s does not wait for its API server and etcd: %v", s.ID, s.After)
		}
	})
}

// H36: after every restart of a controller the leaders and the endpoints are back before anything else is disturbed.
func TestHazard_H36_ControlPlaneIsWholeBeforeTheNextStep(t *testing.T) {
	controllerRestarts(t, func(t *testing.T, s lifecycle.Step, _ int) {
		if !hasGate(s.After, lifecycle.GateLeaders, "") {
			t.Errorf("%s does not wait until the control plane is whole: %v", s.ID, s.After)
		}
	})
}

// H4: a worker that is merely not Ready is not installed again.
func TestHazard_H4_NotReadyIsNotReinstalled(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	st := w.observe()
	st.Nodes[0].Ready = false
	if p := makePlan(w.site, st); !p.Empty() || !p.Diagnostics.Has(lifecycle.SeverityWarning) {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// removal is the plan that removes the first two controllers of a site.
func removal(t *testing.T, controllers int) lifecycle.Plan {
	t.Helper()
	w := built(t, newSite(v136, controllers, 0))
	w.declare(newSite(v136, controllers, 0, host("controller-1", reset), host("controller-2", reset)))
	return makePlan(w.site, w.observe())
}

// H6: a controller leaves etcd before its service stops, while the others serve, and has left when that is done.
func TestHazard_H6_EtcdIsLeftBeforeTheServiceStops(t *testing.T) {
	p := removal(t, 5)
	leave := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionLeaveEtcd })
	wipe := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionReset })
	if leave < 0 || wipe < leave {
		t.Fatalf("plan:\n%s", outline(p))
	}
	s := p.Steps[leave]
	if !hasGate(s.Before, lifecycle.GateEtcdQuorum, s.Target) || !hasGate(s.After, lifecycle.GateEtcdLeft, s.Target) {
		t.Errorf("%s: before %v, after %v", s.ID, s.Before, s.After)
	}
}

// H7: controllers leave one a plan, and none of two.
func TestHazard_H7_ControllersLeaveOneAPlan(t *testing.T) {
	p := removal(t, 5)
	for _, s := range p.Steps {
		if s.Target != p.Steps[0].Target {
			t.Errorf("%s beside the removal of %s", s.ID, p.Steps[0].Target)
		}
	}
	if p.Empty() || p.Unfinished == "" {
		t.Errorf("plan:\n%s", outline(p))
	}
	if few := removal(t, 3); few.Diagnostics.Err() == nil {
		t.Errorf("two of three may be removed:\n%s", outline(few))
	}
}

// H8: a stopped worker starts at the version it has before the control plane is upgraded, and gets the new one after.
func TestHazard_H8_StoppedWorkerStartsAsItIs(t *testing.T) {
	p := upgraded(t, 1, 2, func(w *world) { w.stop("worker-1") })
	wantIDs(t, p, "worker-1", "stage", "start", "preflight", "cordon", "drain", "upgrade", "uncordon", "forget-former")
	start, _ := p.Step("worker-1/start")
	if start.Version != v135 || start.Disrupts {
		t.Errorf("it starts at %s, disrupting: %t", start.Version, start.Disrupts)
	}
}

// H8: where its binary is the new one already, it stays stopped until the control plane has that version.
func TestHazard_H8_StoppedWorkerWithNewBinaryWaits(t *testing.T) {
	p := upgraded(t, 1, 1, func(w *world) { w.stop("worker-1"); w.hosts["worker-1"].Binary = v136 })
	wantIDs(t, p, "", "stage", "cordon", "preflight", "cluster/backup", "upgrade", "forget-former", "upgrade", "uncordon")
	if len(p.Steps) < 7 || p.Steps[1].Target != "worker-1" || p.Steps[4].Target != "controller-1" || p.Steps[6].Target != "worker-1" {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// H9: versions that cannot be reached are refused by name of the missing hop; the property itself is in TestRoute.
func TestHazard_H9_MissingHopIsNamed(t *testing.T) {
	w := built(t, newSite(v134, 1, 1))
	p := makePlan(newSite(v136, 1, 1), w.observe())
	if err := p.Diagnostics.Err(); !p.Empty() || err == nil || !strings.Contains(err.Error(), "v1.35 (no version declared)") {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// H15: changed arguments of a worker restart it only after it was drained.
func TestHazard_H15_ArgumentsAreDrainedFor(t *testing.T) {
	w := built(t, newSite(v136, 1, 2))
	w.declare(newSite(v136, 1, 2, host("worker-1", argument("--profile=dense"))))
	wantIDs(t, makePlan(w.site, w.observe()), "", "cordon", "drain", "reinstall", "uncordon", "forget-settings")
}

// H16: a token on disk is overwritten, whoever left it.
func TestHazard_H16_TokensAreTidied(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.hosts["worker-1"].Token = true
	wantIDs(t, makePlan(w.site, w.observe()), "", "tidy")
}

// H21: a controller that runs workloads is drained like a worker.
func TestHazard_H21_ControllersThatWorkAreDrained(t *testing.T) {
	p := upgraded(t, 1, 1, nil, host("controller-1", role(lifecycle.RoleControllerWorker)))
	wantIDs(t, p, "controller-1", "stage", "preflight", "cordon", "drain", "upgrade", "uncordon", "forget-former")
}

// H22: the window is what the policy says.
func TestHazard_H22_WindowIsThePolicys(t *testing.T) {
	for max, want := range map[string]int{"1": 1, "4": 4, "25%": 5, "1%": 1, "100%": 20} {
		p := upgraded(t, 1, 20, nil, func(s *lifecycle.Site) { s.Policy.Workers.MaxUnavailable = max })
		last := p.Stages[len(p.Stages)-1]
		if last.Width != want || last.Canary != 1 || !last.Budgeted {
			t.Errorf("%s of 20: %+v", max, last)
		}
	}
}

// H23: a node that an administrator has cordoned is upgraded and stays cordoned.
func TestHazard_H23_AdministratorsCordonStays(t *testing.T) {
	p := upgraded(t, 1, 2, func(w *world) { w.nodes["worker-1"].Unschedulable = true })
	wantIDs(t, p, "worker-1", "stage", "preflight", "drain", "upgrade", "forget-former")
	if drain, _ := p.Step("worker-1/drain"); !strings.Contains(drain.Reason, "administrator") {
		t.Errorf("reason: %s", drain.Reason)
	}
}

// H24: a node that was upgraded but not uncordoned when a run was cut off is given back.
func TestHazard_H24_ForgottenCordonIsGivenBack(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.nodes["worker-1"].Unschedulable, w.nodes["worker-1"].Mark = true, lifecycle.Mark{Run: "r1"}
	p := makePlan(w.site, w.observe())
	wantIDs(t, p, "", "uncordon")
	if !hasGate(p.Steps[0].Before, lifecycle.GateNodeReady, "worker-1") {
		t.Errorf("it is given back without a look at it: %v", p.Steps[0].Before)
	}
}

// starts asks about every step behind which k0s runs: installed, joined, upgraded, re-installed, started again.
func starts(t *testing.T, ask func(s lifecycle.Step)) {
	t.Helper()
	w := freshWorld(newSite(v136, 3, 2))
	steps := makePlan(w.site, w.observe()).Steps
	steps = append(steps, upgraded(t, 3, 2, func(w *world) { w.stop("worker-2"); w.stop("controller-3") }).Steps...)
	asked := map[lifecycle.Action]bool{}
	for _, s := range steps {
		switch s.Action {
		case lifecycle.ActionInitialize, lifecycle.ActionJoinController, lifecycle.ActionJoinWorker, lifecycle.ActionUpgrade,
			lifecycle.ActionReinstall, lifecycle.ActionStart:
			asked[s.Action] = true
			ask(s)
		}
	}
	if len(asked) < 5 {
		t.Errorf("only %v were asked about", asked)
	}
}

// H25: a start is done when k0s itself answers with exactly the version, and has for a while.
func TestHazard_H25_EveryStartIsVerified(t *testing.T) {
	settle := newSite(v136, 1, 0).Policy.Settle
	starts(t, func(s lifecycle.Step) {
		i := slices.IndexFunc(s.After, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateK0sRuns })
		if i < 0 || s.After[i].Version != s.Version || s.Version.IsZero() || s.After[i].For != settle.StableFor {
			t.Errorf("%s: %v", s.ID, s.After)
		}
	})
}

// H37: a worker that was started is done when its node is Ready anew, at that version.
func TestHazard_H37_EveryWorkerIsReadyAnew(t *testing.T) {
	starts(t, func(s lifecycle.Step) {
		if !strings.HasPrefix(s.Target, "worker") {
			return
		}
		i := slices.IndexFunc(s.After, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateNodeReady && g.Target == s.Target })
		if i < 0 || s.After[i].Version != s.Version {
			t.Errorf("%s does not wait for its node: %v", s.ID, s.After)
		}
	})
}

// H9: it is every host's version that counts, not the first controller's.
func TestHazard_H9_DowngradeOfAnyHostIsRefused(t *testing.T) {
	w := built(t, newSite(v135, 1, 1))
	w.hosts["worker-1"].Binary, w.hosts["worker-1"].Running = v136, v136
	p := makePlan(w.site, w.observe())
	if err := p.Diagnostics.Err(); !p.Empty() || err == nil || !strings.Contains(err.Error(), "worker-1 has "+v136.String()) {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// H10: without a version nothing is planned; there is no newest one to be guessed.
func TestHazard_H10_NoPlanWithoutAVersion(t *testing.T) {
	for name, w := range map[string]*world{"fresh": freshWorld(newSite(v136, 1, 1)), "built": built(t, newSite(v136, 1, 1))} {
		w.declare(newSite(lifecycle.Version{}, 1, 1))
		p := makePlan(w.site, w.observe())
		if err := p.Diagnostics.Err(); !p.Empty() || err == nil || !strings.Contains(err.Error(), "not pinned") {
			t.Errorf("%s: plan:\n%s", name, outline(p))
		}
	}
}

// H20: a machine that calls itself otherwise would be drained under a name that no node has.
func TestHazard_H20_HostnameIsTheNodesName(t *testing.T) {
	for _, name := range []string{"worker-1", "controller-1"} {
		p := upgraded(t, 1, 1, func(w *world) { w.hosts[name].Hostname = "node-17" })
		if err := p.Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), name+": the machine calls itself node-17") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// H39: a machine with cgroup v1 stops an upgrade to a release that does not run on it, before the first drain.
func TestHazard_H39_CgroupV1StopsTheUpgrade(t *testing.T) {
	plan := func(from, to lifecycle.Version, befall func(*world)) lifecycle.Plan {
		w := built(t, newSite(from, 1, 1))
		w.declare(newSite(to, 1, 1))
		befall(w)
		return makePlan(w.site, w.observe())
	}
	old := func(w *world) { w.hosts["worker-1"].CgroupV1 = true }
	if err := plan(v134, v135, old).Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), "worker-1: it runs cgroup v1") {
		t.Errorf("to %s: %v", v135, err)
	}
	if err := plan(v("v1.34.9+k0s.0"), v134, old).Diagnostics.Err(); err != nil {
		t.Errorf("to %s, which runs on it: %v", v134, err)
	}
}

// Invariant: a backup is taken before controllers change their version, in every hop.
func TestBackupBeforeControllers(t *testing.T) {
	w := built(t, newSite(v134, 3, 1))
	w.declare(newSite(v136, 3, 1, path(v135)))
	backup := ""
	for _, s := range makePlan(w.site, w.observe()).Steps {
		if s.Action == lifecycle.ActionBackup {
			backup = s.ID
		}
		if s.Action == lifecycle.ActionUpgrade && strings.HasPrefix(s.Target, "controller") {
			if !strings.HasSuffix(backup, s.Version.String()) || !slices.Contains(s.Needs, backup) {
				t.Errorf("%s needs %v, the last backup is %q", s.ID, s.Needs, backup)
			}
		}
	}
}

// A plan is the same however often it is made.
func TestDeterministic(t *testing.T) {
	w := built(t, newSite(v134, 3, 4))
	w.declare(newSite(v136, 3, 4, path(v135), racks, windowed))
	w.stop("worker-2")
	first := outline(makePlan(w.site, w.observe()))
	for range 50 {
		if again := outline(makePlan(w.site, w.observe())); again != first {
			t.Fatalf("first:\n%s\nthen:\n%s", first, again)
		}
	}
}
