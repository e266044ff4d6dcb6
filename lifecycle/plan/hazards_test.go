package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// The hazards are those of running k0sctl as it is; each test names the one that it guards against.

// upgraded is a plan for a cluster of an older version, after something befell it.
func upgraded(t *testing.T, controllers, workers int, befall func(*world), edit ...func(*lifecycle.Site)) lifecycle.Plan {
	t.Helper()
	w := built(t, newSite(v135, controllers, workers, edit...))
	w.declare(newSite(v136, controllers, workers, edit...))
	if befall != nil {
		befall(w)
	}
	return Make(w.site, w.observe())
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

// H2, H36: controllers change one by one, each only while the others serve, and the next only when leaders and endpoints are back.
func TestControllersChangeOneByOne(t *testing.T) {
	for name, to := range map[string]lifecycle.Site{
		"upgrade":   newSite(v136, 3, 0),
		"config":    newSite(v135, 3, 0, eachHost(lifecycle.RoleController, config(`{"spec":{"telemetry":{"enabled":false}}}`))),
		"arguments": newSite(v135, 3, 0, eachHost(lifecycle.RoleController, argument("--debug=true"))),
	} {
		w := built(t, newSite(v135, 3, 0))
		w.declare(to)
		p := Make(to, w.observe())
		restarts := 0
		for _, s := range p.Steps {
			if !s.Disrupts {
				continue
			}
			restarts++
			stage := p.Stages[slices.IndexFunc(p.Stages, func(st lifecycle.Stage) bool { return st.ID == s.Stage })]
			switch {
			case stage.Width != 1:
				t.Errorf("%s: %s is in a stage of width %d", name, s.ID, stage.Width)
			case !hasGate(s.Before, lifecycle.GateEtcdQuorum, s.Target) || !hasGate(s.Before, lifecycle.GateAPIServers, s.Target):
				t.Errorf("%s: %s does not ask whether the others serve: %v", name, s.ID, s.Before)
			case !hasGate(s.After, lifecycle.GateLeaders, "") || !hasGate(s.After, lifecycle.GateAPIReady, s.Target):
				t.Errorf("%s: %s does not wait until the control plane is whole: %v", name, s.ID, s.After)
			}
		}
		if restarts != 3 {
			t.Errorf("%s: %d restarts of three controllers", name, restarts)
		}
	}
}

// H4: a worker that is merely not Ready is not installed again.
func TestHazard_H4_NotReadyIsNotReinstalled(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	st := w.observe()
	st.Nodes[0].Ready = false
	if p := Make(w.site, st); !p.Empty() || !p.Diagnostics.Has(lifecycle.SeverityWarning) {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// H6, H7: a controller leaves etcd before its service stops, one a plan, and only while enough stay.
func TestRemovalOfControllers(t *testing.T) {
	w := built(t, newSite(v136, 5, 0))
	w.declare(newSite(v136, 5, 0, host("controller-1", reset), host("controller-2", reset)))
	p := Make(w.site, w.observe())
	wantIDs(t, p, "", "leave-etcd", "reset")
	if p.Unfinished == "" || p.Steps[0].Target != p.Steps[1].Target {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// H8: a stopped worker starts at the version it has before the control plane is upgraded, and gets the new one after.
func TestHazard_H8_StoppedWorkerStartsAsItIs(t *testing.T) {
	p := upgraded(t, 1, 1, func(w *world) { w.stop("worker-1") })
	wantIDs(t, p, "worker-1", "stage", "start", "cordon", "drain", "upgrade", "uncordon")
	start, _ := p.Step("worker-1/start")
	if start.Version != v135 || start.Disrupts {
		t.Errorf("it starts at %s, disrupting: %t", start.Version, start.Disrupts)
	}
}

// H8: where its binary is the new one already, it stays stopped until the control plane has that version.
func TestHazard_H8_StoppedWorkerWithNewBinaryWaits(t *testing.T) {
	p := upgraded(t, 1, 1, func(w *world) { w.stop("worker-1"); w.hosts["worker-1"].Binary = v136 })
	wantIDs(t, p, "", "stage", "cordon", "cluster/backup", "upgrade", "upgrade", "uncordon")
	if p.Steps[1].Target != "worker-1" || p.Steps[3].Target != "controller-1" || p.Steps[4].Target != "worker-1" {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// H9: versions that cannot be reached are refused by name of the missing hop; the property itself is in TestRoute.
func TestHazard_H9_MissingHopIsNamed(t *testing.T) {
	w := built(t, newSite(v134, 1, 1))
	p := Make(newSite(v136, 1, 1), w.observe())
	if err := p.Diagnostics.Err(); !p.Empty() || err == nil || !strings.Contains(err.Error(), "v1.35 (no version declared)") {
		t.Errorf("plan:\n%s", outline(p))
	}
}

// H15: changed arguments of a worker restart it only after it was drained.
func TestHazard_H15_ArgumentsAreDrainedFor(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.declare(newSite(v136, 1, 1, host("worker-1", argument("--profile=dense"))))
	wantIDs(t, Make(w.site, w.observe()), "", "cordon", "drain", "reinstall", "uncordon")
}

// H16: a token on disk is overwritten, whoever left it.
func TestHazard_H16_TokensAreTidied(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.hosts["worker-1"].Token = true
	wantIDs(t, Make(w.site, w.observe()), "", "tidy")
}

// H21: a controller that runs workloads is drained like a worker.
func TestHazard_H21_ControllersThatWorkAreDrained(t *testing.T) {
	p := upgraded(t, 1, 0, nil, host("controller-1", role(lifecycle.RoleControllerWorker)))
	wantIDs(t, p, "controller-1", "stage", "cordon", "drain", "upgrade", "uncordon")
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
	p := upgraded(t, 1, 1, func(w *world) { w.nodes["worker-1"].Unschedulable = true })
	wantIDs(t, p, "worker-1", "stage", "drain", "upgrade")
	if drain, _ := p.Step("worker-1/drain"); !strings.Contains(drain.Reason, "administrator") {
		t.Errorf("reason: %s", drain.Reason)
	}
}

// H24: a node that was upgraded but not uncordoned when a run was cut off is given back.
func TestHazard_H24_ForgottenCordonIsGivenBack(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.nodes["worker-1"].Unschedulable, w.nodes["worker-1"].Mark = true, lifecycle.Mark{Run: "r1"}
	p := Make(w.site, w.observe())
	wantIDs(t, p, "", "uncordon")
	if !hasGate(p.Steps[0].Before, lifecycle.GateNodeReady, "worker-1") {
		t.Errorf("it is given back without a look at it: %v", p.Steps[0].Before)
	}
}

// H25, H37: behind every start of k0s stand the exact version, a service that has held for a while and, on workers, a fresh Ready.
func TestEveryStartIsVerified(t *testing.T) {
	w := freshWorld(newSite(v136, 3, 2))
	p := Make(w.site, w.observe())
	p.Steps = append(p.Steps, upgraded(t, 3, 2, func(w *world) { w.stop("worker-2"); w.stop("controller-3") }).Steps...)
	for _, s := range p.Steps {
		switch s.Action {
		case lifecycle.ActionInitialize, lifecycle.ActionJoinController, lifecycle.ActionJoinWorker, lifecycle.ActionUpgrade, lifecycle.ActionReinstall, lifecycle.ActionStart:
			i := slices.IndexFunc(s.After, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateK0sRuns })
			if i < 0 || s.After[i].Version != s.Version || s.Version.IsZero() || s.After[i].For != w.site.Policy.Settle.StableFor {
				t.Errorf("%s: %v", s.ID, s.After)
			}
			if strings.HasPrefix(s.Target, "worker") && !hasGate(s.After, lifecycle.GateNodeReady, s.Target) {
				t.Errorf("%s does not wait for its node: %v", s.ID, s.After)
			}
		}
	}
}

// Invariant: a backup is taken before controllers change their version, in every hop.
func TestBackupBeforeControllers(t *testing.T) {
	w := built(t, newSite(v134, 3, 1))
	w.declare(newSite(v136, 3, 1, path(v135)))
	backup := ""
	for _, s := range Make(w.site, w.observe()).Steps {
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
	first := outline(Make(w.site, w.observe()))
	for range 50 {
		if again := outline(Make(w.site, w.observe())); again != first {
			t.Fatalf("first:\n%s\nthen:\n%s", first, again)
		}
	}
}
