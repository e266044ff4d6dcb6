package readiness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// refused finds pods that do not keep to what their namespace asks of those that are made in it: they run, for it is asked of new ones
// only.
func (a admitted) refused(in Input, r *report) {
	if len(a.moves) == 0 {
		return
	}
	const what = "Pod Security, LimitRanges and quotas let pods in again that are moved"
	if a.s.RefusedUnknown != "" {
		r.unasked("whether "+what, a.s.RefusedUnknown, "kiban ready "+in.Site.Name)
		return
	}
	if why := in.Site.PodAdmission(in.Target).Unknown; why != "" {
		r.unseen("whether Pod Security lets pods in again in namespaces without a level of their own", why,
			"Declare the file in spec.files of the Site, with `on: controllers`.")
	}
	way, workloads := hops(r.From, in.Target), map[string]bool{}
	for _, k := range slices.Sorted(maps.Keys(a.moves)) {
		of := &a.s.Kinds[k]
		for _, why := range of.Refused {
			at := slices.IndexFunc(way, func(m int) bool { return m >= why.Since && (why.Until == 0 || m < why.Until) })
			if at < 0 {
				continue
			}
			if workloads[of.Workload] = true; len(workloads) <= mostWorkloads {
				a.once(r, refusedBy(of, why, r.From))
			}
		}
	}
	if more := len(workloads) - mostWorkloads; more > 0 {
		r.find(lifecycle.ReadinessFinding{Rule: "pods-refused", Rank: lifecycle.RankBlocks, Subject: in.Site.Name,
			Summary: fmt.Sprintf("pods of %s more are not made anew when they are moved, either", lifecycle.Count(more, "workload")),
			Seen:    []string{"each does not keep to what its namespace asks of new pods"},
			Remedy:  "Mend those above, then ask again: kiban ready " + in.Site.Name})
	}
}

// refusedBy is the finding of pods that something of their namespace does not let in again.
func refusedBy(k *lifecycle.PodKind, why lifecycle.Refusal, from lifecycle.Version) lifecycle.ReadinessFinding {
	var judge, remedy string
	switch why.By {
	case lifecycle.RefusedByPodSecurity:
		judge = fmt.Sprintf("Pod Security enforces %s in the namespace %s", why.Name, k.Namespace)
		level := "pod-security.kubernetes.io/enforce=privileged"
		remedy = "Change the pod template so that it keeps to the level. Or lower the level until it does"
		if why.Since > 0 {
			remedy = "Change the pod template so that it keeps to the level. Or hold the namespace at the former one until it does"
			level = "pod-security.kubernetes.io/enforce-version=" + minorName(why.Since-1)
		}
		remedy += fmt.Sprintf(" (podSecurity of the Tenant, where the namespace is one's): kubectl label namespace %s %s --overwrite",
			k.Namespace, level)
	case lifecycle.RefusedByLimitRange:
		judge = fmt.Sprintf("the LimitRange %s/%s does not let them in", k.Namespace, why.Name)
		remedy = fmt.Sprintf("Change the resources of the pod template, or the range: kubectl --namespace %s edit limitrange %s",
			k.Namespace, why.Name)
	default:
		judge = fmt.Sprintf("the quota %s/%s demands what they do not say", k.Namespace, why.Name)
		remedy = "Say in the pod template what each container asks for and may take, or have a LimitRange of the namespace give it to them."
	}
	f := refused(k, judge, why.Why, remedy)
	if why.Since > 0 && from.Minor < why.Since {
		f.Breaks = minorName(why.Since)
	}
	if why.Doubtful {
		f.Rank, f.Summary = lifecycle.RankAttention, "pods that are moved may not be made anew: "+judge
		f.Seen = append(f.Seen, "what the pods that run have, a LimitRange gave them when they were made (kubernetes.io/limit-ranger); "+
			"the ranges of now do not")
	}
	return f
}

// policies names those that may deny pods that are moved. What their expressions say of them is not worked out.
func (a admitted) policies(r *report) {
	judged := map[string]map[int32]bool{}
	bindings := map[string][]string{}
	for _, p := range a.a.Policies {
		for _, k := range p.Kinds {
			if a.moves[k] == 0 {
				continue
			}
			if judged[p.Name] == nil {
				judged[p.Name] = map[int32]bool{}
			}
			judged[p.Name][k] = true
			if !slices.Contains(bindings[p.Name], p.Binding) {
				bindings[p.Name] = append(bindings[p.Name], p.Binding)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(judged)) {
		kinds := slices.Sorted(maps.Keys(judged[name]))
		r.find(lifecycle.ReadinessFinding{Rule: "pods-judged-by-policy", Rank: lifecycle.RankGood, Subject: "policy " + name,
			Summary: fmt.Sprintf("it judges %s when the upgrade has moved them, and what its expressions come to is not worked out",
				lifecycle.Count(a.count(kinds), "pod")),
			Seen: []string{fmt.Sprintf("ValidatingAdmissionPolicy %s, bound with the action Deny by %s, is for pods of %s", name,
				lifecycle.Few(bindings[name]), lifecycle.Few(a.workloads(kinds)))},
			Remedy: "Ask the API server, which makes nothing: " + a.tryCommand(kinds)})
	}
}

// workloads are those of kinds, each once.
func (a admitted) workloads(kinds []int32) []string {
	var out []string
	for _, k := range kinds {
		if w := a.s.Kinds[k].Workload; !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

// tryCommand asks the API server whether it would make a pod of these kinds anew.
func (a admitted) tryCommand(kinds []int32) string {
	namespace, name := "NAMESPACE", "POD"
	for _, p := range a.s.Pods {
		if slices.Contains(kinds, p.Kind) && p.Node >= 0 && !p.Stays && !p.Lost && !p.Ending && (name == "POD" || p.Name < name) {
			namespace, name = a.s.Kinds[p.Kind].Namespace, p.Name
		}
	}
	return strings.Join([]string{"kubectl --namespace", namespace, "get pod", name, "-o yaml |",
		`sed '/^  resourceVersion:/d; /^  uid:/d; s/^  name: .*/  name: try/' |`, "kubectl create --dry-run=server -f -"}, " ")
}
