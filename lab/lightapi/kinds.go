package lightapi

import (
	"slices"
	"strings"
)

// object is a Kubernetes object, or another answer, as JSON has it.
type object = map[string]any

// kind is one resource that is served.
type kind struct {
	group, version, kind, resource string
	namespaced                     bool
}

// apiVersion is group and version as objects have it.
func (k kind) apiVersion() string {
	if k.group == "" {
		return k.version
	}
	return k.group + "/" + k.version
}

// served lists what is served, a group and version a line; "!" marks kinds without a namespace.
const served = `
v1 Namespace:!namespaces Node:!nodes PersistentVolume:!persistentvolumes Pod:pods Service:services Endpoints:endpoints
v1 ConfigMap:configmaps Secret:secrets ServiceAccount:serviceaccounts Event:events PersistentVolumeClaim:persistentvolumeclaims
v1 LimitRange:limitranges ResourceQuota:resourcequotas ReplicationController:replicationcontrollers
apps/v1 Deployment:deployments DaemonSet:daemonsets StatefulSet:statefulsets ReplicaSet:replicasets
batch/v1 Job:jobs CronJob:cronjobs
policy/v1 PodDisruptionBudget:poddisruptionbudgets
coordination.k8s.io/v1 Lease:leases
discovery.k8s.io/v1 EndpointSlice:endpointslices
networking.k8s.io/v1 NetworkPolicy:networkpolicies Ingress:ingresses IngressClass:!ingressclasses
storage.k8s.io/v1 StorageClass:!storageclasses VolumeAttachment:!volumeattachments CSIDriver:!csidrivers CSINode:!csinodes
scheduling.k8s.io/v1 PriorityClass:!priorityclasses
node.k8s.io/v1 RuntimeClass:!runtimeclasses
rbac.authorization.k8s.io/v1 Role:roles RoleBinding:rolebindings ClusterRole:!clusterroles ClusterRoleBinding:!clusterrolebindings
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration:!validatingwebhookconfigurations
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration:!mutatingwebhookconfigurations
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy:!validatingadmissionpolicies
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding:!validatingadmissionpolicybindings
apiextensions.k8s.io/v1 CustomResourceDefinition:!customresourcedefinitions
apiregistration.k8s.io/v1 APIService:!apiservices
certificates.k8s.io/v1 CertificateSigningRequest:!certificatesigningrequests
`

// kinds are those of served, in its order.
func kinds() []kind {
	var list []kind
	for line := range strings.Lines(served) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		group, version, ok := strings.Cut(words[0], "/")
		if !ok {
			group, version = "", words[0]
		}
		for _, w := range words[1:] {
			name, resource, _ := strings.Cut(w, ":")
			plural, cluster := strings.CutPrefix(resource, "!")
			list = append(list, kind{group, version, name, plural, !cluster})
		}
	}
	return list
}

// discover answers /api, /apis and what is right below them; nil for everything else.
func discover(path string) object {
	switch path {
	case "/api":
		return object{"kind": "APIVersions", "versions": []any{"v1"}}
	case "/apis":
		var groups []any
		var seen []string
		for _, k := range kinds() {
			if k.group == "" || slices.Contains(seen, k.group) {
				continue
			}
			seen = append(seen, k.group)
			v := object{"groupVersion": k.apiVersion(), "version": k.version}
			groups = append(groups, object{"name": k.group, "versions": []any{v}, "preferredVersion": v})
		}
		return object{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	}
	of, ok := strings.CutPrefix(path, "/apis/")
	if !ok {
		of = strings.TrimPrefix(path, "/api/")
	}
	var resources []any
	for _, k := range kinds() {
		if k.apiVersion() == of {
			resources = append(resources, object{"name": k.resource, "singularName": strings.ToLower(k.kind), "kind": k.kind,
				"namespaced": k.namespaced, "verbs": []any{"create", "delete", "get", "list", "patch", "update", "watch"}})
		}
	}
	if resources == nil {
		return nil
	}
	return object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": of, "resources": resources}
}

// target is what a request is about.
type target struct {
	kind
	namespace, name, sub string
}

// find takes a path apart; false: nothing of that kind is served.
func find(path string) (t target, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		t.version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		t.group, t.version, parts = parts[1], parts[2], parts[3:]
	default:
		return t, false
	}
	if parts[0] == "namespaces" && len(parts) >= 3 && parts[2] != "status" && parts[2] != "finalize" {
		t.namespace, parts = parts[1], parts[2:]
	}
	all := kinds()
	i := slices.IndexFunc(all, func(k kind) bool { return k.group == t.group && k.version == t.version && k.resource == parts[0] })
	if i < 0 || len(parts) > 3 {
		return t, false
	}
	t.kind = all[i]
	if len(parts) > 1 {
		t.name = parts[1]
	}
	if len(parts) > 2 {
		t.sub = parts[2]
	}
	return t, true
}
