package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// breaks leaves a host with a binary that does not run, its service down.
func breaks(host string, former lifecycle.Version) func(*world) {
	return func(w *world) {
		w.stop(host)
		h := w.hosts[host]
		h.Binary, h.BinaryProblem, h.Former = lifecycle.Version{}, "exec format error", former
	}
}

// TestA6_BrokenBinary: a member that an interrupted run, or a disk, left with a binary that does not run is mended by the same command:
// staged and installed anew. No version is guessed, and none is installed on a controller without its backup.
func TestA6_BrokenBinary(t *testing.T) {
	var none lifecycle.Version
	for name, c := range map[string]struct {
		from, to lifecycle.Site
		befall   func(*world)
		host     string
		want     []string // of that host
		version  lifecycle.Version
		refused  string
		backup   bool // before the host's upgrade
	}{
		"the only controller, in its upgrade": {from: newSite(v135, 1, 1), to: newSite(v136, 1, 1), befall: breaks("controller-1", v135),
			host: "controller-1", want: []string{"stage", "preflight", "upgrade"}, version: v136},
		"the only controller, at the declared version": {from: newSite(v136, 1, 1), to: newSite(v136, 1, 1),
			befall: breaks("controller-1", none), host: "controller-1", want: []string{"stage", "preflight", "upgrade"}, version: v136},
		"the only machine": {from: newSite(v136, 1, 0), to: newSite(v136, 1, 0), befall: breaks("controller-1", none),
			host: "controller-1", refused: "does not say what version it is"},
		"the only controller, before an upgrade or in it": {from: newSite(v135, 1, 1), to: newSite(v136, 1, 1),
			befall: breaks("controller-1", none), host: "controller-1", refused: "does not say what version it is"},
		"one of three, in its upgrade": {from: newSite(v135, 3, 1), to: newSite(v136, 3, 1), befall: breaks("controller-2", v135),
			host: "controller-2", want: []string{"stage", "preflight", "upgrade", "forget-former"}, version: v136, backup: true},
		"one of three, before an upgrade": {from: newSite(v135, 3, 1), to: newSite(v136, 3, 1), befall: breaks("controller-2", none),
			host: "controller-2", want: []string{"stage", "preflight", "upgrade"}, version: v136, backup: true},
		"one of three, at the declared version": {from: newSite(v136, 3, 1), to: newSite(v136, 3, 1), befall: breaks("controller-2", none),
			host: "controller-2", want: []string{"stage", "preflight", "upgrade"}, version: v136},
		"a worker": {from: newSite(v136, 1, 2), to: newSite(v136, 1, 2), befall: breaks("worker-1", none),
			host: "worker-1", want: []string{"stage", "preflight", "upgrade"}, version: v136},
		"one that runs all the same": {from: newSite(v136, 3, 1), to: newSite(v136, 3, 1), befall: func(w *world) {
			w.hosts["controller-2"].Binary, w.hosts["controller-2"].BinaryProblem = none, "exec format error"
		}, host: "controller-2", refused: "does not say what version it is"},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, c.from)
			w.declare(c.to)
			c.befall(w)
			w.lost = nil
			p := makePlan(w.site, w.observe())
			if c.refused != "" {
				if err := p.Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("findings are %v\n%s", err, outline(p))
				}
				return
			}
			if err := p.Diagnostics.Err(); err != nil {
				t.Fatalf("%v\n%s", err, outline(p))
			}
			wantIDs(t, p, c.host, c.want...)
			up := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Target == c.host && s.Action == lifecycle.ActionUpgrade })
			backup := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionBackup })
			first := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionUpgrade })
			if p.Steps[up].Version != c.version || first != up || c.backup != (backup >= 0 && backup < up) {
				t.Errorf("plan:\n%s", outline(p))
			}
			for range 6 { // the same command again and again reaches the end
				w.asked = map[string]bool{}
				for _, s := range p.Steps {
					w.onceAsked(p, s)
					for _, part := range w.parts(s) {
						part(w)
					}
				}
				if p = makePlan(w.site, w.observe()); p.Empty() {
					break
				}
			}
			if !p.Empty() || p.Diagnostics.Err() != nil || len(w.lost) > 0 {
				t.Errorf("in the end: %v, lost %q\n%s", p.Diagnostics.Err(), w.lost, outline(p))
			}
		})
	}
}

// TestFormerOfAControllerIsKeptUntilItServes: a run that was cut off behind the start of a controller's new k0s leaves the former one
// there. The next forgets it, whatever else it has to do, but not before the controller is well.
func TestFormerOfAControllerIsKeptUntilItServes(t *testing.T) {
	w := built(t, newSite(v136, 3, 0))
	w.hosts["controller-1"].Former = v135
	st := w.observe()
	st.API.Servers[0].Ready = false
	p := makePlan(w.site, st)
	wantIDs(t, p, "controller-1", "forget-former")
	if p.Diagnostics.Err() != nil || len(p.Steps) != 1 || !slices.ContainsFunc(p.Steps[0].Before, func(g lifecycle.Gate) bool {
		return g.Kind == lifecycle.GateAPIReady && g.Target == "controller-1"
	}) {
		t.Errorf("plan:\n%s", outline(p))
	}
}
