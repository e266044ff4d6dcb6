package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Input is all that a calendar is made from.
type Input struct {
	// Sites are those of the fleet, all of them: a site waits for those that it takes versions from.
	Sites []lifecycle.Site
	// Runs is the lowest version that runs at a site, where that is known; elsewhere the declared one counts.
	Runs map[string]lifecycle.Version
	// Took is how long an upgrade of the site by one minor took, where that is known.
	Took map[string]time.Duration
	// Support are the minors that are known, the oldest first.
	Support []lifecycle.Support
	// Age is how long a version must be out before a merge request proposes it to a site.
	Age func(site string) Age
	// Review is how long a merge request is open before it is merged; 0 is DefaultReview.
	Review time.Duration
	Now    time.Time
}

// Age is Renovate's minimum release age for a site, and where that is said.
type Age struct {
	Least time.Duration
	From  string
}

// DefaultReview is how long a merge request is taken to be open where nobody says.
const DefaultReview = 3 * 24 * time.Hour

// What a machine takes where no run tells: an upgrade of one with its drain, generously.
const perMachine = 20 * time.Minute

// Format is the version of Calendar's JSON form.
const Format = "1.0"

// Calendar is the dates of a fleet's sites, the most urgent first.
type Calendar struct {
	Format string `json:"format"`
	// Made is the day for which it holds.
	Made    time.Time `json:"made"`
	Entries []Entry   `json:"sites"`
}

// Entry is one site's.
type Entry struct {
	Site string `json:"site"`
	// Runs is the minor that it is to be off, Target the one that it goes to: "1.35", "1.36"; Hops are the minors between, that one included.
	Runs   string `json:"runs,omitempty"`
	Target string `json:"target,omitempty"`
	Hops   int    `json:"hops,omitempty"`
	// Ends is the first day without support for Runs; zero where that is not known, and then Why says so.
	Ends time.Time `json:"ends,omitzero"`
	Why  string    `json:"why,omitempty"`
	// OpenBy is the last day on which the first merge request may be opened, which is one for First: the site itself or one that it waits for.
	OpenBy time.Time `json:"openBy,omitzero"`
	First  string    `json:"first,omitempty"`
	// Off is when the site is off then. Slack is how many days are left until OpenBy: 0 is today, -3 three days ago.
	Off   time.Time `json:"off,omitzero"`
	Slack int       `json:"slack"`
	// Assumed is what is taken for granted, a sentence each.
	Assumed []string `json:"assumed,omitempty"`
}

// day is the step in which people plan.
const day = 24 * time.Hour

// Make makes the calendar of the named sites; none: of all.
func Make(in Input, names ...string) Calendar {
	in.Review = cmp.Or(in.Review, DefaultReview)
	out := Calendar{Format: Format, Made: in.Now.UTC().Truncate(day), Entries: []Entry{}}
	for _, s := range in.Sites {
		switch {
		case len(names) > 0 && !slices.Contains(names, s.Name):
		case s.Provider == lifecycle.ProviderExternal:
			out.Entries = append(out.Entries, Entry{Site: s.Name, Why: "somebody else runs its machines, and sees to its version"})
		default:
			out.Entries = append(out.Entries, in.entry(s))
		}
	}
	slices.SortStableFunc(out.Entries, func(a, b Entry) int {
		if a.OpenBy.IsZero() != b.OpenBy.IsZero() {
			if a.OpenBy.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(a.OpenBy.Compare(b.OpenBy), cmp.Compare(a.Site, b.Site))
	})
	return out
}

// version is what counts as running at a site.
func (in Input) version(s lifecycle.Site) lifecycle.Version {
	if v := in.Runs[s.Name]; !v.IsZero() {
		return v
	}
	return s.Cluster.Version
}

// minor is what is known of a minor's support.
func (in Input) minor(major, minor int) lifecycle.Support {
	name := fmt.Sprintf("%d.%d", major, minor)
	for _, s := range in.Support {
		if s.Minor == name {
			return s
		}
	}
	return lifecycle.Support{Minor: name}
}

func (in Input) entry(s lifecycle.Site) Entry {
	v := in.version(s)
	if v.IsZero() {
		return Entry{Site: s.Name, Why: "which version it runs is not known"}
	}
	known := in.minor(v.Major, v.Minor)
	e := Entry{Site: s.Name, Runs: known.Minor, Ends: known.Ends}
	if known.Ends.IsZero() {
		e.Why = "until when " + known.Minor + " is supported is not known"
		return e
	}
	if e.Hops = in.hops(v, known); e.Hops == 0 {
		e.Why = "no minor is known whose support lasts"
		return e
	}
	e.Target = fmt.Sprintf("%d.%d", v.Major, v.Minor+e.Hops)
	c := in.chain(s, v, e.Hops)
	e.First = c.order[0].Name
	e.OpenBy = c.latest(known.Ends)
	e.Off = c.run(e.OpenBy)[s.Name]
	e.Slack = int(e.OpenBy.Sub(in.Now.UTC().Truncate(day)) / day)
	e.Assumed = c.assumed(e)
	return e
}

// hops is by how many minors a site has to go on to be at one with support when it arrives. The next minor is out in time whenever another
// ends, for the project has three at a time; so one that is not known yet counts as supported.
func (in Input) hops(v lifecycle.Version, from lifecycle.Support) int {
	at := in.Now
	if from.Ends.After(at) {
		at = from.Ends
	}
	for n := 1; n <= 20; n++ {
		if next := in.minor(v.Major, v.Minor+n); next.Ends.IsZero() || next.Ends.After(at) {
			return n
		}
	}
	return 0
}
