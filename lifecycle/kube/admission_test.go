package kube

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// What a webhook judges, by its rules and selectors.
func TestWebhookJudges(t *testing.T) {
	kinds := []lifecycle.PodKind{{Namespace: "shop", Labels: map[string]string{"app": "web"}}, {Namespace: "kube-system"}}
	namespaces := map[string]map[string]string{"shop": {"policy": "on"}, "kube-system": {}}
	rule := func(op admissionv1.OperationType, group, resource string) admissionv1.RuleWithOperations {
		return admissionv1.RuleWithOperations{Operations: []admissionv1.OperationType{op},
			Rule: admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: []string{resource}}}
	}
	ignore, fail, cluster := admissionv1.Ignore, admissionv1.Fail, admissionv1.ClusterScope
	scoped := rule("*", "*", "*")
	scoped.Scope = &cluster
	nodes := []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "w1", Labels: map[string]string{"gpu": "yes"}}},
		{ObjectMeta: metav1.ObjectMeta{Name: "w2"}}}
	labelled := func(key, value string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
	}
	on := &metav1.LabelSelector{MatchLabels: map[string]string{"policy": "on"}}
	for _, c := range []struct {
		name string
		h    hook
		want string // kinds, evictions, nodes; "" where it is none of this
	}{
		{"pods", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "pods")}, policy: &fail}, "[0 1] [] []"},
		{"no policy is Fail", hook{rules: []admissionv1.RuleWithOperations{rule("*", "*", "pods")}}, "[0 1] [] []"},
		{"pods of some namespaces", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "pods")}, namespaces: on}, "[0] [] []"},
		{"pods of one label", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "pods")},
			objects: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}}, "[0] [] []"},
		{"everything", hook{rules: []admissionv1.RuleWithOperations{rule("*", "*", "*/*")}}, "[0 1] [0 1] [w1 w2]"},
		{"whole resources", hook{rules: []admissionv1.RuleWithOperations{rule("*", "*", "*")}}, "[0 1] [] [w1 w2]"},
		{"only of the cluster's", hook{rules: []admissionv1.RuleWithOperations{scoped}}, "[] [] [w1 w2]"},
		{"evictions", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "pods/eviction")}}, "[] [0 1] []"},
		{"evictions in some namespaces", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "pods/eviction")}, namespaces: on},
			"[] [0] []"},
		{"evictions of a label, which none has", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "pods/eviction")},
			objects: labelled("app", "web")}, ""},
		{"pods and their parts", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "pods/*")}}, "[0 1] [0 1] []"},
		{"parts of pods", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "", "*/eviction")}}, "[] [0 1] []"},
		{"nodes of a label", hook{rules: []admissionv1.RuleWithOperations{rule("UPDATE", "", "nodes")}, objects: labelled("gpu", "yes")},
			"[] [] [w1]"},
		{"nodes of a label that none has", hook{rules: []admissionv1.RuleWithOperations{rule("UPDATE", "", "nodes")},
			objects: labelled("gpu", "no")}, ""},
		{"nodes, which are in no namespace", hook{rules: []admissionv1.RuleWithOperations{rule("UPDATE", "", "nodes")}, namespaces: on},
			"[] [] [w1 w2]"},
		{"changes of pods", hook{rules: []admissionv1.RuleWithOperations{rule("UPDATE", "", "pods")}}, ""},
		{"deployments", hook{rules: []admissionv1.RuleWithOperations{rule("CREATE", "apps", "deployments")}}, ""},
		{"may be silent", hook{rules: []admissionv1.RuleWithOperations{rule("*", "*", "*/*")}, policy: &ignore}, ""},
	} {
		w, judges := c.h.judges(kinds, namespaces, nodes)
		got := fmt.Sprint(w.Kinds, " ", w.Evictions, " ", w.Nodes)
		if judges != (c.want != "") || judges && got != c.want {
			t.Errorf("%s: %v %s, want %s", c.name, judges, got, c.want)
		}
	}
}

// A quota is overdrawn where more is used than it allows now, of something that pods take.
func TestOverdrawn(t *testing.T) {
	list := func(of ...string) corev1.ResourceList {
		out := corev1.ResourceList{}
		for i := 0; i < len(of); i += 2 {
			out[corev1.ResourceName(of[i])] = resource.MustParse(of[i+1])
		}
		return out
	}
	quota := func(hard, used corev1.ResourceList, scopes ...corev1.ResourceQuotaScope) *corev1.ResourceQuota {
		return &corev1.ResourceQuota{Spec: corev1.ResourceQuotaSpec{Hard: hard, Scopes: scopes}, Status: corev1.ResourceQuotaStatus{Used: used}}
	}
	for want, q := range map[string]*corev1.ResourceQuota{
		"[{cpu false requests.cpu: 2 used, 1500m allowed}]": quota(list("requests.cpu", "1500m", "pods", "9"), list("requests.cpu", "2", "pods",
			"9")),
		"[{memory true limits.memory: 2Gi used, 1Gi allowed}]": quota(list("limits.memory", "1Gi"), list("limits.memory", "2Gi")),
		"[{pods false count/pods: 3 used, 2 allowed}]": quota(list("count/pods", "2", "services", "1"), list("count/pods", "3",
			"services", "4")),
		"[]": quota(list("cpu", "1"), list("cpu", "2"), corev1.ResourceQuotaScopeBestEffort),
	} {
		if got := fmt.Sprint(overdrawn(q).Over); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Who stands behind webhooks, and what there is by name, is read from the API; what can't be read is an error.
func TestAdmissionIsRead(t *testing.T) {
	api := newFakeAPI()
	c := connect(t, api)
	api.put("priorityclasses", object{"metadata": map[string]any{"name": "gold"}})
	api.put("serviceaccounts", object{"metadata": map[string]any{"namespace": "shop", "name": "web"}})
	api.put("validatingwebhookconfigurations", object{"metadata": map[string]any{"name": "policy"}, "webhooks": []any{
		map[string]any{"name": "pods.policy", "clientConfig": map[string]any{"service": map[string]any{"namespace": "policy", "name": "gate"}},
			"rules": []any{map[string]any{"operations": []any{"CREATE"}, "apiGroups": []any{""}, "apiVersions": []any{"v1"},
				"resources": []any{"pods"}}}},
		map[string]any{"name": "gone.policy", "clientConfig": map[string]any{"service": map[string]any{"namespace": "policy", "name": "gone"}},
			"rules": []any{map[string]any{"operations": []any{"*"}, "apiGroups": []any{"*"}, "apiVersions": []any{"*"},
				"resources": []any{"*/*"}}}}}})
	api.put("services", object{"metadata": map[string]any{"namespace": "policy", "name": "gate"}})
	endpoint := func(pod string, ready bool) map[string]any {
		return map[string]any{"addresses": []any{"10.0.0.1"}, "nodeName": "w1", "conditions": map[string]any{"ready": ready},
			"targetRef": map[string]any{"kind": "Pod", "name": pod}}
	}
	api.put("endpointslices", object{"metadata": map[string]any{"namespace": "policy", "name": "gate-x",
		"labels": map[string]any{"kubernetes.io/service-name": "gate"}}, "endpoints": []any{endpoint("g1", true), endpoint("g2", false)}})
	got, err := c.Admission(t.Context(), []lifecycle.PodKind{{Namespace: "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "[gold] [shop/web]"; fmt.Sprint(got.PriorityClasses, got.ServiceAccounts) != want {
		t.Errorf("%+v", got)
	}
	for _, w := range got.Webhooks {
		if w.Name == "pods.policy" && (w.Gone || fmt.Sprint(w.Backends) != "[{g1 w1}]") ||
			w.Name == "gone.policy" && (!w.Gone || len(w.Evictions) != 1) {
			t.Errorf("%+v", w)
		}
	}
	if len(got.Webhooks) != 2 {
		t.Errorf("%+v", got.Webhooks)
	}
	api.refuse = func(r *http.Request) (int, bool) {
		return http.StatusForbidden, strings.HasSuffix(r.URL.Path, "/resourcequotas")
	}
	if _, err := c.Admission(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "list quotas") {
		t.Errorf("%v", err)
	}
}
