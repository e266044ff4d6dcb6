package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// keyed has an API server encrypt with a file.
func keyed() func(*lifecycle.Site) {
	return eachHost(lifecycle.RoleController, config(`{"spec":{"api":{"extraArgs":{"encryption-provider-config":"/etc/k0s/keys.yaml"}}}}`))
}

func keyFile(digest string) func(*lifecycle.Site) {
	return everyHost(lifecycle.HostFile{Path: "/etc/k0s/keys.yaml", Digest: digest, Restart: true})
}

// goesBack are the steps of a plan that go back to former settings where they fail.
func goesBack(p lifecycle.Plan) []string {
	var out []string
	for _, s := range p.Steps {
		if slices.ContainsFunc(s.OnFailure, func(b lifecycle.Step) bool { return b.Action == lifecycle.ActionRestoreSettings }) {
			out = append(out, s.ID)
		}
	}
	return out
}

// TestNoWayBackFromKeysThatAreNotSeen: the keys change where k0s.yaml is the machine's own, and where there was none before.
func TestNoWayBackFromKeysThatAreNotSeen(t *testing.T) {
	w := built(t, newSite(v136, 3, 0, keyed(), keyFile("sha256:a")))
	own := newSite(v136, 3, 0, keyFile("sha256:b"))
	for i := range own.Cluster.Hosts {
		own.Cluster.Hosts[i].Config, own.Cluster.Hosts[i].ConfigDigest = nil, ""
	}
	w.declare(own)
	if got := goesBack(makePlan(w.site, w.observe())); got != nil {
		t.Errorf("k0s.yaml is the machines' own: %q go back", got)
	}
	w = built(t, newSite(v136, 3, 0, keyFile("sha256:a")))
	for _, h := range w.hosts {
		h.Config, h.ConfigDigest = nil, ""
	}
	w.declare(newSite(v136, 3, 0, keyed(), keyFile("sha256:a")))
	if got := goesBack(makePlan(w.site, w.observe())); got != nil {
		t.Errorf("there was no k0s.yaml: %q go back", got)
	}
}

// TestWhatIsKeptIsNotOlderThanAChangeWithoutAWayBack: a machine that still keeps what it had before other changes, and gets new keys or a
// new version then, does not go back to that once it has either, wherever the run is cut off.
func TestWhatIsKeptIsNotOlderThanAChangeWithoutAWayBack(t *testing.T) {
	for name, to := range map[string]lifecycle.Site{
		"keys":      newSite(v135, 3, 0, keyed(), keyFile("sha256:a")),
		"a version": newSite(v136, 3, 0),
	} {
		w := built(t, newSite(v135, 3, 0))
		w.keepSettings("controller-1")
		w.declare(to)
		p, tried := makePlan(w.site, w.observe()), 0
		for limit := 1; ; limit++ {
			w := w.clone()
			before := runsWith(*w.hosts["controller-1"]) + w.hosts["controller-1"].Binary.String()
			_, done := w.execute(t, p, serial, limit)
			if h := w.hosts["controller-1"]; runsWith(*h)+h.Binary.String() != before {
				tried++
				w.stop("controller-1")
				for _, id := range goesBack(makePlan(w.site, w.observe())) {
					if strings.HasPrefix(id, "controller-1/") {
						t.Errorf("%s, cut off after %d parts: %s goes back to what was before it", name, limit, id)
					}
				}
			}
			if done {
				break
			}
		}
		if tried == 0 {
			t.Errorf("%s: nothing was changed", name)
		}
	}
}

// TestControllersOutOfReachAreNotTakenBack: with no API to be asked from here, several controllers that keep something may all be well.
func TestControllersOutOfReachAreNotTakenBack(t *testing.T) {
	w := built(t, newSite(v136, 3, 1))
	w.keepSettings("controller-2")
	w.keepSettings("controller-3")
	st := w.observe()
	st.API.Servers, st.API.Unknown, st.API.ClusterUID, st.Nodes = nil, "dial tcp: i/o timeout", "", nil
	if got := goesBack(makePlan(w.site, st)); got != nil {
		t.Errorf("%q", got)
	}
}

// TestTheWayBackOfAControllerWaitsForQuorum: another may have gone since it was changed.
func TestTheWayBackOfAControllerWaitsForQuorum(t *testing.T) {
	start := changedSettings()[0].world(t)
	seen := 0
	for _, s := range makePlan(start.site, start.observe()).Steps {
		for _, b := range s.OnFailure {
			if !strings.HasPrefix(b.Target, "controller-") {
				continue
			}
			seen++
			if !slices.ContainsFunc(b.Before, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateEtcdQuorum }) {
				t.Errorf("%s does not wait", b.ID)
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d controllers have a way back", seen)
	}
}

// TestReadyFromBeforeAStartIsNone: a worker that was started a moment ago keeps its way back.
func TestReadyFromBeforeAStartIsNone(t *testing.T) {
	w := built(t, newSite(v136, 3, 1))
	w.keepSettings("worker-1")
	st := w.observe()
	for i := range st.Hosts {
		if st.Hosts[i].Name == "worker-1" {
			st.Hosts[i].ServiceSince = clock.Add(-3 * time.Second)
		}
	}
	for i := range st.Nodes {
		st.Nodes[i].Heartbeat = clock.Add(-20 * time.Second)
	}
	p := makePlan(w.site, st)
	i := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionForgetSettings })
	if i == 0 || i > 0 && len(goesBack(p)) == 0 {
		t.Errorf("it is forgotten:\n%s", outline(p))
	}
}

// TestHalfOfAKeepIsRemoved: a run that was cut off while a machine kept what it runs with leaves what is of no use. The next plan removes
// it, also from a machine that is not well; a turn that keeps anew does so by itself.
func TestHalfOfAKeepIsRemoved(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.hosts["worker-1"].HalfKept = true
	ids := func(p lifecycle.Plan) (out []string) {
		for _, s := range p.Steps {
			if s.Action == lifecycle.ActionForgetSettings {
				out = append(out, s.ID)
			}
		}
		return out
	}
	if p := makePlan(w.site, w.observe()); len(p.Steps) != 1 || !slices.Equal(ids(p), []string{"worker-1/forget-settings"}) {
		t.Errorf("plan:\n%s", outline(p))
	}
	w.nodes["worker-1"].Ready = false
	if p := makePlan(w.site, w.observe()); !slices.Equal(ids(p), []string{"worker-1/forget-settings"}) || goesBack(p) != nil {
		t.Errorf("of a machine that is not well:\n%s", outline(p))
	}
	w.nodes["worker-1"].Ready = true
	w.declare(newSite(v136, 1, 1, eachHost(lifecycle.RoleWorker, argument("--debug=true"))))
	if p := makePlan(w.site, w.observe()); !slices.Equal(ids(p), []string{"worker-1/forget-settings"}) || len(goesBack(p)) != 1 {
		t.Errorf("beside a change:\n%s", outline(p))
	}
}
