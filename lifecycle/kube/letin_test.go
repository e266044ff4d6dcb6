package kube

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

// fromYAML reads an object that a test has as text.
func fromYAML[T any](t *testing.T, text string) T {
	t.Helper()
	var out T
	if err := yaml.UnmarshalStrict([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Pod Security says of a pod what the API server of each minor would, by the labels of its namespace and by what the servers are told.
func TestPodSecurityLetsIn(t *testing.T) {
	config := func(defaults, exempt string) lifecycle.PodAdmission {
		return lifecycle.PodAdmission{Config: fmt.Appendf(nil, `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {%s}
    exemptions: {%s}`, defaults, exempt)}
	}
	const plain, host, probe = "containers: [{name: a}]", "{hostNetwork: true, containers: [{name: a}]}",
		"containers: [{name: a, livenessProbe: {httpGet: {host: example.org, port: 80}}}]"
	enforce := func(level string, version ...string) map[string]string {
		out := map[string]string{"pod-security.kubernetes.io/enforce": level}
		if len(version) > 0 {
			out["pod-security.kubernetes.io/enforce-version"] = version[0]
		}
		return out
	}
	off := lifecycle.PodAdmission{Off: []string{"LimitRanger", "ResourceQuota", "PodSecurity"}}
	for name, c := range map[string]struct {
		labels map[string]string
		how    lifecycle.PodAdmission
		spec   string
		want   string // since, until and a part of why, of each
	}{
		"no level":                  {spec: host},
		"privileged":                {labels: enforce("privileged"), spec: host},
		"baseline, and it keeps it": {labels: enforce("baseline"), spec: plain},
		"baseline": {labels: enforce("baseline"), spec: host,
			want: `0 0 violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`},
		"restricted": {labels: enforce("restricted"), spec: plain,
			want: `0 0 allowPrivilegeEscalation != false (container "a"`},
		"a check of a later version":       {labels: enforce("baseline"), spec: probe, want: `34 0 probe or lifecycle host`},
		"a level of a version":             {labels: enforce("baseline", "v1.33"), spec: probe},
		"a level of that version":          {labels: enforce("baseline", "v1.34"), spec: probe, want: `34 0 "baseline:v1.34"`},
		"a level that nobody knows":        {labels: enforce("strict"), spec: plain, want: `0 0 "restricted:latest"`},
		"a sysctl of a later version":      {labels: enforce("baseline"), spec: sysctl("net.ipv4.tcp_rmem"), want: "0 32 forbidden sysctls"},
		"the servers' default":             {how: config("enforce: baseline", ""), spec: host, want: `0 0 "baseline:latest"`},
		"the servers' default, overridden": {how: config("enforce: baseline", ""), labels: enforce("privileged"), spec: host},
		"an exempt namespace":              {how: config("enforce: baseline", "namespaces: [shop]"), spec: host},
		"an exempt maker": {how: config("enforce: baseline",
			"usernames: ['system:serviceaccount:kube-system:replicaset-controller']"), spec: host},
		"the default is not known": {how: lifecycle.PodAdmission{Unknown: "no file"}, spec: host},
		"of a level the default is no part": {how: lifecycle.PodAdmission{Unknown: "no file"}, labels: enforce("baseline"), spec: host,
			want: "0 0 host"},
		"switched off":                       {how: off, labels: enforce("baseline"), spec: host},
		"what somebody added to debug a pod": {labels: enforce("baseline"), spec: debugged},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := newPodSecurity(c.how)
			if err != nil {
				t.Fatal(err)
			}
			p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop"}, Spec: fromYAML[corev1.PodSpec](t, c.spec)}
			got := s.refusals(p, &metav1.OwnerReference{Kind: "ReplicaSet", Name: "web"}, c.labels)
			if c.want == "" {
				if len(got) > 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			var since, until int
			var why string
			if _, err := fmt.Sscan(c.want, &since, &until); err != nil {
				t.Fatal(err)
			}
			why = strings.SplitN(c.want, " ", 3)[2]
			if len(got) != 1 || got[0].Since != since || got[0].Until != until || !strings.Contains(got[0].Why, why) {
				t.Errorf("%+v", got)
			}
		})
	}
	if _, err := newPodSecurity(lifecycle.PodAdmission{Config: []byte("kind: AdmissionConfiguration")}); err == nil {
		t.Error("a file that can't be read says nothing")
	}
}

func sysctl(name string) string {
	return "{securityContext: {sysctls: [{name: " + name + ", value: '1'}]}, containers: [{name: a}]}"
}

const debugged = "{containers: [{name: a}], ephemeralContainers: [{name: d, securityContext: {privileged: true}}]}"

// LimitRanges and quotas are held against a pod as its template has it, with what the ranges of now give.
func TestLimitRangesAndQuotasLetIn(t *testing.T) {
	container := func(requests, limits string) string {
		return fmt.Sprintf("{name: a, resources: {requests: {%s}, limits: {%s}}}", requests, limits)
	}
	two := container("", "cpu: 600m") + ", " + strings.Replace(container("", "cpu: 600m"), "name: a", "name: b", 1)
	const defaults = "type: Container, default: {cpu: 500m}, defaultRequest: {cpu: 100m}"
	for name, c := range map[string]struct {
		limits, quota, scope string
		pod, marked          string
		want                 string // of each refusal: by, why, and "doubtful"
	}{
		"nothing asked": {pod: container("", "")},
		"too little": {limits: "type: Container, min: {cpu: 100m}", pod: container("cpu: 50m", ""),
			want: "LimitRange minimum cpu usage per Container is 100m, but request is 50m"},
		"enough": {limits: "type: Container, min: {cpu: 100m}", pod: container("cpu: 0.1", "")},
		"no request": {limits: "type: Container, min: {cpu: 100m}", pod: container("", ""),
			want: "LimitRange minimum cpu usage per Container is 100m.  No request is specified"},
		"too small a limit": {limits: "type: Container, min: {cpu: 100m}", pod: container("cpu: 100m", "cpu: 90m"),
			want: "LimitRange minimum cpu usage per Container is 100m, but limit is 90m"},
		"too much": {limits: "type: Container, max: {memory: 1Gi}", pod: container("", "memory: 2Gi"),
			want: "LimitRange maximum memory usage per Container is 1Gi, but limit is 2Gi"},
		"no limit": {limits: "type: Container, max: {memory: 1Gi}", pod: container("memory: 1Mi", ""),
			want: "LimitRange maximum memory usage per Container is 1Gi.  No limit is specified"},
		"too large a ratio": {limits: "type: Container, maxLimitRequestRatio: {cpu: '2'}", pod: container("cpu: 100m", "cpu: 250m"),
			want: "LimitRange cpu max limit to request ratio per Container is 2, but provided ratio is 2.500000"},
		"a ratio that is met": {limits: "type: Container, maxLimitRequestRatio: {cpu: '2'}", pod: container("cpu: 100m", "cpu: 200m")},
		"a whole pod's": {limits: "type: Pod, max: {cpu: '1'}", pod: two,
			want: "LimitRange maximum cpu usage per Pod is 1, but limit is 1200m"},
		"defaults are enough": {limits: defaults + ", min: {cpu: 100m}, max: {cpu: '1'}", pod: container("", "")},
		"of claims":           {limits: "type: PersistentVolumeClaim, max: {storage: 1Gi}", pod: container("", "")},
		"a quota's demand": {quota: "requests.cpu: '10', limits.memory: 1Gi, pods: '3', ephemeral-storage: 1Gi", pod: container("", ""),
			want: "ResourceQuota must specify limits.memory for: a; requests.cpu for: a"},
		"a demand that is met": {quota: "cpu: '10', limits.memory: 1Gi", pod: container("cpu: 1m", "memory: 1Mi")},
		"met by defaults":      {quota: "requests.cpu: '10', limits.cpu: '10'", limits: defaults, pod: container("", "")},
		"of other pods":        {quota: "requests.cpu: '10'", scope: "BestEffort", pod: container("memory: 1Mi", "")},
		"of such pods": {quota: "requests.cpu: '10'", scope: "NotBestEffort", pod: container("memory: 1Mi", ""),
			want: "ResourceQuota must specify requests.cpu for: a"},
		"of pods that end": {quota: "requests.cpu: '10'", scope: "Terminating", pod: container("", "")},
		"what a range gave then, and gives now": {quota: "requests.cpu: '10'", limits: defaults, pod: container("cpu: 200m", ""),
			marked: "cpu request for container a"},
		"what a range gave then, and gives no more": {quota: "requests.cpu: '10'", pod: container("cpu: 200m", "memory: 1Mi"),
			marked: "cpu request for container a; memory limit for container a",
			want:   "ResourceQuota must specify requests.cpu for: a doubtful"},
		"a mark of another container": {quota: "requests.cpu: '10'", pod: container("cpu: 200m", ""),
			marked: "cpu request for init container a"},
		"refused as it runs, too": {limits: "type: Container, max: {cpu: 100m}", pod: container("memory: 1Mi", "cpu: 200m"),
			marked: "memory request for container a", want: "LimitRange maximum cpu usage per Container is 100m, but limit is 200m"},
	} {
		t.Run(name, func(t *testing.T) {
			l := letIn{limits: map[string][]corev1.LimitRange{}, quotas: map[string][]corev1.ResourceQuota{}}
			if c.limits != "" {
				l.limits["shop"] = []corev1.LimitRange{fromYAML[corev1.LimitRange](t, "spec: {limits: [{"+c.limits+"}]}")}
			}
			if c.quota != "" {
				q := fromYAML[corev1.ResourceQuota](t, "status: {hard: {"+c.quota+"}}")
				if c.scope != "" {
					q.Spec.Scopes = []corev1.ResourceQuotaScope{corev1.ResourceQuotaScope(c.scope)}
				}
				l.quotas["shop"] = []corev1.ResourceQuota{q}
			}
			p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Annotations: map[string]string{}},
				Spec: fromYAML[corev1.PodSpec](t, "containers: ["+c.pod+"]")}
			if c.marked != "" {
				p.Annotations[givenByLimitRange] = "LimitRanger plugin set: " + c.marked
			}
			before := p.DeepCopy()
			var got []string
			for _, r := range l.refusals(p, &metav1.OwnerReference{Kind: "ReplicaSet"}, nil) {
				text := string(r.By) + " " + r.Why
				if r.Doubtful {
					text += " doubtful"
				}
				got = append(got, text)
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("%s\nwant %s", strings.Join(got, "\n"), c.want)
			}
			if fmt.Sprint(before) != fmt.Sprint(p) {
				t.Error("the pod that was looked at is changed")
			}
		})
	}
}

// A quota may be for pods of some priority, or for those that look across namespaces.
func TestQuotaScopes(t *testing.T) {
	pod := func(spec string) *corev1.Pod { return &corev1.Pod{Spec: fromYAML[corev1.PodSpec](t, spec)} }
	across := pod("affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, " +
		"podAffinityTerm: {topologyKey: z, namespaces: [bank]}}]}}")
	gold, ends := pod("priorityClassName: gold"), pod("activeDeadlineSeconds: 5")
	for selector, of := range map[string]struct{ in, out *corev1.Pod }{
		"{scopeName: PriorityClass, operator: In, values: [gold, iron]}": {gold, ends},
		"{scopeName: PriorityClass, operator: NotIn, values: [gold]}":    {ends, gold},
		"{scopeName: PriorityClass, operator: Exists}":                   {gold, ends},
		"{scopeName: PriorityClass, operator: DoesNotExist}":             {ends, gold},
		"{scopeName: CrossNamespacePodAffinity, operator: Exists}":       {across, gold},
		"{scopeName: Terminating, operator: Exists}":                     {ends, gold},
		"{scopeName: NotTerminating, operator: Exists}":                  {gold, ends},
		"{scopeName: SomethingNew, operator: Exists}":                    {nil, gold},
	} {
		q := fromYAML[corev1.ResourceQuota](t, "spec: {scopeSelector: {matchExpressions: ["+selector+"]}}")
		if of.in != nil && !inScope(&q, of.in) || inScope(&q, of.out) {
			t.Errorf("%s: %v %v", selector, of.in != nil && inScope(&q, of.in), inScope(&q, of.out))
		}
	}
}

// What namespaces ask of pods is read with the pods, and that it could not be is said without losing where they fit.
func TestRefusalsAreRead(t *testing.T) {
	api := newFakeAPI()
	c := connect(t, api)
	api.put("namespaces", object{"metadata": map[string]any{"name": "shop", "labels": map[string]any{
		"pod-security.kubernetes.io/enforce": "baseline"}}})
	api.put("limitranges", object{"metadata": map[string]any{"namespace": "shop", "name": "sizes"},
		"spec": map[string]any{"limits": []any{map[string]any{"type": "Container", "max": map[string]any{"cpu": "1"}}}}})
	api.put("resourcequotas", object{"metadata": map[string]any{"namespace": "shop", "name": "compute"}, "spec": map[string]any{},
		"status": map[string]any{"hard": map[string]any{"limits.memory": "1Gi"}}})
	for _, kind := range []string{"ReplicaSet", "DaemonSet"} {
		api.put("pods", object{"metadata": map[string]any{"namespace": "shop", "name": "of-" + strings.ToLower(kind),
			"ownerReferences": []any{map[string]any{"apiVersion": "apps/v1", "kind": kind, "name": "web", "uid": "1", "controller": true}}},
			"spec": map[string]any{"hostNetwork": true, "containers": []any{map[string]any{"name": "a"}}}})
	}
	s, err := c.Scheduling(t.Context(), lifecycle.PodAdmission{})
	if err != nil || s.RefusedUnknown != "" {
		t.Fatal(err, s.RefusedUnknown)
	}
	for _, k := range s.Kinds {
		var by []string
		for _, r := range k.Refused {
			by = append(by, string(r.By)+" "+r.Name)
		}
		if got, want := strings.Join(by, ", "), "Pod Security baseline:latest, LimitRange sizes, ResourceQuota compute"; strings.HasPrefix(
			k.Workload, "ReplicaSet") != (got == want) || strings.HasPrefix(k.Workload, "DaemonSet") != (got == "") {
			t.Errorf("%s: %s", k.Workload, got)
		}
	}
	off := lifecycle.PodAdmission{Off: []string{"LimitRanger", "ResourceQuota", "PodSecurity"}}
	if s, err = c.Scheduling(t.Context(), off); err != nil ||
		len(s.Kinds[0].Refused)+len(s.Kinds[1].Refused) > 0 {
		t.Errorf("switched off: %+v, %v", s.Kinds, err)
	}
	api.refuse = func(r *http.Request) (int, bool) {
		return http.StatusForbidden, strings.HasSuffix(r.URL.Path, "/limitranges")
	}
	if s, err = c.Scheduling(t.Context(), lifecycle.PodAdmission{}); err != nil || !strings.Contains(s.RefusedUnknown, "list limit ranges") {
		t.Errorf("%v, %q", err, s.RefusedUnknown)
	}
}

// A policy is for the pods that its rules and selectors take, and those of what binds it, where it may deny.
func TestPoliciesAreRead(t *testing.T) {
	api := newFakeAPI()
	c := connect(t, api)
	api.put("namespaces", object{"metadata": map[string]any{"name": "shop", "labels": map[string]any{"policy": "on"}}})
	rules := func(resource string) []any {
		return []any{map[string]any{"operations": []any{"CREATE"}, "apiGroups": []any{""}, "apiVersions": []any{"v1"},
			"resources": []any{resource}}}
	}
	policy := func(name string, match map[string]any) {
		api.put("validatingadmissionpolicies", object{"metadata": map[string]any{"name": name},
			"spec": map[string]any{"matchConstraints": match}})
	}
	bind := func(name, to, action string, match map[string]any) {
		spec := map[string]any{"policyName": to, "validationActions": []any{action}}
		if match != nil {
			spec["matchResources"] = match
		}
		api.put("validatingadmissionpolicybindings", object{"metadata": map[string]any{"name": name}, "spec": spec})
	}
	on := map[string]any{"namespaceSelector": map[string]any{"matchLabels": map[string]any{"policy": "on"}}}
	policy("pods", map[string]any{"resourceRules": rules("pods")})
	policy("maps", map[string]any{"resourceRules": rules("configmaps")})
	policy("but-pods", map[string]any{"resourceRules": rules("*"), "excludeResourceRules": rules("pods")})
	bind("a-everywhere", "pods", "Deny", nil)
	bind("b-shop", "pods", "Deny", on)
	bind("c-warns", "pods", "Warn", nil)
	bind("d-maps", "maps", "Deny", nil)
	bind("e-but-pods", "but-pods", "Deny", nil)
	bind("f-gone", "gone", "Deny", nil)
	got, err := c.policies(t.Context(), []lifecycle.PodKind{{Namespace: "shop"}, {Namespace: "bank"}})
	if err != nil || fmt.Sprint(got) != "[{pods a-everywhere [0 1]} {pods b-shop [0]}]" {
		t.Errorf("%v, %v", got, err)
	}
}
