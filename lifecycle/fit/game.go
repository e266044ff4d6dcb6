package fit

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// play moves the pods again and again, each time in another order and by another taste for nodes, and notes how many of each group find no
// place. Groups of which that is certain already keep what is said of them.
func (b *Board) play(out, moved []int32, by []int, groups []Group, unsure []bool) {
	for i := range groups {
		if unsure[i] {
			groups[i].Least = len(groups[i].Pods)
		}
	}
	for n, t := range b.tries(groups, unsure) {
		g := game{Board: b, try: t, by: by, groups: groups, luck: rand.New(rand.NewPCG(uint64(out[0])+1, uint64(n)))}
		left := g.play(moved)
		lost := make([]int, len(groups))
		for _, i := range left {
			lost[by[i]]++
		}
		for i := range groups {
			if !unsure[i] {
				continue
			}
			groups[i].Least, groups[i].Most = min(groups[i].Least, lost[i]), max(groups[i].Most, lost[i])
			if lost[i] > 0 && groups[i].Why == nil {
				groups[i].Why = b.why(&groups[i])
			}
		}
		g.undo(moved)
	}
}

// taste is which of the nodes that take a pod it is put on.
type taste int

const (
	roomiest taste = iota // as the scheduler likes it, mostly
	whichever
	fullest
	tastes
)

// try is one way to move the pods.
type try struct {
	taste taste
	// ranked: those of higher priority come first, as the scheduler's queue has it when they come at once.
	ranked bool
	// group is one that comes first, or that comes last when others have taken what it could have; -1: none does.
	group int
	first bool
}

// tries are the ways in which the pods are moved: by chance, and such as are the best and the worst for each group of which it is not
// certain.
func (b *Board) tries(groups []Group, unsure []bool) []try {
	by, again := triesSmall, 4
	if len(b.s.Nodes) > largeBoard {
		by, again = triesLarge, 1
	}
	var out []try
	for n := range by {
		out = append(out, try{taste: taste(n % int(tastes)), ranked: n%4 != 3, group: -1})
	}
	for i := range groups {
		if !unsure[i] || len(out) >= triesMost {
			continue
		}
		for n := range 2 * again {
			ranked := n%2 == 0
			out = append(out, try{taste: fullest, ranked: ranked, group: i, first: true}, try{taste: roomiest, ranked: ranked, group: i,
				first: true},
				try{taste: roomiest, ranked: ranked, group: i}, try{taste: fullest, ranked: ranked, group: i})
		}
	}
	return out
}

// enough is among how many nodes that take a pod one is chosen.
const enough = 50

// game is one way in which pods may come back.
type game struct {
	*Board
	try
	luck   *rand.Rand
	groups []Group
	by     []int
	at     []int32 // where each of the pods is put; -1: nowhere
}

// play puts the pods on the board, and returns those that found no place, by their places in moved. One that finds no place is tried again
// when others have come.
func (g *game) play(moved []int32) (left []int) {
	g.at = make([]int32, len(moved))
	order := g.luck.Perm(len(moved))
	slices.SortStableFunc(order, func(x, y int) int { return g.before(moved, x, y) })
	for {
		left = left[:0:0]
		for _, i := range order {
			pod := g.s.Pods[moved[i]]
			if g.groups[g.by[i]].never {
				g.at[i] = -1
				continue
			}
			if g.at[i] = g.choose(i, &g.kinds[pod.Kind], pod.Volumes); g.at[i] < 0 {
				left = append(left, i)
				continue
			}
			g.put(pod.Kind, g.at[i])
		}
		if len(left) == 0 || len(left) == len(order) {
			return left
		}
		order = left
	}
}

// before compares two of the pods by when they come.
func (g *game) before(moved []int32, x, y int) int {
	if g.ranked {
		if c := cmp.Compare(g.priority(moved[y]), g.priority(moved[x])); c != 0 {
			return c
		}
	}
	if own, others := g.by[x] == g.group, g.by[y] == g.group; own != others {
		if own == g.first {
			return -1
		}
		return 1
	}
	return 0
}

func (g *game) priority(pod int32) int32 { return g.s.Kinds[g.s.Pods[pod].Kind].Priority }

// choose is a node for the i-th pod; -1: none takes it.
func (g *game) choose(i int, k *kind, volumes int32) int32 {
	n := len(g.s.Nodes)
	start := g.luck.IntN(n)
	crowds := g.group >= 0 && !g.first && g.by[i] != g.group
	best, bestScore, found := int32(-1), int64(0), 0
	for i := range n {
		node := int32((start + i) % n)
		if g.obstacle(k, volumes, node) != nothing {
			continue
		}
		if g.taste == whichever {
			return node
		}
		score := int64(0)
		if crowds {
			score = g.crowd(k, node)
		} else {
			score = g.score(node)
		}
		if found++; best < 0 || score > bestScore {
			best, bestScore = node, score
		}
		if found == enough {
			break
		}
	}
	return best
}

// crowd is how much a pod of a kind harms the group when it goes to the node. One that the group wants to be near goes where the group
// can't
// follow. Others go where the group could: best where they take its last place, then by one taste where it has the least room, by the other
// anywhere.
func (g *game) crowd(k *kind, node int32) int64 {
	of := &g.groups[g.group]
	harmed := &g.kinds[of.Kind]
	if slices.ContainsFunc(harmed.near, func(c *counter) bool { return slices.Contains(k.feeds, c) }) {
		if g.fixed(harmed, of.Volumes, node) != nothing {
			return 1
		}
		return 0
	}
	if g.obstacle(harmed, of.Volumes, node) != nothing {
		return -1 << 40
	}
	free := g.free[int(node)*len(g.s.Resources):]
	room, last := int64(1<<30), int64(0)
	for r, amount := range harmed.Requests {
		if amount == 0 {
			continue
		}
		room = min(room, free[r]*100/amount)
		if r < len(k.Requests) && free[r]-k.Requests[r] < amount {
			last = 1 << 31 // none of the group fits beside it
		}
	}
	if g.taste == fullest {
		return last + g.luck.Int64N(1000)
	}
	return last - room
}

// score is how much the taste likes a node: by the share that is free of what it has least of.
func (g *game) score(node int32) int64 {
	r := len(g.s.Resources)
	free := g.free[int(node)*r : int(node)*r+r]
	least := int64(1000)
	for i, has := range g.s.Nodes[node].Allocatable {
		if has > 0 {
			least = min(least, free[i]*1000/has)
		}
	}
	if g.taste == fullest {
		return -least
	}
	return least
}

func (g *game) undo(moved []int32) {
	for i, node := range g.at {
		if node >= 0 {
			g.take(g.s.Pods[moved[i]].Kind, node)
		}
	}
}
