package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestSoakByAWrongClock: a soak is not over because our clock has jumped ahead: it would be the machines' clocks that are behind, and with
// these nothing is planned to be done. One that was set back makes it longer.
func TestSoakByAWrongClock(t *testing.T) {
	for _, jump := range []time.Duration{48 * time.Hour, -time.Hour} {
		w := soaking(t, 3, soaks)
		w.later = jump
		for _, name := range []string{"controller-1", "controller-2", "controller-3", "worker-1", "worker-2"} {
			w.hosts[name].ClockOffset = int(-jump / time.Second)
		}
		p := makePlan(w.site, w.observe())
		if err := p.Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), "its clock is off by") {
			t.Errorf("by %s: %v\n%s", jump, err, outline(p))
		}
	}
	w := soaking(t, 1, soaks)
	w.later = -time.Hour // every clock is wrong
	until := "can go back until 2026-11-05 09:00 UTC"
	if p := makePlan(w.site, w.observe()); !p.Empty() || !strings.Contains(p.Diagnostics[0].Summary, until) {
		t.Errorf("before it began: %v\n%s", p.Diagnostics, outline(p))
	}
}

// TestDeclarationChangesDuringTheSoak: what is declared meanwhile is refused or done, and which of the two is said. Another version is
// refused, as that of the next minor which a merge request proposes; k0s.yaml waits; arguments and files are applied, with the way back
// kept.
func TestDeclarationChangesDuringTheSoak(t *testing.T) {
	for name, to := range map[string]lifecycle.Version{"the next minor": v("v1.37.0+k0s.0"), "a patch of it": v("v1.36.4+k0s.0"),
		"a patch of the former one": v("v1.35.8+k0s.0")} {
		w := soaking(t, 3, soaks)
		w.declare(newSite(to, 3, 2, soaks))
		p := makePlan(w.site, w.observe())
		err := p.Diagnostics.Err()
		wait := fmt.Sprintf("Wait with %s until the control plane is committed, by kiban commit lab or by the first apply "+
			"after %s with %s declared. Meanwhile declare %[3]s, or %s to go back.",
			to, lifecycle.Stamp(w.pinned.Soaks.Add(48*time.Hour)), v136, v135)
		if err == nil || !p.Empty() || !strings.Contains(err.Error(), "is between v1.35.7+k0s.0 and v1.36.3+k0s.2") ||
			!strings.HasPrefix(p.Diagnostics[0].Hint, wait) {
			t.Errorf("%s: %v\n%s", name, err, outline(p))
		}
	}

	w := soaking(t, 3, soaks)
	w.declare(newSite(v136, 3, 2, soaks, eachHost(lifecycle.RoleController, config(`{"spec":{"telemetry":{"enabled":false}}}`))))
	told := func(d lifecycle.Diagnostic) bool {
		return strings.Contains(d.Summary, "k0s.yaml stays as it is until the control plane is committed") &&
			strings.Contains(d.Detail, "telemetry") && strings.Contains(d.Hint, "kiban commit lab")
	}
	if p := makePlan(w.site, w.observe()); !p.Empty() || !slices.ContainsFunc(p.Diagnostics, told) {
		t.Errorf("k0s.yaml: %v\n%s", p.Diagnostics, outline(p))
	}
	if err := Back(w.site, w.observe()).Diagnostics.Err(); err != nil {
		t.Errorf("a change that waits takes the way back: %v", err)
	}

	for what, edit := range map[string]func(*lifecycle.Site){
		"an argument": eachHost(lifecycle.RoleController, argument("--debug=true")),
		"a file":      everyHost(lifecycle.HostFile{Path: "/etc/k0s/audit.yaml", Digest: "sha256:a", Restart: true}),
	} {
		w := soaking(t, 3, soaks)
		w.declare(newSite(v136, 3, 2, soaks, edit))
		if p := makePlan(w.site, w.observe()); p.Empty() {
			t.Errorf("%s is not applied: %v", what, p.Diagnostics)
		}
		converge(t, w, serial)
		back := Back(w.site, w.observe())
		if err := back.Diagnostics.Err(); err != nil {
			t.Errorf("%s takes the way back: %v", what, err)
		}
		w.execute(t, back, serial, -1)
		for _, name := range []string{"controller-1", "controller-2", "controller-3"} {
			if got := w.hosts[name].Running; got != v135 {
				t.Errorf("%s: %s is at %s", what, name, got)
			}
		}
	}
}

// TestRestartByHandDuringTheSoak: k0s that somebody started again with its pin goes back all the same; a controller that is off is waited
// for, and is no reason why it never can.
func TestRestartByHandDuringTheSoak(t *testing.T) {
	w := soaking(t, 3, soaks)
	h := w.hosts["controller-2"]
	h.ServiceSince, h.Run = clock.Add(time.Hour), "of another start"
	if p := makePlan(w.site, w.observe()); !p.Empty() || !strings.Contains(p.Diagnostics[0].Summary, "can go back until") {
		t.Errorf("started by hand: %v\n%s", p.Diagnostics, outline(p))
	}
	st := w.observe()
	for i := range st.Hosts {
		if st.Hosts[i].Name == "controller-3" {
			st.Hosts[i] = lifecycle.HostState{Name: "controller-3", Problem: lifecycle.HostUnreachable, Why: "no route"}
		}
	}
	if err := Back(w.site, st).Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), "controller-3") {
		t.Errorf("one that is off: %v", err)
	}
	if kept := w.pinned.Looked(w.site, st); len(kept.Why) > 0 || !kept.Lost.IsZero() {
		t.Errorf("one that is off takes the way back for good: %v", kept.Why)
	}
}

// TestNoRollWithoutItsBackup: of an upgrade in two steps nothing is rolled before the backup is there, and it may be begun again.
func TestNoRollWithoutItsBackup(t *testing.T) {
	w := built(t, newSite(v135, 3, 1, soaks))
	w.declare(newSite(v136, 3, 1, soaks))
	p := makePlan(w.site, w.observe())
	backup := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionBackup })
	if backup < 0 {
		t.Fatalf("there is no backup:\n%s", outline(p))
	}
	rolled := 0
	for i, s := range p.Steps {
		if s.Action != lifecycle.ActionUpgrade || s.Target == "worker-1" {
			continue
		}
		rolled++
		if i < backup || s.Stage == p.Steps[backup].Stage {
			t.Errorf("%s does not wait for the backup", s.ID)
		}
	}
	if rolled != 3 {
		t.Errorf("%d controllers are rolled", rolled)
	}
	w.execute(t, p, serial, backup) // a run that ended there
	if again := makePlan(w.site, w.observe()); !slices.ContainsFunc(again.Steps, func(s lifecycle.Step) bool {
		return s.Action == lifecycle.ActionBackup
	}) {
		t.Errorf("the next run takes none:\n%s", outline(again))
	}
}

// TestBackInTheDarkOfSeveral: controllers that are all down go back side by side, for etcd has no quorum before most of them are; one that
// runs waits for those that do not.
func TestBackInTheDarkOfSeveral(t *testing.T) {
	for running, want := range map[string]int{"": 0, "controller-1": 2} {
		w := soaking(t, 3, soaks)
		for _, name := range []string{"controller-1", "controller-2", "controller-3"} {
			if h := w.hosts[name]; name != running {
				h.Running, h.Service, h.Restarts = lifecycle.Version{}, lifecycle.ServiceFailed, 5
			}
		}
		st := w.observe()
		st.API.Unknown, st.API.Servers = "no API server answers", nil
		p := Back(w.site, st)
		if err := p.Diagnostics.Err(); err != nil || len(p.Steps) != 3 || p.Stages[0].Width != 0 {
			t.Fatalf("%v\n%s", err, outline(p))
		}
		for _, s := range p.Steps {
			waits := 0
			if s.Target == running {
				waits = want
			}
			if len(s.Before) > 0 || len(s.Needs) != waits {
				t.Errorf("%q runs: %s needs %v, and waits for %v", running, s.ID, s.Needs, s.Before)
			}
		}
		w.execute(t, p, serial, -1)
		for _, name := range []string{"controller-1", "controller-2", "controller-3"} {
			if got := w.hosts[name].Running; got != v135 {
				t.Errorf("%q runs: %s is at %s", running, name, got)
			}
		}
	}
}

// TestForthAgainSoaksAnew: a control plane that went back and forth again soaks for its whole time once more, wherever the run that rolls
// it is cut off: it is not committed by the time of its first soak.
func TestForthAgainSoaksAnew(t *testing.T) {
	start := soaking(t, 3, soaks)
	start.later = 47 * time.Hour
	start.execute(t, Back(start.site, start.observe()), serial, -1)
	start.later = 50 * time.Hour
	p := makePlan(start.site, start.observe())
	for _, id := range []string{"cluster/pin", "cluster/soak"} {
		if !slices.ContainsFunc(p.Steps, func(s lifecycle.Step) bool { return s.ID == id }) {
			t.Errorf("%s is not planned:\n%s", id, outline(p))
		}
	}
	for limit := 1; ; limit++ {
		w := start.clone()
		_, done := w.execute(t, makePlan(w.site, w.observe()), serial, limit)
		converge(t, w, serial)
		if !w.pinned.Open() || !w.pinned.Soaks.Equal(clock.Add(50*time.Hour)) || w.hosts["worker-1"].Running != v135 {
			t.Fatalf("cut off after %d parts: soaks since %s, ended %s", limit, w.pinned.Soaks, w.pinned.Ended)
		}
		if done {
			break
		}
	}
}

// TestBackWithOneAway: half-way in the roll a controller does not come up, another does not answer, and no API is left. The one whose newer
// k0s never served goes back first, by `kiban back` and where the former version is declared; the one that acted as the former version waits
// until it is known of all. One that may have served does not go.
func TestBackWithOneAway(t *testing.T) {
	stuck := func(t *testing.T, ran ...string) (*world, lifecycle.State) {
		t.Helper()
		w := soaking(t, 3, soaks)
		down := w.hosts["controller-2"]
		down.Running, down.Service, down.Restarts, down.RanKnown, down.Ran = lifecycle.Version{}, lifecycle.ServiceFailed, 5, true, ran
		st := w.observe()
		*hostState(&st, "controller-3") = lifecycle.HostState{Name: "controller-3", Problem: lifecycle.HostUnreachable}
		st.API.Unknown, st.API.Servers = "no API server answers", nil
		return w, st
	}
	w, st := stuck(t)
	p := Back(w.site, st)
	if err := p.Diagnostics.Err(); err != nil || len(p.Steps) != 1 || p.Steps[0].ID != "controller-2/restore-former" {
		t.Errorf("back: %v\n%s", err, outline(p))
	}
	if d := p.Diagnostics; len(d) != 1 || !strings.Contains(d[0].Detail, "never served") || !strings.Contains(d[0].Detail, "controller-3") {
		t.Errorf("back says %v", d)
	}
	w.declare(newSite(v135, 3, 2, soaks))
	p = makePlan(w.site, st)
	if err := p.Diagnostics.Err(); strings.Contains(outline(p), "controller-1/restore-former") ||
		!strings.Contains(outline(p), "controller-2/restore-former") || err != nil && strings.Contains(err.Error(), "may not be started here") {
		t.Errorf("with the former version declared: %v\n%s", err, outline(p))
	}
	w, st = stuck(t, lifecycle.PartEtcd, lifecycle.PartAPIServer)
	p = Back(w.site, st)
	if err := p.Diagnostics.Err(); err == nil || !p.Empty() || !strings.Contains(err.Error(), "controller-3 does not tell how it is") {
		t.Errorf("one that has served goes back: %v\n%s", err, outline(p))
	}
	w.declare(newSite(v135, 3, 2, soaks))
	err := makePlan(w.site, st).Diagnostics.Err()
	if err == nil || !strings.Contains(err.Error(), "which may have written what") ||
		!strings.Contains(err.Error(), "controller-3 does not tell") {
		t.Errorf("with the former version declared: %v", err)
	}
}

// TestTheNewerVersionIsAtFault: while a control plane can go back, a later patch release of the newer one is refused, with the way there;
// where no API answers, too, for it would take the place of the former k0s that is kept. Where there is no way back any more, it is taken
// once the site asks for none: the way back is given up, and it goes to that release.
func TestTheNewerVersionIsAtFault(t *testing.T) {
	fixed := v("v1.36.4+k0s.0")
	w := soaking(t, 3, soaks)
	w.declare(newSite(fixed, 3, 2, soaks))
	for name, edit := range map[string]func(*lifecycle.State){
		"the API answers": func(*lifecycle.State) {},
		"no API": func(st *lifecycle.State) {
			st.API.Unknown, st.API.Servers = "no API server answers", nil
			for i := range st.Hosts {
				if h := &st.Hosts[i]; strings.HasPrefix(h.Name, "controller") {
					h.Running, h.Service, h.Restarts = lifecycle.Version{}, lifecycle.ServiceFailed, 5
				}
			}
		},
	} {
		st := w.observe()
		edit(&st)
		p := makePlan(w.site, st)
		err := p.Diagnostics.Err()
		if err == nil || !strings.Contains(err.Error(), "the control plane is between") || !p.Empty() {
			t.Errorf("%s: %v\n%s", name, err, outline(p))
		}
		if !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Hint, "kiban back") }) {
			t.Errorf("%s: the way there is not told: %v", name, p.Diagnostics)
		}
	}
	w.acts["controller-1"] = "1.36"
	w.pinned = w.pinned.Looked(w.site, w.observe())
	w.declare(newSite(fixed, 3, 2))
	converge(t, w, serial)
	for name, h := range w.hosts {
		if h.Running != fixed {
			t.Errorf("%s runs %s", name, h.Running)
		}
	}
	if w.pinned.Open() || w.pinned.End != lifecycle.EndCommit {
		t.Errorf("the record is %+v", w.pinned)
	}
}

// TestAWayBackThatWasCutOff: a way back that was killed before its first controller was through has left that controller down, and nothing
// else: the plan that goes forth says so, and in a job it does not go.
func TestAWayBackThatWasCutOff(t *testing.T) {
	w := soaking(t, 3, soaks)
	w.stop("controller-1")
	h := w.hosts["controller-1"]
	h.Running, h.Binary, h.Former = lifecycle.Version{}, v135, lifecycle.Version{}
	st := w.observe()
	st.Past.Runs = []lifecycle.RunRecord{{ID: "20261103-120000-aaaaaa", Doing: lifecycle.GoingBack, Began: clock, Result: lifecycle.RunFailed}}
	told := func(p lifecycle.Plan) (lifecycle.Diagnostic, bool) {
		for _, d := range p.Diagnostics {
			if strings.Contains(d.Summary, "a way back was begun") {
				return d, true
			}
		}
		return lifecycle.Diagnostic{}, false
	}
	if d, ok := told(makePlan(w.site, st)); !ok || d.Severity != lifecycle.SeverityWarning || !strings.Contains(d.Hint, "kiban back lab") {
		t.Errorf("at a terminal: %+v", d)
	}
	if d, ok := told(Make(w.site, st, lifecycle.PlanOptions{InJob: true})); !ok || d.Severity != lifecycle.SeverityBlocked {
		t.Errorf("in a job: %+v", d)
	}
	st.Past.Runs[0].Result = lifecycle.RunDone
	if d, ok := told(makePlan(w.site, st)); ok {
		t.Errorf("it came to its end, and is told of: %+v", d)
	}
}
