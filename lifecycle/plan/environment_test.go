package plan

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Another environment comes in a turn of the rollout, as other arguments do: there is no need to take the machine out, or to wait for a
// version. The values are shown to nobody.
func TestEnvironmentChangesInATurn(t *testing.T) {
	for _, tt := range []struct {
		name               string
		host               string
		declared, observed string
		edit               func(*lifecycle.HostState)
		turn, told         bool
	}{
		{"as declared", "worker-2", "sha256:a", "sha256:a", nil, false, false},
		{"another", "worker-2", "sha256:a", "sha256:b", nil, true, false},
		{"another, on a controller", "controller-1", "sha256:a", "sha256:b", nil, true, false},
		{"none there", "worker-2", "sha256:a", "", nil, true, false},
		{"none declared", "worker-2", "", "sha256:b", nil, false, true},
		{"not reached", "worker-2", "sha256:a", "", func(h *lifecycle.HostState) { h.Problem = lifecycle.HostUnreachable }, false, false},
	} {
		site := newSite(v135, 1, 2)
		st := seen(t, site)
		for i := range site.Cluster.Hosts {
			if h := &site.Cluster.Hosts[i]; h.Name == tt.host {
				h.Environment = tt.declared
			}
		}
		for i := range st.Hosts {
			if h := &st.Hosts[i]; h.Name == tt.host {
				h.Environment = tt.observed
				if tt.edit != nil {
					tt.edit(h)
				}
			}
		}
		p := planned(t, site, st)
		turn, told, drained := false, false, false
		for _, s := range p.Steps {
			drained = drained || s.Target == tt.host && s.Action == lifecycle.ActionDrain
			if s.Target == tt.host && s.Action == lifecycle.ActionReinstall {
				turn = s.Reason == "the service's environment differs from what is declared" && strings.Join(s.Changes, "") == "~ environment" &&
					(drained || tt.host == "controller-1")
			}
		}
		for _, d := range p.Diagnostics {
			told = told || strings.Contains(d.Summary, "that the site does not declare") && d.Subject == tt.host
		}
		if turn != tt.turn || told != tt.told || !tt.turn && tt.edit == nil && !p.Empty() {
			t.Errorf("%s: turn %v, told %v: %v %v", tt.name, turn, told, p.Steps, p.Diagnostics)
		}
	}
}

func TestEnvironmentIsInPlaceAfterItsTurn(t *testing.T) {
	w := built(t, newSite(v135, 3, 3))
	w.declare(newSite(v135, 3, 3, eachHost(lifecycle.RoleController, proxied), eachHost(lifecycle.RoleWorker, proxied)))
	converge(t, w, serial)
	for name, h := range w.hosts {
		if h.Environment != "sha256:proxy" {
			t.Errorf("%s is given %q", name, h.Environment)
		}
	}
}

func proxied(h *lifecycle.Host) { h.Environment = "sha256:proxy" }
