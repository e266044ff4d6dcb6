package controlplane_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// sample is the smallest object of a kind that people would write, for each of the versions that its group has had.
type sample struct {
	kind     string
	versions []string
	body     string // what stands below metadata
}

// samples are kinds as they are declared in practice, in versions that are served, will end and have ended. Alpha versions are not among
// them: a server that plays an older version has none of the code of those that were dropped since.
func samples() []sample {
	pod := "template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: web:1}]}\n"
	selected := "spec:\n  selector: {matchLabels: {app: web}}\n  " + pod
	once := "{spec: {template: {spec: {restartPolicy: Never, containers: [{name: j, image: j:1}]}}}}\n"
	job := "spec:\n  schedule: '0 3 * * *'\n  jobTemplate: " + once
	ingress := "spec:\n  defaultBackend: {service: {name: web, port: {number: 80}}}\n"
	role := "rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]\n"
	binding := "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}\nsubjects: [{kind: Group, name: g, " +
		"apiGroup: rbac.authorization.k8s.io}]\n"
	rbac := []string{"rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1beta1"}
	storage := []string{"storage.k8s.io/v1", "storage.k8s.io/v1beta1"}
	flow := []string{"flowcontrol.apiserver.k8s.io/v1", "flowcontrol.apiserver.k8s.io/v1beta3", "flowcontrol.apiserver.k8s.io/v1beta2",
		"flowcontrol.apiserver.k8s.io/v1beta1"}
	admission := []string{"admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1"}
	hook := "webhooks: [{name: a.example.org, sideEffects: None, admissionReviewVersions: [v1], clientConfig: {url: 'https://x.example'}}]\n"
	policy := "spec:\n  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]}\n" +
		"  validations: [{expression: 'true'}]\n"
	claim := "spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu}}]}}\n"
	return []sample{
		{"Deployment", []string{"apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"}, selected},
		{"DaemonSet", []string{"apps/v1", "apps/v1beta2", "extensions/v1beta1"}, selected},
		{"ReplicaSet", []string{"apps/v1", "apps/v1beta2", "extensions/v1beta1"}, selected},
		{"StatefulSet", []string{"apps/v1", "apps/v1beta2", "apps/v1beta1"},
			strings.Replace(selected, "spec:\n", "spec:\n  serviceName: web\n", 1)},
		{"CronJob", []string{"batch/v1", "batch/v1beta1"}, job},
		{"Job", []string{"batch/v1"}, strings.TrimSuffix(strings.TrimPrefix(once, "{"), "}\n") + "\n"},
		{"Ingress", []string{"networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"}, ingress},
		{"IngressClass", []string{"networking.k8s.io/v1", "networking.k8s.io/v1beta1"}, "spec: {controller: example.org/c}\n"},
		{"NetworkPolicy", []string{"networking.k8s.io/v1", "extensions/v1beta1"}, "spec: {podSelector: {}}\n"},
		{"ServiceCIDR", []string{"networking.k8s.io/v1", "networking.k8s.io/v1beta1"}, "spec: {cidrs: [10.77.0.0/16]}\n"},
		{"PodDisruptionBudget", []string{"policy/v1", "policy/v1beta1"}, "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n"},
		{"PodSecurityPolicy", []string{"policy/v1beta1", "extensions/v1beta1"}, "spec: {privileged: false}\n"},
		{"HorizontalPodAutoscaler", []string{"autoscaling/v1", "autoscaling/v2", "autoscaling/v2beta1", "autoscaling/v2beta2"},
			"spec: {maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n"},
		{"ClusterRole", rbac, role}, {"Role", rbac, role}, {"ClusterRoleBinding", rbac, binding}, {"RoleBinding", rbac, binding},
		{"PriorityClass", []string{"scheduling.k8s.io/v1", "scheduling.k8s.io/v1beta1"}, "value: 10\n"},
		{"StorageClass", storage, "provisioner: example.org/p\n"},
		{"CSIDriver", storage, "spec: {attachRequired: false}\n"},
		{"VolumeAttributesClass", storage, "driverName: example.org\nparameters: {a: b}\n"},
		{"Lease", []string{"coordination.k8s.io/v1", "coordination.k8s.io/v1beta1"}, "spec: {holderIdentity: x}\n"},
		{"RuntimeClass", []string{"node.k8s.io/v1", "node.k8s.io/v1beta1"}, "handler: runsc\n"},
		{"EndpointSlice", []string{"discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"},
			"addressType: IPv4\nendpoints: [{addresses: [10.1.1.1]}]\nports: [{name: p, port: 80}]\n"},
		{"PriorityLevelConfiguration", flow, "spec: {type: Exempt}\n"},
		{"FlowSchema", flow, "spec: {matchingPrecedence: 500, priorityLevelConfiguration: {name: exempt}}\n"},
		{"ValidatingWebhookConfiguration", admission, hook}, {"MutatingWebhookConfiguration", admission, hook},
		{"ValidatingAdmissionPolicy", append(slices.Clone(admission), "admissionregistration.k8s.io/v1alpha1"), policy},
		{"CustomResourceDefinition", []string{"apiextensions.k8s.io/v1", "apiextensions.k8s.io/v1beta1"},
			"spec:\n  group: example.org\n  scope: Namespaced\n  names: {plural: things, kind: Thing}\n" +
				"  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n"},
		{"APIService", []string{"apiregistration.k8s.io/v1", "apiregistration.k8s.io/v1beta1"},
			"spec: {group: example.org, version: v1, groupPriorityMinimum: 10, versionPriority: 10, service: {name: s, namespace: default}}\n"},
		{"ResourceClaim", []string{"resource.k8s.io/v1", "resource.k8s.io/v1beta2", "resource.k8s.io/v1beta1", "resource.k8s.io/v1alpha2"},
			claim},
		{"DeviceClass", []string{"resource.k8s.io/v1", "resource.k8s.io/v1beta2", "resource.k8s.io/v1beta1"}, "spec: {}\n"},
		{"ConfigMap", []string{"v1"}, "data: {note: 'apiVersion: policy/v1beta1'}\n"},
		{"Service", []string{"v1"}, "spec: {ports: [{port: 80}], selector: {app: web}}\n"},
		{"Pod", []string{"v1"}, "spec: {containers: [{name: web, image: web:1}]}\n"},
		{"ServiceAccount", []string{"v1"}, ""}, {"Namespace", []string{"v1"}, ""},
	}
}

// written is a manifest as somebody wrote it into a file.
type written struct {
	name             string // of the object, and of its file
	apiVersion, kind string
	text             string // the whole file
	object           string // the object alone
	form             string
	junk             bool // made of a schema, so that its values are no sensible ones
}

// forms are ways to write the same object.
func forms() map[string]func(version, kind, name, body string) string {
	return map[string]func(version, kind, name, body string) string{
		"plain": object,
		"commented": func(v, k, n, b string) string {
			return "# apiVersion: example.org/v1 was before\n---\n# what it is\napiVersion: " + v + "   # the API\nkind: " + k +
				" # the kind\nmetadata:\n  # its name\n  name: " + n + "\n" + b
		},
		"double-quoted": func(v, k, n, b string) string { return object(`"`+v+`"`, `"`+k+`"`, n, b) },
		"single-quoted": func(v, k, n, b string) string { return object("'"+v+"'", "'"+k+"'", n, b) },
		"kind-first": func(v, k, n, b string) string {
			return "kind: " + k + "\n" + b + "metadata: {name: " + n + "}\napiVersion: " + v + "\n"
		},
		"second-document": func(v, k, n, b string) string {
			return object("v1", "ConfigMap", n+"-first", "data: {a: b}\n") + "---\n" + object(v, k, n, b)
		},
		"list": func(v, k, n, b string) string {
			return "apiVersion: v1\nkind: List\nitems:\n- " + strings.ReplaceAll(strings.TrimSuffix(object(v, k, n, b), "\n"), "\n", "\n  ") + "\n"
		},
		"json": func(v, k, n, b string) string {
			j, err := yaml.YAMLToJSON([]byte(object(v, k, n, b)))
			if err != nil {
				panic(err) // the samples are the test's own
			}
			return string(j)
		},
		"by-helm": func(v, k, n, b string) string {
			return "---\n# Source: web/templates/object.yaml\napiVersion: " + v + "\nkind: " + k + "\nmetadata:\n  name: " + n +
				"\n  labels:\n    app.kubernetes.io/managed-by: Helm\n    helm.sh/chart: web-1.0.0\n" + b
		},
		"windows": func(v, k, n, b string) string { return strings.ReplaceAll(object(v, k, n, b), "\n", "\r\n") },
	}
}

func object(version, kind, name, body string) string {
	return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n" + body
}

// manifests are all samples in all forms, and one object of each kind that Kubernetes' own schemas have.
func manifests(t *testing.T) []written {
	t.Helper()
	var out []written
	ways := forms()
	names := make([]string, 0, len(ways))
	for name := range ways {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, s := range samples() {
		for _, v := range s.versions {
			for _, form := range names {
				name := fmt.Sprintf("m-%04d", len(out))
				out = append(out, written{name: name, apiVersion: v, kind: s.kind, form: form, text: ways[form](v, s.kind, name, s.body),
					object: object(v, s.kind, name, s.body)})
			}
		}
	}
	for _, file := range schemas(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var o map[string]any
		if err := yaml.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("m-%04d", len(out))
		o["metadata"] = map[string]any{"name": name}
		delete(o, "status")
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		version, _ := o["apiVersion"].(string)
		kind, _ := o["kind"].(string)
		out = append(out, written{name: name, apiVersion: version, kind: kind, form: "schema", text: string(text), object: string(text),
			junk: true})
	}
	return out
}

// schemas are the objects that k8s.io/api brings for its own tests, of this release and those before it: one of each kind.
func schemas(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "testdata", "*", "*.yaml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("k8s.io/api brings no test data: %v", err)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(found, func(f string) bool {
		base := filepath.Base(f)
		again := seen[base] || strings.Contains(base, ".after_roundtrip.")
		seen[base] = true
		return again
	})
}
