package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/promotion"
)

// Turn is how a site stands in the queue of its fleet.
type Turn string

const (
	TurnGo      Turn = "go"      // it has something to do, and nothing is in the way
	TurnRunning Turn = "running" // a run is changing it
	TurnWaits   Turn = "waits"   // for other sites, which are to run the versions first, or whose wave comes before
	TurnWindow  Turn = "window"  // all its maintenance windows are closed
	TurnBlocked Turn = "blocked" // a finding of its plan is in the way
	TurnHeld    Turn = "held"    // its last run failed, or one did that may befall it, too
	TurnUnknown Turn = "unknown" // what is to be done there is not known
	TurnDone    Turn = "done"    // it is as declared
)

// Turns are all of them, in the order in which people want to hear of them.
func Turns() []Turn {
	return []Turn{TurnGo, TurnRunning, TurnWaits, TurnWindow, TurnBlocked, TurnHeld, TurnUnknown, TurnDone}
}

// stopped reports whether a site will not go on by itself, so that those after it can't wait for it.
func (t Turn) stopped() bool { return t == TurnBlocked || t == TurnHeld || t == TurnUnknown }

// Place is a site's place in the queue.
type Place struct {
	Site string `json:"site"`
	Wave int    `json:"wave"`
	// Unread: the site can't be read, so that its wave is not known.
	Unread bool `json:"unread,omitempty"`
	Turn   Turn `json:"turn"`
	// Why says in a line what it waits for, or what is in the way.
	Why string `json:"why,omitempty"`
	// For are the sites that it waits for, or whose failure holds it; Until is when that ends by itself, zero: nothing says so.
	For   []string  `json:"for,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Hold is the fingerprint of the failure that holds it.
	Hold string `json:"hold,omitempty"`
	// Steps is what its plan has, Brings the versions that it brings.
	Steps  int                     `json:"steps,omitempty"`
	Brings []lifecycle.SoakVersion `json:"brings,omitempty"`
	// Hint says what to do about it.
	Hint string `json:"hint,omitempty"`
}

// Queue is a fleet's sites in the order of their waves, and who may go now.
type Queue struct {
	At     time.Time `json:"at"`
	Places []Place   `json:"sites"`
	// Holds are the failures that hold sites.
	Holds []Hold `json:"holds,omitempty"`
}

// Of are the places of a turn.
func (q Queue) Of(t Turn) []Place {
	return slices.DeleteFunc(slices.Clone(q.Places), func(p Place) bool { return p.Turn != t })
}

// Facts are what it is decided by: the repository, and what is known of each site. Nothing else counts, so that whoever asks with the
// same
// facts is told the same.
type Facts struct {
	// Declared are the sites as the repository has them; Broken says of those that can't be read why.
	Declared map[string]lifecycle.Site
	Broken   map[string]string
	// Known is what was collected of them.
	Known map[string]Collected
	Lifts []lifecycle.Lift
	Now   time.Time
}

// Next decides which sites may go now, and what keeps the others.
func Next(f Facts) Queue {
	q := Queue{At: f.Now, Holds: Holds(f.Known, f.Lifts, f.Now)}
	for name, site := range f.Declared {
		p := f.alone(site, q.Holds)
		p.Site, p.Wave = name, site.Wave
		q.Places = append(q.Places, p)
	}
	slices.SortFunc(q.Places, func(x, y Place) int { return cmp.Or(cmp.Compare(x.Wave, y.Wave), cmp.Compare(x.Site, y.Site)) })
	q.waves()
	for _, name := range slices.Sorted(maps.Keys(f.Broken)) { // of which wave they are is not known
		q.Places = append(q.Places, Place{Site: name, Unread: true, Turn: TurnUnknown, Why: "it can't be read: " + f.Broken[name],
			Hint: "kiban validate " + name})
	}
	return q
}

// alone is a site's turn as far as its wave does not matter.
func (f Facts) alone(site lifecycle.Site, holds []Hold) Place {
	c, has := f.Known[site.Name]
	drift, known := c.Drift.Now()
	p := Place{Steps: drift.Steps, Brings: drift.Brings}
	if why := f.unseen(site, c, has && known); why != "" {
		return Place{Turn: TurnUnknown, Why: why, Hint: "kiban fleet collect, then kiban status " + site.Name}
	}
	if s, _ := c.Standing.Now(); s.Run != "" {
		p.Turn, p.Why = TurnRunning, "run "+s.Run+" is changing it"
		return p
	}
	if drift.Settled() {
		p.Turn, p.Why = TurnDone, cmp.Or(drift.Waits, "it is as declared")
		return p
	}
	if h, why, held := holding(site.Name, c, holds); held {
		p.Turn, p.Hold, p.For, p.Why = TurnHeld, h.Fingerprint, h.sites(), why
		p.Hint = fmt.Sprintf("kiban runs %s; when the cause is gone: kiban fleet holds lift %s --why ...", h.Of[0].Site, h.Fingerprint)
		return p
	}
	if len(drift.Stops) > 0 {
		p.Turn, p.Why, p.Hint = TurnBlocked, why(drift.Stops[0]), "kiban plan "+site.Name
		return p
	}
	if waits := f.promotion(site, drift.Brings); waits.Turn != "" {
		waits.Steps, waits.Brings = p.Steps, p.Brings
		return waits
	}
	if o, err := lifecycle.OpeningOf(site.Policy.Windows, f.Now); err == nil && len(site.Policy.Windows) > 0 && drift.Disrupts > 0 &&
		!o.Open() {
		p.Turn, p.Until, p.Why = TurnWindow, o.Next, "all maintenance windows are closed; "+o.WhenNext(f.Now)
		return p
	}
	p.Turn, p.Why = TurnGo, fmt.Sprintf("%s to do", lifecycle.Count(drift.Steps, "step"))
	return p
}

// unseen says why what is to be done at a site is not known well enough; "" where it is.
func (f Facts) unseen(site lifecycle.Site, c Collected, known bool) string {
	switch age := f.Now.Sub(c.Asked); {
	case c.Asked.IsZero():
		return "nothing was collected of it"
	case c.Failed != "":
		return c.Failed
	case !known:
		return cmp.Or(c.Drift.Unknown, "its plan is not known")
	case age > promotion.Fresh:
		return fmt.Sprintf("it was asked %s ago, which is longer than %s", lifecycle.Span(age), lifecycle.Span(promotion.Fresh))
	case -age > clockSkew:
		return "what is known of it is from " + lifecycle.Stamp(c.Asked) + ", which is still to come: a clock is wrong"
	case c.Declared.Value.Digest != "" && c.Declared.Value.Digest != site.Digest:
		return "it is declared otherwise since it was asked"
	}
	return ""
}

// clockSkew is by how much the clock of whoever asked may be ahead.

// promotion is the turn of a site that waits until others have run its versions; the zero Place where it waits for nobody.
func (f Facts) promotion(site lifecycle.Site, brings []lifecycle.SoakVersion) Place {
	soaks := map[string]lifecycle.Soak{}
	for _, name := range append([]string{site.Name}, site.Promotion.From...) {
		if soak, known := f.Known[name].Soak.Now(); known {
			soaks[name] = soak
		}
	}
	var p Place
	for _, d := range promotion.Judge(site.Promotion, site.Name, brings, soaks, f.Now) {
		if d.State == lifecycle.GateMet || d.State == lifecycle.GateSkipped {
			continue
		}
		if p.Turn == "" {
			p.Turn, p.Why, p.Until = TurnWaits, d.Reason, d.Until
		}
		if p.Until.IsZero() || d.Until.IsZero() {
			p.Until = time.Time{} // that of one is not known
		} else if d.Until.After(p.Until) {
			p.Until, p.Why = d.Until, d.Reason
		}
		if !slices.Contains(p.For, d.From) {
			p.For = append(p.For, d.From)
		}
	}
	return p
}

// waves has sites wait for those of earlier waves that go on by themselves, and for a wave of which none has come through. A site that
// has
// stopped keeps those that are not like it from nothing: that is what holds are for.
func (q Queue) waves() {
	var before []*wave
	for rest := q.Places; len(rest) > 0; {
		n := slices.IndexFunc(rest, func(p Place) bool { return p.Wave != rest[0].Wave })
		if n < 0 {
			n = len(rest)
		}
		now := &wave{number: rest[0].Wave}
		for i := range rest[:n] {
			p := &rest[i]
			if p.Turn == TurnGo || p.Turn == TurnWindow {
				p.behind(before)
			}
			now.count(*p)
		}
		before, rest = append(before, now), rest[n:]
	}
}

// wave is how the sites of a wave stand: those that will go on by themselves, those that have stopped, and whether one has come through.
type wave struct {
	number           int
	pending, stopped []string
	through          bool
}

func (w *wave) count(p Place) {
	switch {
	case p.Turn == TurnDone:
		w.through = true
	case p.Turn.stopped():
		w.stopped = append(w.stopped, p.Site)
	default:
		w.pending = append(w.pending, p.Site)
	}
}

// behind has the site wait for the first of the waves before it that is not through.
func (p *Place) behind(before []*wave) {
	for _, w := range before {
		switch {
		case len(w.pending) > 0:
			p.wait(w.pending, fmt.Sprintf("wave %d comes before: %s", w.number, lifecycle.Few(w.pending)))
			return
		case len(w.stopped) > 0 && !w.through:
			p.wait(w.stopped, fmt.Sprintf("no site of wave %d has come through: %s", w.number, lifecycle.Few(w.stopped)))
			return
		}
	}
}

// mostNamed is how many of the sites that one waits for are named: a wave may have thousands.
const mostNamed = 10

func (p *Place) wait(sites []string, why string) {
	p.Turn, p.Why, p.Until, p.For = TurnWaits, why, time.Time{}, slices.Clone(sites[:min(len(sites), mostNamed)])
}
