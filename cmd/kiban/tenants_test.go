package main

import (
	"context"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestTenants(t *testing.T) {
	f := &fakeSite{uses: []lifecycle.TenantUse{
		{Tenant: "product-a", Namespace: "product-a", Declared: true,
			Resources: []lifecycle.ResourceUse{{Name: "requests.cpu", Used: "15", Hard: "20", Share: 0.75}}},
		{Tenant: "product-x", Namespace: "product-x"},
	}}
	for form, want := range map[string]string{"text": "product-a  product-a  requests.cpu  15    20     75%", "json": `"share": 0.75`,
		"yaml": "tenant: product-x"} {
		if r := f.kiban(t, t.TempDir(), nil, "tenants", "lab", "-o", form); r.code != 0 || !strings.Contains(r.out, want) {
			t.Errorf("%s: exit %d, no %q in\n%s%s", form, r.code, want, r.out, r.err)
		}
	}
	if r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "tenants", "lab", "-o", "json"); r.code != 0 ||
		!strings.Contains(r.out, `"namespaces": []`) {
		t.Errorf("exit %d: %s, want an empty list, not null", r.code, r.out)
	}
}

func TestTenantsCommandLine(t *testing.T) {
	a := &app{services: (&fakeSite{}).services()}
	a.fleet = t.TempDir()
	var got [2]string
	cmd := newTenants(a, func(_ context.Context, o *tenantsOptions) error { got = [2]string{o.Site, o.output.form}; return nil })
	cmd.SetArgs([]string{"tokyo", "-o", "json"})
	if err := cmd.ExecuteContext(t.Context()); err != nil || got != [2]string{"tokyo", "json"} {
		t.Errorf("got %v, %v", got, err)
	}
}
