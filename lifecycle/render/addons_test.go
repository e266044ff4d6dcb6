package render

import (
	"bytes"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// units are a site's: well, with a failed release, changed by hand, not there yet, left behind, and not known.
func units() []lifecycle.UnitState {
	release := func(chart, version string, revision int, status string) lifecycle.Release {
		return lifecycle.Release{Name: chart, Namespace: chart, Chart: chart, Version: version, Revision: revision, Status: status}
	}
	well := lifecycle.Health{Status: lifecycle.HealthCurrent}
	return []lifecycle.UnitState{
		{Name: "objects", Declared: true, Installed: true, Health: well, Unchanged: 3},
		{Name: "addon/metallb", Declared: true, Installed: true, Chart: "metallb", Version: "0.16.2",
			Release: release("metallb", "0.16.1", 3, "deployed"), Health: well, Changes: rendertest.MetalLBBump().Objects},
		{Name: "addon/datadog", Declared: true, Installed: true, Chart: "datadog", Version: "3.201.2",
			Release: release("datadog", "3.201.2", 7, "failed"), Changed: "its release failed",
			Health: lifecycle.Health{Status: lifecycle.HealthFailed,
				Why: "DaemonSet datadog/datadog-agent: 3 of 4 pods are ready\nPod datadog/datadog-agent-x7k2p: CrashLoopBackOff"}},
		{Name: "addon/argocd", Declared: true, Installed: true, Health: well, Changes: rendertest.Drifted().Objects[:1]},
		{Name: "addon/metrics", Declared: true, Chart: "metrics-server", Version: "3.13.0", Changes: rendertest.ArgoInstall().Objects[:2]},
		{Name: "addon/old", Installed: true, Release: release("old", "1.0.0", 1, "deployed"),
			Health:  lifecycle.Health{Status: lifecycle.HealthInProgress, Why: "Deployment old/old: 0 of 1 pods are ready"},
			Changes: rendertest.Pruned().Objects},
		{Name: "addon/secret", Declared: true, Chart: "x", Version: "2.0.0",
			Unknown: "its secrets are not known: $DATADOG_API_KEY is not set\nmore"},
		{Name: "tenant/product-a", Declared: true, Installed: true, Health: well},
		{Name: "tenant/product-b", Declared: true, Changes: rendertest.TenantAdded("product-b").Objects},
	}
}

func TestAddonsText(t *testing.T) {
	var b bytes.Buffer
	var addons []lifecycle.UnitState
	for _, u := range units() {
		if strings.HasPrefix(u.Name, lifecycle.UnitAddon) {
			addons = append(addons, u)
		}
	}
	if err := AddonsText(&b, "tokyo-prod", addons, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "addons.txt", b.String())
	b.Reset()
	if err := AddonsText(&b, "tokyo-prod", nil, Style{}); err != nil ||
		b.String() != "tokyo-prod has no addons, neither declared nor in its cluster.\n" {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestStatusOfUnits(t *testing.T) {
	site := rendertest.Site(t, 1, 1)
	st := stateOf(t, site)
	st.Units = units()
	external := lifecycle.Site{Name: "virginia-eks", Provider: lifecycle.ProviderExternal}
	elsewhere := lifecycle.State{Site: external.Name,
		Nodes: []lifecycle.NodeState{{Name: "ip-10-0-1-7", Ready: true, Kubelet: "v1.36.3-eks-1"}}, Units: units()[:2]}
	unreached := lifecycle.State{Site: external.Name, API: lifecycle.APIState{Unknown: "dial tcp: i/o timeout"}}
	for _, tt := range []struct {
		name string
		site lifecycle.Site
		st   lifecycle.State
	}{{"status_units.txt", site, st}, {"status_external.txt", external, elsewhere}, {"status_unreached.txt", external, unreached}} {
		var b bytes.Buffer
		if err := StatusText(&b, tt.site, tt.st, observe.Problems(tt.site, tt.st), Style{}); err != nil {
			t.Fatal(err)
		}
		golden(t, tt.name, b.String())
	}
}

func TestTenantsText(t *testing.T) {
	use := func(name, used, hard string, share float64) lifecycle.ResourceUse {
		return lifecycle.ResourceUse{Name: name, Used: used, Hard: hard, Share: share}
	}
	uses := []lifecycle.TenantUse{
		{Tenant: "product-a", Namespace: "product-a", Declared: true,
			Resources: []lifecycle.ResourceUse{use("requests.cpu", "15", "20", 0.75), use("requests.memory", "39Gi", "40Gi", 0.975)}},
		{Tenant: "product-a", Namespace: "product-a-batch", Declared: true,
			Resources: []lifecycle.ResourceUse{use("count/jobs.batch", "200", "200", 1)}},
		{Tenant: "product-b", Namespace: "product-b", Declared: true},
		{Tenant: "product-c", Namespace: "product-c", Declared: true, Missing: true},
		{Tenant: "product-x", Namespace: "product-x", Resources: []lifecycle.ResourceUse{use("requests.cpu", "0", "20", 0)}},
	}
	var b, colored bytes.Buffer
	if err := TenantsText(&b, "tokyo-prod", uses, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "tenants.txt", b.String())
	err := onTerminal(&colored, func(w *Writer, s Style) error { return TenantsText(w, "tokyo-prod", uses, s) })
	if err != nil || stripANSI(colored.String()) != b.String() || colored.String() == b.String() {
		t.Errorf("%v: colour changes the text, or there is none:\n%s", err, colored.String())
	}
	b.Reset()
	if err := TenantsText(&b, "tokyo-prod", nil, Style{}); err != nil || !strings.Contains(b.String(), "has no tenants") {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestPromisesText(t *testing.T) {
	promises := []lifecycle.Promise{
		{Name: "load balancer", State: lifecycle.GateMet, Reason: "Service kiban-verify/probe got 10.1.0.240 in 2s"},
		{Name: "storage", State: lifecycle.GateFailed, Reason: "the claim is still Pending: no volume of class fast"},
		{Name: "dns", State: lifecycle.GateWaiting, Reason: "no answer in 2m"},
		{Name: "node label type=storage", State: lifecycle.GateSkipped, Reason: "no probe image"},
		{Name: "node label type=gpu", State: lifecycle.GateFailed, Reason: "agnhost can't be pulled", MissingImage: "agnhost"},
	}
	var b bytes.Buffer
	if err := PromisesText(&b, promises, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "promises.txt", b.String())
	for _, p := range promises {
		if broken := p.Name == "storage" || p.Name == "dns" || p.MissingImage != ""; p.IsBroken() != broken {
			t.Errorf("%s: broken is %t, want %t", p.Name, p.IsBroken(), broken)
		}
	}
}
