package fit

import (
	"cmp"
	"slices"
)

// Group is pods that are moved alike: of one kind, with volumes in the same places.
type Group struct {
	Kind, Volumes int32
	// Pods are their places in Scheduling.Pods.
	Pods []int32
	// Least and Most are how many of them find no place, in the best and in the worst order.
	Least, Most int
	// Why says of the nodes why they do not take one that finds no place, most nodes first; empty where all find one.
	Why []Obstacle
	// Pushes is the kind of a pod that would be pushed out for one of them, for its priority is lower; -1: none would.
	Pushes int32
	// never: none of them finds a place, whatever the order is.
	never bool
}

// How often a turn is played through by chance where the answer depends on the order, more often on small boards, which differ more from
// one
// order to the next; and about how often it is at all.
const (
	triesSmall = 60
	triesLarge = 6
	triesMost  = 300
	largeBoard = 200 // nodes
)

// Without says what becomes of the pods of nodes while these are out of service together. The board is the same after as before.
func (b *Board) Without(out []int32) []Group {
	moved := b.leave(out)
	groups, by := b.grouped(moved)
	sure := true
	unsure := make([]bool, len(groups))
	pins := b.pins(out, groups)
	for i := range groups {
		g := &groups[i]
		switch b.certain(g, groups, len(moved), pins) {
		case fits:
		case fitsNot:
			g.Least, g.Most = len(g.Pods), len(g.Pods)
			g.Why, g.never = b.why(g), true
		default:
			unsure[i], sure = true, false
		}
	}
	if !sure {
		b.play(out, moved, by, groups, unsure)
	}
	for i := range groups {
		if groups[i].Most > 0 {
			groups[i].Pushes = b.pushes(&groups[i])
		}
	}
	b.back(out)
	return groups
}

// grouped puts pods together that are alike, and says which group each is in.
func (b *Board) grouped(moved []int32) (groups []Group, by []int) {
	type key struct{ kind, volumes int32 }
	places := map[key]int{}
	for _, p := range moved {
		pod := b.s.Pods[p]
		k := key{pod.Kind, pod.Volumes}
		i, there := places[k]
		if !there {
			i = len(groups)
			places[k] = i
			groups = append(groups, Group{Kind: pod.Kind, Volumes: pod.Volumes, Pushes: -1})
		}
		groups[i].Pods = append(groups[i].Pods, p)
		by = append(by, i)
	}
	return groups, by
}

type certainty int

const (
	depends certainty = iota
	fits
	fitsNot
)

// pins are the counters of which the lowest number can't rise, for the domain that has it is a node that is out of service, and nothing
// that
// moves may be put there. Then others can only make it worse for a pod that is to be spread.
func (b *Board) pins(out []int32, groups []Group) map[*counter]bool {
	pins := map[*counter]bool{}
	for i := range groups {
		if b.kinds[groups[i].Kind].ToleratesCordon {
			return nil
		}
	}
	for i := range groups {
		for _, c := range b.kinds[groups[i].Kind].spread {
			if !b.single[c.topology] {
				continue
			}
			c.look()
			for _, n := range out {
				d := b.s.Nodes[n].Domains[c.topology]
				pins[c] = pins[c] || d >= 0 && c.on.Has(n) && c.at[d] == c.least
			}
		}
	}
	return pins
}

// certain says what becomes of a group whatever the order is, if that is plain.
//
// No node takes it although none of the pods that move with it has come yet: they can only make it worse, unless it wants to be near some,
// or spread beside them. More nodes take it than the others can fill, even if they tried to: it fits. So does one that is to be spread, if
// that is so in each domain: the one with the fewest pods always takes one more.
func (b *Board) certain(g *Group, groups []Group, moved int, pins map[*counter]bool) certainty {
	k := &b.kinds[g.Kind]
	most, blockers := b.others(g, groups)
	plain := len(k.near) == 0 && len(k.spread) < 2 && blockers != across
	have, short := []int{0}, 1 // by domain, and how many have too little
	if len(k.spread) == 1 {
		c := k.spread[0]
		c.look()
		have, short = make([]int, len(c.at)), int(c.domains)
		plain = plain && c.domains >= k.Spread[0].MinDomains
	}
	found := false
	for n := range b.s.Nodes {
		node := int32(n)
		if b.fixed(k, g.Volumes, node) != nothing || b.pinned(k, node, pins) {
			continue
		}
		if found = true; !plain {
			return depends
		}
		weight, d := 1, int32(0)
		if blockers == none {
			weight += b.bears(k, node, most)
		}
		if len(k.spread) == 1 {
			if d = b.s.Nodes[n].Domains[k.spread[0].topology]; d < 0 || k.spread[0].open[d] == 0 {
				continue
			}
		}
		before := have[d]
		if have[d] += weight; before < moved && have[d] >= moved {
			if short--; short == 0 {
				return fits
			}
		}
	}
	if !found {
		return fitsNot
	}
	return depends
}

// pinned reports whether the node has too many pods for a spreading whose lowest number can't rise.
func (b *Board) pinned(k *kind, node int32, pins map[*counter]bool) bool {
	for i, c := range k.spread {
		if pins[c] && b.skewed(k, i, node) {
			return true
		}
	}
	return false
}

// reach is how many nodes one of the pods that move can close to another, beside filling them.
type reach int

const (
	none reach = iota
	one
	across
)

// others says how much the greatest of the pods that move takes of each resource, and how far one of them keeps the group away.
func (b *Board) others(g *Group, groups []Group) (most []int64, far reach) {
	k := &b.kinds[g.Kind]
	most = make([]int64, len(b.s.Resources))
	if len(k.Ports) > 0 {
		far = one
	}
	for i := range groups {
		other := &groups[i]
		of := &b.kinds[other.Kind]
		for r, amount := range of.Requests {
			most[r] = max(most[r], amount)
		}
		for _, c := range k.empty {
			if !slices.Contains(of.feeds, c) || other == g && len(g.Pods) == 1 {
				continue
			}
			if b.single[c.topology] {
				far = max(far, one)
			} else {
				far = across
			}
		}
	}
	return most, far
}

// bears is how many pods of the greatest sizes the node takes at least, and a pod of the kind beside them.
func (b *Board) bears(k *kind, node int32, most []int64) int {
	free := b.free[int(node)*len(b.s.Resources):]
	n := int64(1 << 20)
	for r, amount := range k.Requests {
		if amount > 0 && most[r] > 0 {
			n = min(n, (free[r]-amount)/most[r])
		}
	}
	return int(n)
}

// pushes is the kind of a pod of lower priority without which a node would take one of the group.
func (b *Board) pushes(g *Group) int32 {
	k := &b.kinds[g.Kind]
	if k.Polite {
		return -1
	}
	for n := range b.s.Nodes {
		node := int32(n)
		if b.closed[n] && !k.ToleratesCordon || !in(b.s, k.Selected, node) || !in(b.s, k.Tolerated, node) || !in(b.s, g.Volumes, node) {
			continue
		}
		if victim := b.victim(k, g.Volumes, node); victim >= 0 {
			return victim
		}
	}
	return -1
}

// victim is the kind of a pod on the node that makes room for one of the kind when all of lower priority leave; -1: that is not enough.
func (b *Board) victim(k *kind, volumes, node int32) int32 {
	var gone []int32
	for _, p := range b.pods[node] {
		pod := b.s.Pods[p]
		if b.closed[node] && !pod.Stays {
			continue // it has left
		}
		if b.s.Kinds[pod.Kind].Priority < k.Priority {
			gone = append(gone, pod.Kind)
			b.take(pod.Kind, node)
		}
	}
	victim := int32(-1)
	if len(gone) > 0 && b.obstacle(k, volumes, node) == nothing {
		victim = gone[0]
		for _, v := range gone[1:] {
			if b.s.Kinds[v].Priority < b.s.Kinds[victim].Priority {
				victim = v
			}
		}
	}
	for _, v := range gone {
		b.put(v, node)
	}
	return victim
}

// Obstacle is why some nodes do not take a pod.
type Obstacle struct {
	Nodes int
	// What is wrong with them, in words: "have less than 2 CPU free".
	What string
	// Lacks is what there is too little of: "2 CPU"; "" where it is not room that is missing.
	Lacks string
}

// why says why no node takes a pod of the group as the board stands.
func (b *Board) why(g *Group) []Obstacle {
	k := &b.kinds[g.Kind]
	by := map[obstacle]int{}
	for n := range b.s.Nodes {
		if o := b.blame(k, g.Volumes, int32(n)); o != nothing {
			by[o]++
		}
	}
	var out []Obstacle
	for o, n := range by {
		said := Obstacle{Nodes: n, What: b.words(g, o, n)}
		if o >= full {
			said.Lacks = Amount(b.s.Resources[o-full], k.Requests[o-full])
		}
		out = append(out, said)
	}
	slices.SortFunc(out, func(x, y Obstacle) int { return cmp.Or(cmp.Compare(y.Nodes, x.Nodes), cmp.Compare(x.What, y.What)) })
	return out
}
