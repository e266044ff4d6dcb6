package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

var (
	v136fixed = lifecycle.Version{Major: 1, Minor: 36, Patch: 4}
	v136older = lifecycle.Version{Major: 1, Minor: 36, Patch: 2}
	v135fixed = lifecycle.Version{Major: 1, Minor: 35, Patch: 8}
)

// crashes leaves a controller with a version that has taken the place of another and does not stay up.
func crashes(host string, former lifecycle.Version, known bool, ran ...string) func(*world) {
	return func(w *world) {
		w.stop(host)
		h := w.hosts[host]
		h.Binary, h.Former, h.Service, h.Restarts = v136, former, lifecycle.ServiceStarting, 9
		h.Ran, h.RanKnown = ran, known
	}
}

// behind leaves controller-1 with a version that does not stay up, when another controller has been upgraded to it.
func behind(upgraded string) func(*world) {
	return func(w *world) {
		h := w.hosts[upgraded]
		h.Binary, h.Running = v136, v136
		crashes("controller-1", v135, true)(w)
	}
}

// TestComeback: a version that does not come up on a controller is started again only while it is the declared one. Another declared one
// takes its place, in its turn where the others serve, and without an API where it was the only one; the former one does where it can read
// all that was written.
func TestComeback(t *testing.T) {
	var none lifecycle.Version
	backup := lifecycle.KeptBackup{Name: "lab-v1.35.7+k0s.0-20261121T020000Z.tar.gz", Place: ".kiban/backups/tokyo", Version: v135,
		Taken: "2026-11-21T02:00:00Z", Verified: "2026-11-21T02:00:00Z"}
	for name, c := range map[string]struct {
		controllers int
		to          lifecycle.Version
		befall      func(*world)
		want        []string // of controller-1, in order
		version     lifecycle.Version
		refused     string
		says        []string // in findings and reasons
		not         string   // in none of them
	}{
		"the same again": {controllers: 1, to: v136, befall: crashes("controller-1", v135, true), want: []string{"start"}, version: v136,
			says: []string{"does not stay up", "declare a fixed version of v1.36", "declare v1.35.7+k0s.0, its former version",
				"only controller"}},
		"the same again, which cannot go back": {controllers: 1, to: v136, befall: crashes("controller-1", v135, false),
			want:    []string{"start"},
			version: v136, says: []string{"may not go back to v1.35.7+k0s.0", "kiban restore lab --from " + backup.Name}},
		"a fixed version": {controllers: 1, to: v136fixed, befall: crashes("controller-1", v135, true),
			want:    []string{"stage", "preflight", "upgrade"},
			version: v136fixed},
		"a fixed version, whatever was written": {controllers: 1, to: v136fixed,
			befall:  crashes("controller-1", v135, true, lifecycle.PartEtcd, lifecycle.PartAPIServer),
			want:    []string{"stage", "preflight", "upgrade"},
			version: v136fixed},
		"an older patch of the minor": {controllers: 1, to: v136older, befall: crashes("controller-1", v135, false),
			want: []string{"stage", "preflight", "upgrade"}, version: v136older},
		"the former version": {controllers: 1, to: v135, befall: crashes("controller-1", v135, true, lifecycle.PartEtcd),
			want: []string{"restore-former"}, version: v135, says: []string{"no API server"}},
		"the former version, a patch": {controllers: 1, to: v136older, befall: crashes("controller-1", v136older, false),
			want: []string{"restore-former"}, version: v136older, says: []string{"patch releases"}},
		"a patch of the former version": {controllers: 1, to: v135fixed, befall: crashes("controller-1", v135, true),
			want: []string{"stage", "preflight", "upgrade"}, version: v135fixed},
		"the former version, and the API server has run": {controllers: 1, to: v135,
			befall:  crashes("controller-1", v135, true, lifecycle.PartEtcd, lifecycle.PartAPIServer),
			refused: "may not be started here", says: []string{"may have written", "kiban restore lab --from " + backup.Name,
				"fixed version"}},
		"the former version, and nobody knows what has run": {controllers: 1, to: v135, befall: crashes("controller-1", v135, false),
			refused: "may not be started here", says: []string{"can't be told"}},
		"older than the former": {controllers: 1, to: v134, befall: crashes("controller-1", v135, true), refused: "downgrade"},
		"one that did serve once, a fixed patch": {controllers: 1, to: v136fixed, befall: crashes("controller-1", none, false),
			want: []string{"stage", "preflight", "upgrade"}, version: v136fixed},
		"one that did serve once, an older patch": {controllers: 1, to: v136older, befall: crashes("controller-1", none, false),
			refused: "downgrade"},
		"one that runs and does not serve": {controllers: 1, to: v136fixed, befall: func(w *world) {
			crashes("controller-1", v135, true)(w)
			w.hosts["controller-1"].Running, w.hosts["controller-1"].Service = v136, lifecycle.ServiceRunning
			w.hosts["controller-1"].ServiceSince = clock
			w.etcd = nil // nothing serves
		}, want: []string{"stage", "preflight", "upgrade"}, version: v136fixed},
		"of three, a fixed version": {controllers: 3, to: v136fixed, befall: crashes("controller-1", v135, true),
			want: []string{"stage", "preflight", "upgrade", "forget-former"}, version: v136fixed},
		"of three, the former version": {controllers: 3, to: v135, befall: crashes("controller-1", v135, true),
			want: []string{"restore-former"}, version: v135},
		"of three, the former version, and its API server has run": {controllers: 3, to: v135,
			befall: crashes("controller-1", v135, true, lifecycle.PartAPIServer), refused: "may not be started here"},
		"of three, the same again": {controllers: 3, to: v136, befall: crashes("controller-1", v135, true), want: []string{"start",
			"forget-former"},
			version: v136, says: []string{"API servers of controller-2 and controller-3 answer"}},
		"of three, one of which is upgraded": {controllers: 3, to: v136, befall: behind("controller-2"),
			want: []string{"start", "forget-former"}, version: v136, not: "its former version",
			says: []string{"may not go back to v1.35.7+k0s.0 by itself: controller-2 has v1.36.3+k0s.2, and kiban plans no downgrade",
				"a fixed version of v1.36 that is newer than v1.36.3+k0s.2"}},
		"of three, one of which is upgraded, the former version": {controllers: 3, to: v135, befall: behind("controller-2"),
			refused: "would be a downgrade"},
		"of three, one of which is upgraded, an older patch": {controllers: 3, to: v136older, befall: behind("controller-2"),
			refused: "would be a downgrade"},
	} {
		t.Run(name, func(t *testing.T) {
			from := newSite(v135, c.controllers, 2)
			if c.to == v136older && c.controllers == 1 && strings.Contains(name, "a patch") && !strings.Contains(name, "of the") {
				from = newSite(v136older, c.controllers, 2)
			}
			w := built(t, from)
			w.declare(newSite(c.to, c.controllers, 2))
			c.befall(w)
			w.lost = nil
			look := func() lifecycle.State {
				st := w.observe()
				st.Past.Backups = []lifecycle.KeptBackup{backup}
				return st
			}
			p := makePlan(w.site, look())
			text := p.Diagnostics.Error()
			for _, d := range p.Diagnostics {
				text += d.Hint
			}
			for _, s := range p.Steps {
				text += s.Reason
			}
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("nothing says %q: %s", want, text)
				}
			}
			if c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("it says %q: %s", c.not, text)
			}
			if c.refused != "" {
				if err := p.Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("findings are %v\n%s", err, outline(p))
				}
				return
			}
			if err := p.Diagnostics.Err(); err != nil {
				t.Fatalf("%v\n%s", err, outline(p))
			}
			wantIDs(t, p, "controller-1", c.want...)
			i := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.Action(c.want[len(c.want)-1]) })
			if c.want[len(c.want)-1] == "forget-former" {
				i = slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Target == "controller-1" && !s.Version.IsZero() })
			}
			if p.Steps[i].Version != c.version {
				t.Errorf("plan:\n%s", outline(p))
			}
			if c.controllers == 3 && strings.Contains(name, "fixed") {
				up := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionUpgrade })
				backup := slices.IndexFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionBackup })
				if p.Steps[up].Target != "controller-1" || backup < 0 || backup > up {
					t.Errorf("the one that is down does not go first, behind a backup:\n%s", outline(p))
				}
			}
			for range 6 { // the same command again and again reaches the end
				for _, s := range p.Steps {
					for _, part := range w.parts(s) {
						part(w)
					}
				}
				w.heal()
				if p = makePlan(w.site, look()); p.Empty() {
					break
				}
			}
			if !p.Empty() || p.Diagnostics.Err() != nil || w.hosts["controller-1"].Running != c.to {
				t.Errorf("in the end: %v, runs %s\n%s", p.Diagnostics.Err(), w.hosts["controller-1"].Running, outline(p))
			}
		})
	}
}

// TestNoUselessBackup: an upgrade that is carried on after a controller has changed takes no other backup, which would lead back to its own
// version only. Where the first is not known to be kept, it does.
func TestNoUselessBackup(t *testing.T) {
	fresh := lifecycle.KeptBackup{Name: "b", Version: v135, Taken: clock.UTC().Format("2006-01-02T15:04:05Z07:00"), Verified: "yes"}
	unverified, old, other := fresh, fresh, fresh
	unverified.Verified = ""
	old.Taken = "2020-01-01T00:00:00Z"
	other.Version = v134
	for name, c := range map[string]struct {
		kept   []lifecycle.KeptBackup
		begun  bool
		backup bool
	}{
		"carried on":                          {kept: []lifecycle.KeptBackup{fresh}, begun: true},
		"begun":                               {kept: []lifecycle.KeptBackup{fresh}, backup: true},
		"carried on, and none is kept":        {begun: true, backup: true},
		"carried on, and it was not verified": {kept: []lifecycle.KeptBackup{unverified}, begun: true, backup: true},
		"carried on, and it is of long ago":   {kept: []lifecycle.KeptBackup{old}, begun: true, backup: true},
		"carried on, and it is of another":    {kept: []lifecycle.KeptBackup{other}, begun: true, backup: true},
	} {
		w := built(t, newSite(v135, 3, 1))
		w.declare(newSite(v136, 3, 1))
		if c.begun {
			h := w.hosts["controller-1"]
			h.Binary, h.Running = v136, v136
		}
		st := w.observe()
		st.Past.Backups = c.kept
		p := makePlan(w.site, st)
		if got := slices.ContainsFunc(p.Steps, func(s lifecycle.Step) bool { return s.Action == lifecycle.ActionBackup }); got != c.backup {
			t.Errorf("%s: backup is %t\n%s", name, got, outline(p))
		}
	}
}

// TestLostIsNotNew: where a cluster was, none is begun, and nothing is done to its workers, until somebody says so.
func TestLostIsNotNew(t *testing.T) {
	w := built(t, newSite(v136, 1, 2))
	site := w.site
	*w.hosts["controller-1"] = lifecycle.HostState{Name: "controller-1", Hostname: "controller-1", Arch: "amd64", FreeBytes: 10 << 30,
		Service: lifecycle.ServiceAbsent}
	w.etcd = nil
	look := func() lifecycle.State {
		st := w.observe()
		st.API = lifecycle.APIState{NotYet: true}
		return st
	}
	p := makePlan(site, look())
	text := p.Diagnostics.Error()
	for _, d := range p.Diagnostics {
		text += d.Hint
	}
	if !p.Empty() || p.Diagnostics.Err() == nil || strings.Contains(text, "k0s reset") || !strings.Contains(text, "kiban restore") {
		t.Errorf("%s\n%s", text, outline(p))
	}
	anew := Make(site, look(), lifecycle.PlanOptions{NewCluster: true})
	if err := anew.Diagnostics.Err(); err == nil || !strings.Contains(err.Error(), "worker-1") {
		t.Errorf("workers whose pods run: %v", err)
	}
	for _, name := range []string{"worker-1", "worker-2"} {
		*w.hosts[name] = lifecycle.HostState{Name: name, Hostname: name, Arch: "amd64", FreeBytes: 10 << 30,
			Service: lifecycle.ServiceAbsent}
	}
	st := look()
	st.Past.Runs = []lifecycle.RunRecord{{ID: "r1", Done: 3, Machines: 1, After: []lifecycle.Version{v136}}}
	if p := makePlan(site, st); !p.Empty() || p.Diagnostics.Err() == nil {
		t.Errorf("its record alone: %s\n%s", p.Diagnostics.Error(), outline(p))
	}
	anew = Make(site, st, lifecycle.PlanOptions{NewCluster: true})
	if anew.Empty() || anew.Diagnostics.Err() != nil {
		t.Errorf("anew: %v\n%s", anew.Diagnostics.Err(), outline(anew))
	}
	st.Past = lifecycle.Past{Unread: []string{"s3://b does not answer"}}
	if p := makePlan(site, st); p.Empty() || p.Diagnostics.Err() != nil || !strings.Contains(p.Diagnostics.Error(),
		"s3://b does not answer") {
		t.Errorf("what could not be asked: %s\n%s", p.Diagnostics.Error(), outline(p))
	}
}

// TestFailedVersionIsTold before it is put there again, and only there.
func TestFailedVersionIsTold(t *testing.T) {
	w := built(t, newSite(v135, 1, 2))
	w.declare(newSite(v136, 1, 2))
	st := w.observe()
	st.Past.Runs = []lifecycle.RunRecord{{ID: "r7", Ended: clock, FailedUpgrades: []lifecycle.FailedUpgrade{
		{Host: "worker-2", Version: v136, Former: v135, Why: "k0s on worker-2 crashes again and again"}}}}
	p := makePlan(w.site, st)
	var told []string
	for _, d := range p.Diagnostics {
		if strings.Contains(d.Summary, "failed on this machine") {
			told = append(told, d.Subject+": "+d.Summary+" "+d.Detail+" "+d.Hint)
		}
	}
	if len(told) != 1 || !strings.HasPrefix(told[0], "worker-2: k0s "+v136.String()) || !strings.Contains(told[0],
		"crashes again and again") ||
		!strings.Contains(told[0], "kiban show r7") {
		t.Errorf("told: %q", told)
	}
	for retry, blocked := range map[bool]bool{false: true, true: false} {
		p := Make(w.site, st, lifecycle.PlanOptions{InJob: true, RetryFailed: retry})
		if p.Diagnostics.Has(lifecycle.SeverityBlocked) != blocked {
			t.Errorf("in a job, retry %t: %s", retry, p.Diagnostics.Error())
		}
	}
	w.declare(newSite(v136fixed, 1, 2))
	st2 := w.observe()
	st2.Past = st.Past
	if p := makePlan(w.site, st2); strings.Contains(p.Diagnostics.Error(), "failed on this machine") {
		t.Errorf("of another version: %s", p.Diagnostics.Error())
	}
}

// TestARefusedComebackSaysWhyAlone: a controller whose newer k0s may have written what the former one can't read, after an upgrade in one
// step, is told of by that reason: the others, which were never pinned, are none.
func TestARefusedComebackSaysWhyAlone(t *testing.T) {
	w := built(t, newSite(v135, 3, 1))
	crashes("controller-1", v135, true, lifecycle.PartEtcd, lifecycle.PartAPIServer)(w)
	for _, d := range makePlan(w.site, w.observe()).Diagnostics {
		if !strings.Contains(d.Summary, "may not be started here") {
			continue
		}
		if !strings.Contains(d.Detail, "which may have written what") || strings.Contains(d.Detail, "v0.0") ||
			strings.Contains(d.Detail, "controller-2") {
			t.Errorf("it says: %s", d.Detail)
		}
		return
	}
	t.Error("it is not refused")
}
