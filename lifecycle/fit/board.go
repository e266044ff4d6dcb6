// Package fit says whether the pods of nodes find a place elsewhere while these nodes are out of service. It keeps the rules that
// Kubernetes' scheduler keeps when it filters nodes: room, selectors, taints, ports, volumes, affinity to pods and spreading. Which of the
// nodes that remain the scheduler takes is for its scores to say, and the order in which pods come is anybody's; so the answer is how many
// pods find no place at least, and at most.
package fit

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// Board is where pods stand. Pods are taken off it and put on it, and it says where one may be put. It is for one goroutine.
type Board struct {
	s *lifecycle.Scheduling
	// free is what each node has left of each resource: free[node*resources+resource].
	free   []int64
	closed []bool
	// pods are those that stand on each node to begin with, ported the kinds with host ports that are there now.
	pods, ported [][]int32
	kinds        []kind
	counters     []*counter
	// ofCordons are the counters that leave out nodes that are cordoned.
	ofCordons []*counter
	// single says of each topology that each of its domains is one node.
	single []bool
}

// kind is a PodKind as the board needs it.
type kind struct {
	*lifecycle.PodKind
	// feeds are the counters that such a pod raises, each with the nodes on which it does.
	feeds []*counter
	// empty must be zero in the domains of its node.
	empty []*counter
	// near must not be zero there; own says that the pod is among those that near counts.
	near []*counter
	own  bool
	// spread has a counter for each of PodKind.Spread.
	spread []*counter
}

// counter counts pods by the domains of a topology.
type counter struct {
	topology int32
	// on are the nodes that count; nil for all that have a domain. all are those that count while none of them is out of service, where that
	// makes a difference. open are how many count in each domain, where that matters.
	on, all lifecycle.Bits
	open    []int32
	at      []int32
	total   int32
	least   int32 // the lowest of at among domains with open nodes, where known
	known   bool
	domains int32 // how many domains have open nodes, where known
}

// New sets up a board. What it is given must not change meanwhile.
func New(s *lifecycle.Scheduling) *Board {
	b := &Board{s: s, free: make([]int64, len(s.Nodes)*len(s.Resources)), closed: make([]bool, len(s.Nodes)),
		pods: make([][]int32, len(s.Nodes)), ported: make([][]int32, len(s.Nodes)), kinds: make([]kind, len(s.Kinds))}
	for n, node := range s.Nodes {
		copy(b.free[n*len(s.Resources):(n+1)*len(s.Resources)], node.Allocatable)
		b.closed[n] = node.Closed
	}
	b.count()
	for i, p := range s.Pods {
		if p.Node >= 0 && !p.Ending {
			b.pods[p.Node] = append(b.pods[p.Node], int32(i))
			b.put(p.Kind, p.Node)
		}
	}
	return b
}

// counting makes counters, each once.
type counting struct {
	board *Board
	sizes []int32 // of the topologies, in domains
	made  map[string]*counter
}

func (c *counting) counter(name string, topology int32, on lifecycle.Bits) *counter {
	if made := c.made[name]; made != nil {
		return made
	}
	made := &counter{topology: topology, on: on, at: make([]int32, c.sizes[topology])}
	c.made[name] = made
	c.board.counters = append(c.board.counters, made)
	return made
}

// count sets up what is counted for affinity and spreading.
func (b *Board) count() {
	s := b.s
	c := &counting{board: b, sizes: make([]int32, len(s.Topologies)), made: map[string]*counter{}}
	labelled := make([]int32, len(s.Topologies))
	for _, n := range s.Nodes {
		for t, d := range n.Domains {
			c.sizes[t] = max(c.sizes[t], d+1)
			if d >= 0 {
				labelled[t]++
			}
		}
	}
	b.single = make([]bool, len(s.Topologies))
	for t := range b.single {
		b.single[t] = labelled[t] == c.sizes[t]
	}
	holders := map[int32]*counter{}
	for k := range s.Kinds {
		b.kinds[k].PodKind = &s.Kinds[k]
		for _, t := range s.Kinds[k].Anti {
			if holders[t] == nil {
				holders[t] = c.counter(fmt.Sprint("holders ", t), s.Terms[t].Topology, nil)
			}
			b.kinds[k].feeds = append(b.kinds[k].feeds, holders[t])
		}
	}
	for t, held := range holders {
		for _, k := range s.Terms[t].Kinds {
			b.kinds[k].empty = append(b.kinds[k].empty, held)
		}
	}
	for k := range s.Kinds {
		c.kind(int32(k))
	}
}

// kind sets up what is counted for one kind.
func (c *counting) kind(k int32) {
	b, s := c.board, c.board.s
	of := &b.kinds[k]
	for _, t := range of.Anti {
		of.empty = append(of.empty, c.fed(fmt.Sprint("term ", t), s.Terms[t].Topology, nil, s.Terms[t].Kinds))
	}
	if len(of.Affinity) > 0 {
		group := s.Terms[of.Affinity[0]].Kinds
		for _, t := range of.Affinity[1:] {
			group = slices.DeleteFunc(slices.Clone(group), func(k int32) bool { return !contains(s.Terms[t].Kinds, k) })
		}
		of.own = contains(group, k)
		for _, t := range of.Affinity {
			topology := s.Terms[t].Topology
			of.near = append(of.near, c.fed(fmt.Sprint("all of ", of.Affinity, " by ", topology), topology, nil, group))
		}
	}
	for _, spread := range of.Spread {
		name := fmt.Sprint("spread ", spread.Term, " by ", spread.Topology, c.scope(of, spread))
		made := c.made[name]
		if made == nil {
			made = c.fed(name, spread.Topology, c.eligible(of, spread), s.Terms[spread.Term].Kinds)
			made.open = make([]int32, len(made.at))
			for n := range s.Nodes {
				if made.on.Has(int32(n)) {
					made.open[s.Nodes[n].Domains[made.topology]]++
				}
			}
			if spread.ByTaints && !of.ToleratesCordon {
				made.all = slices.Clone(made.on)
				b.ofCordons = append(b.ofCordons, made)
			}
		}
		of.spread = append(of.spread, made)
	}
}

// fed is a counter that pods of some kinds feed.
func (c *counting) fed(name string, topology int32, on lifecycle.Bits, kinds []int32) *counter {
	made := c.made[name]
	if made == nil {
		made = c.counter(name, topology, on)
		for _, k := range kinds {
			c.board.kinds[k].feeds = append(c.board.kinds[k].feeds, made)
		}
	}
	return made
}

// scope names the nodes that a spread constraint looks at.
func (c *counting) scope(k *kind, spread lifecycle.Spread) string {
	var topologies []int32
	for _, other := range k.Spread {
		topologies = append(topologies, other.Topology)
	}
	slices.Sort(topologies)
	name := fmt.Sprint(" with ", slices.Compact(topologies))
	if spread.BySelected {
		name += fmt.Sprint(" selected ", k.Selected)
	}
	if spread.ByTaints {
		name += fmt.Sprint(" tolerated ", k.Tolerated, k.ToleratesCordon)
	}
	return name
}

// eligible are the nodes that a spread constraint looks at: those with the labels of all of the pod's constraints, and that the
// constraint's policies do not leave out.
func (c *counting) eligible(k *kind, spread lifecycle.Spread) lifecycle.Bits {
	s := c.board.s
	on := lifecycle.NewBits(len(s.Nodes))
	for n := range s.Nodes {
		lacks := slices.ContainsFunc(k.Spread, func(other lifecycle.Spread) bool { return s.Nodes[n].Domains[other.Topology] < 0 })
		switch i := int32(n); {
		case lacks:
		case spread.BySelected && !in(s, k.Selected, i):
		case spread.ByTaints && (!in(s, k.Tolerated, i) || s.Nodes[n].Closed && !k.ToleratesCordon):
		default:
			on.Add(i)
		}
	}
	return on
}

func contains(sorted []int32, k int32) bool {
	_, found := slices.BinarySearch(sorted, k)
	return found
}

// in reports whether a node is in a set; all are in that of -1.
func in(s *lifecycle.Scheduling, set, node int32) bool {
	return set < 0 || s.NodeSets[set].Has.Has(node)
}

// put puts a pod of a kind on a node, take takes it off.
func (b *Board) put(k, node int32) { b.move(k, node, 1) }

func (b *Board) take(k, node int32) { b.move(k, node, -1) }

func (b *Board) move(k, node, by int32) {
	of := &b.kinds[k]
	free := b.free[int(node)*len(b.s.Resources):]
	for r, amount := range of.Requests {
		free[r] -= amount * int64(by)
	}
	for _, c := range of.feeds {
		c.add(b.s, node, by)
	}
	if len(of.Ports) == 0 {
		return
	}
	if by > 0 {
		b.ported[node] = append(b.ported[node], k)
	} else if i := slices.Index(b.ported[node], k); i >= 0 {
		b.ported[node] = slices.Delete(b.ported[node], i, i+1)
	}
}

func (c *counter) add(s *lifecycle.Scheduling, node, by int32) {
	d := s.Nodes[node].Domains[c.topology]
	if d < 0 || c.on != nil && !c.on.Has(node) {
		return
	}
	c.at[d] += by
	c.total += by
	c.known = false
}

// look works out the fewest pods of any domain, and how many domains there are.
func (c *counter) look() {
	if c.known {
		return
	}
	c.least, c.domains, c.known = 0, 0, true
	for d, n := range c.at {
		if c.open[d] == 0 {
			continue
		}
		if c.domains == 0 || n < c.least {
			c.least = n
		}
		c.domains++
	}
}

// leave takes nodes out of service, and off the board the pods that a drain moves. It returns these. back undoes it, when nothing else has
// changed.
func (b *Board) leave(out []int32) (moved []int32) {
	for _, n := range out {
		if !b.s.Nodes[n].Closed {
			b.closed[n] = true
			b.cordon(n)
		}
	}
	for _, n := range out {
		for _, p := range b.pods[n] {
			if pod := b.s.Pods[p]; !pod.Stays {
				b.take(pod.Kind, n)
				if !pod.Lost {
					moved = append(moved, p)
				}
			}
		}
	}
	return moved
}

func (b *Board) back(out []int32) {
	for _, n := range out {
		for _, p := range b.pods[n] {
			if pod := b.s.Pods[p]; !pod.Stays {
				b.put(pod.Kind, n)
			}
		}
	}
	for _, n := range out {
		if !b.s.Nodes[n].Closed {
			b.closed[n] = false
			b.uncordon(n)
		}
	}
}

// cordon takes a node, with all pods that stood on it, out of the counters that leave out what is cordoned; uncordon puts it back.
func (b *Board) cordon(n int32) {
	for _, c := range b.ofCordons {
		if !c.on.Has(n) {
			continue
		}
		for _, p := range b.pods[n] {
			b.feed(c, b.s.Pods[p].Kind, n, -1)
		}
		c.on[n>>6] &^= 1 << (uint(n) & 63)
		c.open[b.s.Nodes[n].Domains[c.topology]]--
	}
}

func (b *Board) uncordon(n int32) {
	for _, c := range b.ofCordons {
		if !c.all.Has(n) {
			continue
		}
		c.on.Add(n)
		c.open[b.s.Nodes[n].Domains[c.topology]]++
		c.known = false
		for _, p := range b.pods[n] {
			b.feed(c, b.s.Pods[p].Kind, n, 1)
		}
	}
}

func (b *Board) feed(c *counter, k, node, by int32) {
	if slices.Contains(b.kinds[k].feeds, c) {
		c.add(b.s, node, by)
	}
}
