package plan

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// gone switches controllers off, as far as anybody can tell from here.
func gone(names ...string) func(*world) {
	return func(w *world) {
		for _, name := range names {
			w.hosts[name] = &lifecycle.HostState{Name: name, Problem: lifecycle.HostUnreachable, Why: "no route to host"}
		}
	}
}

// TestLostQuorum: where too few of etcd's members are up, and the plan can't start as many as are missing, that is what it says, with the
// ways back. It stops a plan that can do nothing else, and a task for any machine.
func TestLostQuorum(t *testing.T) {
	stopped := func(names ...string) func(*world) {
		return func(w *world) {
			for _, name := range names {
				w.stop(name)
			}
		}
	}
	for name, c := range map[string]struct {
		controllers int
		befall      []func(*world)
		summary     string
		severity    lifecycle.Severity
		starts      bool
		young       bool // the controllers have started just now
	}{
		"two of three are gone": {controllers: 3, befall: []func(*world){gone("controller-2", "controller-3")},
			summary: "etcd has 1 of 3 members: no quorum", severity: lifecycle.SeverityBlocked},
		"others may be starting too": {controllers: 3, befall: []func(*world){gone("controller-2", "controller-3")}, young: true,
			summary: "etcd has 1 of 3 members: no quorum", severity: lifecycle.SeverityWarning, starts: true},
		"one is gone, and one is stopped": {controllers: 3, befall: []func(*world){gone("controller-2"), stopped("controller-3")}, starts: true},
		"all are stopped": {controllers: 3, befall: []func(*world){stopped("controller-1", "controller-2", "controller-3")},
			starts: true},
		"too few can be started": {controllers: 3, befall: []func(*world){gone("controller-2", "controller-3"), stopped("controller-1")},
			summary: "etcd has 0 of 3 members: no quorum", severity: lifecycle.SeverityWarning, starts: true},
		"one alone": {controllers: 1, befall: []func(*world){stopped("controller-1")}, starts: true},
	} {
		w := built(t, newSite(v136, c.controllers, 1))
		for _, h := range w.hosts {
			if !c.young {
				h.ServiceSince = clock.Add(-time.Hour)
			}
		}
		for _, befall := range c.befall {
			befall(w)
		}
		st := w.observe()
		p := makePlan(w.site, st)
		found := lifecycle.Diagnostic{}
		for _, d := range p.Diagnostics {
			if strings.Contains(d.Summary, "no quorum") {
				found = d
			}
		}
		if found.Summary != c.summary || found.Severity != c.severity || p.Empty() == c.starts {
			t.Errorf("%s: %+v\n%s", name, p.Diagnostics, outline(p))
		}
		if c.severity != lifecycle.SeverityBlocked {
			continue
		}
		if len(p.Diagnostics) == 0 || !strings.Contains(found.Hint, "Bring controller-2 or controller-3 back") {
			t.Errorf("%s: %s", name, found.Hint)
		}
		for _, d := range p.Diagnostics {
			if strings.Contains(d.Summary, "the API does not answer") {
				t.Errorf("%s: it says so twice: %s", name, d.Summary)
			}
		}
		task := Node(w.site, st, lifecycle.NodeTask{Verb: lifecycle.NodeDrain, Host: "worker-1"})
		if len(task.Diagnostics) != 1 || task.Diagnostics[0].Summary != c.summary || task.Diagnostics.Err() == nil {
			t.Errorf("%s, a task: %+v", name, task.Diagnostics)
		}
	}
}

// TestEtcdsAlarmsStopChangesOfControllers: a plan that changes a controller stops at an alarm of etcd, and warns of what should be seen to;
// one that leaves the control plane alone does neither, and for another version readiness says it.
func TestEtcdsAlarmsStopChangesOfControllers(t *testing.T) {
	full := func(st *lifecycle.State) {
		hostState(st, "controller-2").Etcd = &lifecycle.EtcdStatus{Size: 2 << 30, InUse: 1 << 30, Quota: 2 << 30,
			Alarms: []string{lifecycle.EtcdNoSpace}}
	}
	hollow := func(st *lifecycle.State) {
		hostState(st, "controller-2").Etcd = &lifecycle.EtcdStatus{Size: 1 << 30, InUse: 1 << 28, Quota: 2 << 30}
	}
	arguments := eachHost(lifecycle.RoleController, config(`{"spec":{"api":{"sans":["a.example"]}}}`))
	for name, c := range map[string]struct {
		site lifecycle.Site
		seen func(*lifecycle.State)
		want string // severity and summary; "": nothing is said
	}{
		"full, controllers change":   {newSite(v135, 3, 1, arguments), full, "blocked etcd is out of space"},
		"hollow, controllers change": {newSite(v135, 3, 1, arguments), hollow, "warning etcd's file is hollow"},
		"full, nothing changes":      {newSite(v135, 3, 1), full, ""},
		"full, another version":      {newSite(v136, 3, 1), full, ""},
	} {
		w := built(t, newSite(v135, 3, 1))
		w.declare(c.site)
		st := w.observe()
		c.seen(&st)
		var said []string
		for _, d := range makePlan(w.site, st).Diagnostics {
			if strings.Contains(d.Summary, "etcd") {
				said = append(said, string(d.Severity)+" "+d.Summary)
			}
		}
		if got := strings.Join(said, "; "); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || len(said) > 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
