package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Where k0s keeps its configuration in the cluster, it is compared and written there; no controller is restarted for it.
func TestDynamicConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		have, want string // spec in the cluster; "" for none
		changes    []string
		refused    string
		told       string
	}{
		"as declared": {have: `{"telemetry":{"enabled":true}}`, want: `{"telemetry":{"enabled":true}}`},
		"a change": {have: `{"telemetry":{"enabled":true}}`, want: `{"telemetry":{"enabled":false}}`,
			changes: []string{"spec.telemetry.enabled: true -> false"}},
		"new":                  {have: `{}`, want: `{"telemetry":{"enabled":true}}`, changes: []string{"spec.telemetry.enabled: (none) -> true"}},
		"what k0s does anyway": {have: `{}`, want: `{"network":{"provider":"kuberouter","kuberouter":{"autoMTU":true}}}`},
		"what nobody declares": {have: `{"network":{"kuberouter":{"mtu":1400}}}`, want: `{"telemetry":{}}`,
			told: "spec.network.kuberouter.mtu: 1400"},
		"what k0s fills in": {have: `{"images":{"coredns":{"version":"1.12"}},"network":{"provider":"kuberouter",` +
			`"kuberouter":{"autoMTU":true,"mtu":0,"metricsPort":8080},"calico":null,"clusterDomain":"cluster.local",` +
			`"kubeProxy":{"mode":"iptables","metricsBindAddress":"0.0.0.0:10249","ipvs":{}}},` +
			`"telemetry":{"enabled":false},"konnectivity":{"agentPort":8132,"adminPort":8133},"workerProfiles":null}`, want: `{}`},
		"an item less": {have: `{"workerProfiles":[{"name":"a"},{"name":"b"}]}`, want: `{"workerProfiles":[{"name":"a"}]}`,
			changes: []string{"spec.workerProfiles[1].name: b -> (none)"}, told: "spec.workerProfiles does not act at once"},
		"another network": {have: `{}`, want: `{"network":{"podCIDR":"10.1.0.0/16"}}`,
			changes: []string{"spec.network.podCIDR: (none) -> 10.1.0.0/16"},
			refused: "podCIDR: (none) -> 10.1.0.0/16"},
		"a secret": {have: `{}`, want: `{"extensions":{"helm":{"repositories":[{"name":"a","password":"hunter2"}]}}}`,
			changes: []string{"spec.extensions.helm.repositories[0].name: (none) -> a",
				"spec.extensions.helm.repositories[0].password: (masked) changes"}},
		"not to be seen": {want: `{"telemetry":{"enabled":true}}`, told: "k0s's configuration in the cluster cannot be seen"},
	} {
		site := newSite(v136, 3, 1, func(s *lifecycle.Site) {
			s.Cluster.DynamicConfig, s.Cluster.Config = true, []byte(`{"spec":`+c.want+`}`)
		})
		st := seen(t, newSite(v136, 3, 1))
		if c.have != "" {
			st.API.ClusterConfig = []byte(`{"spec":` + c.have + `}`)
		}
		p := planned(t, site, st)
		var changes []string
		for _, s := range p.Steps {
			if s.Action != lifecycle.ActionClusterConfig || s.Disrupts || s.Target != "" || s.ID != "cluster/cluster-config" {
				t.Errorf("%s: %+v", name, s)
			}
			changes = append(changes, s.Changes...)
		}
		d, refused := refusal(p, "what a living cluster cannot change")
		said := fmt.Sprint(p.Diagnostics)
		if !slices.Equal(changes, c.changes) || refused != (c.refused != "") || !strings.Contains(d.Detail,
			c.refused) || !strings.Contains(said, c.told) ||
			strings.Contains(fmt.Sprint(p), "hunter2") {
			t.Errorf("%s: %q, want %q; %v", name, changes, c.changes, p.Diagnostics)
		}
		if c.told == "" && c.refused == "" && len(p.Diagnostics) > 0 {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
	}
}

// TestDynamicConfigurationGoesBack: a change that is reverted is planned as the way back. A setting that only the change named stays, and
// is told with its value.
func TestDynamicConfigurationGoesBack(t *testing.T) {
	site := newSite(v136, 3, 1, func(s *lifecycle.Site) {
		s.Cluster.DynamicConfig, s.Cluster.Config = true, []byte(`{"spec":{"telemetry":{"enabled":true}}}`)
	})
	st := seen(t, newSite(v136, 3, 1))
	st.API.ClusterConfig = []byte(`{"spec":{"telemetry":{"enabled":false},"network":{"kuberouter":{"mtu":1400}}}}`)
	p := planned(t, site, st)
	if len(p.Steps) != 1 || !slices.Equal(p.Steps[0].Changes, []string{"spec.telemetry.enabled: false -> true"}) {
		t.Errorf("the way back is\n%s", outline(p))
	}
	if said := fmt.Sprint(p.Diagnostics); !strings.Contains(said, "spec.network.kuberouter.mtu: 1400") {
		t.Errorf("what stays is not told: %s", said)
	}
}

// TestDynamicConfigurationIsWatched: k0s rolls out what it takes up on every node at once, so that is for a window, and k0s's own workloads
// and the site's probes are well before anything goes on. A label is told to Kubernetes at any time.
func TestDynamicConfigurationIsWatched(t *testing.T) {
	site := newSite(v136, 1, 1, func(s *lifecycle.Site) {
		s.Cluster.DynamicConfig, s.Cluster.Config = true, []byte(`{"spec":{"network":{"kubeProxy":{"mode":"ipvs"}}}}`)
		s.Policy.Windows, s.Policy.Probes = []lifecycle.Window{{}}, []string{"https://a.example/"}
	}, host("worker-1", argument("--labels=a=b")))
	st := seen(t, newSite(v136, 1, 1))
	st.API.ClusterConfig = []byte(`{"spec":{}}`)
	gates := func(gs []lifecycle.Gate) (out []string) {
		for _, g := range gs {
			out = append(out, fmt.Sprint(g.Kind, " ", g.For))
		}
		return out
	}
	found := 0
	for _, s := range planned(t, site, st).Steps {
		switch s.Action {
		case lifecycle.ActionClusterConfig:
			found++
			b, a := gates(s.Before), gates(s.After)
			if !slices.Equal(b, []string{"window 0s"}) || !slices.Equal(a, []string{"system 5s", "probes 0s"}) {
				t.Errorf("before: %q, after: %q", b, a)
			}
		case lifecycle.ActionLabel:
			found++
			if len(s.Before)+len(s.After) > 0 {
				t.Errorf("a label waits: %+v", s)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d of the two steps are planned", found)
	}
}
