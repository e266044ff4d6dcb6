package readiness

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fit"
)

// mostWorkloads is about how many workloads there are findings, at most: who has more has one cause for them.
const mostWorkloads = 100

// pods finds those that would have no place elsewhere while their node is out of service: as pods stand now, turn by turn.
func pods(in Input, r *report) {
	e := in.Evidence.Scheduling
	const what = "whether pods find a place elsewhere while their node is out"
	switch {
	case e == nil:
		return
	case !e.Known():
		r.unasked(what, e.Unknown, "kiban ready "+in.Site.Name)
		return
	}
	s := withHeldOpen(e.Value, in.State)
	p := places{in: in, s: &s, by: map[string]*homeless{}, total: map[string]int{}, unjudged: map[string][]string{}}
	p.count()
	board := fit.New(&s)
	moved, turns := 0, turns(in)
	for _, names := range turns {
		var out []int32
		for _, name := range names {
			if n, there := p.nodes[name]; there {
				out = append(out, n)
			}
		}
		if len(out) == 0 {
			continue
		}
		groups := board.Without(out)
		for _, g := range groups {
			moved += len(g.Pods)
		}
		p.turn(names, groups)
	}
	p.tell(r)
	r.looked(fmt.Sprintf("where %s would go in %s", lifecycle.Count(moved, "pod"), lifecycle.Count(len(turns), "turn")))
}

// withHeldOpen is what decides where pods can run, once the nodes are returned that an interrupted run left out of service.
func withHeldOpen(s lifecycle.Scheduling, state lifecycle.State) lifecycle.Scheduling {
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		if n, _ := state.Node(s.Nodes[i].Name); !n.Mark.IsZero() && !n.Mark.Maintenance() {
			s.Nodes[i].Closed = false
		}
	}
	return s
}

// places gathers what was said of each workload.
type places struct {
	in       Input
	s        *lifecycle.Scheduling
	nodes    map[string]int32
	total    map[string]int       // pods of each workload
	budgets  map[string][]int     // of State.Budgets, by "namespace/pod"
	by       map[string]*homeless // by workload
	order    []string             // its keys, in the order in which they came
	unjudged map[string][]string  // workloads, by why it can't be said where they fit
}

// homeless is a workload of which pods find no place in some turns.
type homeless struct {
	kind  *lifecycle.PodKind
	seen  []string
	lacks string // what there is too little of, in the turn that lacks first
	// never: some find none, whatever the order is. alone: none of its pods runs then. held and mayHold are a budget that would hold a drain.
	never, alone  bool
	held, mayHold string
	pushes        string
}

func (p *places) count() {
	p.nodes = map[string]int32{}
	for i, n := range p.s.Nodes {
		p.nodes[n.Name] = int32(i)
	}
	for _, pod := range p.s.Pods {
		if !pod.Ending {
			p.total[p.s.Kinds[pod.Kind].Workload]++
		}
	}
	p.budgets = map[string][]int{}
	for i, b := range p.in.State.Budgets {
		for _, pod := range b.Pods {
			if b.Guards(pod) {
				p.budgets[b.Namespace+"/"+pod.Name] = append(p.budgets[b.Namespace+"/"+pod.Name], i)
			}
		}
	}
}

// turn takes down what becomes of the pods of some nodes.
func (p *places) turn(names []string, groups []fit.Group) {
	least, most, all := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range groups {
		g := &groups[i]
		k := &p.s.Kinds[g.Kind]
		all[k.Workload] += len(g.Pods)
		if k.Unjudged != "" {
			if !slices.Contains(p.unjudged[k.Unjudged], k.Workload) {
				p.unjudged[k.Unjudged] = append(p.unjudged[k.Unjudged], k.Workload)
			}
			continue
		}
		least[k.Workload] += g.Least
		most[k.Workload] += g.Most
	}
	for i := range groups {
		if g := &groups[i]; g.Most > 0 && p.s.Kinds[g.Kind].Unjudged == "" {
			p.group(names, g, least, most, all)
		}
	}
	p.holds(groups)
}

// group takes down a group of which pods find no place, or may not. The numbers are of its workload in this turn.
func (p *places) group(names []string, g *fit.Group, least, most, all map[string]int) {
	k := &p.s.Kinds[g.Kind]
	h := p.by[k.Workload]
	if h == nil {
		h = &homeless{kind: k}
		p.by[k.Workload] = h
		p.order = append(p.order, k.Workload)
	}
	h.never = h.never || g.Least > 0
	h.alone = h.alone || least[k.Workload] >= p.total[k.Workload]
	var why []string
	for _, o := range g.Why {
		if h.lacks == "" && g.Least > 0 {
			h.lacks = o.Lacks
		}
		why = append(why, fmt.Sprintf("%d %s", o.Nodes, o.What))
	}
	if g.Pushes >= 0 && g.Least > 0 {
		h.pushes = p.s.Kinds[g.Pushes].Workload
	}
	n := fmt.Sprint(most[k.Workload])
	if least[k.Workload] < most[k.Workload] {
		n = fmt.Sprintf("%d to %d", least[k.Workload], most[k.Workload])
	}
	_, name, _ := strings.Cut(k.Workload, " ")
	line := fmt.Sprintf("%s out, %s of %s of %s: of %s, %s", lifecycle.Few(names), n, lifecycle.Count(all[k.Workload], "pod"), name,
		lifecycle.Count(len(p.s.Nodes), "node"), strings.Join(why, "; "))
	if !slices.Contains(h.seen, line) {
		h.seen = append(h.seen, line)
	}
}

// holds finds budgets that would hold the drain of a node for good: as many pods as they let go find no place, and there are more on the
// node to be moved.
func (p *places) holds(groups []fit.Group) {
	type at struct {
		budget int
		node   int32
	}
	guarded, stay, mayStay := map[at]int{}, map[at]int{}, map[at]int{}
	workloads := map[at][]string{}
	for i := range groups {
		g := &groups[i]
		here := map[at]int{}
		for _, pod := range g.Pods {
			for _, b := range p.budgets[p.s.Kinds[g.Kind].Namespace+"/"+p.s.Pods[pod].Name] {
				here[at{b, p.s.Pods[pod].Node}]++
			}
		}
		for a, n := range here {
			guarded[a] += n
			stay[a] += min(n, g.Least)
			mayStay[a] += min(n, g.Most)
			if g.Most > 0 {
				workloads[a] = append(workloads[a], p.s.Kinds[g.Kind].Workload)
			}
		}
	}
	for a, n := range guarded {
		b := p.in.State.Budgets[a.budget]
		if b.Allowed < 1 || n <= b.Allowed {
			continue // it lets none go now, which the plan says; or all that are there
		}
		for _, w := range workloads[a] {
			switch h := p.by[w]; {
			case h == nil:
			case stay[a] >= b.Allowed:
				h.held = b.Namespace + "/" + b.Name
			case mayStay[a] >= b.Allowed:
				h.mayHold = b.Namespace + "/" + b.Name
			}
		}
	}
}

// tell reports what was taken down.
func (p *places) tell(r *report) {
	slices.Sort(p.order)
	for i, workload := range p.order {
		if i == mostWorkloads {
			r.find(lifecycle.ReadinessFinding{Rule: "pods-fit-nowhere", Rank: lifecycle.RankAttention, Subject: p.in.Site.Name,
				Summary: fmt.Sprintf("pods of %s more find no place while their node is out, or may not",
					lifecycle.Count(len(p.order)-mostWorkloads, "workload")),
				Remedy: "Add a worker, or free room on those that are there, then ask again: kiban ready " + p.in.Site.Name})
			break
		}
		r.find(p.by[workload].finding(workload))
	}
	for _, why := range slices.Sorted(maps.Keys(p.unjudged)) {
		r.unseen("whether the pods of "+lifecycle.Few(p.unjudged[why])+" find a place elsewhere", why, "")
	}
}

func (h *homeless) finding(workload string) lifecycle.ReadinessFinding {
	f := lifecycle.ReadinessFinding{Rule: "pods-fit-nowhere", Rank: lifecycle.RankAttention, Subject: workload, Owner: h.kind.Owner,
		Seen: h.seen}
	room := "Make room for " + h.lacks + " on another node that takes them: a further worker, smaller requests, or fewer pods."
	ways := "Let another node take them (by selector, tolerations, spreading, volumes), run one more elsewhere, or plan for the time without."
	if h.lacks != "" {
		ways = room
	}
	f.Remedy = ways
	switch {
	case h.held != "":
		namespace, name, _ := strings.Cut(h.held, "/")
		f.Rank, f.Summary = lifecycle.RankBlocks,
			"the drain would not end: pods that leave find no place, and the budget "+h.held+" lets no others go then"
		f.Remedy = strings.TrimSuffix(ways, ".") + fmt.Sprintf(". Or loosen the budget: kubectl --namespace %s edit poddisruptionbudget %s",
			namespace, name)
	case h.mayHold != "":
		f.Rule, f.Summary = "pods-may-not-fit",
			"the drain may not end: pods that leave may find no place, and the budget "+h.mayHold+" lets no others go then"
	case !h.never:
		f.Rule, f.Rank, f.Summary = "pods-may-not-fit", lifecycle.RankGood,
			"pods may find no place while their node is out, depending on where others go"
	case h.pushes != "":
		f.Summary = "pods find no place while their node is out, but by pushing out others of lower priority"
		f.Seen = append(f.Seen, "one that would be pushed out: of "+h.pushes)
	case h.alone:
		f.Summary = "none of its pods runs while their node is out: they find no place elsewhere"
	case h.lacks != "":
		f.Summary = "pods find no place while their node is out: too little room"
	default:
		f.Rank, f.Summary = lifecycle.RankGood, "pods wait until their node is back, by their own rules; others of it run meanwhile"
	}
	return f
}
