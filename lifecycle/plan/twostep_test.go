package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func soaks(s *lifecycle.Site) { s.Policy.ControlPlane.Soak = 48 * time.Hour }

func byHand(s *lifecycle.Site) {
	s.Policy.ControlPlane = lifecycle.TwoStep{Soak: 48 * time.Hour, Commit: lifecycle.CommitManual}
}

// TestPhase: where a control plane stands, by what is declared, what it has and what its cluster keeps.
func TestPhase(t *testing.T) {
	on := lifecycle.TwoStep{Soak: 48 * time.Hour}
	open := lifecycle.Pinned{Former: v135, To: v136, Since: clock.Add(-time.Hour)}
	soaking := open
	soaking.Soaks = clock.Add(-47 * time.Hour)
	over := soaking
	over.Soaks = clock.Add(-48 * time.Hour)
	ended := over
	ended.Ended, ended.End = clock, lifecycle.EndCommit
	manual := lifecycle.TwoStep{Soak: 48 * time.Hour, Commit: lifecycle.CommitManual}
	levels := func(vs ...lifecycle.Version) []lifecycle.Version { return vs }
	for name, tt := range map[string]struct {
		standing standing
		want     phase
		refused  string
	}{
		"no cluster yet": {standing{policy: on, target: v136}, phaseNone, ""},
		"no policy":      {standing{target: v136, levels: levels(v135)}, phaseNone, ""},
		"a new minor":    {standing{policy: on, target: v136, levels: levels(v135, v135)}, phasePin, ""},
		"a patch": {standing{policy: on, target: v("v1.35.8+k0s.0"), levels: levels(v135)},
			phaseNone, ""},
		"an upgrade without it is under way": {standing{policy: on, target: v136, levels: levels(v135, v136)}, phaseNone, ""},
		"pinned": {standing{policy: on, target: v136, levels: levels(v135, v135), record: open, pinned: true},
			phaseRoll, ""},
		"half rolled": {standing{policy: on, target: v136, levels: levels(v136, v135), record: open, pinned: true},
			phaseRoll, ""},
		"rolled and not noted": {standing{policy: on, target: v136, levels: levels(v136), record: open, pinned: true},
			phaseRoll, ""},
		"soaking": {standing{policy: on, target: v136, levels: levels(v136), record: soaking, pinned: true},
			phaseSoak, ""},
		"the soak is over": {standing{policy: on, target: v136, levels: levels(v136), record: over, pinned: true},
			phaseCommit, ""},
		"over, and somebody has to say so": {standing{policy: manual, target: v136, levels: levels(v136), record: over, pinned: true},
			phaseSoak, ""},
		"the policy is gone": {standing{target: v136, levels: levels(v136), record: soaking, pinned: true},
			phaseCommit, ""},
		"committed, and a pin is left": {standing{policy: on, target: v136, levels: levels(v136), record: ended, pinned: true},
			phaseCommit, ""},
		"committed": {standing{policy: on, target: v136, levels: levels(v136), record: ended},
			phaseNone, ""},
		"the former one is declared": {standing{policy: on, target: v135, levels: levels(v136, v135), record: soaking, pinned: true},
			phaseBack, ""},
		"all are back": {standing{policy: on, target: v135, levels: levels(v135), record: soaking, pinned: true},
			phaseBack, ""},
		"another version is declared": {standing{policy: on, target: v("v1.36.4+k0s.0"), levels: levels(v136), record: soaking, pinned: true},
			phaseNone, "is between"},
		"a patch release of that": {standing{policy: on, target: v("v1.36.4+k0s.0"), levels: levels(v136, v135), record: soaking, pinned: true},
			phaseNone, "is between"},
		"a patch release, and no way back is asked for": {standing{target: v("v1.36.4+k0s.0"), levels: levels(v136, v135), record: soaking,
			pinned: true}, phaseCommit, ""},
		"half-way, and no way back is asked for": {standing{target: v136, levels: levels(v136, v135), record: soaking, pinned: true},
			phaseRoll, ""},
		"half-way, with no way back": {standing{target: v136, levels: levels(v136, v135), record: soaking, pinned: true, lost: true},
			phaseCommit, ""},
		"a pin by hand is nobody's": {standing{target: v135, levels: levels(v135), pinned: true}, phaseNone, ""},
	} {
		tt.standing.now = clock
		got, problem := tt.standing.phase()
		if got != tt.want || (problem != nil) != (tt.refused != "") || problem != nil && !strings.Contains(problem.Summary, tt.refused) {
			t.Errorf("%s: %q, %v, want %q", name, got, problem, tt.want)
		}
	}
}

// soaking is a world whose control plane soaks.
func soaking(t *testing.T, controllers int, edit ...func(*lifecycle.Site)) *world {
	t.Helper()
	w := built(t, newSite(v135, controllers, 2, edit...))
	w.declare(newSite(v136, controllers, 2, edit...))
	converge(t, w, serial)
	for _, h := range w.site.Cluster.Hosts {
		want := v136
		if !h.Role.IsController() {
			want = v135
		}
		if got := w.hosts[h.Name].Running; got != want {
			t.Fatalf("%s runs %s in the soak, want %s", h.Name, got, want)
		}
		if acts := w.acts[h.Name]; h.Role.IsController() && acts != "1.35" {
			t.Fatalf("%s acts as %s in the soak", h.Name, acts)
		}
	}
	return w
}

// TestTwoSteps: with soak, back, forth again, commit and workers; each resting point has an empty plan (converge).
func TestTwoSteps(t *testing.T) {
	for _, n := range []int{1, 3} {
		w := soaking(t, n, soaks)
		p := makePlan(w.site, w.observe())
		if len(p.Diagnostics) != 1 || !strings.Contains(p.Diagnostics[0].Summary, "soaks since 2026-11-03 09:00 UTC") ||
			!strings.Contains(p.Diagnostics[0].Summary, "can go back until 2026-11-05 09:00 UTC") {
			t.Errorf("what is told of the soak: %v", p.Diagnostics)
		}
		back := Back(w.site, w.observe())
		golden(t, fmt.Sprintf("back_%d", n), back)
		orderly(t, back)
		w.execute(t, back, serial, -1)
		if w.hosts["controller-1"].Running != v135 {
			t.Error("it is not back")
		}
		converge(t, w, serial) // forth again: the newer one is declared still
		w.declare(newSite(v135, n, 2, soaks))
		converge(t, w, serial) // back by declaration
		if got := w.hosts["controller-1"]; lifecycle.Emulated(got.Config) != "" || got.Running != v135 || w.pinned.End != lifecycle.EndBack {
			t.Errorf("after going back: %s, %s", got.Running, got.Config)
		}
		w.declare(newSite(v136, n, 2, soaks))
		golden(t, fmt.Sprintf("pin_%d", n), makePlan(w.site, w.observe()))
		converge(t, w, serial)
		w.later = 48 * time.Hour
		golden(t, fmt.Sprintf("commit_%d", n), makePlan(w.site, w.observe()))
		converge(t, w, serial)
		if got := w.hosts["worker-2"].Running; got != v136 || lifecycle.Emulated(w.hosts["controller-1"].Config) != "" || w.pinned.Open() {
			t.Errorf("after the commit: worker at %s", got)
		}
	}
}

// TestCommitByHand: where the site asks for it, time alone does not commit; `kiban commit` does, also before its time.
func TestCommitByHand(t *testing.T) {
	w := soaking(t, 3, byHand)
	w.later = 100 * time.Hour
	if p := makePlan(w.site, w.observe()); !p.Empty() || !strings.Contains(p.Diagnostics[0].Detail, "is over") {
		t.Errorf("the plan after the time: %s", outline(p))
	}
	p := Commit(w.site, w.observe())
	orderly(t, p)
	w.execute(t, p, serial, -1)
	if w.pinned.Open() || w.hosts["worker-1"].Running != v135 {
		t.Error("not committed, or a worker has changed")
	}
	converge(t, w, serial)
	if w.hosts["worker-1"].Running != v136 {
		t.Error("the workers did not follow")
	}
}

// TestTwoStepsResume: cut off behind any part of the pin, the roll, the way back and the commit, and once more, the same command reaches
// the same end.
func TestTwoStepsResume(t *testing.T) {
	for _, n := range []int{1, 3} {
		forth := built(t, newSite(v135, n, 2, soaks))
		forth.declare(newSite(v136, n, 2, soaks))
		back := soaking(t, n, soaks)
		back.declare(newSite(v135, n, 2, soaks))
		commit := soaking(t, n, soaks)
		commit.later = 48 * time.Hour
		for name, start := range map[string]*world{"forth": forth, "back": back, "commit": commit} {
			t.Run(fmt.Sprint(name, n), func(t *testing.T) {
				whole := start.clone()
				converge(t, whole, serial)
				want := whole.String()
				for limit := 1; ; limit++ {
					w := start.clone()
					pick := rand.New(rand.NewPCG(uint64(n), uint64(limit))).IntN
					if _, done := w.execute(t, makePlan(w.site, w.observe()), serial, limit); done {
						break
					}
					resume(t, w, pick, want, fmt.Sprintf("cut off after %d parts", limit))
				}
			})
		}
	}
}

// TestNoWayBack: what would make going back impossible is found before anything is touched.
func TestNoWayBack(t *testing.T) {
	extra := func(part, flag, value string) func(*lifecycle.Site) {
		return eachHost(lifecycle.RoleController, config(fmt.Sprintf(`{"spec":{%q:{"extraArgs":{%q:%q}}}}`, part, flag, value)))
	}
	v133, v137 := v("v1.33.9+k0s.0"), v("v1.37.0+k0s.0")
	for name, tt := range map[string]struct {
		from, to lifecycle.Version
		edit     func(*lifecycle.Site)
		after    func(*lifecycle.Site)
		want     string
	}{
		"a controller that works": {v135, v136, host("controller-1", role(lifecycle.RoleControllerWorker)), nil, "is a worker too"},
		"etcd before":             {v133, v134, nil, nil, "another minor release of etcd"},
		"etcd after":              {v136, v137, nil, nil, "another minor release of etcd"},
		"two minors":              {v134, v136, path(v135), nil, "more than one minor release"},
		"kine": {v135, v136, eachHost(lifecycle.RoleController, config(`{"spec":{"storage":{"type":"kine"}}}`)), nil,
			"kept by kine"},
		"calico":  {v135, v136, eachHost(lifecycle.RoleController, config(`{"spec":{"network":{"provider":"calico"}}}`)), nil, "Calico's"},
		"dynamic": {v135, v136, func(s *lifecycle.Site) { s.Cluster.DynamicConfig = true }, nil, "is dynamic"},
		"alpha":   {v135, v136, extra("api", "runtime-config", "storagemigration.k8s.io/v1alpha1=true"), nil, "not for good"},
		"all":     {v135, v136, extra("scheduler", "feature-gates", "AllAlpha=true"), nil, "whatever a version has"},
		"own pin": {v135, v136, extra("api", "min-compatibility-version", "1.34"), nil, "kiban says itself"},
		"config":  {v135, v136, nil, extra("api", "v", "4"), "k0s.yaml is to change, too"},
		"a new controller": {v135, v136, nil, func(s *lifecycle.Site) {
			s.Cluster.Hosts = append(s.Cluster.Hosts, newSite(v136, 4, 0).Cluster.Hosts[3])
		}, "is to join"},
	} {
		t.Run(name, func(t *testing.T) {
			edit := []func(*lifecycle.Site){soaks}
			if tt.edit != nil {
				edit = append(edit, tt.edit)
			}
			w := built(t, newSite(tt.from, 3, 1, edit...))
			if tt.after != nil {
				edit = append(edit, tt.after)
			}
			w.declare(newSite(tt.to, 3, 1, edit...))
			p := makePlan(w.site, w.observe())
			err := p.Diagnostics.Err()
			if err == nil || !strings.Contains(err.Error(), "no way back") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want %q in: %v", tt.want, err)
			}
		})
	}
}

// TestNoReturn: what makes a control plane that soaks unable to go back is a finding of `kiban back`, with what is left, and plans nothing.
func TestNoReturn(t *testing.T) {
	for name, tt := range map[string]struct {
		befall func(*world)
		want   string
	}{
		"started without the pin": {func(w *world) {
			h := w.hosts["controller-2"]
			declared, _ := w.site.Cluster.Host("controller-2")
			h.Config, h.ConfigDigest, w.rewritten["controller-2"] = declared.Config, declared.ConfigDigest, true
			w.acts["controller-2"] = "1.36"
		}, "does not have its programs act as v1.35"},
		"written since":       {func(w *world) { w.rewritten["controller-2"] = true }, "was written after its k0s had changed"},
		"a newer kubelet":     {func(w *world) { w.nodes["worker-1"].Kubelet = "v1.36.3+k0s" }, "kubelet of worker-1 is newer"},
		"no former k0s":       {func(w *world) { w.hosts["controller-3"].Former = lifecycle.Version{} }, "controller-3 no longer has k0s"},
		"acts otherwise":      {func(w *world) { w.acts["controller-1"] = "1.36" }, "acts as v1.36"},
		"somebody made it so": {func(w *world) { w.notePin(lifecycle.Step{Action: lifecycle.ActionCommit}) }, "There is no way back since"},
	} {
		t.Run(name, func(t *testing.T) {
			w := soaking(t, 3, soaks)
			tt.befall(w)
			p := Back(w.site, w.observe())
			err := p.Diagnostics.Err()
			if err == nil || !strings.Contains(err.Error(), tt.want) || !p.Empty() {
				t.Errorf("want %q in: %v\n%s", tt.want, err, outline(p))
			}
			if !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Hint, "backup") }) {
				t.Errorf("what is left is not said: %v", p.Diagnostics)
			}
		})
	}
}

// replaced puts a fresh machine in the place of a controller, as `kiban node replace` leaves the cluster.
func (w *world) replaced(name string) {
	*w.hosts[name] = lifecycle.HostState{Name: name, Hostname: name, Arch: "amd64", FreeBytes: 10 << 30, Service: lifecycle.ServiceAbsent}
	w.etcd = slices.DeleteFunc(slices.Clone(w.etcd), func(m string) bool { return m == name })
	delete(w.acts, name)
}

// TestReplacedDuringTheSoak: a controller that takes the place of a dead one in the soak joins at the former version with the pin, and
// goes the way that the others went: so it can go back, too. Cut off anywhere, the same command gets there.
func TestReplacedDuringTheSoak(t *testing.T) {
	start := soaking(t, 3, soaks)
	since := start.pinned.Soaks
	start.later = time.Hour
	start.replaced("controller-2")
	p := makePlan(start.site, start.observe())
	golden(t, "soak-replaced", p)
	whole := start.clone()
	converge(t, whole, serial)
	if h := whole.hosts["controller-2"]; h.Running != v136 || h.Former != v135 || whole.acts["controller-2"] != "1.35" ||
		whole.unpinned["controller-2"] || whole.hosts["worker-1"].Running != v135 || !whole.pinned.Soaks.Equal(since) {
		t.Errorf("it runs %s, keeps %s, acts as %s; soaks since %s", h.Running, h.Former, whole.acts["controller-2"], whole.pinned.Soaks)
	}
	for limit := 1; ; limit++ {
		w := start.clone()
		if _, done := w.execute(t, p, serial, limit); done {
			break
		}
		resume(t, w, serial, whole.String(), fmt.Sprintf("cut off after %d parts", limit))
	}
	back := Back(whole.site, whole.observe())
	if err := back.Diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	whole.execute(t, back, serial, -1)
	for _, name := range []string{"controller-1", "controller-2", "controller-3"} {
		if got := whole.hosts[name].Running; got != v135 {
			t.Errorf("%s is at %s", name, got)
		}
	}
}

// TestTheRecordOutlivesTheTrace: what acted otherwise once was seen, and is right again: what the cluster keeps of that look refuses.
func TestTheRecordOutlivesTheTrace(t *testing.T) {
	w := soaking(t, 3, soaks)
	w.acts["controller-1"] = "1.36"
	w.pinned = w.pinned.Looked(w.site, w.observe())
	w.acts["controller-1"] = "1.35"
	err := Back(w.site, w.observe()).Diagnostics.Err()
	if err == nil || !strings.Contains(err.Error(), "On 2026-11-03 09:00 UTC it was seen: The API server of controller-1 acts as v1.36") {
		t.Errorf("got %v", err)
	}
	if p := makePlan(w.site, w.observe()); len(p.Diagnostics) != 1 || !strings.Contains(p.Diagnostics[0].Summary, "can no longer go back") {
		t.Errorf("the plan says %v", p.Diagnostics)
	}
}

// TestBackInTheDark: an only controller that does not come up with its newer k0s goes back, by what it keeps itself.
func TestBackInTheDark(t *testing.T) {
	w := soaking(t, 1, soaks)
	h := w.hosts["controller-1"]
	h.Running, h.Service, h.Restarts = lifecycle.Version{}, lifecycle.ServiceFailed, 5
	p := Back(w.site, w.observe())
	if err := p.Diagnostics.Err(); err != nil || len(p.Steps) != 1 || p.Steps[0].ID != "controller-1/restore-former" {
		t.Fatalf("%v\n%s", err, outline(p))
	}
	w.execute(t, p, serial, -1)
	if w.hosts["controller-1"].Running != v135 {
		t.Error("it is not back")
	}
}

// TestCommitGivenAgain: `kiban commit`, cut off behind any part and given again, comes to the same end; where the only API is down, behind
// an apply, as it says. Given once more it has nothing to do, and says nothing of an error.
func TestCommitGivenAgain(t *testing.T) {
	for _, n := range []int{1, 3} {
		start := soaking(t, n, byHand)
		whole := start.clone()
		whole.execute(t, Commit(whole.site, whole.observe()), serial, -1)
		want := whole.String()
		for limit := 1; ; limit++ {
			w := start.clone()
			if _, done := w.execute(t, Commit(w.site, w.observe()), serial, limit); done {
				break
			}
			p := Commit(w.site, w.observe())
			if stops := p.Diagnostics.Stopping(); len(stops) > 0 && strings.Contains(stops[0].Hint,
				"kiban apply lab brings the control plane back") {
				w.execute(t, makePlan(w.site, w.observe()), serial, -1)
				p = Commit(w.site, w.observe())
			}
			w.execute(t, p, serial, -1)
			if got := w.String(); got != want {
				t.Errorf("%d controllers, cut off after %d parts:\ngot  %s\nwant %s", n, limit, got, want)
			}
			if p := Commit(w.site, w.observe()); !p.Empty() || len(p.Diagnostics.Stopping()) > 0 {
				t.Errorf("%d controllers, cut off after %d parts, once more: %s %v", n, limit, outline(p), p.Diagnostics)
			}
		}
	}
}

// TestBackAndCommitNameWhereTheyLead: the head of a plan, in each of its forms, is its target. What is declared may be something else.
func TestBackAndCommitNameWhereTheyLead(t *testing.T) {
	w := soaking(t, 1, byHand)
	for _, declared := range []lifecycle.Version{v135, v136} {
		site := w.site
		site.Cluster.Version = declared
		for doing, tt := range map[string]struct {
			plan lifecycle.Plan
			want lifecycle.Version
		}{"back": {Back(site, w.observe()), v135}, "commit": {Commit(site, w.observe()), v136}} {
			if tt.plan.Empty() || tt.plan.Target != tt.want || len(tt.plan.Hops) > 0 {
				t.Errorf("%s, %s declared: it leads to %s by %v: %v", doing, declared, tt.plan.Target, tt.plan.Hops, tt.plan.Diagnostics)
			}
		}
	}
}
