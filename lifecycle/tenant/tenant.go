package tenant

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Objects are a tenant's objects in the order in which they are applied: its namespaces, then in each of them its limits, its quota, who
// may do what, and which traffic comes in. With argo, the site has Argo CD: then its project and what it deploys, too, in Argo CD's
// namespace. The same tenant makes the same bytes.
func Objects(t lifecycle.Tenant, argo bool) []lifecycle.Object {
	b := builder{tenant: t}
	namespaces := namespacesOf(t)
	for _, ns := range namespaces {
		b.add("v1", "Namespace", "", ns.Name, podSecurity(t.PodSecurity), nil)
	}
	for _, ns := range namespaces {
		b.limits(ns)
		b.quota(ns)
		b.rights(ns)
		b.network(ns)
	}
	if argo {
		b.project(namespaces)
		b.applications(namespaces)
	}
	return b.objects
}

func namespacesOf(t lifecycle.Tenant) []lifecycle.TenantNamespace {
	if len(t.Namespaces) == 0 {
		return []lifecycle.TenantNamespace{{Name: t.Name}}
	}
	return t.Namespaces
}

// fields are those of an object, by their JSON names.
type fields map[string]any

// objectName is what kiban calls the objects of which a namespace has one, so that they stand apart from the team's own.
const objectName = "kiban"

type builder struct {
	tenant  lifecycle.Tenant
	objects []lifecycle.Object
}

// add adds an object that has body beside its metadata. Every object says whose it is.
func (b *builder) add(apiVersion, kind, namespace, name string, labels map[string]string, body fields) {
	all := map[string]string{lifecycle.LabelTenant: b.tenant.Name, "app.kubernetes.io/managed-by": "kiban"}
	maps.Copy(all, labels)
	metadata := fields{"name": name, "labels": all}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	object := fields{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}
	maps.Copy(object, body)
	raw, err := json.Marshal(object) // maps are written with sorted keys
	if err != nil {
		panic("tenant: an object does not marshal: " + err.Error()) // strings, lists and maps only: a bug, not a condition
	}
	ref := lifecycle.ObjectRef{APIVersion: apiVersion, Kind: kind, Namespace: namespace, Name: name}
	b.objects = append(b.objects, lifecycle.Object{ObjectRef: ref, JSON: raw, Source: b.tenant.Source})
}

// podSecurity are the labels that Kubernetes' Pod Security admission reads. Where baseline is enforced, people and the audit log are told
// what restricted would refuse; whoever chose privileged did so knowingly.
func podSecurity(level string) map[string]string {
	level = cmp.Or(level, "baseline")
	hint := level
	if level == "baseline" {
		hint = "restricted"
	}
	return map[string]string{
		"pod-security.kubernetes.io/enforce": level,
		"pod-security.kubernetes.io/audit":   hint,
		"pod-security.kubernetes.io/warn":    hint,
	}
}

// limits are what a container gets that says nothing. A quota on requests refuses pods without any, so both belong together.
func (b *builder) limits(ns lifecycle.TenantNamespace) {
	limit := fields{"type": "Container"}
	if len(b.tenant.Limits.Default) > 0 {
		limit["default"] = b.tenant.Limits.Default
	}
	if len(b.tenant.Limits.DefaultRequest) > 0 {
		limit["defaultRequest"] = b.tenant.Limits.DefaultRequest
	}
	if len(limit) == 1 {
		return
	}
	b.add("v1", "LimitRange", ns.Name, objectName, nil, fields{"spec": fields{"limits": []fields{limit}}})
}

func (b *builder) quota(ns lifecycle.TenantNamespace) {
	hard := map[string]string{}
	maps.Copy(hard, b.tenant.Quota)
	maps.Copy(hard, ns.Quota)
	if len(hard) == 0 {
		return
	}
	b.add("v1", "ResourceQuota", ns.Name, objectName, nil, fields{"spec": fields{"hard": hard}})
}

// role is one of Kubernetes' own roles and the groups that have it.
type role struct {
	name   string
	groups []string
}

func rolesOf(t lifecycle.Tenant) []role {
	var out []role
	for _, r := range []role{{"admin", t.Groups.Admin}, {"edit", t.Groups.Edit}, {"view", t.Groups.View}} {
		if len(r.groups) > 0 {
			out = append(out, role{r.name, sorted(r.groups)})
		}
	}
	return out
}

// rights bind groups to Kubernetes' own roles. A binding's role can't be changed, so each role has a binding of its own, named after it.
func (b *builder) rights(ns lifecycle.TenantNamespace) {
	const api = "rbac.authorization.k8s.io"
	for _, r := range rolesOf(b.tenant) {
		var subjects []fields
		for _, g := range r.groups {
			subjects = append(subjects, fields{"apiGroup": api, "kind": "Group", "name": g})
		}
		b.add(api+"/v1", "RoleBinding", ns.Name, objectName+"-"+r.name, nil, fields{
			"roleRef":  fields{"apiGroup": api, "kind": "ClusterRole", "name": r.name},
			"subjects": subjects,
		})
	}
}

// network lets in what comes from the tenant's own namespaces and from those it names. What goes out is not restricted: names resolve.
func (b *builder) network(ns lifecycle.TenantNamespace) {
	if cmp.Or(b.tenant.Network.Policy, "isolated") != "isolated" {
		return
	}
	policy := func(name string, ingress ...fields) {
		spec := fields{"podSelector": fields{}, "policyTypes": []string{"Ingress"}}
		if len(ingress) > 0 {
			spec["ingress"] = []fields{{"from": ingress}}
		}
		b.add("networking.k8s.io/v1", "NetworkPolicy", ns.Name, objectName+"-"+name, nil, fields{"spec": spec})
	}
	policy("default-deny")
	policy("allow-tenant", fields{"namespaceSelector": fields{"matchLabels": fields{lifecycle.LabelTenant: b.tenant.Name}}})
	if from := sorted(b.tenant.Network.From); len(from) > 0 {
		policy("allow-from", fields{"namespaceSelector": fields{"matchExpressions": []fields{
			{"key": "kubernetes.io/metadata.name", "operator": "In", "values": from},
		}}})
	}
}

// sorted is the list in order, each once.
func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}
