package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// saying is the finding whose summary has that; the zero Diagnostic where there is none.
func saying(p lifecycle.Plan, words string) lifecycle.Diagnostic {
	for _, d := range p.Diagnostics {
		if strings.Contains(d.Summary, words) {
			return d
		}
	}
	return lifecycle.Diagnostic{}
}

// TestBackWithADeadController: the hint names the command that puts it right, and when that is done, what is left to do. Out of the overlay
// it no longer counts.
func TestBackWithADeadController(t *testing.T) {
	w := soaking(t, 3, soaks)
	gone("controller-3")(w)
	d := saying(Back(w.site, w.observe()), "can't go back")
	at, backup := strings.Index(d.Hint, "kiban node replace lab controller-3"), strings.Index(d.Hint, "backup")
	if at < 0 || backup < at || !strings.Contains(d.Detail, "controller-3 does not tell how it is") {
		t.Errorf("dead: %v", d)
	}
	task := lifecycle.NodeTask{Verb: lifecycle.NodeReplace, Host: "controller-3"}
	if err := Node(w.site, w.observe(), task).Diagnostics.Err(); err != nil {
		t.Errorf("what the hint says: %v", err)
	}
	w.etcd = []string{"controller-1", "controller-2"}
	d = saying(Back(w.site, w.observe()), "can't go back")
	if strings.Contains(d.Hint, "kiban node replace") || !strings.Contains(d.Hint, "take it out of the overlay") ||
		!strings.Contains(d.Hint, "joins by kiban apply lab") {
		t.Errorf("taken out, and declared: %v", d)
	}
	w.declare(newSite(v136, 2, 2, soaks))
	if d := saying(Back(w.site, w.observe()), "does not tell how it is"); d.Summary != "" {
		t.Errorf("out of the overlay: %v", d)
	}
}

// TestTwoOfThreeInTheSoak: two controllers that are left can neither go back nor be committed; with a third one, which joins in the soak,
// they can.
func TestTwoOfThreeInTheSoak(t *testing.T) {
	w := soaking(t, 3, byHand)
	w.etcd = []string{"controller-1", "controller-2"}
	w.declare(newSite(v136, 2, 2, byHand))
	for name, p := range map[string]lifecycle.Plan{"back": Back(w.site, w.observe()), "commit": Commit(w.site, w.observe())} {
		d := saying(p, "a third controller has to join first")
		if d.Severity != lifecycle.SeverityBlocked || !strings.Contains(d.Hint, "Declare a third controller") {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
	}
	if d := makePlan(w.site, w.observe()).Diagnostics; len(d) != 1 || !strings.Contains(d[0].Summary, "can't go back as it stands") {
		t.Errorf("plan: %v", d)
	}
	w.replaced("controller-3")
	w.declare(newSite(v136, 3, 2, byHand))
	converge(t, w, serial)
	p := Back(w.site, w.observe())
	if err := p.Diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	w.execute(t, p, serial, -1)
	for _, name := range []string{"controller-1", "controller-2", "controller-3"} {
		if got := w.hosts[name].Running; got != v135 {
			t.Errorf("%s is at %s", name, got)
		}
	}
}

// TestBackAfterACommitThatWasCutOff: it says that the commit goes on, and not that the control plane is between no versions.
func TestBackAfterACommitThatWasCutOff(t *testing.T) {
	w := soaking(t, 3, byHand)
	w.notePin(lifecycle.Step{Action: lifecycle.ActionCommit})
	d := saying(Back(w.site, w.observe()), "the commit of the control plane to v1.36.3+k0s.2 was begun")
	if d.Severity != lifecycle.SeverityError || !strings.Contains(d.Hint, "kiban commit lab") ||
		!strings.Contains(d.Detail, "controller-1, controller-2 and controller-3 still act as v1.35.") {
		t.Errorf("back: %v", d)
	}
	if d := saying(makePlan(w.site, w.observe()), "was begun"); !strings.Contains(d.Detail, "This plan goes on with it") {
		t.Errorf("plan: %v", d)
	}
	w.execute(t, Commit(w.site, w.observe()), serial, -1)
	if d := saying(Back(w.site, w.observe()), "is not between two versions"); d.Severity != lifecycle.SeverityError {
		t.Errorf("through: %v", d)
	}
}

// TestARollThatStopped: the plan that goes on with it says that there is a way back, too; also where the one that has changed does not
// come up.
func TestARollThatStopped(t *testing.T) {
	start := built(t, newSite(v135, 3, 2, soaks))
	start.declare(newSite(v136, 3, 2, soaks))
	w := start
	for limit := 1; limit < 200 && w.hosts["controller-1"].Running != v136; limit++ {
		w = start.clone()
		w.execute(t, makePlan(w.site, w.observe()), serial, limit)
	}
	for _, down := range []bool{false, true} {
		if h := w.hosts["controller-1"]; down {
			h.Running, h.Service, h.Restarts = lifecycle.Version{}, lifecycle.ServiceFailed, 5
		}
		d := saying(makePlan(w.site, w.observe()), "a part of the control plane has v1.35.7+k0s.0, the rest v1.36.3+k0s.2")
		if !strings.Contains(d.Hint, "kiban back lab") || !strings.Contains(d.Hint, "kiban apply lab") {
			t.Errorf("down: %t: %v", down, d)
		}
	}
}

// TestCommitSaysWhatKeepsIt: of each controller that is not as the others, and of a control plane that is back.
func TestCommitSaysWhatKeepsIt(t *testing.T) {
	for name, tt := range map[string]struct {
		befall   func(*testing.T, *world)
		summary  string
		severity lifecycle.Severity
		hint     string
	}{
		"one is off": {func(_ *testing.T, w *world) { gone("controller-2")(w) }, "it does not answer", lifecycle.SeverityBlocked,
			"kiban node replace lab controller-2"},
		"one is to join": {func(_ *testing.T, w *world) {
			w.replaced("controller-2")
			w.declare(newSite(v136, 4, 2, byHand))
			w.etcd = append(w.etcd, "controller-4")
		}, "it has not joined yet", lifecycle.SeverityBlocked, "kiban apply lab lets it join"},
		"one is back": {func(t *testing.T, w *world) { w.execute(t, Back(w.site, w.observe()), serial, 5) }, "it has v1.35.7+k0s.0, and",
			lifecycle.SeverityError, "kiban back lab takes back those that are there"},
		"all are back": {func(t *testing.T, w *world) { w.execute(t, Back(w.site, w.observe()), serial, -1) },
			"there is nothing to commit: the control plane has v1.35.7+k0s.0", lifecycle.SeverityError, "To stay: declare v1.35.7+k0s.0"},
	} {
		w := soaking(t, 3, byHand)
		tt.befall(t, w)
		p := Commit(w.site, w.observe())
		d := saying(p, tt.summary)
		if d.Severity != tt.severity || !strings.Contains(d.Hint, tt.hint) || strings.Contains(p.Diagnostics.Error(), "it has ,") {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
	}
}

// TestThePlanSaysWhyItCommits: the time that is over, or the declaration that is gone, which alone commits.
func TestThePlanSaysWhyItCommits(t *testing.T) {
	w := soaking(t, 3, soaks)
	w.later = 49 * time.Hour
	if d := saying(makePlan(w.site, w.observe()), "the soak is over since 2026-11-05 09:00 UTC"); !strings.Contains(d.Hint,
		"To go back: kiban back lab") {
		t.Errorf("the time is over: %v", d)
	}
	w = soaking(t, 3, soaks)
	w.declare(newSite(v136, 3, 2))
	if d := saying(makePlan(w.site, w.observe()), "spec.upgrade.controlPlane is no longer declared"); !strings.Contains(d.Hint,
		"declare it again") {
		t.Errorf("it is no longer declared: %v", d)
	}
}

// TestCommitTakesABackup before the record is changed, by hand and by time; one that goes on takes no second one. It waits for a window,
// and for a proven backup where the site wants one.
func TestCommitTakesABackup(t *testing.T) {
	w := soaking(t, 3, byHand)
	w.site.Backup.Proven, w.site.Policy.Windows = time.Hour, []lifecycle.Window{{TimeZone: "UTC"}}
	later := w.clone()
	later.site.Policy.ControlPlane.Commit = ""
	later.later = 49 * time.Hour
	for name, p := range map[string]lifecycle.Plan{"by hand": Commit(w.site, w.observe()), "by time": makePlan(later.site, later.observe())} {
		at := func(a lifecycle.Action) int {
			return slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == a })
		}
		backup, commit := at(lifecycle.ActionBackup), at(lifecycle.ActionCommit)
		if backup < 0 || commit < backup || !slices.Contains(p.Steps[commit].Needs, p.Steps[backup].ID) {
			t.Fatalf("%s: the record does not wait for a backup:\n%s", name, outline(p))
		}
		for _, kind := range []lifecycle.GateKind{lifecycle.GateWindow, lifecycle.GateProven} {
			if !slices.ContainsFunc(p.Steps[backup].Before, func(g lifecycle.Gate) bool { return g.Kind == kind }) {
				t.Errorf("%s: the backup does not wait for %s", name, kind)
			}
		}
		if d := saying(p, "no backup of the site is proven"); d.Severity != lifecycle.SeverityBlocked {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
	}
	w.notePin(lifecycle.Step{Action: lifecycle.ActionCommit})
	takes := func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionBackup }
	if p := Commit(w.site, w.observe()); slices.ContainsFunc(p.Steps, takes) {
		t.Errorf("one that goes on takes another:\n%s", outline(p))
	}
}

// TestBackupOfTwoStepsInAJob: what its loss would mean is said as it is: the soak goes back without it.
func TestBackupOfTwoStepsInAJob(t *testing.T) {
	w := built(t, newSite(v135, 1, 1, soaks))
	w.declare(newSite(v136, 1, 1, soaks))
	p := Make(w.site, w.observe(), lifecycle.PlanOptions{InJob: true})
	if d := saying(p, "gone with this job"); strings.HasPrefix(d.Detail, "It is the only way back") ||
		!strings.Contains(d.Detail, "it goes back without it (kiban back lab)") {
		t.Errorf("the roll: %v", d)
	}
	w = soaking(t, 1, soaks)
	w.later = 49 * time.Hour
	p = Make(w.site, w.observe(), lifecycle.PlanOptions{InJob: true})
	if d := saying(p, "the backup before the commit would be gone with this job"); !strings.Contains(d.Detail, "stored in the soak") {
		t.Errorf("the commit: %v", d)
	}
}

// TestBackThatIsDoneTellsOfThePin: the pin remains, and what takes it away depends on what is declared.
func TestBackThatIsDoneTellsOfThePin(t *testing.T) {
	w := soaking(t, 3, soaks)
	w.execute(t, Back(w.site, w.observe()), serial, -1)
	for version, want := range map[lifecycle.Version]string{v136: "declare it, and apply; that takes the pin away", v135: "kiban apply lab"} {
		site := w.site
		site.Cluster.Version = version
		p := Back(site, w.observe())
		if d := saying(p, "is pinned there to go to"); !p.Empty() || p.Diagnostics.Err() != nil || !strings.Contains(d.Hint, want) {
			t.Errorf("%s is declared: %v\n%s", version, p.Diagnostics, outline(p))
		}
	}
}

// TestForthAgainNamesTheFormerVersion: of a version that somebody took back, "leave it as it is" is no way while the newer one is declared.
func TestForthAgainNamesTheFormerVersion(t *testing.T) {
	w := soaking(t, 1, soaks)
	w.execute(t, Back(w.site, w.observe()), serial, -1)
	st := w.observe()
	st.Past.Runs = []lifecycle.RunRecord{{ID: "r7", Ended: clock, FailedUpgrades: []lifecycle.FailedUpgrade{
		{Host: "controller-1", Version: v136, Former: v135, Why: lifecycle.WhyWentBack}}}}
	d := saying(makePlan(w.site, st), "was taken back from this machine")
	if !strings.Contains(d.Hint, "Else declare v1.35.7+k0s.0, and apply") || strings.Contains(d.Hint, "as it is") {
		t.Errorf("%v", d)
	}
}
