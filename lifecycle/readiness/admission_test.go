package readiness

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestAdmission(t *testing.T) {
	kind := asks("web", 1000)
	kind.PriorityClass, kind.Priority, kind.ServiceAccount, kind.Limits = "gold", 7, "web", []int64{0, 2000}
	gate := asks("gate", 100)
	gate.Namespace, gate.Owner = "policy", "team security"
	there := lifecycle.Admission{PriorityClasses: []string{"gold", "iron"}, ServiceAccounts: []string{"shop/web"}}
	hook := func(edit func(*lifecycle.Webhook)) func(*lifecycle.Admission) {
		return func(a *lifecycle.Admission) {
			w := lifecycle.Webhook{Name: "pods.policy", Configuration: "ValidatingWebhookConfiguration policy", Service: "policy/gate",
				Kinds:    []int32{0},
				Backends: []lifecycle.Backend{{Pod: "g1", Node: "w2"}, {Pod: "g2", Node: "w3"}}}
			edit(&w)
			a.Webhooks = append(a.Webhooks, w)
		}
	}
	over := func(namespace string, use lifecycle.QuotaUse) func(*lifecycle.Admission) {
		return func(a *lifecycle.Admission) {
			a.Overdrawn = []lifecycle.Quota{{Namespace: namespace, Name: "q", Over: []lifecycle.QuotaUse{use}}}
		}
	}
	for _, c := range []struct {
		name string
		edit func(*lifecycle.Admission)
		rank lifecycle.Rank
		// rule is that of the one finding; "" where there is none. has is part of its summary, evidence or remedy.
		rule, has string
	}{
		{"all is there", func(*lifecycle.Admission) {}, "", "", ""},
		{"the priority class is gone", func(a *lifecycle.Admission) { a.PriorityClasses = []string{"iron"} }, lifecycle.RankBlocks,
			"pods-refused",
			"kubectl create priorityclass gold --value=7"},
		{"the service account is gone", func(a *lifecycle.Admission) { a.ServiceAccounts = nil }, lifecycle.RankBlocks, "pods-refused",
			"kubectl --namespace shop create serviceaccount web"},
		{"a quota of requests is overdrawn", over("shop", lifecycle.QuotaUse{Resource: "cpu", Text: "cpu: 2 used, 1 allowed"}),
			lifecycle.RankBlocks,
			"pods-refused", "cpu: 2 used, 1 allowed"},
		{"a quota of limits is overdrawn", over("shop", lifecycle.QuotaUse{Resource: "cpu", Limits: true}), lifecycle.RankBlocks, "pods-refused",
			"edit resourcequota q"},
		{"a quota of what its pods do not take", over("shop", lifecycle.QuotaUse{Resource: "pods", Limits: true}), "", "", ""},
		{"a quota elsewhere", over("bank", lifecycle.QuotaUse{Resource: "cpu"}), "", "", ""},
		{"a webhook on two nodes", hook(func(*lifecycle.Webhook) {}), "", "", ""},
		{"a webhook on one node", hook(func(w *lifecycle.Webhook) { w.Backends[1].Node = "w2" }), lifecycle.RankAttention, "webhook-on-few-nodes",
			"2 endpoints of policy/gate, on w2"},
		{"a webhook that judges itself", hook(func(w *lifecycle.Webhook) { w.Backends, w.Kinds = w.Backends[:1], []int32{0, 1} }),
			lifecycle.RankAttention, "webhook-on-few-nodes", "its own pods among them"},
		{"a webhook on a node that stays", hook(func(w *lifecycle.Webhook) { w.Backends = []lifecycle.Backend{{Pod: "g", Node: "c1"}} }), "",
			"", ""},
		{"a webhook that nobody answers", hook(func(w *lifecycle.Webhook) { w.Backends = nil }), lifecycle.RankBlocks, "webhook-down",
			"pods are refused"},
		{"a webhook whose Service is gone", hook(func(w *lifecycle.Webhook) { w.Backends, w.Gone = nil, true }), lifecycle.RankBlocks,
			"webhook-down",
			"there is no Service policy/gate"},
		{"nobody answers, but there are conditions", hook(func(w *lifecycle.Webhook) { w.Backends, w.Conditional = nil, true }),
			lifecycle.RankAttention,
			"webhook-down", "nobody answers it, so that pods are refused where its matchConditions hold"},
		{"a webhook on one node, with conditions", hook(func(w *lifecycle.Webhook) { w.Backends, w.Conditional = w.Backends[:1], true }),
			lifecycle.RankAttention, "webhook-on-few-nodes", "pods are refused where its matchConditions hold"},
		{"nobody answers for evictions of what stays", hook(func(w *lifecycle.Webhook) {
			w.Backends, w.Kinds, w.Evictions = nil, nil, []int32{2}
		}), "", "", ""},
		{"nobody answers, and it judges no pod that moves", hook(func(w *lifecycle.Webhook) { w.Backends, w.Kinds = nil, []int32{2} }), "", "",
			""},
		{"nobody answers for nodes", hook(func(w *lifecycle.Webhook) { w.Backends, w.Kinds, w.Nodes = nil, nil, []string{"w1"} }),
			lifecycle.RankBlocks,
			"webhook-down",
			"changes of nodes are refused"},
		{"a policy for pods that move", func(a *lifecycle.Admission) {
			a.Policies = []lifecycle.PodPolicy{{Name: "images", Binding: "b", Kinds: []int32{0, 1}},
				{Name: "images", Binding: "c", Kinds: []int32{0}}}
		}, lifecycle.RankGood, "pods-judged-by-policy", "it judges 4 pods"},
		{"a policy for pods that stay", func(a *lifecycle.Admission) {
			a.Policies = []lifecycle.PodPolicy{{Name: "images", Binding: "b", Kinds: []int32{2}}}
		}, "", "", ""},
		{"nobody answers for evictions", hook(func(w *lifecycle.Webhook) { w.Backends, w.Kinds, w.Evictions = nil, nil, []int32{0} }),
			lifecycle.RankBlocks,
			"webhook-down", "evictions are refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 0, 1), at("g1", 1, 1), at("g2", 1, 2)}, kind, gate, asks("idle", 1))
			a := there
			c.edit(&a)
			in.Evidence.Admission = &lifecycle.Answer[lifecycle.Admission]{Value: a}
			r := &report{}
			admission(in, r)
			var f lifecycle.ReadinessFinding
			if len(r.Findings) > 0 {
				f = r.Findings[0]
			}
			said := f.Summary + "\n" + strings.Join(f.Seen, "\n") + "\n" + f.Remedy
			if len(r.Findings) > 1 || f.Rule != c.rule || f.Rank != c.rank || !strings.Contains(said, c.has) {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
	in := threeWorkers(nil)
	in.Evidence.Admission = &lifecycle.Answer[lifecycle.Admission]{Unknown: "quotas are forbidden"}
	r := &report{}
	if admission(in, r); len(r.Unseen) != 1 || r.Unseen[0].Why != "quotas are forbidden" {
		t.Errorf("%+v", r.Unseen)
	}
}

// What can't be looked at comes with a command that has the API server ask the very webhook, and changes nothing.
func TestWebhookElsewhereIsTried(t *testing.T) {
	for _, c := range []struct {
		hook lifecycle.Webhook
		want string
	}{
		{lifecycle.Webhook{Kinds: []int32{0}, Nodes: []string{"w9"}}, "kubectl --namespace shop get pod a -o yaml | "},
		{lifecycle.Webhook{Kinds: []int32{1}, Evictions: []int32{0}, Nodes: []string{"w9"}}, "kubectl drain w1 --ignore-daemonsets "},
		{lifecycle.Webhook{Nodes: []string{"w9"}}, "kubectl label node w9 kiban.dev/try=1 --dry-run=server"},
	} {
		in := threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0)}, asks("web", 1000), asks("idle", 1))
		in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: "c1", Role: lifecycle.RoleController})
		c.hook.Name, c.hook.Configuration, c.hook.Elsewhere = "far", "c", true
		in.Evidence.Admission = &lifecycle.Answer[lifecycle.Admission]{Value: lifecycle.Admission{Webhooks: []lifecycle.Webhook{c.hook}}}
		r := &report{}
		admission(in, r)
		if len(r.Unseen) != 1 || r.Unseen[0].Subject != "webhook far" || !strings.Contains(r.Unseen[0].Remedy, c.want) ||
			!strings.Contains(r.Unseen[0].Remedy, `finding not-seen, subject "webhook far"`) {
			t.Errorf("%+v, want %s", r.Unseen, c.want)
		}
	}
}
