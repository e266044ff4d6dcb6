package kube

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

// realObjects is what only a cluster with its controllers shows.
func (s *stage) realObjects(t *testing.T) {
	t.Run("kinds that come", s.kindsThatCome)
	t.Run("every kind compares as unchanged", s.everyKind)
	t.Run("what can't be changed", s.unchangeable)
	t.Run("a webhook that is not up", s.webhookDown)
	t.Run("an object that is being deleted", s.leaving)
	t.Run("health", s.health)
	t.Run("a platform's promises", s.verify)
	t.Run("what tenants use", s.tenants)
	t.Run("pods are let in as said", s.letIn)
}

const gadgets = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.test.kiban.dev}
spec:
  group: test.kiban.dev
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer, maximum: 5}, mode: {type: string, default: fast}}}}}}
---
apiVersion: test.kiban.dev/v1
kind: Gadget
metadata: {name: one}
spec: {size: 3}`

// kindsThatCome: a definition and an object of its kind are applied at once, and the definition is not let drop what is stored.
func (s *stage) kindsThatCome(t *testing.T) {
	objs := declared(t, gadgets)
	t.Cleanup(func() {
		_ = s.client.DeleteObjects(context.Background(), []lifecycle.ObjectRef{objs[0].ObjectRef}, func(string) {})
	})
	s.want(t, "before", s.compare(t, objs, lifecycle.CompareOptions{}), "create CustomResourceDefinition gadgets.test.kiban.dev",
		"create Gadget one: its kind comes with gadgets.test.kiban.dev")
	s.apply(t, objs)
	s.want(t, "after", s.compare(t, objs, lifecycle.CompareOptions{}))
	bad := declared(t, strings.NewReplacer("size: 3", "size: 7").Replace(gadgets))
	if got := s.compare(t, bad, lifecycle.CompareOptions{}); !strings.Contains(got, "error objects.yaml:2: the API refuses Gadget NS/one") ||
		!strings.Contains(got, "should be less than or equal to 5") {
		t.Errorf("got %s", got)
	}
	grown := declared(t, strings.NewReplacer("properties: {size:", "properties: {colour: {type: string}, size:", "size: 3",
		"size: 3, colour: red").Replace(gadgets))
	if got := s.compare(t, grown, lifecycle.CompareOptions{}); !strings.Contains(got,
		"update Gadget one: could not be judged: its definition is changed before it") {
		t.Errorf("got %s", got)
	}
	stored := lifecycle.ObjectRef{APIVersion: "test.kiban.dev/v0", Kind: "Gadget", Namespace: s.namespace, Name: "one"}
	if found, err := s.client.Existing(t.Context(), []lifecycle.ObjectRef{stored}); err != nil || len(found) != 1 {
		t.Errorf("it is not known by a version that is no longer served: %v, %v", found, err)
	}
	dropping := declared(t, strings.NewReplacer("name: v1\n", "name: v2\n").Replace(gadgets))[:1]
	if got := s.compare(t, dropping, lifecycle.CompareOptions{}); !strings.Contains(got, "drops a version that objects are stored in") {
		t.Errorf("got %s", got)
	}
	wantDiagnostic(t, s.client.ApplyObjects(t.Context(), dropping, "", func(string) {}), lifecycle.SeverityError, "drops a version")
}

const kindsOfMany = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: c
        image: registry.k8s.io/pause:3.10
        resources: {requests: {cpu: 1000m, memory: 1024Mi}, limits: {memory: 1Gi}}
        ports: [{containerPort: 80}, {containerPort: 81, protocol: TCP}]
        env: [{name: A, value: "1"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 0
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c, image: registry.k8s.io/pause:3.10}]}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: tick}
spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: registry.k8s.io/pause:3.10}]}}}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: readers}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: Group, name: "team:a", apiGroup: rbac.authorization.k8s.io}]
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {requests.cpu: 2000m, pods: "20"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec: {limits: [{type: Container, default: {memory: 1024Mi}, defaultRequest: {cpu: 100m}}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 1, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: robot}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {rules: [{host: web.example.org, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}]}`

// everyKind: defaults, quantities and what controllers write are no differences; what differs is shown by its path.
func (s *stage) everyKind(t *testing.T) {
	objs := declared(t, kindsOfMany)
	s.apply(t, objs)
	s.want(t, "after", s.compare(t, objs, lifecycle.CompareOptions{}))
	other := declared(t, strings.NewReplacer("image: registry.k8s.io/pause:3.10\n        resources",
		"image: registry.k8s.io/pause:3.9\n        resources", "maxUnavailable: 1", "maxUnavailable: 2",
		`{name: A, value: "1"}`, `{name: A, value: "2"}`, "containerPort: 81", "containerPort: 82").Replace(kindsOfMany))
	s.want(t, "other", s.compare(t, other, lifecycle.CompareOptions{}), "update Deployment web",
		`  spec.template.spec.containers[name=c].env[name=A].value: "1" -> "2"`,
		`  spec.template.spec.containers[name=c].image: "registry.k8s.io/pause:3.10" -> "registry.k8s.io/pause:3.9"`,
		`  spec.template.spec.containers[name=c].ports[1].containerPort: 81 -> 82`, "update PodDisruptionBudget web",
		"  spec.maxUnavailable: 1 -> 2")
	scale := metav1.PatchOptions{FieldManager: "kubectl-scale"}
	if _, err := s.client.api.AppsV1().Deployments(s.namespace).
		Patch(t.Context(), "web", "application/merge-patch+json",
			[]byte(`{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"evil:1"}]}}}}`), scale); err != nil {
		t.Fatal(err)
	}
	if got := s.compare(t, objs[:1], lifecycle.CompareOptions{Inventory: inventoryOf(objs)}); !strings.Contains(got,
		`update Deployment web (drift)`) ||
		!strings.Contains(got, `containers[name=c].image: "evil:1" -> "registry.k8s.io/pause:3.10" by kubectl-scale`) {
		t.Errorf("got %s", got)
	}
}

// unchangeable: what may be made anew is, what may not is blocked.
func (s *stage) unchangeable(t *testing.T) {
	objs := declared(t, kindsOfMany)
	s.apply(t, objs)
	other := declared(t, strings.NewReplacer("matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}",
		"matchLabels: {app: web2}}\n  template:\n    metadata: {labels: {app: web2}}",
		"serviceName: db", "serviceName: other", "kind: Role, name: reader", "kind: Role, name: writer").Replace(kindsOfMany))
	got := s.compare(t, other, lifecycle.CompareOptions{})
	s.want(t, "other", got, "replace RoleBinding readers: can't be changed in place: roleRef",
		`  roleRef: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"reader"} -> {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"writer"}`,
		"blocked objects.yaml:1: Deployment NS/web can't be changed in place: the API does not let a change pass of spec.selector",
		"blocked objects.yaml:3: StatefulSet NS/db can't be changed in place: the API does not let a change pass of spec")
	wantDiagnostic(t, s.client.ApplyObjects(t.Context(), other[:1], s.namespace, func(string) {}), lifecycle.SeverityBlocked,
		"can't be changed in place")
	if lines := s.apply(t, other[6:7]); !strings.Contains(lines, "made anew: roleRef") {
		t.Errorf("got %s", lines)
	}
	b, err := s.client.api.RbacV1().RoleBindings(s.namespace).Get(t.Context(), "readers", metav1.GetOptions{})
	if err != nil || b.RoleRef != (rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: "writer"}) {
		t.Errorf("got %+v, %v", b, err)
	}
}

const deaf = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: kiban-test-deaf}
webhooks:
- name: deaf.test.kiban.dev
  clientConfig: {service: {namespace: NS, name: nobody, path: /}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [configmaps]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}
  objectSelector: {matchLabels: {hook: deaf}}
  sideEffects: None
  timeoutSeconds: 1
  admissionReviewVersions: [v1]`

// webhookDown: a webhook that does not answer is no refusal. What it keeps from being judged says so, and applying waits for it.
func (s *stage) webhookDown(t *testing.T) {
	hook := declared(t, strings.ReplaceAll(deaf, "NS", s.namespace))
	objs := declared(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hooked, labels: {hook: deaf}}\ndata: {a: b}")
	drop := func() {
		_ = s.client.DeleteObjects(context.Background(), []lifecycle.ObjectRef{hook[0].ObjectRef}, func(string) {})
	}
	t.Cleanup(drop)
	s.apply(t, objs)
	s.apply(t, hook)
	s.eventually(t, "the webhook", func() string {
		return strings.TrimPrefix(s.compare(t, declared(t,
			strings.ReplaceAll("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hooked2, labels: {hook: deaf}}", "NS", s.namespace)),
			lifecycle.CompareOptions{}),
			"create ConfigMap hooked2: could not be judged: webhook deaf.test.kiban.dev is not up")
	})
	s.want(t, "as declared", s.compare(t, objs, lifecycle.CompareOptions{}))
	other := declared(t, strings.ReplaceAll("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hooked, labels: {hook: deaf}}\ndata: {a: c}",
		"NS", s.namespace))
	s.want(t, "another", s.compare(t, other, lifecycle.CompareOptions{}),
		"update ConfigMap hooked: could not be judged: webhook deaf.test.kiban.dev is not up")
	h, err := s.client.Health(t.Context(), []lifecycle.ObjectRef{hook[0].ObjectRef})
	if err != nil || h[0].Status != lifecycle.HealthInProgress ||
		!strings.Contains(h[0].Why, s.namespace+"/nobody, which the API asks, has no ready endpoint") {
		t.Errorf("health: %+v, %v", h, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	wantDiagnostic(t, s.client.ApplyObjects(ctx, other, s.namespace, func(string) {}), lifecycle.SeverityError, "could not be applied in time")
	const waits = "waits: webhook deaf.test.kiban.dev is not up yet"
	release := sync.OnceFunc(drop)
	lines := s.apply(t, other, func(line string) {
		if strings.Contains(line, waits) {
			release()
		}
	})
	if !strings.Contains(lines, waits) {
		t.Errorf("got %s", lines)
	}
}

// leaving: an object that is being deleted is not there any more, and its successor waits until it is gone.
func (s *stage) leaving(t *testing.T) {
	held := declared(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held, finalizers: [test.kiban.dev/hold]}")
	s.apply(t, held)
	objs := declared(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held}\ndata: {new: \"yes\"}")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	wantDiagnostic(t, s.client.DeleteObjects(ctx, []lifecycle.ObjectRef{s.object("ConfigMap", "held")}, func(string) {}),
		lifecycle.SeverityError, "was not gone in time")
	s.want(t, "compare", s.compare(t, held, lifecycle.CompareOptions{}),
		"create ConfigMap held: the one that is there is being deleted; held by test.kiban.dev/hold")
	release := time.AfterFunc(2*time.Second, func() {
		_, _ = s.client.api.CoreV1().ConfigMaps(s.namespace).
			Patch(context.Background(), "held", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
	})
	defer release.Stop()
	s.apply(t, objs)
	s.want(t, "after", s.compare(t, objs, lifecycle.CompareOptions{}))
}

// health: what is up is Current, and what is not says why in its pods' words.
func (s *stage) health(t *testing.T) {
	objs := declared(t, `apiVersion: apps/v1
kind: Deployment
metadata: {name: good}
spec:
  selector: {matchLabels: {app: good}}
  template: {metadata: {labels: {app: good}}, spec: {containers: [{name: c, image: registry.k8s.io/pause:3.10}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: nowhere}
spec:
  selector: {matchLabels: {app: nowhere}}
  template: {metadata: {labels: {app: nowhere}}, spec: {nodeSelector: {no: such}, containers: [{name: c, image: registry.k8s.io/pause:3.10}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: refused}
spec:
  selector: {matchLabels: {app: refused}}
  template: {metadata: {labels: {app: refused}}, spec: {serviceAccountName: nobody, containers: [{name: c, image: registry.k8s.io/pause:3.10}]}}`)
	s.apply(t, objs)
	refs := []lifecycle.ObjectRef{s.object("ConfigMap", "no-such")}
	for _, o := range objs {
		o.Namespace = s.namespace
		refs = append(refs, o.ObjectRef)
	}
	want := []struct {
		status lifecycle.HealthStatus
		why    string
	}{{lifecycle.HealthNotFound, "it is not there"}, {lifecycle.HealthCurrent, ""},
		{lifecycle.HealthInProgress, "0 of 1 pods are ready; pod nowhere-"},
		{lifecycle.HealthInProgress, `serviceaccount "nobody" not found`}}
	s.eventually(t, "health", func() string {
		got, err := s.client.Health(t.Context(), refs)
		if err != nil {
			return err.Error()
		}
		for i, w := range want {
			if got[i].Status != w.status || !strings.Contains(got[i].Why, w.why) {
				return string(got[i].Status) + " " + got[i].Why
			}
		}
		return ""
	})
}

// verify: promises that are kept are met, those that are not say what the API has of them, and nothing stays of the probes.
func (s *stage) verify(t *testing.T) {
	n, err := s.client.Node(t.Context(), s.node)
	if err != nil {
		t.Fatal(err)
	}
	platform := lifecycle.Platform{LoadBalancer: lifecycle.PlatformLoadBalancer{Promised: true, Class: "kiban.dev/nobody"},
		Storage:    lifecycle.PlatformStorage{Class: "kiban-no-such-class"},
		NodeLabels: map[string]string{"kubernetes.io/hostname": n.Labels["kubernetes.io/hostname"], "kiban.dev/no-such": "label"}}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	got := map[string]lifecycle.Promise{}
	for _, p := range s.client.Verify(ctx, platform, "Conformance_1", func(string) {}) {
		got[p.Name] = p
	}
	for name, want := range map[string]lifecycle.Promise{
		"load balancer": {State: lifecycle.GateFailed, Reason: "gets no address"},
		"storage":       {State: lifecycle.GateFailed, Reason: "there is no StorageClass kiban-no-such-class"},
		"node label kubernetes.io/hostname=" + n.Labels["kubernetes.io/hostname"]: {State: lifecycle.GateMet, Reason: "a pod runs on " + s.node},
		"node label kiban.dev/no-such=label": {State: lifecycle.GateFailed,
			Reason: "didn't match Pod's node affinity/selector"},
	} {
		if p := got[name]; p.State != want.State || !strings.Contains(p.Reason, want.Reason) {
			t.Errorf("%s: %+v, want %+v", name, p, want)
		}
	}
	found, err := s.client.Existing(t.Context(), []lifecycle.ObjectRef{{APIVersion: "v1", Kind: "Namespace",
		Name: "kiban-verify-conformance-1"}})
	if err != nil || len(found) > 0 || got["clean up"].Name != "" || got["dns"].Name == "" {
		t.Errorf("left: %v, %v; promises: %+v", found, err, got)
	}
}

// tenants: use is counted as the quotas count it.
func (s *stage) tenants(t *testing.T) {
	s.apply(t, declared(t, "apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: tenant}\nspec: {hard: {count/configmaps: 100}}"))
	s.eventually(t, "use", func() string {
		use, err := s.client.TenantUse(t.Context(), []lifecycle.Tenant{{Name: "a",
			Namespaces: []lifecycle.TenantNamespace{{Name: "kiban-no-such-namespace"}, {Name: s.namespace}}}})
		if err != nil || len(use) < 2 || !use[0].Declared || !use[0].Missing {
			t.Fatalf("%+v, %v", use, err)
		}
		for _, r := range use[1].Resources {
			if r.Name == "count/configmaps" && r.Hard == "100" && r.Share > 0 && r.Used != "0" {
				return ""
			}
		}
		return "no use of configmaps"
	})
}
