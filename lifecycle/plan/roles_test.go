package plan

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Another role is one finding, with a way that there is; a controller that is given a kubelet ails from nothing.
func TestAnotherRole(t *testing.T) {
	for name, c := range map[string]struct {
		of    string
		to    lifecycle.Role
		found []string // summaries, all of them
	}{
		"a worker as controller": {"worker-1", lifecycle.RoleController, []string{"declared as controller, but it runs a worker"}},
		"a worker as controller+worker": {"worker-1", lifecycle.RoleControllerWorker,
			[]string{"declared as controller+worker, but it runs a worker"}},
		"a controller as worker":            {"controller-3", lifecycle.RoleWorker, []string{"declared as worker, but it runs a controller"}},
		"a controller that gets a kubelet":  {"controller-3", lifecycle.RoleControllerWorker, nil},
		"a controller as it is":             {"controller-3", lifecycle.RoleController, nil},
		"a worker as it is, and all others": {"worker-2", lifecycle.RoleWorker, nil},
	} {
		t.Run(name, func(t *testing.T) {
			site := newSite(v136, 3, 2)
			state := built(t, site).observe()
			for i := range state.Hosts {
				if state.Hosts[i].ServiceName == "k0sworker" {
					state.Hosts[i].Workloads = true
				}
			}
			declared := newSite(v136, 3, 2, host(c.of, func(h *lifecycle.Host) {
				h.Role = c.to
				if c.to == lifecycle.RoleControllerWorker {
					h.Arguments = append(h.Arguments, "--enable-worker=true")
				}
			}))
			var found []string
			for _, d := range makePlan(declared, state).Diagnostics {
				if d.Subject == c.of && (d.Severity == lifecycle.SeverityError || strings.Contains(d.Summary, "not Ready")) {
					found = append(found, d.Summary)
				}
			}
			if strings.Join(found, "\n") != strings.Join(c.found, "\n") {
				t.Errorf("found %q, want %q", found, c.found)
			}
		})
	}
}
