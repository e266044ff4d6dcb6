package kube

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestHazard_H36_StaleEndpointsAreSeen guards H36: endpoints that lag behind their pods are seen.
func TestHazard_H36_StaleEndpointsAreSeen(t *testing.T) {
	web := func(edit ...func(*pod)) pod {
		p := pod{namespace: "shop", name: "web-1", uid: "u1", labels: map[string]string{"app": "web"}, ip: "10.244.0.7", phase: corev1.PodRunning,
			ready: true}
		for _, e := range edit {
			e(&p)
		}
		return p
	}
	service := corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "web"}}}
	tolerant := *service.DeepCopy()
	tolerant.Spec.PublishNotReadyAddresses = true
	slice := func(ready bool, uid string) []discoveryv1.EndpointSlice {
		return []discoveryv1.EndpointSlice{{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web-x", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
			Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.244.0.7"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
				TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: "web-1", UID: types.UID(uid)}}},
		}}
	}
	for name, tc := range map[string]struct {
		service corev1.Service
		slices  []discoveryv1.EndpointSlice
		pods    []pod
		want    string
	}{
		"as it should be":          {service, slice(true, "u1"), []pod{web()}, ""},
		"the pod is gone":          {service, slice(true, "u1"), nil, "shop/web-1: 10.244.0.7 is gone"},
		"another pod has its name": {service, slice(true, "u0"), []pod{web()}, "shop/web-1: 10.244.0.7 is gone"},
		"the pod is terminating": {service, slice(true, "u1"), []pod{web(func(p *pod) { p.terminating = true })},
			"shop/web-1: 10.244.0.7 is terminating"},
		"the pod is not Ready": {service, slice(true, "u1"), []pod{web(func(p *pod) { p.ready = false })},
			"shop/web-1: 10.244.0.7 is not Ready"},
		"not Ready, but published all along": {tolerant, slice(true, "u1"), []pod{web(func(p *pod) { p.ready = false })}, ""},
		"gone, though published all along":   {tolerant, slice(true, "u1"), nil, "shop/web-1: 10.244.0.7 is gone"},
		"an endpoint that is not ready":      {service, slice(false, "u1"), []pod{web(func(p *pod) { p.ready = false })}, ""},
		"a Ready pod called not ready": {service, slice(false, "u1"), []pod{web()},
			"shop/web-1: 10.244.0.7 is not among the endpoints of web"},
		"a Ready pod that is missing":  {service, nil, []pod{web()}, "shop/web-1: 10.244.0.7 is not among the endpoints of web"},
		"a pod of another namespace":   {service, nil, []pod{web(func(p *pod) { p.namespace = "other" })}, ""},
		"a finished pod":               {service, nil, []pod{web(func(p *pod) { p.phase = corev1.PodSucceeded })}, ""},
		"a Service without a selector": {corev1.Service{ObjectMeta: service.ObjectMeta}, nil, []pod{web()}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(staleEndpoints([]corev1.Service{tc.service}, tc.slices, tc.pods), "\n"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestMissingDaemons(t *testing.T) {
	set := func(edit ...func(*corev1.PodSpec)) appsv1.DaemonSet {
		d := appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "proxy", UID: "d1"}}
		for _, e := range edit {
			e(&d.Spec.Template.Spec)
		}
		return d
	}
	own := func(edit ...func(*pod)) []pod {
		p := pod{namespace: "kube-system", name: "proxy-x", owner: &metav1.OwnerReference{Kind: "DaemonSet", Name: "proxy", UID: "d1"},
			ready: true, phase: corev1.PodRunning}
		for _, e := range edit {
			e(&p)
		}
		return []pod{p}
	}
	affinity := func(s *corev1.PodSpec) {
		gpu := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "gpu", Operator: corev1.NodeSelectorOpExists}}}
		required := &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{gpu}}
		s.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: required}}
	}
	tainted := func(key string, effect corev1.TaintEffect) []corev1.Taint {
		return []corev1.Taint{{Key: key, Effect: effect}}
	}
	for name, tc := range map[string]struct {
		set    appsv1.DaemonSet
		taints []corev1.Taint
		pods   []pod
		want   string
	}{
		"Ready":                {set(), nil, own(), ""},
		"no pod":               {set(), nil, nil, "kube-system/proxy has no pod"},
		"a pod of another set": {set(), nil, own(func(p *pod) { p.owner.UID = "d2" }), "kube-system/proxy has no pod"},
		"pending": {set(), nil, own(func(p *pod) { p.ready, p.phase = false, corev1.PodPending }),
			"kube-system/proxy-x is Pending"},
		"running, not Ready":                 {set(), nil, own(func(p *pod) { p.ready = false }), "kube-system/proxy-x is Running, not Ready"},
		"terminating":                        {set(), nil, own(func(p *pod) { p.terminating = true }), "kube-system/proxy-x is terminating"},
		"old one terminating, new one Ready": {set(), nil, append(own(func(p *pod) { p.terminating = true }), own()...), ""},
		"selector does not match":            {set(func(s *corev1.PodSpec) { s.NodeSelector = map[string]string{"gpu": "yes"} }), nil, nil, ""},
		"affinity does not match":            {set(affinity), nil, nil, ""},
		"for another node by name":           {set(func(s *corev1.PodSpec) { s.NodeName = "w2" }), nil, nil, ""},
		"kept away by a taint":               {set(), tainted("dedicated", corev1.TaintEffectNoSchedule), nil, ""},
		"a soft taint keeps nobody away": {set(), tainted("dedicated", corev1.TaintEffectPreferNoSchedule), nil,
			"kube-system/proxy has no pod"},
		"the cordon keeps no daemon set away": {set(), tainted(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule), nil,
			"kube-system/proxy has no pod"},
		"nor does a node that was not Ready": {set(), tainted(corev1.TaintNodeNotReady, corev1.TaintEffectNoSchedule), nil,
			"kube-system/proxy has no pod"},
		"no network yet, and it needs one": {set(), tainted(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule), nil, ""},
		"no network yet, and it brings one": {set(func(s *corev1.PodSpec) { s.HostNetwork = true }),
			tainted(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule), nil, "kube-system/proxy has no pod"},
	} {
		t.Run(name, func(t *testing.T) {
			n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "w1"}, Spec: corev1.NodeSpec{Taints: tc.taints}}
			if got := strings.Join(missingDaemons(n, []appsv1.DaemonSet{tc.set}, tc.pods), "\n"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestStuckPods(t *testing.T) {
	owner := &metav1.OwnerReference{Kind: "ReplicaSet", Name: "web"}
	daemon := &metav1.OwnerReference{Kind: "DaemonSet", Name: "proxy"}
	pods := []pod{
		{namespace: "shop", name: "z-bare", node: "w1"},
		{namespace: "shop", name: "a-scratch", node: "w1", owner: owner, emptyDir: true},
		{namespace: "shop", name: "web", node: "w1", owner: owner},
		{namespace: "shop", name: "daemon", node: "w1", owner: daemon, emptyDir: true},
		{namespace: "shop", name: "static", node: "w1", mirror: true, emptyDir: true},
		{namespace: "shop", name: "done", node: "w1", phase: corev1.PodSucceeded},
		{namespace: "shop", name: "unplaced"},
	}
	got := stuck(pods)
	if len(got) != 2 || got[0].Name != "a-scratch" || got[0].Bare || !got[0].EmptyDir || got[1].Name != "z-bare" || !got[1].Bare ||
		got[1].EmptyDir {
		t.Errorf("got %+v", got)
	}
}

// TestBudgetOwner: the pods' top controller is named, not the ReplicaSet in between; it is asked for once.
func TestBudgetOwner(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	f.put("replicasets", object{"metadata": map[string]any{"namespace": "shop", "name": "web-5d", "uid": "rs1",
		"ownerReferences": []any{map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "d1", "controller": true}}}})
	for _, name := range []string{"web-b", "web-a"} {
		f.put("pods", object{"metadata": map[string]any{"namespace": "shop", "name": name, "labels": map[string]any{"app": "web"},
			"ownerReferences": []any{map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d", "uid": "rs1",
				"controller": true}}}, "spec": map[string]any{"nodeName": "w1"}})
	}
	f.put("poddisruptionbudgets", object{"metadata": map[string]any{"namespace": "shop", "name": "web"},
		"spec": map[string]any{"minAvailable": 1, "selector": map[string]any{"matchLabels": map[string]any{"app": "web"}}}})
	for range 2 {
		got, err := c.Budgets(t.Context())
		if err != nil || len(got) != 1 || got[0].Owner != "Deployment shop/web" || len(got[0].Pods) != 2 || got[0].Pods[0].Name != "web-a" {
			t.Errorf("got %+v, %v", got, err)
		}
		f.mu.Lock()
		delete(f.objects["replicasets"], "shop/web-5d") // what was learnt once stays true
		f.mu.Unlock()
	}
}

func TestBudgetRule(t *testing.T) {
	two, quarter := intstr.FromInt32(2), intstr.FromString("25%")
	for want, spec := range map[string]policyv1.PodDisruptionBudgetSpec{
		"minAvailable 2": {MinAvailable: &two}, "maxUnavailable 25%": {MaxUnavailable: &quarter}, "minAvailable 1": {},
	} {
		if got := rule(&policyv1.PodDisruptionBudget{Spec: spec}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNamespacesToList(t *testing.T) {
	in := func(n int) (budgets []policyv1.PodDisruptionBudget) {
		for i := range n {
			budgets = append(budgets, policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: string(rune('a' + i))}},
				policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Namespace: "a"}})
		}
		return budgets
	}
	if got := namespaces(in(3)); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %q", got)
	}
	if got := namespaces(in(fewNamespaces + 1)); !slices.Equal(got, []string{""}) {
		t.Errorf("got %q", got)
	}
}
