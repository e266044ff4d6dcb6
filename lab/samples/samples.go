// Package samples has small objects of the kinds that people declare, for tests that ask API servers what they make of them.
package samples

import (
	"slices"
	"strings"
)

// Sample is the smallest object of a kind that people would write, for each of the versions that its group has had.
type Sample struct {
	Kind     string
	Versions []string
	Body     string // what stands below metadata
}

// All are kinds as they are declared in practice, in versions that are served, will end and have ended. Alpha versions are not among
// them: a server that plays an older version has none of the code of those that were dropped since.
func All() []Sample {
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
	policy := "spec:\n  matchConstraints:\n" +
		"    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]\n" +
		"  validations: [{expression: 'true'}]\n"
	claim := "spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu}}]}}\n"
	return []Sample{
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
