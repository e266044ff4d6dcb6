package plan

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestEnvironmentThatDiffersIsTold(t *testing.T) {
	for _, tt := range []struct {
		name               string
		declared, observed string
		edit               func(*lifecycle.HostState)
		told               bool
	}{
		{"as declared", "sha256:a", "sha256:a", nil, false},
		{"another", "sha256:a", "sha256:b", nil, true},
		{"none there", "sha256:a", "", nil, true},
		{"none declared", "", "sha256:b", nil, false},
		{"not reached", "sha256:a", "", func(h *lifecycle.HostState) { h.Problem = lifecycle.HostUnreachable }, false},
		{"not installed", "sha256:a", "", func(h *lifecycle.HostState) { h.ServiceName = "" }, false},
	} {
		site := newSite(v135, 1, 2)
		st := seen(t, site)
		for i := range site.Cluster.Hosts {
			if h := &site.Cluster.Hosts[i]; h.Name == "worker-2" {
				h.Environment = tt.declared
			}
		}
		for i := range st.Hosts {
			if h := &st.Hosts[i]; h.Name == "worker-2" {
				h.Environment = tt.observed
				if tt.edit != nil {
					tt.edit(h)
				}
			}
		}
		told := false
		p := makePlan(site, st)
		for _, d := range p.Diagnostics {
			if strings.Contains(d.Summary, "declared environment") {
				told = d.Severity == lifecycle.SeverityWarning && d.Subject == "worker-2" && strings.Contains(d.Hint, "node replace "+site.Name)
			}
		}
		if told != tt.told {
			t.Errorf("%s: told is %v: %v", tt.name, told, p.Diagnostics)
		}
		if tt.edit == nil && !p.Empty() {
			t.Errorf("%s: the plan has steps", tt.name)
		}
	}
}
