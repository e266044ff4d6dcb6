package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// chain is a site with all that it waits for: what happens from the day on which the first merge request is opened.
type chain struct {
	in   Input
	hops int
	// order are the sites, each behind those that it waits for; the last is the one that it is about.
	order []lifecycle.Site
	// moves is by how many of the hops a site still has to go itself: one that is ahead has done some.
	moves map[string]int
	// standIns are sites of which no more than the name is known.
	standIns []string
}

func (in Input) chain(s lifecycle.Site, v lifecycle.Version, hops int) chain {
	c := chain{in: in, hops: hops, moves: map[string]int{}}
	c.visit(s, map[string]bool{})
	for _, o := range c.order {
		ahead := in.version(o)
		if slices.Contains(c.standIns, o.Name) {
			ahead = v
		}
		c.moves[o.Name] = min(hops, max(0, v.Minor+hops-ahead.Minor))
	}
	// one that is there already opens no merge request
	c.order = slices.DeleteFunc(c.order, func(o lifecycle.Site) bool { return c.moves[o.Name] == 0 && o.Name != s.Name })
	// the first merge request is one of those that wait for nobody, for the one that may have it soonest
	first := 0
	for i, o := range c.order {
		if len(c.froms(o)) == 0 && (len(c.froms(c.order[first])) > 0 || in.age(o.Name) < in.age(c.order[first].Name)) {
			first = i
		}
	}
	o := c.order[first]
	c.order = slices.Insert(slices.Delete(c.order, first, first+1), 0, o)
	return c
}

// visit puts a site behind those that it waits for. A circle, which validation refuses, ends where it began.
func (c *chain) visit(s lifecycle.Site, seen map[string]bool) {
	if seen[s.Name] {
		return
	}
	seen[s.Name] = true
	for _, from := range s.Promotion.From {
		if i := slices.IndexFunc(c.in.Sites, func(o lifecycle.Site) bool { return o.Name == from }); i >= 0 {
			c.visit(c.in.Sites[i], seen)
		} else if !seen[from] {
			seen[from] = true
			c.standIns = append(c.standIns, from)
			c.order = append(c.order, lifecycle.Site{Name: from, Cluster: lifecycle.Cluster{Version: s.Cluster.Version, Hosts: s.Cluster.Hosts}})
		}
	}
	c.order = append(c.order, s)
}

func (in Input) age(site string) time.Duration { return in.ageOf(site).Least }

func (in Input) ageOf(site string) Age {
	if in.Age == nil {
		return Age{}
	}
	return in.Age(site)
}

// froms are the sites of the chain that a site waits for.
func (c chain) froms(s lifecycle.Site) []string {
	return slices.DeleteFunc(slices.Clone(s.Promotion.From), func(name string) bool { return c.moves[name] == 0 })
}

// run is when each site is at the target, if the first merge request is opened at a moment. Of each hop a version must be out for a site's
// age: the first site's has passed by then, and what others have more of counts from there.
func (c chain) run(opened time.Time) map[string]time.Time {
	done := map[string]time.Time{}
	least := c.in.age(c.order[0].Name)
	start := opened
	for hop := range c.hops {
		at, next := map[string]time.Time{}, start
		for i, s := range c.order {
			if c.hops-hop > c.moves[s.Name] { // it has this one behind it
				at[s.Name] = start
				continue
			}
			open := later(done[s.Name], start.Add(max(0, c.in.age(s.Name)-least)))
			for _, from := range c.froms(s) {
				open = later(open, at[from].Add(s.Promotion.Soak))
			}
			at[s.Name] = c.work(s, open.Add(c.in.Review))
			if i == 0 {
				next = at[s.Name].Add(least) // a fix that the next hop needs must be out that long, too
			}
		}
		done, start = at, next
	}
	return done
}

// work is when an upgrade is done that may begin at a moment: it goes on only while a window is open.
func (c chain) work(s lifecycle.Site, from time.Time) time.Time {
	left, windows := c.took(s), s.Policy.Windows
	if len(windows) == 0 {
		return from.Add(left)
	}
	for range 1000 { // windows that are too short for it: see latest
		o, err := lifecycle.OpeningOf(windows, from)
		switch {
		case err != nil || !o.Open() && o.Next.IsZero():
			from = from.Add(7 * day) // none within a week: the one occurrence falls on a clock change
		case !o.Open():
			from = o.Next
		case from.Add(left).After(o.Until):
			left, from = left-o.Until.Sub(from), o.Until
		default:
			return from.Add(left)
		}
	}
	return from.AddDate(10, 0, 0)
}

// took is how long an upgrade of the site by one minor takes.
func (c chain) took(s lifecycle.Site) time.Duration {
	if d := c.in.Took[s.Name]; d > 0 {
		return d
	}
	return time.Duration(len(s.Cluster.Hosts)) * perMachine
}

// latest is the last day on which the first merge request may be opened, so that the last site of the chain is done before a day. Opened
// later, nothing is done sooner, so halving the time between finds it.
func (c chain) latest(ends time.Time) time.Time {
	last := c.order[len(c.order)-1].Name
	inTime := func(opened time.Time) bool { return !c.run(opened.Add(day))[last].After(ends) } // opened at any hour of that day
	early, late := -3650, 0
	for early < late {
		middle := early + (late-early+1)/2
		if inTime(ends.AddDate(0, 0, middle)) {
			early = middle
		} else {
			late = middle - 1
		}
	}
	return ends.AddDate(0, 0, early)
}

func (c chain) assumed(e Entry) []string {
	last := c.order[len(c.order)-1]
	var out []string
	for _, s := range c.order {
		said := "is upgraded by one minor in " + lifecycle.Span(c.took(s))
		if c.in.Took[s.Name] > 0 {
			said += ", as its longest run so far"
		} else {
			said += fmt.Sprintf(", %d minutes for each of %s", int(perMachine.Minutes()), lifecycle.Count(len(s.Cluster.Hosts), "machine"))
		}
		if n := len(s.Policy.Windows); n > 0 {
			said += ", in its " + lifecycle.Count(n, "window") + " alone"
		}
		if from := c.froms(s); len(from) > 0 {
			said += ", when " + lifecycle.Enumerate(from) + " has run it for " + lifecycle.Span(s.Promotion.Soak)
		}
		if a := c.in.ageOf(s.Name); a.Least > 0 {
			said += ", and a version is out for " + lifecycle.Span(a.Least) + " before it is proposed (" + a.From + ")"
		}
		out = append(out, s.Name+" "+said+".")
	}
	if len(c.standIns) > 0 {
		out = append(out, lifecycle.Enumerate(c.standIns)+" is taken to have as many machines, and no windows.")
	}
	out = append(out, "A merge request is open for "+lifecycle.Span(c.in.Review)+".")
	if c.in.Runs[last.Name].IsZero() {
		out = append(out, fmt.Sprintf("%s runs what is declared; no machine was asked.", last.Name))
	}
	if e.Hops > 1 {
		out = append(out, fmt.Sprintf("%s, one after another, to %s.", lifecycle.Count(e.Hops, "minor"), e.Target))
	}
	if next := c.in.minorNamed(e.Target); next.Released.IsZero() {
		out = append(out, e.Target+" is out by then, as the project's calendar has it; it is not among the dates that are known.")
	}
	return out
}

func (in Input) minorNamed(name string) lifecycle.Support {
	for _, s := range in.Support {
		if s.Minor == name {
			return s
		}
	}
	return lifecycle.Support{Minor: strings.TrimSpace(name)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
