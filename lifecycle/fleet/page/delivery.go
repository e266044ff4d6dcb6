package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

// deliveryDays is how far back the four figures go.
const deliveryDays = 30

// dora is how a fleet delivers, by its runs: the four figures of DORA, as far as records tell them.
type dora struct {
	// Deployments are runs that carried out what is declared, did something and came to the end, of so many Sites.
	Deployments, Sites int
	// Failed are runs that carried out what is declared and failed.
	Failed int
	// Lead is, for each run that brought a site another declaration, from the commit that it carried out to its end, sorted. Uncommitted
	// are those of which it is not known when that commit was made.
	Lead        []time.Duration
	Uncommitted int
	// Spread is, for each revision that came to more than one site, from the beginning of its first run to the end of its last.
	Spread []time.Duration
	// Restored is, for each failure, how long it took until a run of that site went through; Open are those that none followed.
	Restored []time.Duration
	Open     int
	// Unknown is how many sites have no record that is known; Short how many whose record may be cut within the time.
	Unknown, Short int
}

// deliver reckons by the runs that ended within the last days before now. committed is when the commits were made that they carried out.
func deliver(sites []site, committed map[string]time.Time) dora {
	var d dora
	type span struct {
		from, to time.Time
		sites    int
	}
	spread := map[string]span{}
	for _, s := range sites {
		runs, _, known := s.Runs.Last()
		if !known {
			d.Unknown++
			continue
		}
		since := s.now.Add(-deliveryDays * 24 * time.Hour)
		if len(runs) >= fleet.RunsKept && runs[len(runs)-1].Ended.After(since) {
			d.Short++
		}
		deployed := false
		revisions := map[string]bool{}
		for i, r := range runs {
			if !r.Applied() || r.Ended.Before(since) {
				continue
			}
			switch {
			case r.Result == lifecycle.RunDone && r.Done > 0:
				d.Deployments++
				deployed = true
				if brings(r, runs[i+1:]) {
					d.lead(r, committed)
				}
				if r.Revision == "" {
					break
				}
				all := spread[r.Revision]
				if all.from.IsZero() || r.Began.Before(all.from) {
					all.from = r.Began
				}
				if r.Ended.After(all.to) {
					all.to = r.Ended
				}
				if !revisions[r.Revision] {
					all.sites++
				}
				spread[r.Revision], revisions[r.Revision] = all, true
			case r.Result == lifecycle.RunFailed:
				d.Failed++
				if back, ok := restored(runs[:i]); ok {
					d.Restored = append(d.Restored, back.Sub(r.Ended))
				} else {
					d.Open++
				}
			}
		}
		if deployed {
			d.Sites++
		}
	}
	for _, all := range spread {
		if all.sites > 1 {
			d.Spread = append(d.Spread, all.to.Sub(all.from))
		}
	}
	slices.Sort(d.Lead)
	slices.Sort(d.Spread)
	slices.Sort(d.Restored)
	return d
}

// brings reports whether a run that went through brought the site another declaration than the one before it, and was not a repair of
// what had drifted. earlier are the newest first. Of the oldest of a record that is cut nobody knows; it counts as one that did.
func brings(r lifecycle.RunRecord, earlier []lifecycle.RunRecord) bool {
	i := slices.IndexFunc(earlier, func(e lifecycle.RunRecord) bool { return e.Applied() && e.Result == lifecycle.RunDone })
	switch {
	case i < 0:
		return true
	case r.Digest != "" && earlier[i].Digest != "":
		return r.Digest != earlier[i].Digest
	}
	return r.Revision != earlier[i].Revision
}

// lead counts how long a change took to get there.
func (d *dora) lead(r lifecycle.RunRecord, committed map[string]time.Time) {
	at, known := committed[r.Revision]
	if !known || at.After(r.Ended) { // a clock is wrong
		d.Uncommitted++
		return
	}
	d.Lead = append(d.Lead, r.Ended.Sub(at))
}

// leadTime says how long changes take to get there, and of how many that is not known.
func (d dora) leadTime() string {
	var parts []string
	switch {
	case len(d.Lead) > 0:
		nine := d.Lead[(len(d.Lead)*9-1)/10]
		parts = append(parts, fmt.Sprintf("%s from the commit that a run carried out to the run's end, the middle one of %s "+
			"that brought a site another declaration; nine of ten within %s.",
			lifecycle.Span(median(d.Lead)), lifecycle.Count(len(d.Lead), "run"), lifecycle.Span(nine)))
	case d.Uncommitted == 0:
		parts = append(parts, "No run brought a site another declaration, so there is none.")
	}
	if d.Uncommitted > 0 {
		parts = append(parts, fmt.Sprintf("Not known of %s: the repository that these pages were made in has not their commit, "+
			"or it is later than they are (a shallow clone, a work tree that was changed, a clock that is wrong).",
			lifecycle.Count(d.Uncommitted, "run")))
	}
	if len(d.Spread) > 0 {
		parts = append(parts, fmt.Sprintf("%s from the first run of a revision to the end of its last, the middle one of %s "+
			"that came to several sites.", lifecycle.Span(median(d.Spread)), lifecycle.Count(len(d.Spread), "revision")))
	}
	return strings.Join(parts, " ")
}

// restored is when the first of the later runs that carried out what is declared went through. later are the newest first.
func restored(later []lifecycle.RunRecord) (time.Time, bool) {
	for _, r := range slices.Backward(later) {
		if r.Applied() && r.Result == lifecycle.RunDone {
			return r.Ended, true
		}
	}
	return time.Time{}, false
}

// median is the middle one of sorted durations, the later of two.
func median(sorted []time.Duration) time.Duration { return sorted[len(sorted)/2] }

func delivery(sites []site, committed map[string]time.Time) Section {
	d := deliver(sites, committed)
	s := Section{ID: "delivery", Title: fmt.Sprintf("How changes get there: the last %d days", deliveryDays)}
	fact := func(name, text string) { s.Facts = append(s.Facts, Fact{name, Cell{Text: text}}) }
	fact("Deployment frequency", fmt.Sprintf("%.1f a day: %s that changed something and went through, at %s",
		float64(d.Deployments)/deliveryDays,
		lifecycle.Count(d.Deployments, "run"), lifecycle.Count(d.Sites, "site")))
	fact("Lead time", d.leadTime())
	if all := d.Deployments + d.Failed; all > 0 {
		fact("Change failure rate", fmt.Sprintf("%.0f %%: %d of %s failed. Runs that were blocked or interrupted do not count.",
			100*float64(d.Failed)/float64(all), d.Failed, lifecycle.Count(all, "run")))
	} else {
		fact("Change failure rate", "No run changed anything, so there is none.")
	}
	back := "No failed run was followed by one that went through."
	if len(d.Restored) > 0 {
		back = fmt.Sprintf("%s from a failed run to the end of the next one of the site that went through, the middle one of %d.",
			lifecycle.Span(median(d.Restored)), len(d.Restored))
	}
	if d.Open > 0 {
		back += fmt.Sprintf(" %s not made good yet.", lifecycle.Count(d.Open, "failure"))
	}
	fact("Time to restore", back)
	if d.Unknown > 0 {
		fact("Not counted", fmt.Sprintf("%s whose record is not known.", lifecycle.Count(d.Unknown, "site")))
	}
	if d.Short > 0 {
		fact("At least", fmt.Sprintf("Of %s there may have been more runs than the %d that are kept.", lifecycle.Count(d.Short, "site"),
			fleet.RunsKept))
	}
	return s
}
