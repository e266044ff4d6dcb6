package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func nodeState(st *lifecycle.State, name string) *lifecycle.NodeState {
	for i := range st.Nodes {
		if st.Nodes[i].Name == name {
			return &st.Nodes[i]
		}
	}
	panic("no node " + name)
}

func hostState(st *lifecycle.State, name string) *lifecycle.HostState {
	for i := range st.Hosts {
		if st.Hosts[i].Name == name {
			return &st.Hosts[i]
		}
	}
	panic("no host " + name)
}

// died is a machine that is switched off, as the others see it.
func died(name string) func(*lifecycle.State) {
	return func(st *lifecycle.State) {
		*hostState(st, name) = lifecycle.HostState{Name: name, Problem: lifecycle.HostUnreachable, Why: "no route to host"}
		for i := range st.Nodes {
			if st.Nodes[i].Name == name {
				st.Nodes[i].Ready, st.Nodes[i].Why = false, "NodeStatusUnknown: Kubelet stopped posting node status."
			}
		}
		for i := range st.API.Servers {
			if st.API.Servers[i].Host == name {
				st.API.Servers[i] = lifecycle.APIServer{Host: name, Why: "no route to host"}
			}
		}
	}
}

func cordoned(name, run, reason string) func(*lifecycle.State) {
	return func(st *lifecycle.State) {
		n := nodeState(st, name)
		n.Unschedulable, n.Mark = true, lifecycle.Mark{Run: run, Reason: reason}
	}
}

// TestNode holds what each verb on one machine plans, and what it refuses.
func TestNode(t *testing.T) {
	three, two := newSite(v136, 3, 2), newSite(v136, 2, 2)
	windows := newSite(v136, 3, 2, windowed)
	works := newSite(v136, 3, 1, host("controller-2", role(lifecycle.RoleControllerWorker)))
	type task = lifecycle.NodeTask
	for name, c := range map[string]struct {
		site     lifecycle.Site
		task     task
		observed []func(*lifecycle.State)
		// stop: it is refused. idle: there is nothing to do.
		stop, idle bool
	}{
		"cordon":  {site: three, task: task{Verb: lifecycle.NodeCordon, Host: "worker-1", Reason: "noisy fan"}},
		"no-verb": {site: three, task: task{Verb: "polish", Host: "worker-1"}, stop: true, idle: true},
		"cordon-again": {site: three, task: task{Verb: lifecycle.NodeCordon, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "maintenance:r1", "noisy fan")}, idle: true},
		"cordon-for-another-reason": {site: three, task: task{Verb: lifecycle.NodeCordon, Host: "worker-1", Reason: "smoke"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "maintenance:r1", "noisy fan")}},
		"cordon-of-a-run": {site: three, task: task{Verb: lifecycle.NodeCordon, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "r1", "an upgrade")}},
		"cordon-of-administrator": {site: three, task: task{Verb: lifecycle.NodeCordon, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "", "")}, idle: true},
		"cordon-controller": {site: three, task: task{Verb: lifecycle.NodeCordon, Host: "controller-1"}, stop: true, idle: true},
		"uncordon": {site: three, task: task{Verb: lifecycle.NodeUncordon, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "maintenance:r1", "noisy fan")}},
		"uncordon-open": {site: three, task: task{Verb: lifecycle.NodeUncordon, Host: "worker-1"}, idle: true},
		"uncordon-administrator": {site: three, task: task{Verb: lifecycle.NodeUncordon, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "", "")}, stop: true, idle: true},
		"uncordon-force": {site: three, task: task{Verb: lifecycle.NodeUncordon, Host: "worker-1", Force: true},
			observed: []func(*lifecycle.State){cordoned("worker-1", "", "")}},
		"drain": {site: windows, task: task{Verb: lifecycle.NodeDrain, Host: "worker-1", Reason: "disk swap"}},
		"drain-bare": {site: three, task: task{Verb: lifecycle.NodeDrain, Host: "worker-1"}, stop: true,
			observed: []func(*lifecycle.State){func(st *lifecycle.State) {
				st.Stuck = []lifecycle.StuckPod{{Namespace: "shop", Name: "job", Node: "worker-1", Bare: true}}
			}}},
		"drain-unreachable": {site: three, task: task{Verb: lifecycle.NodeDrain, Host: "worker-1"},
			observed: []func(*lifecycle.State){died("worker-1")}, stop: true, idle: true},
		"maintain": {site: windows, task: task{Verb: lifecycle.NodeMaintain, Host: "worker-1", Reason: "disk swap"}},
		"maintain-resumed": {site: three, task: task{Verb: lifecycle.NodeMaintain, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "maintenance:r1", "disk swap")}},
		"maintain-of-a-run": {site: three, task: task{Verb: lifecycle.NodeMaintain, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "r1", "an upgrade")}},
		"maintain-administrator": {site: three, task: task{Verb: lifecycle.NodeMaintain, Host: "worker-1"},
			observed: []func(*lifecycle.State){cordoned("worker-1", "", "")}},
		"maintain-force": {site: three, task: task{Verb: lifecycle.NodeMaintain, Host: "worker-1", Force: true},
			observed: []func(*lifecycle.State){cordoned("worker-1", "", "")}},
		"maintain-command": {site: works, task: task{Verb: lifecycle.NodeMaintain, Host: "controller-2",
			Command: []string{"apt-get", "-y", "upgrade"}, CommandTimeout: time.Hour}},
		"reboot":            {site: three, task: task{Verb: lifecycle.NodeReboot, Host: "worker-1", BootTimeout: 15 * time.Minute}},
		"reboot-controller": {site: windows, task: task{Verb: lifecycle.NodeReboot, Host: "controller-3", BootTimeout: 15 * time.Minute}},
		"reboot-while-it-reboots": {site: three, task: task{Verb: lifecycle.NodeReboot, Host: "worker-1", BootTimeout: 15 * time.Minute},
			observed: []func(*lifecycle.State){cordoned("worker-1", "maintenance:r1", "kiban node reboot"), died("worker-1")},
			stop:     true, idle: true},
		"reboot-one-of-two": {site: two, task: task{Verb: lifecycle.NodeReboot, Host: "controller-2"}, stop: true},
		"reboot-without-boot-id": {site: three, task: task{Verb: lifecycle.NodeReboot, Host: "worker-1"},
			observed: []func(*lifecycle.State){func(st *lifecycle.State) { hostState(st, "worker-1").BootID = "" }}, stop: true, idle: true},
		"remove-worker":         {site: three, task: task{Verb: lifecycle.NodeRemove, Host: "worker-2"}},
		"remove-declared-reset": {site: newSite(v136, 3, 2, host("worker-2", reset)), task: task{Verb: lifecycle.NodeRemove, Host: "worker-2"}},
		"remove-controller":     {site: three, task: task{Verb: lifecycle.NodeRemove, Host: "controller-3"}},
		"remove-one-of-two":     {site: two, task: task{Verb: lifecycle.NodeRemove, Host: "controller-2"}, stop: true, idle: true},
		"remove-unreachable": {site: three, task: task{Verb: lifecycle.NodeRemove, Host: "worker-2"},
			observed: []func(*lifecycle.State){died("worker-2")}, stop: true, idle: true},
		"remove-etcd-unknown": {site: three, task: task{Verb: lifecycle.NodeRemove, Host: "controller-3"},
			observed: []func(*lifecycle.State){func(st *lifecycle.State) { st.Etcd = lifecycle.EtcdState{Unknown: "no answer"} }}, stop: true,
			idle: true},
		"remove-etcd-smaller": {site: three, task: task{Verb: lifecycle.NodeRemove, Host: "controller-3"}, stop: true, idle: true,
			observed: []func(*lifecycle.State){func(st *lifecycle.State) {
				st.Etcd.Members = st.Etcd.Members[1:]
			}}},
		"replace-worker": {site: three, task: task{Verb: lifecycle.NodeReplace, Host: "worker-2"},
			observed: []func(*lifecycle.State){died("worker-2")}},
		"replace-controller": {site: three, task: task{Verb: lifecycle.NodeReplace, Host: "controller-3"},
			observed: []func(*lifecycle.State){died("controller-3")}},
		"replace-by-a-fresh-machine": {site: three, task: task{Verb: lifecycle.NodeReplace, Host: "controller-3"},
			observed: []func(*lifecycle.State){died("controller-3"), func(st *lifecycle.State) {
				*hostState(st, "controller-3") = lifecycle.HostState{Name: "controller-3", Service: lifecycle.ServiceAbsent}
			}}},
		"replace-living": {site: three, task: task{Verb: lifecycle.NodeReplace, Host: "worker-2"}, stop: true, idle: true},
		"replace-cut-off": {site: three, task: task{Verb: lifecycle.NodeReplace, Host: "worker-2"}, stop: true, idle: true,
			observed: []func(*lifecycle.State){died("worker-2"), func(st *lifecycle.State) {
				nodeState(st, "worker-2").Ready = true
			}}},
		"replace-other-key": {site: three, task: task{Verb: lifecycle.NodeReplace, Host: "worker-2"}, stop: true, idle: true,
			observed: []func(*lifecycle.State){died("worker-2"), func(st *lifecycle.State) {
				hostState(st, "worker-2").Problem = lifecycle.HostKeyUnknown
			}}},
		"unknown": {site: three, task: task{Verb: lifecycle.NodeCordon, Host: "worker-9"}, stop: true, idle: true},
		"dark": {site: three, task: task{Verb: lifecycle.NodeRemove, Host: "worker-2"}, stop: true, idle: true,
			observed: []func(*lifecycle.State){func(st *lifecycle.State) {
				st.API, st.Nodes = lifecycle.APIState{Unknown: "connection refused"}, nil
			}}},
	} {
		t.Run(name, func(t *testing.T) {
			st := built(t, membersOf(c.site)).observe()
			if name == "maintain-command" {
				st = built(t, c.site).observe()
			}
			for i := range st.Hosts {
				st.Hosts[i].BootID = "b00t-" + st.Hosts[i].Name
			}
			for _, o := range c.observed {
				o(&st)
			}
			p := Node(c.site, st, c.task)
			orderly(t, p)
			if stops := p.Diagnostics.Err() != nil; stops != c.stop {
				t.Errorf("it is refused: %t, want %t", stops, c.stop)
			}
			if p.Empty() != c.idle {
				t.Errorf("the plan is empty: %t, want %t", p.Empty(), c.idle)
			}
			golden(t, "node-"+name, p)
		})
	}
}

// TestMaintenanceIsLeftAlone: a plan for the site treats a node in maintenance as one that an administrator has cordoned.
func TestMaintenanceIsLeftAlone(t *testing.T) {
	w := built(t, newSite(v135, 1, 2))
	n := w.nodes["worker-1"]
	n.Unschedulable, n.Mark = true, lifecycle.Mark{Run: lifecycle.MaintenanceMark + "r1", Reason: "disk swap"}
	if p := makePlan(w.site, w.observe()); !p.Empty() {
		t.Errorf("a plan for a site that is as declared touches it:\n%s", outline(p))
	}
	w.declare(newSite(v136, 1, 2))
	p := makePlan(w.site, w.observe())
	for _, id := range []string{"worker-1/cordon", "worker-1/uncordon"} {
		if _, ok := p.Step(id); ok {
			t.Errorf("%s is planned", id)
		}
	}
	drain, ok := p.Step("worker-1/drain")
	if !ok || !strings.Contains(drain.Reason, "in maintenance (disk swap), so it stays cordoned") {
		t.Errorf("drain: %+v", drain)
	}
}

// TestRemovalThatWasCutOffIsNoUpgrade: a removal that was cut off in its drain leaves a node closed whose k0s does not come up. A plan for
// the site starts it again, and says what was cut off there.
func TestRemovalThatWasCutOffIsNoUpgrade(t *testing.T) {
	w := built(t, newSite(v136, 1, 2))
	h, n := w.hosts["worker-2"], w.nodes["worker-2"]
	h.Service, h.Running, h.Restarts = lifecycle.ServiceStarting, lifecycle.Version{}, 7
	n.Ready, n.Why, n.Unschedulable, n.Mark = false, "NodeStatusUnknown", true, lifecycle.Mark{Run: "r1", Reason: "kiban node remove"}
	text := outline(makePlan(w.site, w.observe()))
	if strings.Contains(text, "an upgrade was cut off") || !strings.Contains(text, "its node is closed by a run that was cut off (kiban node "+
		"remove)") {
		t.Error(text)
	}
}

// TestDeadKubelet: no pods are waited for that nothing on their machine ends. A drain is refused, a machine that is worked on or taken out
// is not drained, and who does so is told.
func TestDeadKubelet(t *testing.T) {
	for verb, c := range map[lifecycle.NodeVerb]struct {
		stop  bool
		steps string
	}{
		lifecycle.NodeDrain:    {stop: true},
		lifecycle.NodeRemove:   {steps: "worker-2/cordon worker-2/reset worker-2/delete-node"},
		lifecycle.NodeReboot:   {steps: "worker-2/cordon worker-2/reboot worker-2/uncordon"},
		lifecycle.NodeMaintain: {steps: "worker-2/cordon worker-2/await worker-2/uncordon"},
	} {
		w := built(t, newSite(v136, 1, 2))
		w.hosts["worker-2"].BootID = "b00t"
		n := w.nodes["worker-2"]
		n.Ready, n.Why = false, "NodeStatusUnknown: Kubelet stopped posting node status."
		p := Node(w.site, w.observe(), lifecycle.NodeTask{Verb: verb, Host: "worker-2", BootTimeout: time.Minute})
		var ids []string
		for _, s := range p.Steps {
			ids = append(ids, s.ID)
		}
		if got := strings.Join(ids, " "); got != c.steps || (p.Diagnostics.Err() != nil) != c.stop {
			t.Errorf("%s: %s\n%v", verb, got, p.Diagnostics)
		}
		if d := p.Diagnostics; len(d) == 0 || !strings.Contains(d.Error(), "its kubelet does not answer") ||
			!strings.Contains(d.Error(), "Kubelet stopped posting") {
			t.Errorf("%s: it is not told: %v", verb, d)
		}
	}
}

// TestDeadKubeletKeepsToWindows: a kubelet that tells nothing any more has ended no pods, and a control plane beside it may be well:
// neither is disturbed while all windows are closed, wherever a plan begins. A machine whose k0s does not run is mended at any time.
func TestDeadKubeletKeepsToWindows(t *testing.T) {
	for _, verb := range []lifecycle.NodeVerb{lifecycle.NodeRemove, lifecycle.NodeReboot, lifecycle.NodeMaintain} {
		for _, closed := range []bool{false, true} {
			for _, down := range []bool{false, true} {
				w := built(t, newSite(v136, 3, 2, func(s *lifecycle.Site) { s.Policy.Windows = []lifecycle.Window{{}} }))
				w.hosts["worker-2"].BootID = "b00t"
				n := w.nodes["worker-2"]
				n.Ready, n.Why = false, "NodeStatusUnknown: Kubelet stopped posting node status."
				if closed {
					n.Unschedulable, n.Mark = true, lifecycle.Mark{Run: "r1", Reason: "kiban node remove"}
				}
				if down {
					w.stop("worker-2")
				}
				p := Node(w.site, w.observe(), lifecycle.NodeTask{Verb: verb, Host: "worker-2", BootTimeout: time.Minute})
				if p.Empty() {
					t.Errorf("%s, closed %t, down %t: no step: %v", verb, closed, down, p.Diagnostics)
					continue
				}
				if got := len(p.Steps[0].Before) > 0 && p.Steps[0].Before[0].Kind == lifecycle.GateWindow; got == down {
					t.Errorf("%s, closed %t, down %t: it keeps to windows: %t", verb, closed, down, got)
				}
			}
		}
	}
}

// TestMaintenanceThatIsAway: a plan for the site says of a machine that `kiban node` took out and that does not answer that it may be
// rebooting, and what waits for it.
func TestMaintenanceThatIsAway(t *testing.T) {
	w := built(t, newSite(v136, 1, 2))
	st := w.observe()
	cordoned("worker-1", "maintenance:r1", "kiban node reboot")(&st)
	died("worker-1")(&st)
	nodeState(&st, "worker-1").LeaseRenewed = clock
	p := makePlan(w.site, st)
	if len(p.Diagnostics) == 0 || !strings.Contains(p.Diagnostics[0].Detail, "UTC: it may be rebooting.") ||
		!strings.Contains(p.Diagnostics[0].Hint, "kiban node reboot") || !strings.Contains(p.Diagnostics[0].Hint, "waits for it") {
		t.Errorf("%+v", p.Diagnostics)
	}
}

// TestRemovalIsCarriedOn: a removal that was cut off at any point is planned from there, and never without forgetting the controller.
func TestRemovalIsCarriedOn(t *testing.T) {
	w := built(t, newSite(v136, 3, 1))
	task := lifecycle.NodeTask{Verb: lifecycle.NodeRemove, Host: "controller-3"}
	whole := Node(w.site, w.observe(), task)
	for i, s := range whole.Steps {
		rest := Node(w.site, w.observe(), task)
		if len(rest.Steps) != len(whole.Steps)-i || rest.Steps[0].ID != s.ID ||
			rest.Steps[len(rest.Steps)-1].Action != lifecycle.ActionDeleteNode {
			t.Fatalf("before %s:\n%s", s.ID, outline(rest))
		}
		if s.Action == lifecycle.ActionReset {
			break // behind it nothing of the machine is left to see
		}
		for _, part := range w.parts(s) {
			part(w)
		}
	}
}

// Where the API does not answer because machines are off, kiban apply is no way: they must be brought back.
func TestNodeTasksNeedWhatIsOff(t *testing.T) {
	site := lifecycle.Site{Name: "lab"}
	site.Cluster.Hosts = []lifecycle.Host{{Name: "c-1", Role: lifecycle.RoleController}, {Name: "w-1", Role: lifecycle.RoleWorker}}
	for problem, want := range map[lifecycle.HostProblem]string{
		lifecycle.HostUnreachable: "Bring c-1 back first", lifecycle.HostNoLogin: "keyPath under spec.ssh of the Site",
		lifecycle.HostOK: "kiban apply lab brings the control plane back first",
	} {
		st := lifecycle.State{API: lifecycle.APIState{Unknown: "refused"}, Hosts: []lifecycle.HostState{{Name: "c-1", Problem: problem,
			ServiceName: "k0scontroller"}, {Name: "w-1"}}}
		p := Node(site, st, lifecycle.NodeTask{Verb: lifecycle.NodeDrain, Host: "w-1"})
		if len(p.Diagnostics) != 1 || !strings.Contains(p.Diagnostics[0].Hint, want) {
			t.Errorf("%q: %+v", problem, p.Diagnostics)
		}
	}
}

// TestNodeTasksGoOnWithAWrongClock: apply changes nothing while a machine's clock is off, and what works on one machine goes on, so that it
// can be mended, and says that the clock is off.
func TestNodeTasksGoOnWithAWrongClock(t *testing.T) {
	site := newSite(v136, 3, 2)
	w := built(t, site)
	st := w.observe()
	hostState(&st, "worker-1").ClockOffset = 95
	if p := makePlan(site, st); !p.Diagnostics.Has(lifecycle.SeverityError) {
		t.Errorf("apply would go on: %v", p.Diagnostics)
	}
	hostState(&st, "worker-1").BootID = "b"
	for _, verb := range []lifecycle.NodeVerb{lifecycle.NodeCordon, lifecycle.NodeDrain, lifecycle.NodeMaintain, lifecycle.NodeReboot,
		lifecycle.NodeRemove} {
		p := Node(site, st, lifecycle.NodeTask{Verb: verb, Host: "worker-1"})
		if p.Empty() || p.Diagnostics.Has(lifecycle.SeverityError) {
			t.Errorf("%s: %v", verb, p.Diagnostics)
		}
		if !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool {
			return d.Severity == lifecycle.SeverityWarning && d.Subject == "worker-1" && d.Summary == "its clock is off by 95 s"
		}) {
			t.Errorf("%s does not tell of the clock: %v", verb, p.Diagnostics)
		}
	}
}
