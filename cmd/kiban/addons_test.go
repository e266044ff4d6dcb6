package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// unitsState is a site with an addon that is well, one that is not, and a tenant.
func unitsState() lifecycle.State {
	return lifecycle.State{Site: "lab", Units: []lifecycle.UnitState{
		{Name: "addon/metallb", Declared: true, Installed: true, Chart: "metallb", Version: "0.16.2",
			Health: lifecycle.Health{Status: lifecycle.HealthCurrent},
			Release: lifecycle.Release{Name: "metallb", Namespace: "metallb-system", Chart: "metallb", Version: "0.16.1", Revision: 3,
				Status: "deployed"}},
		{Name: "addon/argocd", Declared: true, Installed: true,
			Health: lifecycle.Health{Status: lifecycle.HealthFailed, Why: "Deployment argocd/argocd-server: 0 of 1 pods are ready"}},
		{Name: "tenant/product-a", Declared: true, Installed: true, Health: lifecycle.Health{Status: lifecycle.HealthCurrent}},
	}}
}

func TestAddons(t *testing.T) {
	f := &fakeSite{state: unitsState()}
	for form, want := range map[string]string{"text": "metallb  metallb    0.16.2    0.16.1     3         healthy",
		"json": `"name": "addon/argocd"`, "yaml": "name: addon/metallb"} {
		r := f.kiban(t, t.TempDir(), nil, "addons", "lab", "-o", form)
		if r.code != 0 || !strings.Contains(r.out, want) || strings.Contains(r.out, "product-a") {
			t.Errorf("%s: exit %d, no %q, or a tenant, in\n%s%s", form, r.code, want, r.out, r.err)
		}
		if f.applied != nil {
			t.Errorf("%s: addons applied something", form)
		}
	}
	none := (&fakeSite{}).kiban(t, t.TempDir(), nil, "addons", "lab", "-o", "json")
	var report addonsReport
	if err := json.Unmarshal([]byte(none.out), &report); err != nil || report.Site != "lab" || report.Addons == nil {
		t.Errorf("%v: %s, want an empty list, not null", err, none.out)
	}
}

// What another site's cluster has is not shown as this site's.
func TestAddonsOfAnotherCluster(t *testing.T) {
	st := unitsState()
	st.API.Site = "osaka"
	f := &fakeSite{state: st}
	if r := f.kiban(t, t.TempDir(), nil, "addons", "lab"); r.code != exitFailed || r.out != "" ||
		!strings.Contains(r.err, "the cluster says that it is site osaka") {
		t.Errorf("addons: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := f.kiban(t, t.TempDir(), nil, "status", "lab"); !strings.Contains(r.out, "the cluster says that it is site osaka") ||
		strings.Contains(r.out, "on addon argocd") {
		t.Errorf("status: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestStatusTellsOfAddons(t *testing.T) {
	f := &fakeSite{state: unitsState()}
	for form, want := range map[string]string{"text": "Error: it is not healthy\n  on addon argocd",
		"json": `"summary": "it is not healthy"`} {
		if r := f.kiban(t, t.TempDir(), nil, "status", "lab", "-o", form); r.code != 0 || !strings.Contains(r.out, want) {
			t.Errorf("%s: exit %d, no %q in\n%s%s", form, r.code, want, r.out, r.err)
		}
	}
}

func TestAddonsCommandLine(t *testing.T) {
	a := &app{services: (&fakeSite{}).services()}
	a.fleet = t.TempDir()
	var got [2]string
	cmd := newAddons(a, func(_ context.Context, o *addonsOptions) error { got = [2]string{o.Site, o.output.form}; return nil })
	cmd.SetArgs([]string{"tokyo", "-o", "yaml"})
	if err := cmd.ExecuteContext(t.Context()); err != nil || got != [2]string{"tokyo", "yaml"} {
		t.Errorf("got %v, %v", got, err)
	}
}
