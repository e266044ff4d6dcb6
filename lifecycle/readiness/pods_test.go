package readiness

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// threeWorkers is a site of three workers with 4 CPU each, and pods of one CPU each unless edited.
func threeWorkers(pods []lifecycle.PlacedPod, kinds ...lifecycle.PodKind) Input {
	in := Input{Site: lifecycle.Site{Name: "lab"}, Now: now, Target: lifecycle.Version{Major: 1, Minor: 37}}
	in.Site.Policy.Workers.MaxUnavailable = "1"
	s := lifecycle.Scheduling{Resources: []string{lifecycle.ResourcePods, lifecycle.ResourceCPU}, Kinds: kinds, Pods: pods}
	only := lifecycle.NewBits(3)
	only.Add(0)
	s.NodeSets = []lifecycle.NodeSet{{Why: "where its volumes are", Has: only}}
	for i := range 3 {
		name := fmt.Sprintf("w%d", i+1)
		in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: name, Role: lifecycle.RoleWorker})
		in.State.Nodes = append(in.State.Nodes, lifecycle.NodeState{Name: name, Ready: true})
		s.Nodes = append(s.Nodes, lifecycle.SchedulingNode{Name: name, Allocatable: []int64{110, 4000}})
	}
	in.Evidence.Scheduling = &lifecycle.Answer[lifecycle.Scheduling]{Value: s}
	return in
}

func asks(workload string, cpu int64) lifecycle.PodKind {
	return lifecycle.PodKind{Namespace: "shop", Workload: "Deployment shop/" + workload, Owner: "tenant shop", Requests: []int64{1, cpu},
		Selected: -1, Tolerated: -1}
}

func at(name string, kind, node int32) lifecycle.PlacedPod {
	return lifecycle.PlacedPod{Name: name, Kind: kind, Node: node, Volumes: -1}
}

func TestPods(t *testing.T) {
	bound := at("db-0", 0, 0)
	bound.Volumes = 0
	guarded := func(allowed int, pods ...string) []lifecycle.Budget {
		b := lifecycle.Budget{Namespace: "shop", Name: "web", Rule: "maxUnavailable 1", Allowed: allowed, Healthy: 9, Desired: 8, Expected: 9}
		for _, p := range pods {
			b.Pods = append(b.Pods, lifecycle.BudgetPod{Name: p, Node: "w1", Ready: true})
		}
		return []lifecycle.Budget{b}
	}
	important := asks("web", 3000)
	important.Priority = 100
	odd := asks("web", 1000)
	odd.Unjudged = "they claim devices"
	for _, c := range []struct {
		name    string
		in      Input
		budgets []lifecycle.Budget
		rank    lifecycle.Rank
		// summary, seen and remedy are parts of the one finding; "" where there is none. unseen is part of what could not be looked at.
		summary, seen, remedy, unseen string
	}{
		{name: "all fit", in: threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 0, 1)}, asks("web", 1000))},
		{name: "too little room", in: threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 0, 1), at("c", 0, 2)}, asks("web", 3000)),
			rank: lifecycle.RankAttention, summary: "too little room",
			seen:   "w1 out, 1 of 1 pod of shop/web: of 3 nodes, 2 have less than 3 CPU free; 1 is out of service",
			remedy: "Make room for 3 CPU on another node"},
		{name: "the only one, whose volume is here", in: threeWorkers([]lifecycle.PlacedPod{bound}, asks("db", 1000)),
			rank:    lifecycle.RankAttention,
			summary: "none of its pods runs while their node is out", seen: "2 are not where its volumes are", remedy: "run one more elsewhere"},
		{name: "one of two, whose volume is here", in: threeWorkers([]lifecycle.PlacedPod{bound, at("db-1", 0, 1)}, asks("db", 1000)),
			rank: lifecycle.RankGood, summary: "wait until their node is back"},
		{name: "a budget that would hold the drain", in: threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 0, 0), at("c", 1, 1), at("d",
			1, 2)},
			asks("web", 2000), asks("other", 4000)), budgets: guarded(1, "a", "b"), rank: lifecycle.RankBlocks, summary: "the drain would not end",
			remedy: "kubectl --namespace shop edit poddisruptionbudget web"},
		{name: "a budget that lets both go", in: threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 0, 0), at("c", 1, 1), at("d", 1, 2)},
			asks("web", 2000), asks("other", 1000+2000)), budgets: guarded(2, "a", "b"), rank: lifecycle.RankAttention,
			summary: "none of its pods runs"},
		{name: "by pushing out others", in: threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 1, 1), at("c", 1, 2)}, important,
			asks("batch", 2000)),
			rank: lifecycle.RankAttention, summary: "by pushing out others", seen: "of Deployment shop/batch"},
		{name: "it depends", in: threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0), at("b", 1, 0), at("c", 2, 1), at("d", 3, 2)},
			asks("web", 2000), asks("web", 1000), asks("other", 2000), asks("other", 4000)), rank: lifecycle.RankGood,
			summary: "depending on where others go"},
		{name: "not for kiban to judge", in: threeWorkers([]lifecycle.PlacedPod{at("a", 0, 0)}, odd), unseen: "they claim devices"},
		{name: "not known",
			in:     Input{Evidence: lifecycle.Evidence{Scheduling: &lifecycle.Answer[lifecycle.Scheduling]{Unknown: "pods is forbidden"}}},
			unseen: "pods is forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.in.State.Budgets = c.budgets
			r := &report{}
			pods(c.in, r)
			if c.unseen != "" {
				if len(r.Unseen) != 1 || !strings.Contains(r.Unseen[0].Why, c.unseen) {
					t.Errorf("unseen: %+v", r.Unseen)
				}
			} else if len(r.Unseen) > 0 {
				t.Errorf("unseen: %+v", r.Unseen)
			}
			var f lifecycle.ReadinessFinding
			for _, of := range r.Findings {
				if of.Subject != "Deployment shop/other" && of.Subject != "Deployment shop/batch" {
					f = of
				}
			}
			if f.Rank != c.rank || !strings.Contains(f.Summary, c.summary) || !strings.Contains(strings.Join(f.Seen, "\n"), c.seen) ||
				!strings.Contains(f.Remedy, c.remedy) || c.rank != "" && f.Owner != "tenant shop" {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

// Nodes go as the planner lets them: controllers with pods one by one, canaries alone, then neighbours of one domain.
func TestTurns(t *testing.T) {
	in := threeWorkers(nil)
	in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: "w4", Role: lifecycle.RoleWorker},
		lifecycle.Host{Name: "c1", Role: lifecycle.RoleControllerWorker}, lifecycle.Host{Name: "c2", Role: lifecycle.RoleController})
	in.State.Nodes = append(in.State.Nodes, lifecycle.NodeState{Name: "w4"}, lifecycle.NodeState{Name: "c1", Taints: []string{"a:NoSchedule"}})
	for i, rack := range []string{"b", "a", "b", "b"} {
		in.State.Nodes[i].Labels = map[string]string{"rack": rack}
	}
	for _, c := range []struct {
		name    string
		rollout lifecycle.Rollout
		edit    func(*Input)
		want    string
	}{
		{"one by one", lifecycle.Rollout{MaxUnavailable: "1", Canary: 1}, nil, "[[c1] [w1] [w2] [w3] [w4]]"},
		{"two at once", lifecycle.Rollout{MaxUnavailable: "2", Canary: 1}, nil, "[[c1] [w1] [w2 w3] [w3 w4]]"},
		{"half of them, by rack", lifecycle.Rollout{MaxUnavailable: "50%", FailureDomain: "rack"}, nil, "[[c1] [w2] [w1 w3] [w3 w4]]"},
		{"all at once", lifecycle.Rollout{MaxUnavailable: "9"}, nil, "[[c1] [w1 w2 w3 w4]]"},
		{"one has the version", lifecycle.Rollout{MaxUnavailable: "1"}, func(in *Input) {
			in.State.Hosts = []lifecycle.HostState{{Name: "w2", ServiceName: "k0sworker", Running: in.Target, Binary: in.Target}}
		}, "[[c1] [w1] [w3] [w4]]"},
		{"no other takes its pods", lifecycle.Rollout{MaxUnavailable: "1"}, func(in *Input) {
			for i := range in.State.Nodes[1:] {
				in.State.Nodes[i+1].Unschedulable = true
			}
		}, "[[c1] [w2] [w3] [w4]]"},
	} {
		in := in
		in.State.Nodes = append([]lifecycle.NodeState{}, in.State.Nodes...)
		in.Site.Policy.Workers = c.rollout
		if c.edit != nil {
			c.edit(&in)
		}
		if got := fmt.Sprint(turns(in)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A wide window slides over all nodes, in steps that keep the number of turns bounded.
func TestWindows(t *testing.T) {
	var nodes []string
	for i := range 1000 {
		nodes = append(nodes, fmt.Sprint(i))
	}
	got := windows(nodes, 100)
	seen := map[string]int{}
	for _, w := range got {
		if len(w) != 100 {
			t.Errorf("%d nodes at once", len(w))
		}
		for _, n := range w {
			seen[n]++
		}
	}
	if len(seen) != 1000 || len(got) != 37 {
		t.Errorf("%d of 1000 nodes in %d turns", len(seen), len(got))
	}
	if got := windows([]string{"a", "b"}, 3); !reflect.DeepEqual(got, [][]string{{"a", "b"}}) {
		t.Errorf("%v", got)
	}
}
