package plan

import (
	"slices"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// A node that a run which was cut off has left out of service, and that is due in a later rollout only, is returned before the next rollout
// takes another out.
func TestNodeOfALaterRolloutIsReturnedFirst(t *testing.T) {
	arguments := argument("--profile=dense")
	w := built(t, newSite(v136, 1, 4, host("worker-3", arguments)))
	w.declare(newSite(v136, 1, 4, eachHost(lifecycle.RoleWorker, arguments), eachHost(lifecycle.RoleWorker, file("/etc/k0s/audit.yaml", "1",
		true))))
	w.nodes["worker-3"].Unschedulable, w.nodes["worker-3"].Mark = true, lifecycle.Mark{Run: "r1"}

	p := makePlan(w.site, w.observe())
	orderly(t, p)
	at := func(target string, action lifecycle.Action) int {
		return slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Target == target && s.Action == action })
	}
	returned, next := at("worker-3", lifecycle.ActionUncordon), at("worker-1", lifecycle.ActionCordon)
	if returned < 0 || next < 0 || returned > next || p.Steps[returned].Stage == p.Steps[next].Stage {
		t.Errorf("worker-3 is returned by step %d, worker-1 is taken out by step %d:\n%s", returned, next, outline(p))
	}
}

// A step that was planned for a stopped k0s does nothing where k0s has come up by itself meanwhile: it has not read what would be put. The
// next plan restarts it in its turn.
func TestFilesOfAMachineThatComesUpByItself(t *testing.T) {
	audit := eachHost(lifecycle.RoleWorker, file("/etc/k0s/audit.yaml", "1", true))
	w := built(t, newSite(v136, 1, 3))
	w.declare(newSite(v136, 1, 3, audit))
	w.stop("worker-2")
	p := makePlan(w.site, w.observe())
	orderly(t, p)
	i := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.ID == "worker-2/files" })
	if i < 0 || !p.Steps[i].Stopped {
		t.Fatalf("the files of worker-2 are not put while it is stopped:\n%s", outline(p))
	}
	decl, _ := w.site.Cluster.Host("worker-2")
	w.start(decl)
	w.register(decl)
	for _, s := range p.Steps {
		for _, part := range w.parts(s) {
			part(w)
		}
	}
	p = makePlan(w.site, w.observe())
	if !slices.ContainsFunc(p.Steps, func(s lifecycle.Step) bool { return s.ID == "worker-2/files" && s.Disrupts }) {
		t.Errorf("what k0s on worker-2 has not read counts as done:\n%s", outline(p))
	}
}

// Nothing starts a controller that is to leave, so it leaves before others change, whose gates would wait for it.
func TestStoppedControllerLeavesBeforeOthersChange(t *testing.T) {
	w := built(t, newSite(v136, 5, 1))
	w.declare(newSite(v136, 5, 1, host("controller-3", reset), host("controller-4", argument("--debug=true"))))
	w.stop("controller-3")
	p := makePlan(w.site, w.observe())
	orderly(t, p)
	at := func(id string) int {
		return slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.ID == id })
	}
	if left, next := at("controller-3/leave-etcd"), at("controller-4/reinstall"); left < 0 || next < 0 || left > next {
		t.Errorf("controller-3 leaves by step %d, controller-4 changes by step %d:\n%s", left, next, outline(p))
	}
}

// Where one controller has the only API, the first node that loses its pods waits until whoever watches that API is back; of several
// controllers, one leaves the others to them.
func TestHazard_H36_NodesWaitForTheClientsOfAnOnlyAPI(t *testing.T) {
	for name, c := range map[string]struct {
		controllers int
		settle      time.Duration
		want        []string
	}{
		"one controller": {1, 90 * time.Second, []string{"worker-1/cordon"}},
		"three":          {3, 90 * time.Second, nil},
		"not asked for":  {1, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, newSite(v135, c.controllers, 3))
			w.declare(newSite(v136, c.controllers, 3))
			w.site.Policy.Settle.Reconnect = c.settle
			p := makePlan(w.site, w.observe())
			orderly(t, p)
			var waits []string
			for _, s := range p.Steps {
				for _, g := range s.Before {
					if g.Kind == lifecycle.GateReconnected {
						waits = append(waits, s.ID)
						if g.Target != "controller-1" || g.For != c.settle || g.Timeout <= g.For {
							t.Errorf("%s waits for %+v", s.ID, g)
						}
					}
				}
			}
			if !slices.Equal(waits, c.want) {
				t.Errorf("%q wait, not %q", waits, c.want)
			}
		})
	}
}
