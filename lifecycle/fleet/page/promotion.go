package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// Bar is a share as a picture, beside words that say the same: of a hundred.
type Bar struct{ Share int }

// soaked is how long the sites that one waits for have run what it is to take, of how long they must: "31 of 72 h"; "" where nothing is
// being waited for whose end is known. soak is what the site asks for.
func soaked(p fleet.Place, now time.Time, soak time.Duration) (string, *Bar) {
	so := soak - p.Until.Sub(now)
	if p.Turn != fleet.TurnWaits || p.Until.IsZero() || soak <= 0 || so < 0 || so > soak {
		return "", nil
	}
	bar := &Bar{Share: int(100 * so / soak)}
	if soak >= time.Hour {
		return fmt.Sprintf("%d of %d h", int(so.Hours()), int(soak.Hours())), bar
	}
	return fmt.Sprintf("%d of %d min", int(so.Minutes()), int(soak.Minutes())), bar
}

// graph is who takes versions after whom.
type graph struct {
	now   time.Time
	of    map[string]site
	below map[string][]string
	shown map[string]bool
}

func newGraph(sites []site, now time.Time) (g graph, waits map[string]bool) {
	g, waits = graph{now: now, of: map[string]site{}, below: map[string][]string{}, shown: map[string]bool{}}, map[string]bool{}
	for _, s := range sites {
		g.of[s.Site] = s
		for _, from := range s.Declared.Value.Promotion.From {
			g.below[from] = append(g.below[from], s.Site)
			waits[s.Site] = true
		}
	}
	for _, names := range g.below {
		slices.Sort(names)
	}
	return g, waits
}

// promotionSection is who takes versions after whom, as a graph that can be read: those that go first, below each those that wait for
// it, with how far they are. Sites of which the same is to be said stand together, and what is settled from top to bottom is shut at
// first, so that three thousand sites are as easily read as forty.
func promotionSection(sites []site, now time.Time) Section {
	g, waits := newGraph(sites, now)
	out := Section{ID: "promotion", Title: "Promotion: who takes versions after whom"}
	var first []string
	for from := range g.below {
		if !waits[from] {
			first = append(first, from)
		}
	}
	slices.Sort(first)
	var settled []Branch
	for _, name := range first {
		if b, still := g.branch(name); still {
			out.Tree = append(out.Tree, b)
		} else {
			settled = append(settled, b)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.below)) { // those of a circle, which validation refuses
		if !g.shown[name] {
			b, _ := g.branch(name)
			out.Tree = append(out.Tree, b)
		}
	}
	if len(settled) > 0 && len(out.Tree) > 0 {
		all := Cell{Text: fmt.Sprintf("%s below which all is done", lifecycle.Count(len(settled), "site")), Mark: MarkGood}
		settled = []Branch{{Cell: all, Below: settled, Folded: true}}
	}
	if len(sites) > openGraph {
		shut(out.Tree, len(out.Tree) > openSites)
	}
	if out.Tree = append(out.Tree, settled...); len(out.Tree) == 0 {
		out.Lines = []Cell{{Text: "No site that is known waits for another."}}
	}
	return out
}

// openGraph is up to how many sites the graph is open at first.
const openGraph = 100

// shut has what is below the sites that go first be shut at first, and with roots what is below those, too.
func shut(first []Branch, roots bool) {
	for i := range first {
		for j := range first[i].Below {
			fold(&first[i].Below[j])
		}
		if roots {
			fold(&first[i])
		}
	}
}

// fold shuts a branch for which others wait, and says how many.
func fold(b *Branch) {
	below := map[string]bool{}
	var walk func(Branch)
	walk = func(b Branch) {
		for _, next := range b.Below {
			if next.Link != "" {
				below[next.Link] = true
			}
			walk(next)
		}
	}
	if walk(*b); len(below) == 0 || b.Folded {
		return
	}
	b.Folded = true
	if b.Link != "" {
		b.Beside.Text += "; " + lifecycle.Count(len(below), "site") + " after it"
	}
}

// branch is a site with those that wait for it, and whether anything of them is to be done still. One that is shown already is not shown
// again with all that is below it.
func (g graph) branch(name string) (b Branch, still bool) {
	s, known := g.of[name]
	b = Branch{Cell: Cell{Text: name}, Beside: Cell{Text: "not known", Mark: MarkUnknown}}
	still = true
	if known {
		b.Link = sitePage(name)
		b.Beside, b.Bar = s.promotion(g.now)
		still = s.place.Turn != fleet.TurnDone
	}
	if g.shown[name] {
		if len(g.below[name]) > 0 {
			b.Below = []Branch{{Cell: Cell{Text: "those that wait for it are named above"}}}
		}
		return b, still
	}
	g.shown[name] = true
	var alike []string
	for _, next := range g.below[name] {
		if len(g.below[next]) == 0 {
			alike = append(alike, next)
			continue
		}
		below, unsettled := g.branch(next)
		b.Below, still = append(b.Below, below), still || unsettled
	}
	groups, unsettled := g.together(alike)
	b.Below = append(b.Below, groups...)
	if len(b.Below) > openSites {
		fold(&b)
	}
	return b, still || unsettled
}

// together are sites for which no other waits, those of which the same is to be said in one: what is to be done first, what is done
// last.
func (g graph) together(names []string) (out []Branch, still bool) {
	type group struct {
		Branch
		names []string
		order int
	}
	groups := map[string]*group{}
	for _, name := range names {
		s, known := g.of[name]
		one := group{order: slices.Index(turnsInOrder(), fleet.TurnUnknown)}
		one.Beside = Cell{Text: "not known", Mark: MarkUnknown}
		if known {
			one.Beside, one.Bar = s.promotion(g.now)
			one.order = slices.Index(turnsInOrder(), s.place.Turn)
		}
		still = still || s.place.Turn != fleet.TurnDone
		key := fmt.Sprintf("%d %s", one.order, one.Beside.Text)
		if groups[key] == nil {
			groups[key] = &one
		}
		groups[key].names = append(groups[key].names, name)
	}
	for _, one := range slices.SortedFunc(maps.Values(groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.names[0], b.names[0]))
	}) {
		b := one.Branch
		if len(one.names) == 1 {
			b.Text, b.Link = one.names[0], sitePage(one.names[0])
		} else {
			b.Text, b.Folded = lifecycle.Count(len(one.names), "site"), len(one.names) > openAlike
			for _, name := range one.names {
				b.Below = append(b.Below, Branch{Cell: Cell{Text: name, Link: sitePage(name)}})
			}
		}
		out = append(out, b)
	}
	return out, still
}

// openAlike is up to how many sites of which the same is said are named without opening them.
const openAlike = 6

// promotion is how a site stands in its promotion: what it runs, and what it waits for, and how far that is.
func (s site) promotion(now time.Time) (Cell, *Bar) {
	switch s.place.Turn {
	case fleet.TurnWaits, fleet.TurnBlocked, fleet.TurnHeld, fleet.TurnUnknown, fleet.TurnWindow:
		mark := cmp.Or(turnMark(s.place.Turn), MarkOdd)
		if so, bar := soaked(s.place, now, s.Declared.Value.Promotion.Soak); bar != nil {
			return Cell{Text: fmt.Sprintf("waits for %s, %s, until %s", lifecycle.Few(s.place.For), so, lifecycle.Stamp(s.place.Until)),
				Mark: mark}, bar
		}
		return Cell{Text: turnSays(s.place.Turn) + ": " + lifecycle.OneLine(s.place.Why), Mark: mark}, nil
	case "":
		return s.versions(), nil
	}
	v := s.versions()
	return Cell{Text: v.Text + ", " + turnSays(s.place.Turn), Mark: cmp.Or(v.Mark, turnMark(s.place.Turn))}, nil
}

// Stage is a wave as a picture: how many of its sites have which turn.
type Stage struct {
	Title string
	Parts []StagePart
}

// StagePart are the sites of a stage with one turn; At and Width are where they are in the picture, of a thousand.
type StagePart struct {
	Number    int
	Label     string
	Link      string
	Mark      Mark
	At, Width int
}

// stagesSection is how far what is declared has come through the fleet, wave by wave.
func stagesSection(sites []site) Section {
	out := Section{ID: "stages", Title: "How far each wave is"}
	type count struct {
		all int
		of  map[fleet.Turn]int
	}
	waves := map[int]*count{}
	unread, then := 0, 0
	for _, s := range sites {
		is := s.wave()
		switch {
		case s.place.Turn == "":
		case !is.known:
			unread++
		default:
			if is.then != "" {
				then++
			}
			w := waves[is.number]
			if w == nil {
				w = &count{of: map[fleet.Turn]int{}}
				waves[is.number] = w
			}
			w.all++
			w.of[s.place.Turn]++
		}
	}
	for _, number := range slices.Sorted(maps.Keys(waves)) {
		w := waves[number]
		stage, at := Stage{Title: fmt.Sprintf("Wave %d: %s", number, lifecycle.Count(w.all, "site"))}, 0
		for _, t := range slices.Backward(turnsInOrder()) { // what is done stands first: a bar that fills
			n := w.of[t]
			if n == 0 {
				continue
			}
			at += n
			link := "turns.html#" + string(t)
			if t == fleet.TurnDone {
				link = "index.html#sites"
			}
			from, to := 1000*(at-n)/w.all, 1000*at/w.all
			stage.Parts = append(stage.Parts, StagePart{Number: n, Label: turnSays(t), Link: link,
				Mark: cmp.Or(turnMark(t), turnPicture(t)), At: from, Width: max(to-from, 4)})
		}
		out.Stages = append(out.Stages, stage)
	}
	if then > 0 {
		out.Lines = append(out.Lines, Cell{Mark: MarkOld,
			Text: fmt.Sprintf("Of %s the overlay can't be read: counted in the wave that was known last.", lifecycle.Count(then, "site"))})
	}
	if unread > 0 {
		out.Lines = append(out.Lines, Cell{Mark: MarkUnknown,
			Text: fmt.Sprintf("Of %s the wave is not known: the overlay can't be read.", lifecycle.Count(unread, "site"))})
	}
	return out
}

// markRunning is the colour of a run that is at work, in a picture alone: it is not that of what may go.
const markRunning Mark = "running"

// turnPicture is the colour of a turn that has none of its own in words.
func turnPicture(t fleet.Turn) Mark {
	switch t {
	case fleet.TurnWaits, fleet.TurnWindow:
		return MarkOdd
	case fleet.TurnRunning:
		return markRunning
	}
	return MarkNone
}

// turnsInOrder are the turns as the page has them: who may go, then what keeps the others, and what is done last.
func turnsInOrder() []fleet.Turn {
	return []fleet.Turn{fleet.TurnGo, fleet.TurnRunning, fleet.TurnHeld, fleet.TurnBlocked, fleet.TurnWaits, fleet.TurnWindow,
		fleet.TurnUnknown, fleet.TurnDone}
}

// Summary is what the picture of a stage says, for whoever does not see it.
func (s Stage) Summary() string {
	var parts []string
	for _, p := range s.Parts {
		parts = append(parts, fmt.Sprintf("%d %s", p.Number, p.Label))
	}
	return strings.Join(parts, ", ")
}
