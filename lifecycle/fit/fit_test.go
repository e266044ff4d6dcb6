package fit

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// small is a cluster of three nodes, each with 4 CPU and 10 places; the zones are a, a and b. Kinds and pods are the test's.
func small(kinds []lifecycle.PodKind, terms []lifecycle.PodTerm, pods ...lifecycle.PlacedPod) *lifecycle.Scheduling {
	s := &lifecycle.Scheduling{Resources: []string{lifecycle.ResourcePods, lifecycle.ResourceCPU},
		Topologies: []string{"kubernetes.io/hostname", "topology.kubernetes.io/zone"}, Kinds: kinds, Terms: terms, Pods: pods}
	for i, zone := range []int32{0, 0, 1} {
		s.Nodes = append(s.Nodes, lifecycle.SchedulingNode{Name: fmt.Sprintf("w%d", i), Allocatable: []int64{10, 4000},
			Domains: []int32{int32(i), zone}})
	}
	only := lifecycle.NewBits(3)
	only.Add(0)
	last := lifecycle.NewBits(3)
	last.Add(0)
	last.Add(2)
	s.NodeSets = []lifecycle.NodeSet{{Why: "disk=ssd", Has: only}, {Why: "where its volume is", Has: last}}
	return s
}

// takes is a kind that asks for so many thousandths of a CPU.
func takes(cpu int64, edit ...func(*lifecycle.PodKind)) lifecycle.PodKind {
	k := lifecycle.PodKind{Namespace: "shop", Workload: "Deployment shop/web", Requests: []int64{1, cpu}, Selected: -1, Tolerated: -1}
	for _, e := range edit {
		e(&k)
	}
	return k
}

func on(node, kind int32, edit ...func(*lifecycle.PlacedPod)) lifecycle.PlacedPod {
	p := lifecycle.PlacedPod{Node: node, Kind: kind, Volumes: -1}
	for _, e := range edit {
		e(&p)
	}
	return p
}

func kinds(k ...lifecycle.PodKind) []lifecycle.PodKind { return k }

func self(topology int32) []lifecycle.PodTerm {
	return []lifecycle.PodTerm{{Why: "app=web", Topology: topology, Kinds: []int32{0}}}
}

func anti(k *lifecycle.PodKind)   { k.Anti = []int32{0} }
func beside(k *lifecycle.PodKind) { k.Affinity = []int32{0} }

func port(ip string, n int32) func(*lifecycle.PodKind) {
	return func(k *lifecycle.PodKind) { k.Ports = []lifecycle.HostPort{{IP: ip, Protocol: "TCP", Port: n}} }
}

func spread(s lifecycle.Spread) func(*lifecycle.PodKind) {
	s.MinDomains, s.Own = max(1, s.MinDomains), true
	return func(k *lifecycle.PodKind) { k.Spread = []lifecycle.Spread{s} }
}

func TestWithout(t *testing.T) {
	host, zone := int32(0), int32(1)
	for _, c := range []struct {
		name string
		s    *lifecycle.Scheduling
		out  []int32
		// want is "least-most of pods" of each group, why is part of what is said of the first.
		want, why string
	}{
		{"an empty node", small(kinds(takes(100)), nil), []int32{0}, "", ""},
		{"room elsewhere", small(kinds(takes(1000)), nil, on(0, 0), on(0, 0)), []int32{0}, "0-0 of 2", ""},
		{"too large for what is left", small(kinds(takes(3000)), nil, on(0, 0), on(1, 0), on(2, 0)), []int32{0}, "1-1 of 1",
			"2 have less than 3 CPU free; 1 is out of service"},
		{"one hole for two", small(kinds(takes(2000), takes(3000)), nil, on(0, 0), on(0, 0), on(1, 0), on(2, 1)), []int32{0}, "1-1 of 2", ""},
		{"large or small, whichever comes first", small(kinds(takes(3000), takes(2000), takes(4000)), nil, on(0, 0), on(0, 1), on(2, 2)),
			[]int32{0}, "0-1 of 1, 0-1 of 1", ""},
		{"no place for a pod", small(kinds(takes(0), takes(0)), nil, append(many(1, 1, 10), append(many(2, 1, 10), on(0, 0))...)...),
			[]int32{0}, "1-1 of 1", "2 have less than 1 place for a pod free"},
		{"its selector knows one node", small(kinds(takes(1, func(k *lifecycle.PodKind) { k.Selected = 0 })), nil, on(0, 0)), []int32{0},
			"1-1 of 1", "2 do not match disk=ssd; 1 is out of service"},
		{"taints", small(kinds(takes(1, func(k *lifecycle.PodKind) { k.Tolerated = 0 })), nil, on(0, 0)), []int32{0}, "1-1 of 1",
			"2 have a taint that it does not tolerate"},
		{"one that tolerates a cordon stays where it is", small(kinds(takes(1, func(k *lifecycle.PodKind) {
			k.Selected, k.ToleratesCordon = 0,
				true
		})),
			nil, on(0, 0)), []int32{0}, "0-0 of 1", ""},
		{"a volume in two places", small(kinds(takes(1)), nil, on(0, 0, volume)), []int32{0}, "0-0 of 1", ""},
		{"a volume whose places are both out", small(kinds(takes(1)), nil, on(0, 0, volume)), []int32{0, 2}, "1-1 of 1",
			"1 is not where its volume is"},
		{"a host port", small(kinds(takes(1, port("", 80)), takes(1, port("10.0.0.1", 80))), nil, on(0, 0), on(1, 1), on(2, 1)), []int32{0},
			"1-1 of 1", "2 have its host port taken"},
		{"a host port of another address", small(kinds(takes(1, port("10.0.0.2", 80)), takes(1, port("10.0.0.1", 80))), nil,
			on(0, 0), on(1, 1), on(2, 1)), []int32{0}, "0-0 of 1", ""},
		{"one on each node", small(kinds(takes(1, anti)), self(host), on(0, 0), on(1, 0), on(2, 0)), []int32{0}, "1-1 of 1",
			"2 have a pod that it must keep away from"},
		{"one in each zone", small(kinds(takes(1, anti)), self(zone), on(0, 0), on(2, 0)), []int32{0}, "0-0 of 1", ""},
		{"one in each zone, and the zone is out", small(kinds(takes(1, anti)), self(zone), on(0, 0), on(2, 0)), []int32{0, 1}, "1-1 of 1", ""},
		{"others keep it away", small(kinds(takes(1), takes(1, func(k *lifecycle.PodKind) { k.Anti = []int32{0} })), self(host),
			on(0, 0), on(1, 1), on(2, 1)), []int32{0}, "1-1 of 1", "2 have a pod that it must keep away from"},
		{"together, and all of them move", small(kinds(takes(1, beside)), self(host), on(0, 0), on(0, 0)), []int32{0}, "0-0 of 2", ""},
		{"near one that stays where it is out", small(kinds(takes(1, func(k *lifecycle.PodKind) { k.Affinity = []int32{0} }), takes(1)),
			[]lifecycle.PodTerm{{Why: "app=agent", Topology: host, Kinds: []int32{1}}}, on(0, 0), on(0, 1, stays)), []int32{0}, "1-1 of 1",
			"2 have no pod that it must be near (affinity): app=agent by kubernetes.io/hostname"},
		{"spread over nodes, and the cordoned node counts", small(kinds(takes(1, spread(lifecycle.Spread{Topology: host, MaxSkew: 1}))),
			self(host),
			on(0, 0), on(1, 0), on(2, 0)), []int32{0}, "1-1 of 1",
			"2 would spread it unevenly (topology spread: skew of at most 1 by kubernetes.io/hostname)"},
		{"spread over nodes by taints, and it does not", small(kinds(takes(1, spread(lifecycle.Spread{Topology: host, MaxSkew: 1,
			ByTaints: true}))),
			self(host), on(0, 0), on(1, 0), on(2, 0)), []int32{0}, "0-0 of 1", ""},
		{"spread over zones", small(kinds(takes(1, spread(lifecycle.Spread{Topology: zone, MaxSkew: 1}))), self(zone), on(0, 0), on(2, 0)),
			[]int32{0}, "0-0 of 1", ""},
		{"spread over zones, and the emptier one is full", small(kinds(takes(1, spread(lifecycle.Spread{Topology: zone, MaxSkew: 1})),
			takes(4000)),
			self(zone), on(0, 0), on(1, 0), on(2, 1)), []int32{0}, "1-1 of 1", ""},
		{"spread over zones, and one zone has a place for one of two", small(kinds(takes(1000, spread(lifecycle.Spread{Topology: zone,
			MaxSkew: 1})),
			takes(3000)), self(zone), on(0, 0), on(0, 0), on(1, 1), on(2, 1)), []int32{0}, "0-0 of 2", ""},
		{"spread over more zones than there are", small(kinds(takes(1, spread(lifecycle.Spread{Topology: zone, MaxSkew: 1, MinDomains: 3}))),
			self(zone), on(0, 0), on(1, 0), on(2, 0)), []int32{0}, "1-1 of 1", ""},
		{"daemons and lost pods are not placed anew", small(kinds(takes(4000)), nil, on(0, 0, stays), on(1, 0, lost), on(2, 0)), []int32{1}, "",
			""},
		{"one that ends makes room", small(kinds(takes(4000)), nil, on(0, 0), on(1, 0, func(p *lifecycle.PlacedPod) { p.Ending = true }), on(2,
			0)),
			[]int32{0}, "0-0 of 1", ""},
		{"two at once", small(kinds(takes(3000)), nil, on(0, 0), on(1, 0)), []int32{0, 1}, "1-1 of 2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := New(c.s)
			before := fmt.Sprint(b.free, b.closed, counts(b))
			var got []string
			groups := b.Without(c.out)
			for _, g := range groups {
				got = append(got, fmt.Sprintf("%d-%d of %d", g.Least, g.Most, len(g.Pods)))
			}
			if said := strings.Join(got, ", "); said != c.want {
				t.Errorf("%s, want %s: %+v", said, c.want, groups)
			}
			if c.why != "" && !strings.Contains(said(groups[0].Why), c.why) {
				t.Errorf("%q, want %q", said(groups[0].Why), c.why)
			}
			if after := fmt.Sprint(b.free, b.closed, counts(b)); after != before {
				t.Errorf("the board is not as it was:\n%s\n%s", before, after)
			}
			if again := b.Without(c.out); !reflect.DeepEqual(again, groups) {
				t.Errorf("asked again it says %+v, before %+v", again, groups)
			}
		})
	}
}

func said(why []Obstacle) string {
	var out []string
	for _, o := range why {
		out = append(out, fmt.Sprint(o.Nodes, " ", o.What))
	}
	return strings.Join(out, "; ")
}

func counts(b *Board) (out []string) {
	for _, c := range b.counters {
		out = append(out, fmt.Sprint(c.at, c.open, c.total))
	}
	return out
}

func many(node, kind int32, n int) (out []lifecycle.PlacedPod) {
	for range n {
		out = append(out, on(node, kind))
	}
	return out
}

func volume(p *lifecycle.PlacedPod) { p.Volumes = 1 }
func stays(p *lifecycle.PlacedPod)  { p.Stays = true }
func lost(p *lifecycle.PlacedPod)   { p.Lost = true }

// A pod that finds no place pushes out one of lower priority, unless it is too polite.
func TestPushes(t *testing.T) {
	for _, c := range []struct {
		name     string
		priority int32
		polite   bool
		want     int32
	}{{"of the same priority", 0, false, -1}, {"of a higher one", 100, false, 1}, {"of a higher one, but polite", 100, true, -1}} {
		important := takes(3000, func(k *lifecycle.PodKind) { k.Priority, k.Polite = c.priority, c.polite })
		b := New(small(kinds(important, takes(3000)), nil, on(0, 0), on(1, 1), on(2, 1)))
		if got := b.Without([]int32{0})[0].Pushes; got != c.want {
			t.Errorf("%s: it pushes out kind %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAmount(t *testing.T) {
	for want, got := range map[string]string{"2 CPU": Amount("cpu", 2000), "0.25 CPU": Amount("cpu", 250),
		"1.5 GiB of memory": Amount("memory", 3<<29),
		"1 place for a pod": Amount("pods", 1), "2 example.com/gpu": Amount("example.com/gpu", 2),
		"512 B of ephemeral storage": Amount("ephemeral-storage", 512)} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
