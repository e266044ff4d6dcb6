package plan

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// ending gives a machine a certificate of a year's life that ends in so many days.
func ending(machine, name string, days int, renewed lifecycle.Renewal) func(*lifecycle.State) {
	return func(st *lifecycle.State) {
		h := hostState(st, machine)
		end := clock.AddDate(0, 0, days)
		h.Certificates = append(h.Certificates, lifecycle.Certificate{Name: name, NotBefore: end.AddDate(-1, 0, 0), NotAfter: end,
			Renewed: renewed})
	}
}

func TestCertificatesThatEndAreTold(t *testing.T) {
	site := newSite(v136, 3, 2)
	const start, hand, kubelet = lifecycle.RenewedByStart, lifecycle.RenewedByHand, lifecycle.RenewedByKubelet
	for name, tt := range map[string]struct {
		seen []func(*lifecycle.State)
		want string // "": nothing is found
	}{
		"fresh":      {[]func(*lifecycle.State){ending("controller-1", "server", 200, start)}, ""},
		"none known": {nil, ""},
		"in time": {[]func(*lifecycle.State){ending("controller-1", "server", 80, start)},
			"k0s's certificates end: the first ends on"},
		"the first of several": {[]func(*lifecycle.State){ending("controller-2", "server", 80, start), ending("controller-2", "etcd/peer",
			5, start)}, "in 5 days"},
		"within hours": {[]func(*lifecycle.State){ending("controller-2", "server", 1, start)}, "in 24 hours"},
		"over":         {[]func(*lifecycle.State){ending("controller-2", "server", -1, start)}, "the first ended on"},
		"an authority": {[]func(*lifecycle.State){ending("controller-1", "etcd/ca", 80, hand)},
			"the certificate etcd/ca, which k0s does not renew, ends on"},
		"a kubelet that is yet to": {[]func(*lifecycle.State){ending("worker-1", "kubelet-client", 60, kubelet)}, ""},
		"a kubelet that did not": {[]func(*lifecycle.State){ending("worker-1", "kubelet-client", 20, kubelet)},
			"the kubelet has not renewed its certificate"},
	} {
		st := built(t, site).observe()
		for _, see := range tt.seen {
			see(&st)
		}
		p := makePlan(site, st)
		found := fmt.Sprint(p.Diagnostics)
		if len(p.Steps) > 0 || (tt.want == "") != (len(p.Diagnostics) == 0) || !strings.Contains(found, tt.want) {
			t.Errorf("%s: got %d steps and %s", name, len(p.Steps), found)
		}
	}
}

// A plan that restarts a controller anyway does not warn of what that renews.
func TestRestartRenewsCertificates(t *testing.T) {
	w := built(t, newSite(v136, 1, 1))
	w.declare(newSite(v136, 1, 1, eachHost(lifecycle.RoleController, config(`{"spec":{"api":{"sans":["a.example"]}}}`))))
	st := w.observe()
	ending("controller-1", "server", 5, lifecycle.RenewedByStart)(&st)
	if p := makePlan(w.site, st); len(p.Steps) == 0 || strings.Contains(fmt.Sprint(p.Diagnostics), "certificates end") {
		t.Errorf("got %s", outline(p))
	}
}

// TestRenew: k0s restarts on the controllers whose certificates end soon and on no other, one after another, behind the gates of any
// restart, and the next plan is empty. What keeps kiban from it is said; what is not known is not called good.
func TestRenew(t *testing.T) {
	site := newSite(v136, 3, 2)
	const start = lifecycle.RenewedByStart
	for name, c := range map[string]struct {
		seen []func(*lifecycle.State)
		all  bool
		want string // the machines that restart
		says string // among the findings
	}{
		"all last": {seen: []func(*lifecycle.State){ending("controller-1", "server", 200, start),
			ending("controller-2", "server", 200, start), ending("controller-3", "server", 200, start)}},
		"two end soon": {seen: []func(*lifecycle.State){ending("controller-1", "server", 5, start),
			ending("controller-2", "server", 200, start), ending("controller-3", "etcd/peer", -1, start)}, want: "controller-1 controller-3"},
		"all are wanted, and one was renewed": {seen: []func(*lifecycle.State){ending("controller-1", "server", 365, start),
			ending("controller-2", "server", 200, start), ending("controller-3", "server", 200, start)}, all: true,
			want: "controller-2 controller-3"},
		"one is not known": {seen: []func(*lifecycle.State){ending("controller-1", "server", 5, start),
			ending("controller-2", "server", 5, start)}, want: "controller-1 controller-2",
			says: "controller-3 when its certificates end is not known"},
		"one is not known, and all are wanted": {seen: []func(*lifecycle.State){ending("controller-1", "server", 365, start),
			ending("controller-2", "server", 365, start)}, all: true, want: "controller-3"},
		"one is of another authority": {seen: []func(*lifecycle.State){ending("controller-1", "server", 365, start),
			ending("controller-1", "admin", 5, lifecycle.RenewedByHand), ending("controller-2", "server", 365, start),
			ending("controller-3", "server", 365, start)}, says: "which k0s does not renew"},
		"one is out of reach": {seen: []func(*lifecycle.State){ending("controller-1", "server", 365, start),
			ending("controller-2", "server", 5, start), died("controller-3")}, want: "controller-2", says: "controller-3"},
		"k0s does not run on one": {seen: []func(*lifecycle.State){ending("controller-1", "server", 365, start),
			ending("controller-2", "server", 365, start), ending("controller-3", "server", 5, start), func(st *lifecycle.State) {
				h := hostState(st, "controller-3")
				h.Running, h.Service = lifecycle.Version{}, lifecycle.ServiceStopped
			}}, says: "k0s does not run there"},
	} {
		t.Run(name, func(t *testing.T) {
			w := built(t, site)
			st := w.observe()
			for _, see := range c.seen {
				see(&st)
			}
			p := Renew(site, st, c.all)
			orderly(t, p)
			var restarts []string
			for _, s := range p.Steps {
				if s.Action != lifecycle.ActionRestart || len(s.Before) == 0 || len(s.After) == 0 {
					t.Errorf("%s: %+v", s.ID, s)
				}
				restarts = append(restarts, s.Target)
			}
			found := fmt.Sprint(p.Diagnostics)
			if got := strings.Join(restarts, " "); got != c.want {
				t.Errorf("%q restart, want %q: %s", got, c.want, found)
			}
			if said := strings.ReplaceAll(found, ": ", " "); !strings.Contains(said, c.says) || c.says == "" && p.Diagnostics.Err() != nil {
				t.Errorf("it says %s, want %q", found, c.says)
			}
			if p.Diagnostics.Err() == nil {
				if _, done := w.execute(t, p, serial, -1); !done || len(w.lost) > 0 {
					t.Errorf("not carried out: %v", w.lost)
				}
			}
		})
	}
}
