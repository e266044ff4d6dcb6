package readiness

import (
	"fmt"
	"maps"
	"slices"

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
