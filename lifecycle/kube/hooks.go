package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"kiban.dev/kiban/lifecycle"
)

// hook is an admission webhook of either sort.
type hook struct {
	configuration       string
	name                string
	client              admissionv1.WebhookClientConfig
	rules               []admissionv1.RuleWithOperations
	policy              *admissionv1.FailurePolicyType
	namespaces, objects *metav1.LabelSelector
	conditional         bool
}

// webhooks are those whose silence refuses pods, evictions or changes of nodes.
func (c *Client) webhooks(ctx context.Context, kinds []lifecycle.PodKind) ([]lifecycle.Webhook, error) {
	namespaces, err := c.namespaceLabels(ctx)
	if err != nil {
		return nil, err
	}
	hooks, err := c.hooks(ctx)
	if err != nil {
		return nil, err
	}
	var nodes []corev1.Node
	if slices.ContainsFunc(hooks, hook.forNodes) {
		if nodes, err = c.schedulingNodes(ctx); err != nil {
			return nil, err
		}
	}
	var out []lifecycle.Webhook
	for _, h := range hooks {
		w, judges := h.judges(kinds, namespaces, nodes)
		if !judges {
			continue
		}
		if h.client.Service == nil { // it stands outside of the cluster, as a rule: whether it answers, nobody there knows
			w.Elsewhere = true
			out = append(out, w)
			continue
		}
		s := h.client.Service
		w.Service = s.Namespace + "/" + s.Name
		if w.Gone, w.Backends, err = c.backends(ctx, s.Namespace, s.Name); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func (c *Client) hooks(ctx context.Context) ([]hook, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	validating, err := c.api.AdmissionregistrationV1().ValidatingWebhookConfigurations().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list validating webhooks: %w", err)
	}
	mutating, err := c.api.AdmissionregistrationV1().MutatingWebhookConfigurations().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list mutating webhooks: %w", err)
	}
	var out []hook
	for i := range validating.Items {
		for _, w := range validating.Items[i].Webhooks {
			out = append(out, hook{"ValidatingWebhookConfiguration " + validating.Items[i].Name, w.Name, w.ClientConfig, w.Rules, w.FailurePolicy,
				w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions) > 0})
		}
	}
	for i := range mutating.Items {
		for _, w := range mutating.Items[i].Webhooks {
			out = append(out, hook{"MutatingWebhookConfiguration " + mutating.Items[i].Name, w.Name, w.ClientConfig, w.Rules, w.FailurePolicy,
				w.NamespaceSelector, w.ObjectSelector, len(w.MatchConditions) > 0})
		}
	}
	return out, nil
}

// judges says what of an upgrade's doings the webhook judges, and refuses when it is silent. A selector of namespaces is asked of nothing
// that is in none, and one of objects is asked of what the API server is sent: of an eviction, which has no labels.
func (h hook) judges(kinds []lifecycle.PodKind, namespaces map[string]map[string]string, nodes []corev1.Node) (lifecycle.Webhook, bool) {
	w := lifecycle.Webhook{Name: h.name, Configuration: h.configuration, Conditional: h.conditional}
	if h.policy != nil && *h.policy != admissionv1.Fail {
		return w, false
	}
	if h.matches(admissionv1.Create, "pods", admissionv1.NamespacedScope) {
		w.Kinds = h.selected(kinds, namespaces)
	}
	objects := everything(h.objects)
	if h.matches(admissionv1.Create, "pods/eviction", admissionv1.NamespacedScope) && objects.Matches(labels.Set{}) {
		w.Evictions = hook{namespaces: h.namespaces}.selected(kinds, namespaces)
	}
	if h.forNodes() {
		for i := range nodes {
			if objects.Matches(labels.Set(nodes[i].Labels)) {
				w.Nodes = append(w.Nodes, nodes[i].Name)
			}
		}
	}
	return w, len(w.Kinds) > 0 || len(w.Evictions) > 0 || len(w.Nodes) > 0
}

// forNodes reports whether it has a rule about changes of nodes.
func (h hook) forNodes() bool {
	return h.matches(admissionv1.Update, "nodes", admissionv1.ClusterScope)
}

// selected are the kinds of pods that the selectors take.
func (h hook) selected(kinds []lifecycle.PodKind, namespaces map[string]map[string]string) []int32 {
	var out []int32
	among, objects := everything(h.namespaces), everything(h.objects)
	for k := range kinds {
		if among.Matches(labels.Set(namespaces[kinds[k].Namespace])) && objects.Matches(labels.Set(kinds[k].Labels)) {
			out = append(out, int32(k))
		}
	}
	return out
}

// everything is a webhook's selector, of which one that is not there selects all.
func everything(s *metav1.LabelSelector) labels.Selector {
	if s == nil {
		return labels.Everything()
	}
	return parsed(s)
}

// matches reports whether a rule is about a resource of the core API, or a part of one: "pods/eviction". To the API server "pods/*" is
// pods and all of their parts, and "*" is every resource without its parts.
func (h hook) matches(op admissionv1.OperationType, resource string, scope admissionv1.ScopeType) bool {
	whole, part, _ := strings.Cut(resource, "/")
	named := func(rule string) bool {
		of, parts, _ := strings.Cut(rule, "/")
		return (of == "*" || of == whole) && (parts == "*" || parts == part)
	}
	return slices.ContainsFunc(h.rules, func(r admissionv1.RuleWithOperations) bool {
		return (slices.Contains(r.Operations, op) || slices.Contains(r.Operations, admissionv1.OperationAll)) &&
			(slices.Contains(r.APIGroups, "") || slices.Contains(r.APIGroups, "*")) &&
			(slices.Contains(r.APIVersions, "v1") || slices.Contains(r.APIVersions, "*")) &&
			(r.Scope == nil || *r.Scope == admissionv1.AllScopes || *r.Scope == scope) &&
			slices.ContainsFunc(r.Resources, named)
	})
}
