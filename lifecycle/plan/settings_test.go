package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// changedSettings are sites whose machines are to run with something else.
func changedSettings() []scenario {
	flag := func(s *lifecycle.Site) {
		for i := range s.Cluster.Hosts {
			h := &s.Cluster.Hosts[i]
			h.Arguments = append(slices.Clone(h.Arguments), "--debug=true")
		}
	}
	files := everyHost(lifecycle.HostFile{Path: "/etc/k0s/audit.yaml", Digest: "sha256:a", Restart: true})
	newer := everyHost(lifecycle.HostFile{Path: "/etc/k0s/audit.yaml", Digest: "sha256:b", Restart: true})
	other := eachHost(lifecycle.RoleController, config(`{"spec":{"network":{"provider":"kuberouter"},"telemetry":{"enabled":false}}}`))
	return []scenario{
		{name: "arguments", from: newSite(v136, 3, 2), to: newSite(v136, 3, 2, flag)},
		{name: "files", from: newSite(v136, 3, 2, files), to: newSite(v136, 3, 2, newer)},
		{name: "a new file", from: newSite(v136, 1, 2), to: newSite(v136, 1, 2, files)},
		{name: "configuration", from: newSite(v136, 3, 1), to: newSite(v136, 3, 1, other)},
		{name: "all of it", from: newSite(v136, 3, 2, files), to: newSite(v136, 3, 2, newer, flag, other)},
	}
}

func everyHost(f lifecycle.HostFile) func(*lifecycle.Site) {
	return func(s *lifecycle.Site) {
		for i := range s.Cluster.Hosts {
			s.Cluster.Hosts[i].Files = append(slices.Clone(s.Cluster.Hosts[i].Files), f)
		}
	}
}

// runsWith is what a machine runs with.
func runsWith(h lifecycle.HostState) string {
	text := strings.Join(h.Arguments, " ") + h.ConfigDigest
	for _, f := range h.Files {
		text += f.Path + f.Digest
	}
	return text
}

// TestWayBackOfSettings: at whichever machine changed arguments, files or configuration fail, and however far the step had come, the way
// back in the plan gives the machine all that the turn had changed; the next plan tries again, and gets to the same end.
func TestWayBackOfSettings(t *testing.T) {
	for _, s := range changedSettings() {
		t.Run(s.name, func(t *testing.T) {
			start := s.world(t)
			whole := start.clone()
			converge(t, whole, serial)
			p := makePlan(start.site, start.observe())
			golden(t, "settings-"+strings.ReplaceAll(s.name, " ", "-"), p)
			ways := map[string]bool{}
			for i, st := range p.Steps {
				if len(st.OnFailure) == 0 {
					continue
				}
				ways[st.Target] = true
				for far := range start.parts(st) {
					w := start.clone()
					before := runsWith(*w.hosts[st.Target])
					failAt(t, w, p, i, far+1)
					if h := w.hosts[st.Target]; runsWith(*h) != before || !h.Kept.IsZero() || h.Running.IsZero() {
						t.Fatalf("%s, %d parts: it runs with %s, had %s", st.ID, far+1, runsWith(*h), before)
					}
					converge(t, w, serial)
					if got := w.String(); got != whole.String() {
						t.Fatalf("%s, %d parts: another end:\n%s\nwant:\n%s", st.ID, far+1, got, whole)
					}
				}
			}
			want := len(start.site.Cluster.Hosts)
			if s.name == "configuration" {
				want = len(start.site.Cluster.Controllers())
			}
			if len(ways) != want {
				t.Errorf("%d machines have a way back, want %d", len(ways), want)
			}
		})
	}
}

// TestSettingsResume: cut off behind any part of such a change, the same command reaches the same end, and nothing stays kept.
func TestSettingsResume(t *testing.T) {
	for _, s := range changedSettings() {
		t.Run(s.name, func(t *testing.T) {
			start := s.world(t)
			whole := start.clone()
			converge(t, whole, serial)
			for limit := 1; ; limit++ {
				w := start.clone()
				if _, done := w.execute(t, makePlan(w.site, w.observe()), serial, limit); done {
					break
				}
				resume(t, w, serial, whole.String(), "cut off")
			}
		})
	}
}

// TestAChangeThatWasCutOffHasItsWayBack: a machine that is not well and keeps what it ran with waits as long as a start may take, and
// gets that back otherwise; one that is well is only rid of it.
func TestAChangeThatWasCutOffHasItsWayBack(t *testing.T) {
	for name, tt := range map[string]struct {
		host   string
		befall func(*world)
	}{
		"a worker that is down":      {"worker-1", func(w *world) { w.stop("worker-1") }},
		"a worker that is not Ready": {"worker-1", func(w *world) { w.nodes["worker-1"].Ready = false }},
		"one that kiban has closed": {"worker-1", func(w *world) {
			w.nodes["worker-1"].Ready, w.nodes["worker-1"].Unschedulable, w.nodes["worker-1"].Mark = false, true, lifecycle.Mark{Run: "r"}
		}},
		"a controller that is down": {"controller-2", func(w *world) { w.stop("controller-2") }},
		"an only controller": {"controller-1", func(w *world) {
			w.declare(newSite(v136, 1, 1))
			w.etcd = []string{"controller-1"}
			w.stop("controller-1")
		}},
	} {
		w := built(t, newSite(v136, 3, 1))
		w.drained["worker-1"] = true
		w.keepSettings(tt.host)
		tt.befall(w)
		p := makePlan(w.site, w.observe())
		i := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Target == tt.host && len(s.OnFailure) > 0 })
		if i < 0 || p.Steps[i].OnFailure[0].Action != lifecycle.ActionRestoreSettings || p.Steps[i].Action != lifecycle.ActionStart {
			t.Errorf("%s:\n%s", name, outline(p))
		}
		converge(t, w, serial)
		if !w.hosts[tt.host].Kept.IsZero() {
			t.Errorf("%s: it keeps what it ran with for ever", name)
		}
	}
	w := built(t, newSite(v136, 3, 1))
	w.hosts["worker-1"].Kept, w.hosts["worker-1"].KeptBefore = clock.Add(-time.Hour), true
	if p := makePlan(w.site, w.observe()); len(p.Steps) != 1 || p.Steps[0].ID != "worker-1/forget-settings" {
		t.Errorf("well:\n%s", outline(p))
	}
}

// TestNoWayBackFromKeys: what an API server has written with new keys the former ones don't open.
func TestNoWayBackFromKeys(t *testing.T) {
	keys := func(digest string) []func(*lifecycle.Site) {
		return []func(*lifecycle.Site){
			eachHost(lifecycle.RoleController, config(`{"spec":{"api":{"extraArgs":{"encryption-provider-config":"/etc/k0s/keys.yaml"}}}}`)),
			everyHost(lifecycle.HostFile{Path: "/etc/k0s/keys.yaml", Digest: digest, Restart: true})}
	}
	w := built(t, newSite(v136, 3, 0, keys("sha256:a")...))
	w.declare(newSite(v136, 3, 0, keys("sha256:b")...))
	for _, s := range makePlan(w.site, w.observe()).Steps {
		if len(s.OnFailure) > 0 || s.Keeps {
			t.Errorf("%s goes back to keys that can't open what was written", s.ID)
		}
	}
}
