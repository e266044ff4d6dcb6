package scaffold

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestMadeUp: only a site as kiban init wrote it is made up. One that has a machine of its own is a site like any other.
func TestMadeUp(t *testing.T) {
	site := func(name string, edit func(hosts []lifecycle.Host) []lifecycle.Host) lifecycle.Site {
		s := lifecycle.Site{Name: "tokyo"}
		for _, m := range Example(name).Machines {
			s.Cluster.Hosts = append(s.Cluster.Hosts, lifecycle.Host{Name: m.Name, Address: m.Address, Role: m.Role})
		}
		s.Cluster.Hosts = edit(s.Cluster.Hosts)
		return s
	}
	whole := func(h []lifecycle.Host) []lifecycle.Host { return h }
	for what, c := range map[string]struct {
		site lifecycle.Site
		want bool
	}{
		"as it was written":  {site("tokyo", whole), true},
		"renamed since":      {site("first", whole), true},
		"an address":         {site("tokyo", func(h []lifecycle.Host) []lifecycle.Host { h[4].Address = "10.0.0.1"; return h }), false},
		"another name":       {site("tokyo", func(h []lifecycle.Host) []lifecycle.Host { h[1].Name = "cp"; return h }), false},
		"the first's name":   {site("tokyo", func(h []lifecycle.Host) []lifecycle.Host { h[0].Name = "cp"; return h }), false},
		"a machine less":     {site("tokyo", func(h []lifecycle.Host) []lifecycle.Host { return h[:4] }), false},
		"a machine more":     {site("tokyo", func(h []lifecycle.Host) []lifecycle.Host { return append(h, lifecycle.Host{Name: "w"}) }), false},
		"another role":       {site("tokyo", func(h []lifecycle.Host) []lifecycle.Host { h[3].Role = "controller"; return h }), false},
		"no machines at all": {lifecycle.Site{}, false},
	} {
		if got := MadeUp(c.site); got != c.want {
			t.Errorf("%s: %t", what, got)
		}
	}
}
