package readiness

import (
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestWriters: an object in no namespace concerns whose release it is of, whose team label it has, or the addon that wrote it.
func TestWriters(t *testing.T) {
	site := lifecycle.Site{Addons: []lifecycle.Addon{{Name: "metallb", Namespace: "metallb-system"}},
		Tenants: []lifecycle.Tenant{{Name: "shop", Namespaces: []lifecycle.TenantNamespace{{Name: "shop-prod"}}}}}
	cluster, within := lifecycle.ObjectRef{Name: "x"}, lifecycle.ObjectRef{Namespace: "other", Name: "x"}
	for want, w := range map[string]lifecycle.APIWrite{
		"addon metallb":              {Object: cluster, Manager: "metallb-controller"},
		"tenant shop":                {Object: cluster, Manager: "helm", Release: "shop-prod"},
		"team pay":                   {Object: cluster, Manager: "kubectl", Team: "pay"},
		"addon metallb (team infra)": {Object: cluster, Manager: "helm", Release: "metallb-system"},
		"":                           {Object: within, Manager: "metallb"},
	} {
		if got := writer(site, w, map[string]string{"metallb-system": "infra"}); got != want {
			t.Errorf("%+v: %q, want %q", w, got, want)
		}
	}
	if got := writer(site, lifecycle.APIWrite{Object: cluster, Manager: "metallbird"}, nil); got != "" {
		t.Errorf("another's name is taken for an addon's: %q", got)
	}
}

// A release is of the team that its namespace names, as the objects in it are.
func TestReleaseIsOfItsTeam(t *testing.T) {
	l := &apiLook{Input: Input{Evidence: lifecycle.Evidence{APIs: &lifecycle.APIEvidence{Writes: lifecycle.Answer[lifecycle.APIWrites]{
		Value: lifecycle.APIWrites{Teams: map[string]string{"shop": "red"}}}}}}}
	for namespace, want := range map[string]string{"shop": "team red", "bank": ""} {
		if got := l.releaseOwner(lifecycle.ReleaseAPI{Namespace: namespace, Name: "web"}); got != want {
			t.Errorf("%s: %q, want %q", namespace, got, want)
		}
	}
}

// A request concerns whose the namespace of its service account is; one of kube-system, the addon under whose name it is.
func TestCallersAreOfTheirNamespace(t *testing.T) {
	in := Input{Site: lifecycle.Site{Addons: []lifecycle.Addon{{Name: "metallb", Namespace: "kube-system"}},
		Tenants: []lifecycle.Tenant{{Name: "shop", Namespaces: []lifecycle.TenantNamespace{{Name: "shop-prod"}}}}},
		Evidence: lifecycle.Evidence{APIs: &lifecycle.APIEvidence{Writes: lifecycle.Answer[lifecycle.APIWrites]{
			Value: lifecycle.APIWrites{Teams: map[string]string{"lab": "red", "shop-prod": "blue"}}}}}}
	for want, c := range map[string]lifecycle.APICall{
		"tenant shop (team blue)": {User: "system:serviceaccount:shop-prod:backup", Namespace: "lab"},
		"team red":                {User: "system:serviceaccount:lab:backup"},
		"addon metallb":           {User: "system:serviceaccount:kube-system:metallb-speaker"},
		"":                        {User: "system:serviceaccount:other:backup"},
	} {
		if got := in.caller(c); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
	if got := in.caller(lifecycle.APICall{User: "jane", Namespace: "lab"}); got != "team red" {
		t.Errorf("a person's request: %q", got)
	}
}
