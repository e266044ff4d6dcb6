package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

func TestTenantUse(t *testing.T) {
	namespace := func(name, tenant string) corev1.Namespace {
		return corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{lifecycle.LabelTenant: tenant}}}
	}
	quota := func(namespace, used, hard string) corev1.ResourceQuota {
		return corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
			Spec:   corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"requests.cpu": resource.MustParse(hard)}},
			Status: corev1.ResourceQuotaStatus{Used: corev1.ResourceList{"requests.cpu": resource.MustParse(used)}}}
	}
	tenants := []lifecycle.Tenant{{Name: "b", Namespaces: []lifecycle.TenantNamespace{{Name: "b-1"}, {Name: "b-2"}}},
		{Name: "a", Namespaces: []lifecycle.TenantNamespace{{Name: "a"}}}}
	got := tenantUse(tenants, []corev1.Namespace{namespace("b-1", "b"), namespace("z", "left"), namespace("a", "a"), namespace("b-3", "b")},
		[]corev1.ResourceQuota{quota("b-1", "500m", "2"), quota("b-1", "500m", "1"), quota("a", "0", "0"), quota("z", "3", "0"),
			quota("elsewhere", "1", "1")})
	want := []struct {
		tenant, namespace string
		declared, missing bool
		share             float64
		hard              string
	}{{"b", "b-1", true, false, 0.5, "1"}, {"b", "b-2", true, true, 0, ""}, {"a", "a", true, false, 0, "0"}, {"b", "b-3", false, false, 0, ""},
		{"left", "z", false, false, 1, "0"}}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want {
		g := got[i]
		var r lifecycle.ResourceUse
		if len(g.Resources) > 0 {
			r = g.Resources[0]
		}
		if g.Tenant != w.tenant || g.Namespace != w.namespace || g.Declared != w.declared || g.Missing != w.missing || r.Share != w.share ||
			r.Hard != w.hard {
			t.Errorf("got %+v, want %+v", g, w)
		}
	}
}
