package plan

import (
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestProcedures holds one plan of each procedure for a reviewer to read.
func TestProcedures(t *testing.T) {
	for name, c := range map[string]struct {
		from, to lifecycle.Site // without from, nothing is there yet
		befall   func(*world)
	}{
		"bootstrap": {to: newSite(v136, 3, 4)},
		"join":      {from: newSite(v135, 1, 1), to: newSite(v136, 3, 2)},
		"upgrade":   {from: newSite(v135, 3, 4), to: newSite(v136, 3, 4)},
		"upgrade-two-hops": {from: newSite(v134, 1, 2), to: newSite(v136, 1, 2, path(v135),
			host("controller-1", config(`{"spec":{"network":{"provider":"kuberouter"},"telemetry":{"enabled":false}}}`)))},
		"upgrade-cordoned-by-administrator": {from: newSite(v135, 1, 2), to: newSite(v136, 1, 2),
			befall: func(w *world) { w.nodes["worker-1"].Unschedulable = true }},
		"upgrade-of-a-controller-that-works": {
			from: newSite(v135, 3, 1, host("controller-1", role(lifecycle.RoleControllerWorker))),
			to:   newSite(v136, 3, 1, host("controller-1", role(lifecycle.RoleControllerWorker))),
		},
		"upgrade-domains-and-windows": {from: newSite(v135, 1, 4), to: newSite(v136, 1, 4, windowed, racks), befall: func(w *world) {
			for name, rack := range map[string]string{"worker-1": "b", "worker-2": "a", "worker-3": "b"} {
				w.nodes[name].Labels = map[string]string{"rack": rack}
			}
		}},
		"configure": {from: newSite(v136, 3, 1), to: newSite(v136, 3, 1,
			eachHost(lifecycle.RoleController,
				config(`{"spec":{"api":{"sans":["a.example","b.example"]},"network":{"provider":"kuberouter"},"storage":{"kine":{"dataSource":"mysql://u:p@db"}}}}`)))},
		"arguments": {from: newSite(v136, 3, 2), to: newSite(v136, 3, 2,
			host("controller-2", argument("--debug=true")), eachHost(lifecycle.RoleWorker, argument("--profile=dense")),
			host("worker-2", argument("--labels=tier=gold")))},
		"repair": {from: newSite(v135, 3, 4), to: newSite(v136, 3, 4), befall: func(w *world) {
			for _, h := range []string{"controller-2", "worker-1", "worker-2"} {
				w.stop(h)
			}
			w.hosts["worker-2"].Binary = v136
		}},
		"resume-upgrade-of-workers": {from: newSite(v136, 3, 5), to: newSite(v136, 3, 5), befall: func(w *world) {
			mark := lifecycle.Mark{Run: "r1", Reason: "k0s v1.35.7+k0s.0 is installed, v1.36.3+k0s.2 is declared"}
			for _, h := range []string{"worker-1", "worker-2", "worker-3", "worker-5"} {
				w.nodes[h].Unschedulable, w.nodes[h].Mark = true, mark
			}
			for _, h := range []string{"worker-2", "worker-4", "worker-5"} { // still old
				w.hosts[h].Binary, w.hosts[h].Running, w.nodes[h].Kubelet = v135, v135, v135.Kubelet()
			}
			w.drained["worker-3"], w.drained["worker-5"] = true, true
			w.stop("worker-3") // behind the exchange of its binary
			w.stop("worker-5") // before it
		}},
		"revive-control-plane": {from: newSite(v136, 3, 1), to: newSite(v136, 3, 1), befall: func(w *world) {
			w.stop("controller-2")
			w.stop("controller-3")
		}},
		"just-started": {from: newSite(v136, 1, 1), to: newSite(v136, 1, 1), befall: func(w *world) { w.etcd = nil }},
		"remove": {from: newSite(v136, 5, 2), to: newSite(v136, 5, 2, host("worker-1", reset), host("controller-4", reset),
			host("controller-5", reset))},
		"remove-after-a-rollout-that-was-cut-off": {from: newSite(v136, 1, 4),
			to: newSite(v136, 1, 4, eachHost(lifecycle.RoleWorker, argument("--profile=dense")), host("worker-3", reset)),
			befall: func(w *world) {
				for _, h := range []string{"worker-1", "worker-2"} { // as many as may be out of service
					w.nodes[h].Unschedulable, w.nodes[h].Mark = true, lifecycle.Mark{Run: "r1"}
				}
			}},
		"tidy": {from: newSite(v136, 1, 2), to: newSite(v136, 1, 2), befall: func(w *world) {
			w.hosts["worker-1"].Token = true
			w.hosts["worker-2"].Staged = []lifecycle.Version{v135}
		}},
		"nothing": {from: newSite(v136, 3, 4), to: newSite(v136, 3, 4)},
	} {
		t.Run(name, func(t *testing.T) {
			w := freshWorld(c.to)
			if c.from.Name != "" {
				w = built(t, c.from)
				w.declare(c.to)
			}
			if c.befall != nil {
				c.befall(w)
			}
			p := makePlan(w.site, w.observe())
			orderly(t, p)
			golden(t, name, p)
		})
	}
}

func windowed(s *lifecycle.Site) {
	s.Policy.Windows = []lifecycle.Window{{Days: []time.Weekday{time.Sunday}, Start: 60, End: 300, TimeZone: "Asia/Tokyo"}}
}

func racks(s *lifecycle.Site) { s.Policy.Workers.FailureDomain = "rack" }
