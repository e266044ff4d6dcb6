package plan

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// k0s is where the overlay says that it is, or the finding says what to write there.
func TestK0sLiesWhereItIsDeclared(t *testing.T) {
	const usual, flatcar = "/usr/local/bin/k0s", "/opt/bin/k0s"
	for name, c := range map[string]struct {
		declared, has, os string
		fresh             bool
		says              string
	}{
		"at the usual place":               {usual, usual, "debian 13", false, ""},
		"on Flatcar, declared":             {flatcar, flatcar, "flatcar 4081.2.0", false, ""},
		"on Flatcar, as k0sctl left it":    {usual, flatcar, "flatcar 4081.2.0", false, "k0sInstallPath: /opt/bin/k0s"},
		"moved by hand":                    {usual, "/srv/k0s", "debian 13", false, "k0sInstallPath: /srv/k0s"},
		"a unit that can't be read":        {usual, "", "debian 13", false, ""},
		"a fresh Flatcar":                  {usual, "", "flatcar 4081.2.0", true, "k0sInstallPath: /opt/bin/k0s"},
		"a fresh Flatcar, declared":        {flatcar, "", "flatcar 4081.2.0", true, ""},
		"a fresh machine of another maker": {usual, "", "debian 13", true, ""},
	} {
		site := newSite(v136, 1, 2, host("worker-1", func(h *lifecycle.Host) { h.Program = c.declared }))
		state := seen(t, site)
		with("worker-1", func(h *lifecycle.HostState) {
			if c.fresh {
				*h = lifecycle.HostState{Name: h.Name, Hostname: h.Name, Arch: "amd64", FreeBytes: 10 << 30, Service: lifecycle.ServiceAbsent}
			}
			h.Program, h.OS = c.has, c.os
			if c.has != "" && c.has != c.declared {
				h.Binary = lifecycle.Version{} // nothing lies where it is looked for
			}
		})(&state)
		found := Make(site, state, lifecycle.PlanOptions{}).Diagnostics
		switch {
		case c.says == "" && found.Err() != nil:
			t.Errorf("%s: %v", name, found)
		case c.says != "" && (len(found) != 1 || !strings.Contains(found[0].Hint, c.says)):
			t.Errorf("%s: %v, want %q", name, found, c.says)
		}
	}
}
