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

// Schedule is how often sites are to be asked. What is older is old.
const Schedule = 24 * time.Hour

// Input is all that the pages are made from.
type Input struct {
	// Sites are what was collected, each site once.
	Sites []fleet.Collected
	// Listed are all sites that the fleet has by its overlays; nil: that is not known. One without a file is a site that nothing is known
	// of.
	Listed []string
	// Unusable are files of the collect that can't be used.
	Unusable lifecycle.Diagnostics
	// Queue is who may go now (fleet.Next). Without places it is not known.
	Queue fleet.Queue
	// Now is the moment for which the pages hold; zero: that of the last look at any site.
	Now        time.Time
	Repository Repository
	// Files are the repository's, as far as buttons lead to them; NewSite are those of a new site, with new-site for its name.
	Files   Files
	NewSite []NewFile
	// Committed is when the commits were made that runs carried out (Revisions); one that it has not is not known.
	Committed map[string]time.Time
}

// Revisions are the commits that the runs of sites carried out, sorted, each once.
func Revisions(sites []fleet.Collected) []string {
	all := map[string]bool{}
	for _, c := range sites {
		for _, r := range c.Runs.Value {
			all[r.Revision] = true
		}
	}
	delete(all, "")
	return slices.Sorted(maps.Keys(all))
}

// site is one site with the pages' view of time.
type site struct {
	fleet.Collected
	now time.Time
	// listed: the repository has it.
	listed bool
	// place is its place in the queue; its Turn is "" where that is not known.
	place fleet.Place
	// paged are all sites that have a page.
	paged map[string]bool
}

// unread has what follows from the site's declaration be of when that was known last, where it can't be read now.
func (s *site) unread() {
	if !s.place.Unread {
		return
	}
	s.Declared.Unknown, s.Drift.Unknown, s.Ready.Unknown = s.place.Why, cmp.Or(s.Drift.Unknown, s.place.Why),
		cmp.Or(s.Ready.Unknown, s.place.Why)
}

// link leads to a site's page, where it has one.
func (s site) link(name string) Cell {
	if !s.paged[name] {
		return Cell{Text: name}
	}
	return Cell{Text: name, Link: sitePage(name)}
}

// stale reports whether it was asked longer ago than it is to be: nothing of it is of now.
func (s site) stale() bool { return s.now.Sub(s.Asked) > Schedule }

// sites are those that are known, and those that are only listed, by name.
func (in Input) sites() []site {
	now := in.At()
	known, listed := map[string]bool{}, map[string]bool{}
	for _, name := range in.Listed {
		listed[name] = true
	}
	var out []site
	for _, c := range in.Sites {
		if known[c.Site] {
			continue
		}
		known[c.Site] = true
		out = append(out, site{Collected: c, now: now, listed: in.Listed == nil || listed[c.Site]})
	}
	for _, name := range in.Listed {
		if known[name] {
			continue
		}
		known[name] = true
		out = append(out, site{Collected: fleet.Collected{Site: name, Failed: in.unusable(name)}, now: now, listed: true})
	}
	slices.SortFunc(out, func(a, b site) int { return cmp.Compare(a.Site, b.Site) })
	places := map[string]fleet.Place{}
	for _, p := range in.Queue.Places {
		places[p.Site] = p
	}
	for i := range out {
		out[i].place, out[i].paged = places[out[i].Site], known
		out[i].unread()
	}
	return out
}

// unusable says why nothing is known of a site that has no file that can be used.
func (in Input) unusable(name string) string {
	for _, d := range in.Unusable {
		file := d.Subject[strings.LastIndexAny(d.Subject, `/\`)+1:]
		if bare, _, _ := strings.Cut(file, ":"); bare == name+".json" {
			return fmt.Sprintf("%s: %s", d.Summary, lifecycle.OneLine(d.Detail))
		}
	}
	return "it was never asked: no file of it was collected"
}

// At is the moment for which the pages hold.
func (in Input) At() time.Time {
	now := in.Now
	if now.IsZero() {
		for _, c := range in.Sites {
			if c.Asked.After(now) {
				now = c.Asked
			}
		}
	}
	return now.UTC()
}

// seen is a part of what is known of a site, with how far it can be believed.
type seen[T any] struct {
	Value T
	now   time.Time
	// Ever: it was known once. Now: it is what was learnt last, and that is not too long ago.
	Ever, Now bool
	At        time.Time
	// Why says why it is not known as of now.
	Why string
	// said: the head of the site's page says why.
	said bool
}

// look is how a part of a site stands.
func look[T any](s site, p fleet.Part[T]) seen[T] {
	value, at, ever := p.Last()
	_, learnt := p.Now()
	out := seen[T]{Value: value, now: s.now, At: at, Ever: ever, Now: learnt && !s.stale(), Why: cmp.Or(p.Unknown, s.Failed)}
	if learnt && s.stale() {
		out.Why = "the site was asked last " + lifecycle.Span(s.now.Sub(s.Asked)) + " ago"
	}
	out.said = s.stale() || s.Failed != "" && out.Why == s.Failed
	if !ever && out.Why == "" {
		out.Why = "it was never learnt"
	}
	return out
}

// cell shows a part in few words: as it is, as it was, or that it never was known.
func (v seen[T]) cell(show func(T) Cell) Cell {
	if !v.Ever {
		return Cell{Text: "not known", Mark: MarkUnknown}
	}
	c := show(v.Value)
	if !v.Now {
		c.Text, c.Mark = c.Text+" ("+v.when()+")", MarkOld
	}
	return c
}

// when is the day on which it was known last, with the year where that is not plain.
func (v seen[T]) when() string {
	if v.now.Sub(v.At) > 300*24*time.Hour {
		return v.At.UTC().Format("2 Jan 2006")
	}
	return v.At.UTC().Format("2 Jan")
}

// note says from when a part is, where that is not now, and why.
func (v seen[T]) note() (string, Mark) {
	switch {
	case v.Now:
		return "", MarkNone
	case v.Ever && v.said:
		return "As of " + lifecycle.Stamp(v.At) + ".", MarkOld
	case v.Ever:
		return fmt.Sprintf("As of %s; how it is now is not known: %s.", lifecycle.Stamp(v.At), trimStop(v.Why)), MarkOld
	}
	return "Not known: " + trimStop(v.Why) + ".", MarkUnknown
}

func trimStop(s string) string { return strings.TrimRight(lifecycle.OneLine(s), ". ") }
