package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestNoDrainWhereNoOtherNodeTakesPods: nodes are counted, whatever the roles are called; where there are others that do not take the pods,
// that is said before anything is done.
func TestNoDrainWhereNoOtherNodeTakesPods(t *testing.T) {
	works := host("controller-1", role(lifecycle.RoleControllerWorker))
	admin := func(name string) func(*world) { return func(w *world) { w.nodes[name].Unschedulable = true } }
	taint := func(name string, taints ...string) func(*world) {
		return func(w *world) { w.nodes[name].Taints = taints }
	}
	both := func(edits ...func(*world)) func(*world) {
		return func(w *world) {
			for _, e := range edits {
				e(w)
			}
		}
	}
	for name, c := range map[string]struct {
		controllers, workers int
		edit                 []func(*lifecycle.Site)
		befall               func(*world)
		target               string
		drains               bool
		says                 string // "": nothing of the target
	}{
		"one machine, controller+worker": {1, 0, []func(*lifecycle.Site){works}, nil, "controller-1", false, ""},
		"one worker":                     {1, 1, nil, nil, "worker-1", false, ""},
		"two workers":                    {1, 2, nil, nil, "worker-1", true, ""},
		"the other is cordoned":          {1, 2, nil, admin("worker-2"), "worker-1", false, "worker-2 is cordoned by an administrator"},
		"it is cordoned itself":          {1, 2, nil, admin("worker-2"), "worker-2", true, ""},
		"the other is in maintenance": {1, 2, nil, func(w *world) {
			w.nodes["worker-2"].Unschedulable, w.nodes["worker-2"].Mark = true, lifecycle.Mark{Run: lifecycle.MaintenanceMark + "r", Reason: "fan"}
		}, "worker-1", false, "worker-2 is in maintenance (fan)"},
		"the other is out of an interrupted run": {1, 2, nil, func(w *world) {
			w.nodes["worker-2"].Unschedulable, w.nodes["worker-2"].Mark = true, lifecycle.Mark{Run: "r1"}
		}, "worker-1", true, ""},
		"the other has a taint": {1, 2, nil, taint("worker-2", "gpu=yes:NoSchedule"), "worker-1", false,
			"worker-2 has the taint gpu=yes:NoSchedule"},
		"both have the taint": {1, 2, nil, both(taint("worker-1", "gpu=yes:NoSchedule"), taint("worker-2", "gpu=yes:NoSchedule")), "worker-1",
			true, ""},
		"only it has the taint":   {1, 2, nil, taint("worker-1", "gpu=yes:NoSchedule"), "worker-1", true, ""},
		"a controller takes them": {1, 1, []func(*lifecycle.Site){works}, nil, "worker-1", true, ""},
		"the controller has its taint": {1, 1, []func(*lifecycle.Site){works}, taint("controller-1",
			"node-role.kubernetes.io/master:NoSchedule"), "worker-1", false, "controller-1 has the taint"},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v135, c.controllers, c.workers, c.edit...))
			w.declare(newSite(v136, c.controllers, c.workers, c.edit...))
			if c.befall != nil {
				c.befall(w)
			}
			p := makePlan(w.site, w.observe())
			if got := slices.Contains(ids(p, c.target), "drain"); got != c.drains {
				t.Errorf("it is drained: %v\n%s", got, outline(p))
			}
			if got := slices.Contains(ids(p, c.target), "cordon"); got && !c.drains {
				t.Errorf("it is cordoned\n%s", outline(p))
			}
			said := ""
			for _, d := range p.Diagnostics {
				if d.Subject == c.target {
					said += d.Error()
				}
			}
			if !strings.Contains(said, c.says) || (c.says == "") != !strings.Contains(said, "no other node") {
				t.Errorf("want %q of it: %s", c.says, said)
			}
			if p.Diagnostics.Err() != nil {
				t.Errorf("it is refused: %v", p.Diagnostics.Err())
			}
		})
	}
}

// TestNodesThatOthersCordonedCountAsOut: they are part of what may be out of service at once.
func TestNodesThatOthersCordonedCountAsOut(t *testing.T) {
	for cordoned, want := range map[int]int{0: 3, 1: 2, 2: 1, 3: 1} {
		p := upgraded(t, 1, 6, func(w *world) {
			for _, name := range []string{"worker-1", "worker-2", "worker-3"}[:cordoned] {
				w.nodes[name].Unschedulable = true
			}
		}, func(s *lifecycle.Site) { s.Policy.Workers.MaxUnavailable = "50%" })
		if last := p.Stages[len(p.Stages)-1]; last.Width != want {
			t.Errorf("with %d cordoned, %d of 6 go at once; want %d", cordoned, last.Width, want)
		}
	}
}

// TestCordonOfAnInterruptedRunIsTakenAwayInPlace: a node that keeps its pods is not left cordoned by kiban.
func TestCordonOfAnInterruptedRunIsTakenAwayInPlace(t *testing.T) {
	p := upgraded(t, 1, 1, func(w *world) {
		w.nodes["worker-1"].Unschedulable, w.nodes["worker-1"].Mark = true, lifecycle.Mark{Run: "r1"}
	})
	wantIDs(t, p, "worker-1", "stage", "preflight", "upgrade", "uncordon", "forget-former")
}

// TestLastNodeIsTakenOutWithAWord: an operator who drains the last open node is told where its pods would go.
func TestLastNodeIsTakenOutWithAWord(t *testing.T) {
	w := built(t, newSite(v136, 1, 2))
	w.nodes["worker-2"].Unschedulable = true
	p := Node(w.site, w.observe(), lifecycle.NodeTask{Verb: lifecycle.NodeDrain, Host: "worker-1"})
	wantIDs(t, p, "worker-1", "cordon", "drain")
	if says := p.Diagnostics.Error(); !strings.Contains(says, "they will be Pending") || p.Diagnostics.Err() != nil {
		t.Error(says)
	}
}

// TestUpgradeInPlaceThatWasCutOffIsSeenThrough: without a cordon to tell it by, the kept former version does.
func TestUpgradeInPlaceThatWasCutOffIsSeenThrough(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.hosts["worker-1"].Former = v135
	st := w.observe()
	st.Nodes[0].Ready = false
	p := makePlan(w.site, st)
	wantIDs(t, p, "worker-1", "upgrade", "forget-former")
	if up, _ := p.Step("worker-1/upgrade"); len(up.OnFailure) != 1 || up.OnFailure[0].Version != v135 {
		t.Errorf("it has no way back:\n%s", outline(p))
	}
}

// TestSystemWorkloadsAreGates: before each node and after the controllers; what is broken before anything is done is told.
func TestSystemWorkloadsAreGates(t *testing.T) {
	w := built(t, newSite(v135, 1, 2))
	site := newSite(v136, 1, 2, func(s *lifecycle.Site) { s.Policy.Probes = []string{"https://shop.example/"} })
	w.declare(site)
	st := w.observe()
	st.System = []lifecycle.Workload{{Kind: "DaemonSet", Namespace: "kube-system", Name: "kube-proxy",
		Lacks: []lifecycle.Lack{{Node: "worker-2", Why: "it has no pod there"}, {Node: "gone", Why: "it has no pod there"}}}}
	p := makePlan(site, st)
	controller, _ := p.Step("controller-1/upgrade")
	worker, _ := p.Step("worker-2/cordon")
	for _, kind := range []lifecycle.GateKind{lifecycle.GateSystem, lifecycle.GateProbes} {
		if !hasGate(controller.After, kind, "") || !hasGate(worker.Before, kind, "") {
			t.Errorf("%s is no gate after controllers or before workers:\n%s", kind, outline(p))
		}
	}
	says := p.Diagnostics.Error()
	if p.Diagnostics.Err() != nil || !strings.Contains(says, "DaemonSet kube-system/kube-proxy on worker-2") ||
		strings.Contains(says, "on gone") {
		t.Errorf("what was broken before: %s", says)
	}
}
