package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// told is the finding on a controller that does not come up; zero where there is none.
func told(p lifecycle.Plan, host string) lifecycle.Diagnostic {
	i := slices.IndexFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool {
		return strings.Contains(d.Subject+d.Summary, host) && (strings.Contains(d.Summary, "does not come up") ||
			strings.Contains(d.Summary, "does not answer") || strings.Contains(d.Summary, "may not be started"))
	})
	if i < 0 {
		return lifecycle.Diagnostic{}
	}
	return p.Diagnostics[i]
}

// TestASiteThatDoesNotComeUp: the finding says what is seen, with the controller's own log, what was tried before, and the ways on in
// their order. What is not known is said to be so.
func TestASiteThatDoesNotComeUp(t *testing.T) {
	backup := lifecycle.KeptBackup{Name: "lab-v1.35.7.tar.gz", Place: ".kiban/backups/lab", Version: v135, Taken: "2026-11-02T02:00:00Z"}
	runs := func(silent bool) func(*world) {
		return func(w *world) {
			crashes("controller-1", v135, true, lifecycle.PartEtcd, lifecycle.PartAPIServer)(w)
			h := w.hosts["controller-1"]
			h.Running, h.Service, h.Restarts, h.ServiceSince = v136, lifecycle.ServiceRunning, 0, clock.Add(-1e12)
			if !silent {
				h.ServiceSince = clock
			}
			w.etcd = nil
		}
	}
	stopped := func(former lifecycle.Version) func(*world) {
		return func(w *world) {
			w.stop("controller-1")
			h := w.hosts["controller-1"]
			h.Binary, h.Former, h.Service, h.RanKnown = v136, former, lifecycle.ServiceStopped, true
		}
	}
	failed := lifecycle.Try{Host: "controller-1", Action: lifecycle.ActionStart, Version: v136, At: clock, Why: "it crashed"}
	for name, c := range map[string]struct {
		controllers int
		two         bool // in two steps
		befall      func(*world)
		tried       []lifecycle.Try
		says        []string // in this order
		not         string
		silent      bool // nothing is told
	}{
		"it crashes, and has written nothing": {controllers: 1, befall: crashes("controller-1", v135, true),
			says: []string{"does not come up", "does not stay up", "Its log says:", "no such flag", "only controller",
				"this plan starts v1.36.3+k0s.2 again", "declare v1.35.7+k0s.0, its former version", "declare a fixed version of v1.36",
				"kiban restore lab --from lab-v1.35.7.tar.gz"}},
		"it crashes, and has written": {controllers: 1, befall: crashes("controller-1", v135, true, lifecycle.PartAPIServer),
			says: []string{"this plan starts", "may not go back to v1.35.7+k0s.0 by itself", "declare a fixed version", "kiban restore lab"}},
		"it crashes, and is pinned": {controllers: 1, two: true, befall: func(w *world) {
			h := w.hosts["controller-1"]
			h.Running, h.Service, h.Restarts = lifecycle.Version{}, lifecycle.ServiceFailed, 5
		}, says: []string{"systemd has given it up", "this plan starts", "with nothing lost: kiban back lab", "has only acted as v1.35",
			"declare a fixed version", "kiban restore lab"}},
		"it crashes, and was pinned too late": {controllers: 1, two: true, befall: func(w *world) {
			h := w.hosts["controller-1"]
			h.Running, h.Service, h.Restarts = lifecycle.Version{}, lifecycle.ServiceFailed, 5
			w.rewritten = map[string]bool{"controller-1": true}
		}, says: []string{"can't go back to v1.35.7+k0s.0", "was written after its k0s had changed", "kiban restore lab"},
			not: "kiban back lab"},
		"it runs and never answers": {controllers: 1, befall: runs(true),
			says: []string{"runs on this controller, and its API server does not answer", "no such flag", "this plan does not start it",
				"may not go back", "fixed version", "kiban restore lab"}},
		"it has started a moment ago": {controllers: 1, befall: runs(false), silent: true},
		"it has started a moment ago, once more": {controllers: 1, befall: func(w *world) {
			runs(false)(w)
			w.hosts["controller-1"].Restarts = 7
		}, says: []string{"its API server does not answer", "no such flag", "may not go back"}},
		"it is only stopped": {controllers: 1, befall: stopped(v135), silent: true},
		"it is stopped, and was started in vain": {controllers: 1, befall: stopped(v135), tried: []lifecycle.Try{failed},
			says: []string{"Tried before: start of k0s v1.36.3+k0s.2 on 2026-11-03 09:00 UTC did not bring it up: it crashed (run r9).",
				"This plan tries the same again.", "this plan starts"}},
		"it is stopped, and came up the last time": {controllers: 1, befall: stopped(v135), silent: true,
			tried: []lifecycle.Try{{Host: "controller-1", Action: lifecycle.ActionStart, Version: v136, At: clock}}},
		"it is stopped, and another was started in vain": {controllers: 3, befall: stopped(v135), silent: true,
			tried: []lifecycle.Try{{Host: "controller-2", Action: lifecycle.ActionStart, Version: v136, At: clock, Why: "it crashed"}}},
		"it crashes, and another version was tried": {controllers: 1, befall: crashes("controller-1", v135, true),
			tried: []lifecycle.Try{{Host: "controller-1", Action: lifecycle.ActionUpgrade, Version: v136older, At: clock, Why: "it crashed"}},
			says:  []string{"Tried before: upgrade of k0s v1.36.2"}, not: "the same again"},
		"nobody knows what was tried": {controllers: 1, befall: crashes("controller-1", v135, true),
			says: []string{"What was tried before is not known"}},
		"no former one is kept": {controllers: 1, befall: crashes("controller-1", lifecycle.Version{}, false),
			says: []string{"no former k0s on the machine", "declare a fixed version", "What is left then is the newest backup, of 2026-11-02"}},
		"one of three": {controllers: 3, befall: crashes("controller-1", v135, true),
			says: []string{"no such flag", "API servers of controller-2 and controller-3 answer", "this plan starts"}, not: "not known"},
		"all of three": {controllers: 3, befall: func(w *world) {
			for _, h := range []string{"controller-1", "controller-2", "controller-3"} {
				crashes(h, v135, true)(w)
			}
		}, says: []string{"no such flag", "No API server of 3 controllers answers", "declare v1.35.7+k0s.0, its former version"}},
	} {
		t.Run(name, func(t *testing.T) {
			var w *world
			if c.two {
				w = soaking(t, c.controllers, soaks)
			} else {
				w = built(t, newSite(v135, c.controllers, 1))
				w.declare(newSite(v136, c.controllers, 1))
			}
			c.befall(w)
			st := w.observe()
			st.Hosts[0].Log.Value = []string{"Error: no such flag"}
			st.Past.Backups = []lifecycle.KeptBackup{backup}
			st.Past.Runs = []lifecycle.RunRecord{{ID: "r9", Tried: c.tried}}
			p := makePlan(w.site, st)
			d := told(p, "controller-1")
			text := d.Summary + "\n" + d.Detail + "\n" + d.Hint
			if c.silent != (d.Summary == "") {
				t.Fatalf("told: %s\n%s", text, outline(p))
			}
			rest := text
			for _, want := range c.says {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Errorf("no %q in its place: %s", want, text)
					continue
				}
				rest = after
			}
			if c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("it says %q: %s", c.not, text)
			}
		})
	}
}

// TestALogThatCannotBeReadIsNoEmptyLog: what is not known is never told as not there.
func TestALogThatCannotBeReadIsNoEmptyLog(t *testing.T) {
	for want, log := range map[string]lifecycle.Answer[[]string]{
		"The log of k0s on controller-1 cannot be read: no answer": {Unknown: "no answer"},
		"The log of k0s on controller-1 has nothing.":              {Value: []string{}},
		"": {},
	} {
		w := built(t, newSite(v136, 1, 1))
		crashes("controller-1", v135, true)(w)
		st := w.observe()
		st.Hosts[0].Log = log
		if d := told(makePlan(w.site, st), "controller-1"); want == "" == strings.Contains(d.Detail, "log of k0s") ||
			!strings.Contains(d.Detail, want) {
			t.Errorf("no %q: %s", want, d.Detail)
		}
	}
}

// TestControllersOutOfReachShowTheirLogs: where no API answers and nothing can be done, their own words are all there is to go by.
func TestControllersOutOfReachShowTheirLogs(t *testing.T) {
	w := built(t, newSite(v136, 3, 1))
	st := w.observe()
	st.API.Servers, st.API.Unknown, st.API.ClusterUID, st.Nodes = nil, "dial tcp: i/o timeout", "", nil
	for i := range st.Hosts {
		st.Hosts[i].ServiceSince = clock.Add(-1e12)
	}
	st.Hosts[1].Log.Value = []string{"etcd: no leader"}
	p := makePlan(w.site, st)
	if text := p.Diagnostics.Error(); !strings.Contains(text, "controller-2: Its log says:") || !strings.Contains(text, "etcd: no leader") {
		t.Errorf("%s", text)
	}
	if d := told(p, "controller-2"); d.Summary != "" {
		t.Errorf("it may be well, and only out of reach: %s", d.Summary)
	}
}

// TestAChangeThatFailedIsTold when it is put there again, and only there; a job is blocked until somebody says so.
func TestAChangeThatFailedIsTold(t *testing.T) {
	w := built(t, newSite(v136, 3, 1))
	declare := func(flag string) {
		w.declare(newSite(v136, 3, 1, eachHost(lifecycle.RoleController, config(`{"spec":{"api":{"extraArgs":{"`+flag+`":"false"}}}}`))))
	}
	declare("proffiling")
	st := w.observe()
	first := makePlan(w.site, st)
	i := slices.IndexFunc(first.Steps, func(s lifecycle.Step) bool { return len(s.OnFailure) > 0 })
	if i < 0 || first.Steps[i].OnFailure[0].Change == "" {
		t.Fatalf("no change is named:\n%s", outline(first))
	}
	back := first.Steps[i].OnFailure[0]
	st.Past.Runs = []lifecycle.RunRecord{{ID: "r7", Ended: clock, FailedChanges: []lifecycle.FailedChange{
		{Host: back.Target, Change: back.Change, Why: "unknown flag: --proffiling"}}}}
	text := makePlan(w.site, st).Diagnostics.Error()
	if n := strings.Count(text, "the same change failed on this machine at 2026-11-03 09:00 UTC"); n != 1 ||
		!strings.Contains(text, back.Target) || !strings.Contains(text, "unknown flag: --proffiling") {
		t.Errorf("told %d times: %s", n, text)
	}
	for retry, blocked := range map[bool]bool{false: true, true: false} {
		p := Make(w.site, st, lifecycle.PlanOptions{InJob: true, RetryFailed: retry})
		if p.Diagnostics.Has(lifecycle.SeverityBlocked) != blocked {
			t.Errorf("in a job, retry %t: %s", retry, p.Diagnostics.Error())
		}
	}
	past := st.Past
	declare("profiling")
	st = w.observe()
	st.Past = past
	if text := makePlan(w.site, st).Diagnostics.Error(); strings.Contains(text, "failed on this machine") {
		t.Errorf("of a corrected change: %s", text)
	}
}
