package readiness

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// judgedBy is what an upgrade does that a webhook judges: kinds of pods that move and are made anew, those that are evicted, and nodes
// that change.
type judgedBy struct {
	kinds, evictions []int32
	nodes            []string
}

// what is that in words; none where it judges nothing.
func (j judgedBy) what() []string {
	var out []string
	if len(j.kinds) > 0 {
		out = append(out, "pods")
	}
	if len(j.evictions) > 0 {
		out = append(out, "evictions")
	}
	if len(j.nodes) > 0 {
		out = append(out, "changes of nodes")
	}
	return out
}

func (a admitted) judgedBy(w *lifecycle.Webhook) judgedBy {
	return judgedBy{kinds: a.moving(w.Kinds), evictions: a.moving(w.Evictions), nodes: w.Nodes}
}

// moving are those of kinds of which pods move.
func (a admitted) moving(kinds []int32) []int32 {
	return slices.DeleteFunc(slices.Clone(kinds), func(k int32) bool { return a.moves[k] == 0 })
}

// count is how many pods of the kinds move.
func (a admitted) count(kinds []int32) int {
	n := 0
	for _, k := range kinds {
		n += a.moves[k]
	}
	return n
}

// tryWebhook is a command that has the API server ask the webhook, and changes nothing.
func (a admitted) tryWebhook(j judgedBy) string {
	switch {
	case len(j.kinds) > 0:
		return "Try it, which makes nothing: " + a.tryCommand(j.kinds)
	case len(j.evictions) > 0:
		return "Try it, which moves nothing: kubectl drain " + a.nodeOf(j.evictions) +
			" --ignore-daemonsets --delete-emptydir-data --dry-run=server"
	}
	return "Try it, which changes nothing: kubectl label node " + j.nodes[0] + " kiban.dev/try=1 --dry-run=server"
}

// nodeOf is a node with a pod of these kinds that moves.
func (a admitted) nodeOf(kinds []int32) string {
	for _, p := range a.s.Pods {
		if slices.Contains(kinds, p.Kind) && p.Node >= 0 && !p.Stays && !p.Lost && !p.Ending {
			return a.s.Nodes[p.Node].Name
		}
	}
	return "NODE"
}

// webhook looks at who stands behind one whose silence refuses what it judges.
func (a admitted) webhook(r *report, w *lifecycle.Webhook) {
	judged := a.judgedBy(w)
	if len(judged.what()) == 0 {
		return
	}
	if w.Elsewhere {
		r.unseenOf("webhook "+w.Name, "whether the webhook "+w.Name+" answers, which must agree to "+lifecycle.Enumerate(judged.what()),
			w.Configuration+", failurePolicy Fail, asks a URL outside of the cluster", a.tryWebhook(judged))
		return
	}
	f := lifecycle.ReadinessFinding{Subject: "webhook " + w.Name, Owner: a.ownerOf(w),
		Seen: []string{fmt.Sprintf("%s, failurePolicy Fail, asks the Service %s", w.Configuration, w.Service)}}
	if n := a.count(judged.kinds); n > 0 {
		f.Seen = append(f.Seen, fmt.Sprintf("it judges %s that the upgrade moves", lifecycle.Count(n, "pod")))
	}
	refused := lifecycle.Enumerate(judged.what()) + " are refused"
	if w.Conditional { // its conditions are not worked out
		refused += " where its matchConditions hold"
	}
	namespace, service, _ := strings.Cut(w.Service, "/")
	if len(w.Backends) == 0 {
		f.Rule, f.Rank, f.Summary = "webhook-down", lifecycle.RankBlocks, "nobody answers it, so that "+refused
		f.Remedy = fmt.Sprintf("See why nothing is ready: kubectl --namespace %s get endpointslices,pods. Or remove %s if nobody uses it.",
			namespace, w.Configuration)
		if w.Gone {
			f.Seen = append(f.Seen, "there is no Service "+w.Service)
		}
		if w.Conditional {
			f.Rank = lifecycle.RankAttention
		}
		r.find(f)
		return
	}
	out, all := a.together(w)
	if !all {
		return
	}
	f.Rule, f.Rank = "webhook-on-few-nodes", lifecycle.RankAttention
	f.Summary = "all that answers it moves at once, and until it is ready again " + refused
	f.Seen = append(f.Seen, fmt.Sprintf("%s of %s, on %s", lifecycle.Count(len(w.Backends), "endpoint"), w.Service, lifecycle.Few(out)))
	if a.judgesItself(w) {
		f.Summary += ", its own pods among them"
		f.Seen = append(f.Seen, "a pod of it that is late is refused by its own silence, and then no pod that it judges comes back")
	}
	f.Remedy = fmt.Sprintf("Run two or more replicas behind %s that must not share a node (anti-affinity and a disruption budget), "+
		"and leave the namespace %s out of what it judges.", service, namespace)
	r.find(f)
}

// together reports whether one turn of the rollout moves all that is behind a webhook, and from which nodes.
func (a admitted) together(w *lifecycle.Webhook) (nodes []string, all bool) {
	for _, b := range w.Backends {
		if b.Node != "" && !slices.Contains(nodes, b.Node) {
			nodes = append(nodes, b.Node)
		}
		if b.Node == "" || a.stays(w, b) {
			return nil, false
		}
	}
	return nodes, slices.ContainsFunc(a.turns, func(out []string) bool {
		return !slices.ContainsFunc(nodes, func(n string) bool { return !slices.Contains(out, n) })
	})
}

// pod finds the pod behind a backend; -1 where it is not known.
func (a admitted) pod(w *lifecycle.Webhook, b lifecycle.Backend) int {
	namespace, _, _ := strings.Cut(w.Service, "/")
	return slices.IndexFunc(a.s.Pods, func(p lifecycle.PlacedPod) bool {
		return p.Name == b.Pod && a.s.Kinds[p.Kind].Namespace == namespace
	})
}

// stays reports whether a drain leaves the backend where it is.
func (a admitted) stays(w *lifecycle.Webhook, b lifecycle.Backend) bool {
	i := a.pod(w, b)
	return i >= 0 && a.s.Pods[i].Stays
}

func (a admitted) judgesItself(w *lifecycle.Webhook) bool {
	return slices.ContainsFunc(w.Backends, func(b lifecycle.Backend) bool {
		i := a.pod(w, b)
		return i >= 0 && slices.Contains(w.Kinds, a.s.Pods[i].Kind)
	})
}

func (a admitted) ownerOf(w *lifecycle.Webhook) string {
	for _, b := range w.Backends {
		if i := a.pod(w, b); i >= 0 {
			return a.s.Kinds[a.s.Pods[i].Kind].Owner
		}
	}
	return ""
}
