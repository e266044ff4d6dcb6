package readiness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// admission finds pods that the API would not let in again once a drain has moved them: for what they name is gone, a quota is
// overdrawn, their namespace asks for what they do not keep to, or a webhook that must agree does not answer.
func admission(in Input, r *report) {
	e, s := in.Evidence.Admission, in.Evidence.Scheduling
	switch {
	case e == nil || s == nil || !s.Known(): // of the pods it is said already that nothing is known
		return
	case !e.Known():
		r.unasked("whether pods that are moved are let in again", e.Unknown, "kiban ready "+in.Site.Name)
		return
	}
	a := admitted{s: &s.Value, a: &e.Value, turns: turns(in), moves: moved(&s.Value, turns(in))}
	for _, k := range slices.Sorted(maps.Keys(a.moves)) {
		a.named(r, &a.s.Kinds[k])
	}
	a.quotas(r)
	a.refused(in, r)
	a.policies(r)
	for i := range a.a.Webhooks {
		a.webhook(r, &a.a.Webhooks[i])
	}
	r.looked(fmt.Sprintf("what %s of pods need to be let in again", lifecycle.Count(len(a.moves), "kind")))
}

// moved are the kinds of pods that the turns move, and how many pods of each.
func moved(s *lifecycle.Scheduling, turns [][]string) map[int32]int {
	nodes := map[string]bool{}
	for _, out := range turns {
		for _, name := range out {
			nodes[name] = true
		}
	}
	kinds := map[int32]int{}
	for _, p := range s.Pods {
		if p.Node >= 0 && !p.Stays && !p.Lost && !p.Ending && nodes[s.Nodes[p.Node].Name] {
			kinds[p.Kind]++
		}
	}
	return kinds
}

type admitted struct {
	s     *lifecycle.Scheduling
	a     *lifecycle.Admission
	turns [][]string
	moves map[int32]int
}

// refused is a finding of pods that would not be made anew. A workload all of whose nodes are drained in the end would be gone.
func refused(k *lifecycle.PodKind, why, seen, remedy string) lifecycle.ReadinessFinding {
	return lifecycle.ReadinessFinding{Rule: "pods-refused", Rank: lifecycle.RankBlocks, Subject: k.Workload, Owner: k.Owner,
		Summary: "pods that are moved are not made anew: " + why, Seen: []string{seen}, Remedy: remedy}
}

// named looks for what the pods name.
func (a admitted) named(r *report, k *lifecycle.PodKind) {
	lacks := func(sorted []string, name string) bool {
		_, there := slices.BinarySearch(sorted, name)
		return name != "" && !there
	}
	if lacks(a.a.PriorityClasses, k.PriorityClass) {
		a.once(r, refused(k, "the PriorityClass "+k.PriorityClass+" is gone", "its pods have the priority "+fmt.Sprint(k.Priority)+" of it",
			fmt.Sprintf("kubectl create priorityclass %s --value=%d", k.PriorityClass, k.Priority)))
	}
	if lacks(a.a.RuntimeClasses, k.RuntimeClass) {
		a.once(r, refused(k, "the RuntimeClass "+k.RuntimeClass+" is gone", "its pods name it",
			"Bring it back, or take runtimeClassName out of the pod template."))
	}
	if k.ServiceAccount != "" && lacks(a.a.ServiceAccounts, k.Namespace+"/"+k.ServiceAccount) {
		a.once(r, refused(k, "the service account "+k.ServiceAccount+" is gone", "its pods run as it",
			fmt.Sprintf("kubectl --namespace %s create serviceaccount %s", k.Namespace, k.ServiceAccount)))
	}
}

// once reports a finding, unless it stands there already: a workload may have pods of several kinds.
func (a admitted) once(r *report, f lifecycle.ReadinessFinding) {
	if !slices.ContainsFunc(r.Findings, func(o lifecycle.ReadinessFinding) bool {
		return o.Rule == f.Rule && o.Subject == f.Subject && o.Summary == f.Summary
	}) {
		r.find(f)
	}
}

// quotas looks for those that leave no room for a pod that was there already: more is used than is allowed, so what leaves does not come
// back.
func (a admitted) quotas(r *report) {
	for _, q := range a.a.Overdrawn {
		for _, k := range slices.Sorted(maps.Keys(a.moves)) {
			of := &a.s.Kinds[k]
			if of.Namespace != q.Namespace {
				continue
			}
			for _, use := range q.Over {
				if a.takes(of, use) {
					a.once(r, refused(of, "the quota "+q.Namespace+"/"+q.Name+" is overdrawn", use.Text,
						fmt.Sprintf("Raise it, or run less: kubectl --namespace %s edit resourcequota %s", q.Namespace, q.Name)))
				}
			}
		}
	}
}

// takes reports whether a pod of the kind takes some of what a quota counts.
func (a admitted) takes(k *lifecycle.PodKind, use lifecycle.QuotaUse) bool {
	i := slices.Index(a.s.Resources, use.Resource)
	amounts := k.Requests
	if use.Limits {
		amounts = k.Limits
	}
	return i >= 0 && i < len(amounts) && amounts[i] > 0
}

// webhook looks at who stands behind one whose silence refuses what it judges.
func (a admitted) webhook(r *report, w *lifecycle.Webhook) {
	judged, what := 0, []string{}
	for _, k := range w.Kinds {
		judged += a.moves[k]
	}
	if judged > 0 {
		what = append(what, "pods")
	}
	if w.Evictions {
		what = append(what, "evictions")
	}
	if w.Nodes {
		what = append(what, "changes of nodes")
	}
	if len(what) == 0 {
		return
	}
	if w.Elsewhere {
		r.unseenOf("webhook "+w.Name, "whether the webhook "+w.Name+" answers, which must agree to "+lifecycle.Enumerate(what),
			w.Configuration+", failurePolicy Fail, asks a URL outside of the cluster",
			"Try it: kubectl label node NAME kiban.dev/try=1 --dry-run=server")
		return
	}
	f := lifecycle.ReadinessFinding{Subject: "webhook " + w.Name, Owner: a.ownerOf(w),
		Seen: []string{fmt.Sprintf("%s, failurePolicy Fail, asks the Service %s", w.Configuration, w.Service)}}
	if judged > 0 {
		f.Seen = append(f.Seen, fmt.Sprintf("it judges %s that the upgrade moves", lifecycle.Count(judged, "pod")))
	}
	namespace, service, _ := strings.Cut(w.Service, "/")
	if len(w.Backends) == 0 {
		f.Rule, f.Rank, f.Summary = "webhook-down", lifecycle.RankBlocks, "nobody answers it, so that "+lifecycle.Enumerate(what)+" are refused"
		f.Remedy = fmt.Sprintf("See why nothing is ready: kubectl --namespace %s get endpointslices,pods. Or remove %s if nobody uses it.",
			namespace, w.Configuration)
		if w.Gone {
			f.Seen = append(f.Seen, "there is no Service "+w.Service)
		}
		if w.Conditional {
			f.Rank = lifecycle.RankAttention
			f.Seen = append(f.Seen, "its matchConditions may let some of that pass")
		}
		r.find(f)
		return
	}
	out, all := a.together(w)
	if !all {
		return
	}
	f.Rule, f.Rank = "webhook-on-few-nodes", lifecycle.RankAttention
	f.Summary = fmt.Sprintf("all that answers it moves at once, and until it is ready again %s are refused", lifecycle.Enumerate(what))
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
