package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestWayBackOfEveryWorker: at whichever worker an upgrade fails, and however far its action had come, the way back in the plan brings the
// worker to the version it had; the next plan upgrades it, and nothing that must always hold is broken.
func TestWayBackOfEveryWorker(t *testing.T) {
	for _, s := range []scenario{
		{name: "one minor", from: newSite(v135, 3, 3), to: newSite(v136, 3, 3)},
		{name: "two minors", from: newSite(v134, 1, 2), to: newSite(v136, 1, 2, path(v135))},
	} {
		t.Run(s.name, func(t *testing.T) {
			start := s.world(t)
			whole := start.clone()
			converge(t, whole, serial)
			p := makePlan(start.site, start.observe())
			n := 0
			for i, st := range p.Steps {
				if len(st.OnFailure) == 0 {
					continue
				}
				for far := range start.parts(st) {
					w := start.clone()
					failAt(t, w, p, i, far+1)
					if h := w.hosts[st.Target]; h.Running != st.From || !h.Former.IsZero() || w.nodes[st.Target].Unschedulable {
						t.Fatalf("%s, %d parts: it runs %s, keeps %s, its node is %+v", st.ID, far+1, h.Running, h.Former, w.nodes[st.Target])
					}
					next := makePlan(w.site, w.observe())
					if !slices.ContainsFunc(next.Steps,
						func(o lifecycle.Step) bool { return o.Target == st.Target && o.Action == lifecycle.ActionUpgrade }) {
						t.Fatalf("%s, %d parts: what remains is not in the plan:\n%s", st.ID, far+1, outline(next))
					}
					converge(t, w, serial)
					if got := w.String(); got != whole.String() {
						t.Fatalf("%s, %d parts: another end:\n%s\nwant:\n%s", st.ID, far+1, got, whole)
					}
					n++
				}
			}
			if want := len(p.Hops) * len(start.site.Cluster.Workers()) * 6; n != want {
				t.Errorf("%d ways back tried, want %d", n, want)
			}
		})
	}
}

// failAt carries out a plan's steps in order up to one whose action fails behind so many parts, then its way back and the target's
// uncordon, as apply does.
func failAt(t *testing.T, w *world, p lifecycle.Plan, at, parts int) {
	t.Helper()
	w.begin()
	all := func(s lifecycle.Step) {
		for _, part := range w.parts(s) {
			part(w)
		}
		w.heal()
		if !w.allMet(s.After) {
			t.Fatalf("%s: not met: %v\n%s", s.ID, s.After, w)
		}
	}
	for _, s := range p.Steps[:at] {
		all(s)
	}
	for _, part := range w.parts(p.Steps[at])[:parts] {
		part(w)
	}
	for _, s := range p.Steps[at].OnFailure {
		all(s)
	}
	for _, s := range p.Steps[at:] {
		if s.Stage == p.Steps[at].Stage && s.Target == p.Steps[at].Target && s.Action == lifecycle.ActionUncordon {
			all(s)
		}
	}
}

// TestWayBackKeepsTheSkew: no kubelet is taken back to more than one minor release behind its API, or past it; no controller is taken back.
func TestWayBackKeepsTheSkew(t *testing.T) {
	w := built(t, newSite(v135, 1, 2))
	w.hosts["worker-1"].Binary, w.hosts["worker-1"].Running, w.nodes["worker-1"].Kubelet = v134, v134, v134.Kubelet()
	w.declare(newSite(v136, 1, 2, path(v135)))
	for _, s := range makePlan(w.site, w.observe()).Steps {
		if s.Action == lifecycle.ActionUpgrade && strings.HasPrefix(s.Target, "controller") && len(s.OnFailure) > 0 {
			t.Errorf("%s has a way back", s.ID)
		}
		for _, back := range s.OnFailure {
			if s.Version.MinorsAhead(back.Version) > 1 || !back.Version.Less(s.Version) {
				t.Errorf("%s would be taken back to %s", s.ID, back.Version)
			}
		}
	}
	w = built(t, newSite(v136, 1, 1))
	w.hosts["worker-1"].Binary, w.hosts["worker-1"].Running, w.nodes["worker-1"].Kubelet = v134, v134, v134.Kubelet()
	p := makePlan(w.site, w.observe())
	for _, s := range p.Steps {
		if len(s.OnFailure) > 0 || s.Action == lifecycle.ActionForgetFormer {
			t.Errorf("%s: two minors behind, and there is a way back", s.ID)
		}
	}
}

// TestFormerOfAnInterruptedUpgrade: an upgrade that was cut off behind the exchange goes back to what was kept; what is kept for a node
// that is well is removed, and then the plan is empty; that of a node that is not Ready stays.
func TestFormerOfAnInterruptedUpgrade(t *testing.T) {
	w := built(t, newSite(v136, 1, 2))
	stopped := w.clone()
	stopped.hosts["worker-1"].Former = v135
	stopped.nodes["worker-1"].Unschedulable, stopped.nodes["worker-1"].Mark = true, lifecycle.Mark{Run: "an earlier one"}
	stopped.drained["worker-1"] = true
	stopped.stop("worker-1")
	s, ok := makePlan(stopped.site, stopped.observe()).Step("worker-1/upgrade")
	if !ok || len(s.OnFailure) != 1 || s.OnFailure[0].Version != v135 {
		t.Errorf("its way back is %+v", s.OnFailure)
	}
	ill := w.clone()
	ill.hosts["worker-1"].Former, ill.nodes["worker-1"].Ready = v135, false
	ill.nodes["worker-1"].Unschedulable, ill.nodes["worker-1"].Mark = true, lifecycle.Mark{Run: "an earlier one"}
	if s, ok := makePlan(ill.site, ill.observe()).Step("worker-1/upgrade"); !ok || len(s.OnFailure) != 1 || s.OnFailure[0].Version != v135 {
		t.Errorf("upgraded and not Ready, its plan is\n%s", outline(makePlan(ill.site, ill.observe())))
	}
	converge(t, ill, serial)
	w.hosts["worker-2"].Former = v135
	p := makePlan(w.site, w.observe())
	if len(p.Steps) != 1 || p.Steps[0].ID != "worker-2/forget-former" {
		t.Errorf("the plan is\n%s", outline(p))
	}
	converge(t, w, serial)
	w.hosts["worker-2"].Former, w.nodes["worker-2"].Ready = v135, false
	if _, ok := makePlan(w.site, w.observe()).Step("worker-2/forget-former"); ok {
		t.Error("the way back of a node that is not Ready is removed")
	}
}

// TestUpgradeOfANodeWithAControllerIsSeenThrough: where an upgrade was cut off behind the start of the new k0s, and the node is not Ready,
// what the next run waits for is that upgrade, so that it fails as one. A controller is not put back by itself.
func TestUpgradeOfANodeWithAControllerIsSeenThrough(t *testing.T) {
	for name, c := range map[string]struct {
		role   lifecycle.Role
		closed bool
		want   []string
	}{
		"alone":         {lifecycle.RoleSingle, false, []string{"controller-1/upgrade", "controller-1/forget-former"}},
		"with its pods": {lifecycle.RoleControllerWorker, false, []string{"controller-1/upgrade", "controller-1/forget-former"}},
		"closed by the run": {lifecycle.RoleControllerWorker, true,
			[]string{"controller-1/upgrade", "controller-1/forget-former", "controller-1/uncordon"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v136, 1, 0, host("controller-1", role(c.role))))
			w.hosts["controller-1"].Former, w.nodes["controller-1"].Ready = v135, false
			if c.closed {
				w.nodes["controller-1"].Unschedulable, w.nodes["controller-1"].Mark = true, lifecycle.Mark{Run: "an earlier one"}
			}
			p := makePlan(w.site, w.observe())
			var ids []string
			for _, s := range p.Steps {
				ids = append(ids, s.ID)
				if len(s.OnFailure) > 0 {
					t.Errorf("%s takes the controller back by itself", s.ID)
				}
			}
			if !slices.Equal(ids, c.want) || p.Diagnostics.Err() != nil {
				t.Fatalf("plan:\n%s", outline(p))
			}
			st := p.Steps[0]
			if st.From != v136 || st.Version != v136 || !slices.ContainsFunc(st.After, func(g lifecycle.Gate) bool {
				return g.Kind == lifecycle.GateNodeReady && g.Target == "controller-1"
			}) || len(st.Before) > 0 {
				t.Errorf("it is not seen through: %+v", st)
			}
			converge(t, w, serial)
		})
	}
}
