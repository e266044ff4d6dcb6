package plan

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

const mib = 1 << 20

// holding gives a controller's etcd a file of size with so much in use; its quota is 2 GiB. The alarms are those of all of etcd.
func holding(w *world, machine string, size, inUse int64, leads bool, alarms ...string) {
	w.hosts[machine].Etcd = &lifecycle.EtcdStatus{Size: size, InUse: inUse, Quota: 2048 * mib, Leads: leads, Alarms: alarms}
}

// TestMaintainEtcd: only what is worth it is defragmented, the leader last; out of space, old revisions go before and the alarm behind.
// What keeps kiban from it is said.
func TestMaintainEtcd(t *testing.T) {
	for name, c := range map[string]struct {
		controllers int
		befall      func(w *world)
		want        string // the steps
		says        string // among the findings; "": the plan may go, with no finding
	}{
		"all is well": {3, func(*world) {}, "", ""},
		"the leader and another are hollow": {3, func(w *world) {
			holding(w, "controller-1", 900*mib, 300*mib, true)
			holding(w, "controller-3", 800*mib, 300*mib, false)
		}, "controller-3/defragment controller-1/defragment", ""},
		"out of space": {3, func(w *world) {
			for i, name := range []string{"controller-1", "controller-2", "controller-3"} {
				holding(w, name, 2047*mib, 2000*mib, i == 0, lifecycle.EtcdNoSpace)
			}
		}, "controller-2/compact-etcd controller-2/defragment controller-3/defragment controller-1/defragment controller-2/disarm-etcd", ""},
		"out of space, with room again": {3, func(w *world) {
			holding(w, "controller-2", 300*mib, 290*mib, false, lifecycle.EtcdNoSpace)
		}, "controller-2/compact-etcd controller-2/disarm-etcd", ""},
		"alone": {1, func(w *world) { holding(w, "controller-1", 900*mib, 300*mib, true) }, "controller-1/defragment",
			"warning lab: the API is away while etcd writes a file anew"},
		"a member does not say": {3, func(w *world) {
			holding(w, "controller-1", 900*mib, 300*mib, false)
			w.hosts["controller-2"].Etcd = &lifecycle.EtcdStatus{Unknown: "curl: it is not installed there"}
		}, "controller-1/defragment", "blocked controller-2: how its etcd is is not known"},
		"one is away": {3, func(w *world) {
			holding(w, "controller-1", 900*mib, 300*mib, false)
			w.hosts["controller-3"].Problem, w.hosts["controller-3"].Etcd = lifecycle.HostUnreachable, nil
		}, "controller-1/defragment", "blocked controller-3: the controller is not reached"},
		"corrupt": {3, func(w *world) { holding(w, "controller-1", 900*mib, 300*mib, false, lifecycle.EtcdCorrupt) },
			"controller-1/defragment", "blocked lab: the data of etcd's members differ"},
	} {
		w := built(t, newSite(v136, c.controllers, 1))
		for i, m := range w.etcd {
			holding(w, m, 90*mib, 40*mib, i == 0)
		}
		c.befall(w)
		p := MaintainEtcd(w.site, w.observe())
		orderly(t, p)
		var steps, said []string
		for _, s := range p.Steps {
			steps = append(steps, s.ID)
			if s.Action == lifecycle.ActionDefragment && (len(s.Before) < 2 || len(s.After) == 0) {
				t.Errorf("%s: %s is not guarded: %+v", name, s.ID, s)
			}
		}
		for _, d := range p.Diagnostics {
			said = append(said, fmt.Sprintf("%s %s: %s", d.Severity, d.Subject, d.Summary))
		}
		if got := strings.Join(steps, " "); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if got := strings.Join(said, "; "); !strings.HasPrefix(got, c.says) || c.says == "" && got != "" {
			t.Errorf("%s: it says %q, want %q", name, got, c.says)
		}
	}
}

// TestMaintainEtcdResumes: killed before any part of any step, the next plan has the rest, touches no member twice, and the end is the
// same.
func TestMaintainEtcdResumes(t *testing.T) {
	for kill := range 12 {
		w := built(t, newSite(v136, 3, 1))
		for i, m := range w.etcd {
			holding(w, m, 2047*mib, 2000*mib, i == 1, lifecycle.EtcdNoSpace)
		}
		done, left := map[string]int{}, kill
		for runs := 0; ; runs++ {
			p := MaintainEtcd(w.site, w.observe())
			if p.Empty() {
				break
			}
			if runs > 2 {
				t.Fatalf("killed at %d: it does not end: %v", kill, p.Steps)
			}
			for _, s := range p.Steps {
				if left == 0 && runs == 0 {
					break
				}
				left--
				for _, part := range w.parts(s) {
					part(w)
				}
				done[s.ID]++
			}
		}
		for id, n := range done {
			if strings.HasSuffix(id, "/defragment") && n != 1 {
				t.Errorf("killed at %d: %s was done %d times", kill, id, n)
			}
		}
		if len(w.lost) > 0 || w.observe().Raised(lifecycle.EtcdNoSpace) || len(done) != 5 {
			t.Errorf("killed at %d: %v, %v", kill, w.lost, done)
		}
	}
}
