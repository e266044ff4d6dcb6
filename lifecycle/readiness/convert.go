package readiness

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

// conversion says how an object of an API that ends is written by its successor, where only names differ; otherwise why it is not.
// The first edit is apiVersion's.
//
// That an object means the same by the successor follows from Kubernetes' own deprecation guide
// (kubernetes.io/docs/reference/using-api/deprecation-guide), which lists what differs by kind; what it lists is a rule below.
func (l *apiLook) conversion(a lifecycle.API, m manifest) (edits []edit, why string) {
	next, ok := l.successor(a)
	switch {
	case !ok:
		return nil, l.without(a)
	case next.Kind != a.Kind:
		return nil, "its successor is another kind: " + next.String()
	}
	edits = []edit{{node: m.version, to: next.GroupVersion()}}
	for _, s := range sameRules() {
		if s.of(a, next) {
			if m.list {
				return edits, itemsAlone(m, s)
			}
			renames, why := s.look(m.node)
			return append(edits, renames...), why
		}
	}
	return nil, "fields differ between " + a.GroupVersion() + " and " + next.GroupVersion() +
		": write it anew by the deprecation guide of Kubernetes"
}

// itemsAlone says why a typed list can't be changed by its own apiVersion: items that do not repeat it need more than that.
func itemsAlone(m manifest, s sameRule) (why string) {
	for _, item := range childOf(m.node, "items").Content {
		if childOf(item, "apiVersion") != nil {
			continue // it is changed by itself
		}
		if renames, why := s.look(item); why != "" || len(renames) > 0 {
			return "its items need more than another apiVersion: give each its own apiVersion and kind"
		}
	}
	return ""
}

// sameRule says of kinds of a group in which versions they are the same as in their successor, but for what look finds: names that differ,
// and what keeps the object from meaning the same.
type sameRule struct {
	group    string
	versions string // separated by blanks
	kinds    string // separated by blanks; "" for all
	look     func(n *yaml.Node) (renames []edit, why string)
}

func (s sameRule) of(a, next lifecycle.API) bool {
	return a.Group == s.group && slices.Contains(strings.Fields(s.versions), a.Version) && !strings.Contains(next.Version, "alpha") &&
		(s.kinds == "" || slices.Contains(strings.Fields(s.kinds), a.Kind))
}

// sameRules are those pairs; what is not among them is left to people.
func sameRules() []sameRule {
	return []sameRule{
		{"batch", "v1beta1", "CronJob", sameFields},
		{"policy", "v1beta1", "PodDisruptionBudget", exceptWhere(emptySelector, "an empty selector means no pods before, and all pods after")},
		{"networking.k8s.io", "v1beta1", "IngressClass IPAddress ServiceCIDR", sameFields},
		{"extensions", "v1beta1", "NetworkPolicy", sameFields},
		{"rbac.authorization.k8s.io", "v1beta1", "", sameFields},
		{"scheduling.k8s.io", "v1beta1", "PriorityClass", sameFields},
		{"storage.k8s.io", "v1beta1", "StorageClass CSIDriver CSINode CSIStorageCapacity VolumeAttachment VolumeAttributesClass", sameFields},
		{"storage.k8s.io", "v1alpha1", "VolumeAttributesClass CSIStorageCapacity", sameFields},
		{"coordination.k8s.io", "v1beta1", "Lease", sameFields},
		{"node.k8s.io", "v1beta1", "RuntimeClass", sameFields},
		{"apiregistration.k8s.io", "v1beta1", "APIService", sameFields},
		{"admissionregistration.k8s.io", "v1beta1", "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding", sameFields},
		{"admissionregistration.k8s.io", "v1beta1", "ValidatingWebhookConfiguration MutatingWebhookConfiguration", explicitWebhooks},
		{"autoscaling", "v2beta2", "HorizontalPodAutoscaler", sameFields},
		{"autoscaling", "v2beta1", "HorizontalPodAutoscaler", exceptWhere(hasField("spec", "metrics"), "metrics are written in another way")},
		{"resource.k8s.io", "v1beta2", "", sameFields},
		{"flowcontrol.apiserver.k8s.io", "v1beta1 v1beta2 v1beta3", "FlowSchema", sameFields},
		{"flowcontrol.apiserver.k8s.io", "v1beta3", "PriorityLevelConfiguration", sharesAs("nominalConcurrencyShares")},
		{"flowcontrol.apiserver.k8s.io", "v1beta1 v1beta2", "PriorityLevelConfiguration", sharesAs("assuredConcurrencyShares")},
		{"discovery.k8s.io", "v1beta1", "EndpointSlice", exceptWhere(hasTopology, "topology is written in another way")},
		{"apps", "v1beta2", "Deployment ReplicaSet StatefulSet DaemonSet", explicitWorkload(nil)},
		{"apps", "v1beta1", "Deployment", explicitWorkload([]string{"revisionHistoryLimit"})},
		{"apps", "v1beta1", "StatefulSet", explicitWorkload([]string{"updateStrategy.type"})},
		{"extensions", "v1beta1", "ReplicaSet", explicitWorkload(nil)},
		{"extensions", "v1beta1", "DaemonSet", explicitWorkload([]string{"updateStrategy.type"})},
		{"extensions", "v1beta1", "Deployment", explicitWorkload([]string{"strategy.rollingUpdate.maxSurge",
			"strategy.rollingUpdate.maxUnavailable", "revisionHistoryLimit", "progressDeadlineSeconds"})},
	}
}

func sameFields(*yaml.Node) ([]edit, string) { return nil, "" }

func exceptWhere(is func(n *yaml.Node) bool, why string) func(*yaml.Node) ([]edit, string) {
	return func(n *yaml.Node) ([]edit, string) {
		if is(n) {
			return nil, why
		}
		return nil, ""
	}
}

// hasField reports whether there is a field.
func hasField(path ...string) func(*yaml.Node) bool {
	return func(n *yaml.Node) bool { return nodeAt(n, path...) != nil }
}

// nodeAt is the field at a path; nil where there is none.
func nodeAt(n *yaml.Node, path ...string) *yaml.Node {
	for _, p := range path {
		n = childOf(n, p)
	}
	return n
}

// emptySelector reports whether a budget's selector is there and asks for nothing: empty lists in it ask for nothing, too.
func emptySelector(n *yaml.Node) bool {
	s := nodeAt(n, "spec", "selector")
	return s != nil && s.Kind == yaml.MappingNode && nothingIn(childOf(s, "matchLabels")) && nothingIn(childOf(s, "matchExpressions"))
}

func nothingIn(n *yaml.Node) bool { return n == nil || len(n.Content) == 0 }

func hasTopology(n *yaml.Node) bool {
	endpoints := childOf(n, "endpoints")
	if endpoints == nil {
		return false
	}
	return slices.ContainsFunc(endpoints.Content, func(e *yaml.Node) bool { return childOf(e, "topology") != nil })
}

// explicitWebhooks: v1 has other defaults, and wants what v1beta1 leaves open.
func explicitWebhooks(n *yaml.Node) ([]edit, string) {
	hooks := childOf(n, "webhooks")
	if hooks == nil {
		return nil, ""
	}
	for _, h := range hooks.Content {
		if e := scalar(childOf(h, "sideEffects")); e == "Some" || e == "Unknown" {
			return nil, "v1 takes no webhooks[*].sideEffects: " + e
		}
		for _, want := range []string{"sideEffects", "admissionReviewVersions", "failurePolicy", "matchPolicy", "timeoutSeconds"} {
			if childOf(h, want) == nil {
				return nil, "v1 has another default of webhooks[*]." + want + ", or wants it: write it out first"
			}
		}
	}
	return nil, ""
}
