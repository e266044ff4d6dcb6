package fit

// obstacle is why a node does not take a pod.
type obstacle int

const (
	nothing   obstacle = iota
	cordoned           // it is out of service
	unmatched          // selector or affinity to nodes
	tainted            // a taint is not tolerated
	apart              // the pod's volumes are elsewhere
	ported             // a host port is taken
	repelled           // anti-affinity, of the pod or of one that is there
	lonely             // affinity to pods
	skewed             // topology spread
	full               // and above: a resource, by its place
)

// obstacle says why the node does not take the pod as the board stands.
func (b *Board) obstacle(k *kind, volumes, node int32) obstacle {
	if o := b.fixed(k, volumes, node); o != nothing {
		return o
	}
	return b.company(k, node)
}

// fixed has the rules that hold or do not hold whatever other pods do, and those that other pods can only break.
func (b *Board) fixed(k *kind, volumes, node int32) obstacle {
	if o := b.suits(k, volumes, node); o != nothing {
		return o
	}
	if o := b.room(k, node); o != nothing {
		return o
	}
	return b.taken(k, node)
}

// blame is the obstacle to tell of: room is told of last, for more of it helps only where nothing else is in the way.
func (b *Board) blame(k *kind, volumes, node int32) obstacle {
	for _, o := range []obstacle{b.suits(k, volumes, node), b.taken(k, node), b.company(k, node), b.room(k, node)} {
		if o != nothing {
			return o
		}
	}
	return nothing
}

// suits has what is about the node and the pod alone.
func (b *Board) suits(k *kind, volumes, node int32) obstacle {
	switch {
	case b.closed[node] && !k.ToleratesCordon:
		return cordoned
	case !in(b.s, k.Selected, node):
		return unmatched
	case !in(b.s, k.Tolerated, node):
		return tainted
	case !in(b.s, volumes, node):
		return apart
	}
	return nothing
}

// room says which resource there is not enough of.
func (b *Board) room(k *kind, node int32) obstacle {
	free := b.free[int(node)*len(b.s.Resources):]
	for r, amount := range k.Requests {
		if amount > 0 && amount > free[r] {
			return full + obstacle(r)
		}
	}
	return nothing
}

// taken says what other pods have taken that can't be had twice.
func (b *Board) taken(k *kind, node int32) obstacle {
	if len(k.Ports) > 0 && b.conflict(k, node) {
		return ported
	}
	domains := b.s.Nodes[node].Domains
	for _, c := range k.empty {
		if d := domains[c.topology]; d >= 0 && c.at[d] > 0 {
			return repelled
		}
	}
	return nothing
}

// conflict reports whether a port that the pod wants on the node itself is taken there.
func (b *Board) conflict(k *kind, node int32) bool {
	for _, other := range b.ported[node] {
		for _, p := range b.kinds[other].Ports {
			for _, q := range k.Ports {
				if p.Port == q.Port && p.Protocol == q.Protocol && (p.IP == q.IP || p.IP == "" || q.IP == "") {
					return true
				}
			}
		}
	}
	return false
}

// company says whether the pod would be where it wants to be among others.
func (b *Board) company(k *kind, node int32) obstacle {
	domains := b.s.Nodes[node].Domains
	if len(k.near) > 0 && !near(k, domains) {
		return lonely
	}
	for i := range k.spread {
		if b.skewed(k, i, node) {
			return skewed
		}
	}
	return nothing
}

// skewed reports whether a pod on the node would break the i-th of its constraints of spreading.
func (b *Board) skewed(k *kind, i int, node int32) bool {
	c, want := k.spread[i], k.Spread[i]
	d := b.s.Nodes[node].Domains[c.topology]
	if d < 0 {
		return true
	}
	c.look()
	least := c.least
	if c.domains < want.MinDomains {
		least = 0
	}
	skew := c.at[d] - least
	if want.Own {
		skew++
	}
	return skew > want.MaxSkew
}

// near reports whether the node's domains have the pods that the pod wants to be with. The first of a group that wants to be together
// may go anywhere.
func near(k *kind, domains []int32) bool {
	together, nobody := true, true
	for _, c := range k.near {
		d := domains[c.topology]
		if d < 0 {
			return false
		}
		together = together && c.at[d] > 0
		nobody = nobody && c.total == 0
	}
	return together || nobody && k.own
}
