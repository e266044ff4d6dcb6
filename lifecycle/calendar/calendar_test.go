package calendar

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func site(name, version string, hosts int, from ...string) lifecycle.Site {
	v, err := lifecycle.ParseVersion(version)
	if err != nil {
		panic(err)
	}
	s := lifecycle.Site{Name: name, Cluster: lifecycle.Cluster{Version: v, Hosts: make([]lifecycle.Host, hosts)}}
	if len(from) > 0 {
		s.Promotion = lifecycle.Promotion{From: from, Soak: 72 * time.Hour}
	}
	return s
}

// ages are those that kiban's own presets declare.
func ages(site string) Age {
	if strings.HasSuffix(site, "staging") {
		return Age{3 * day, "renovate.json5"}
	}
	return Age{14 * day, "renovate.json5"}
}

func saturdays() []lifecycle.Window {
	return []lifecycle.Window{{Days: []time.Weekday{time.Saturday}, Start: 22 * 60, End: 2 * 60, TimeZone: "Asia/Tokyo"}}
}

// TestCalendar holds dates that can be reckoned by hand.
func TestCalendar(t *testing.T) {
	prod := site("prod", "v1.35.7+k0s.0", 3, "staging")
	windowed := site("prod", "v1.35.7+k0s.0", 3, "staging")
	windowed.Policy.Windows = saturdays()
	for name, c := range map[string]struct {
		sites  []lifecycle.Site
		now    string
		openBy string // "": none
		first  string
		hops   int
		slack  int
	}{
		// 3 days of review and an hour: done on the fourth day, so that day must be over when support ends on 2027-02-28
		"alone": {[]lifecycle.Site{site("prod", "v1.35.7+k0s.0", 3)}, "2026-11-29", "2027-02-23", "prod", 1, 86},
		// staging's 3 days and an hour, 3 days of soak; production's age has 11 days more than staging's, which lasts longer; 3 days, an hour
		"behind staging": {[]lifecycle.Site{site("staging", "v1.35.7+k0s.0", 3), prod}, "2026-11-29", "2027-02-12", "staging", 1, 75},
		// the last Saturday before the end is 2027-02-27, 22:00 in Tokyo; merged before 13:00 UTC, after 14 days
		"in windows":       {[]lifecycle.Site{site("staging", "v1.35.7+k0s.0", 3), windowed}, "2026-11-29", "2027-02-12", "staging", 1, 75},
		"staging is ahead": {[]lifecycle.Site{site("staging", "v1.36.3+k0s.2", 3), prod}, "2026-11-29", "2027-02-23", "prod", 1, 86},
		"late":             {[]lifecycle.Site{site("prod", "v1.34.10+k0s.0", 3)}, "2026-11-29", "2026-10-22", "prod", 1, -38},
		"two minors late":  {[]lifecycle.Site{site("prod", "v1.33.10+k0s.0", 3)}, "2026-11-29", "2026-06-06", "prod", 2, -176},
		"nobody knows":     {[]lifecycle.Site{site("prod", "v1.29.1+k0s.0", 3)}, "2026-11-29", "", "", 0, 0},
		"newest":           {[]lifecycle.Site{site("prod", "v1.37.1+k0s.0", 3)}, "2026-11-29", "2027-10-23", "prod", 1, 328},
	} {
		in := Input{Sites: c.sites, Support: lifecycle.KnownSupport(), Age: ages, Now: date(c.now).Add(15 * time.Hour)}
		e := Make(in, "prod").Entries[0]
		openBy := ""
		if !e.OpenBy.IsZero() {
			openBy = e.OpenBy.Format(time.DateOnly)
		}
		if openBy != c.openBy || e.First != c.first || e.Hops != c.hops || e.Slack != c.slack {
			t.Errorf("%s: %+v", name, e)
		}
		if (openBy == "") != (e.Why != "") || openBy != "" && (e.Off.After(e.Ends) || len(e.Assumed) < 2) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// fleetOf makes a fleet at random: waves that wait for each other, windows, long runs.
func fleetOf(r *rand.Rand) []lifecycle.Site {
	var out []lifecycle.Site
	for i := range 2 + r.IntN(6) {
		name := fmt.Sprintf("prod-%d", i)
		var from []string
		if i == 0 || r.IntN(5) == 0 {
			name = fmt.Sprintf("s%d-staging", i)
		} else {
			from = []string{out[r.IntN(len(out))].Name}
			if other := out[r.IntN(len(out))].Name; other != from[0] && r.IntN(3) == 0 {
				from = append(from, other)
			}
		}
		s := site(name, "v1.30.1+k0s.0", 3+r.IntN(60), from...)
		if len(from) > 0 {
			s.Promotion.Soak = time.Duration(1+r.IntN(14)) * day
		}
		switch r.IntN(4) {
		case 0:
			s.Policy.Windows = saturdays()
		case 1:
			s.Policy.Windows = []lifecycle.Window{{Start: 1 * 60, End: 5*60 + 30, TimeZone: "Europe/Berlin"},
				{Days: []time.Weekday{time.Sunday}, Start: 8 * 60, End: 20 * 60, TimeZone: "America/New_York"}}
		}
		out = append(out, s)
	}
	return out
}

// life is a fleet as it lives, hour by hour, that opens merge requests as late as the calendar allows. It shares nothing with how dates are
// reckoned but what a window is.
type life struct {
	r      *rand.Rand
	sites  []lifecycle.Site
	minor  map[string]int
	merged map[string]time.Time // when the merge request in hand is merged
	left   map[string]time.Duration
	since  map[string]map[int]time.Time // from when a site has run a minor
	known  []lifecycle.Support
	told   map[int]time.Time // when the first merge request to a minor was opened
}

func (l *life) ended(minor int, now time.Time) bool {
	for _, s := range l.known {
		if s.Minor == fmt.Sprintf("1.%d", minor) {
			return s.Ended(now)
		}
	}
	return false
}

// may reports whether a merge request for the site's next minor may be opened: it has been out for the site's age since the first of the
// fleet was opened, and those that it waits for have run it for long enough.
func (l *life) may(s lifecycle.Site, now time.Time) bool {
	next := l.minor[s.Name] + 1
	first, begun := l.told[next]
	if !begun || now.Before(first.Add(ages(s.Name).Least)) {
		return false
	}
	return !slices.ContainsFunc(s.Promotion.From, func(from string) bool {
		since, has := l.since[from][next]
		return l.minor[from] < next || has && now.Before(since.Add(s.Promotion.Soak))
	})
}

func (l *life) hour(now time.Time, at map[string]time.Time) {
	for _, s := range l.sites {
		next := l.minor[s.Name] + 1
		switch merged, open := l.merged[s.Name]; {
		case open && now.Before(merged):
		case open:
			if o, _ := lifecycle.OpeningOf(s.Policy.Windows, now); len(s.Policy.Windows) > 0 && (!o.Open() || o.Until.Sub(now) < time.Hour) {
				continue
			}
			if l.left[s.Name] -= time.Hour; l.left[s.Name] <= 0 {
				l.minor[s.Name], l.since[s.Name][next] = next, now.Add(time.Hour)
				delete(l.merged, s.Name)
			}
		case l.may(s, now) || !now.Before(at[s.Name]) && len(s.Promotion.From) == 0:
			if _, begun := l.told[next]; !begun {
				l.told[next] = now.Add(-ages(s.Name).Least) // it has been out for that long
			}
			l.merged[s.Name] = now.Add(time.Duration(l.r.Int64N(int64(DefaultReview) - int64(time.Hour)))).Truncate(time.Hour)
			whole := time.Duration(len(s.Cluster.Hosts)) * perMachine
			l.left[s.Name] = (whole * time.Duration(50+l.r.IntN(40)) / 100).Truncate(time.Hour)
		}
	}
}

// TestDatesThatAreKeptKeepSupport goes back over the releases 1.30 to 1.37: fleets that open each first merge request on the very last day
// never run a minor that gets no more patches.
func TestDatesThatAreKeptKeepSupport(t *testing.T) {
	fleets, days, moves := 20, 0, 0
	for seed := range fleets {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		l := &life{r: r, sites: fleetOf(r), minor: map[string]int{}, merged: map[string]time.Time{}, left: map[string]time.Duration{},
			since: map[string]map[int]time.Time{}, told: map[int]time.Time{}, known: lifecycle.KnownSupport()}
		for _, s := range l.sites {
			l.minor[s.Name], l.since[s.Name] = 30, map[int]time.Time{}
		}
		at, dirty := map[string]time.Time{}, true
		for today := date("2025-01-01"); today.Before(date("2027-06-01")); today = today.Add(day) {
			if dirty { // dates change only with what runs
				runs := map[string]lifecycle.Version{}
				for name, minor := range l.minor {
					runs[name] = lifecycle.Version{Major: 1, Minor: minor}
				}
				clear(at)
				for _, e := range Make(Input{Sites: l.sites, Runs: runs, Support: l.known, Age: ages, Now: today}).Entries {
					by := e.OpenBy.Add(time.Duration(r.IntN(24)) * time.Hour) // some time on that day
					if was, ok := at[e.First]; !ok || by.Before(was) {
						at[e.First] = by
					}
				}
			}
			before := maps.Clone(l.minor)
			for h := range 24 {
				l.hour(today.Add(time.Duration(h)*time.Hour), at)
			}
			dirty = !maps.Equal(before, l.minor)
			for name, minor := range l.minor {
				if l.ended(minor, today.Add(day)) {
					t.Fatalf("fleet %d: %s runs 1.%d on %s, which gets no more patches", seed, name, minor, today.Format(time.DateOnly))
				}
				days++
			}
		}
		for _, minor := range l.minor {
			if moves += minor - 30; minor < 35 {
				t.Errorf("fleet %d did not move: %v", seed, l.minor)
			}
		}
	}
	t.Logf("%d fleets, %d days of sites, %d upgrades: none without support", fleets, days, moves)
}

// TestICS holds the form to RFC 5545: lines, folding, escaping, and one identity for each date.
func TestICS(t *testing.T) {
	s := site("tōkyō-prod,east;1", "v1.35.7+k0s.0", 3)
	c := Make(Input{Sites: []lifecycle.Site{s}, Support: lifecycle.KnownSupport(), Age: ages, Now: date("2026-11-29")})
	var b bytes.Buffer
	if err := c.ICS(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") || !strings.HasSuffix(text, "END:VCALENDAR\r\n") {
		t.Error("lines do not end in CR LF")
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if len(line) > 75 {
			t.Errorf("%d bytes: %s", len(line), line)
		}
	}
	whole := strings.ReplaceAll(text, "\r\n ", "")
	for _, want := range []string{"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "DTSTART;VALUE=DATE:20270223\r\n", "DTSTART;VALUE=DATE:20270228\r\n",
		`SUMMARY:tōkyō-prod\,east\;1: open the merge request to Kubernetes 1.36 today at the latest` + "\r\n", "TRIGGER:-P14D",
		"DTSTAMP:20261129T000000Z", `must be open by 2027-02-23.\ntōkyō-prod\,east\;1 is upgraded`} {
		if !strings.Contains(whole, want) {
			t.Errorf("%q is missing in\n%s", want, whole)
		}
	}
	if n := strings.Count(text, "BEGIN:VEVENT"); n != 2 || strings.Count(text, "END:VEVENT") != 2 || strings.Count(text, "UID:") != 2 {
		t.Errorf("%d events", n)
	}
	long := folded(strings.Repeat("基盤", 100))
	if strings.ReplaceAll(strings.TrimSuffix(long, "\r\n"), "\r\n ", "") != strings.Repeat("基盤", 100) || !strings.Contains(long, "\r\n ") {
		t.Errorf("folding loses something: %q", long)
	}
	if got := escaped("a\\b;c,d\ne\x1b"); got != `a\\b\;c\,d\ne` {
		t.Errorf("%q", got)
	}
}

// TestPages: each form says the date, what is assumed, and why there is none.
func TestPages(t *testing.T) {
	c := Make(Input{Sites: []lifecycle.Site{site("<prod>", "v1.35.7+k0s.0", 3), site("old", "v1.29.1+k0s.0", 1)},
		Support: lifecycle.KnownSupport(), Age: ages, Now: date("2027-02-12")})
	var text, html bytes.Buffer
	if err := c.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := c.HTML(&html); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2027-02-23, in 11 days", "Assumed: A merge request is open for 3 days",
		"until when 1.29 is supported is not known"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
	if !strings.Contains(html.String(), "&lt;prod&gt;") || strings.Contains(html.String(), "<prod>") || !strings.Contains(html.String(), `class="soon"`) {
		t.Errorf("%s", html.String())
	}
	if got := c.Entries[0].Line(); !strings.HasPrefix(got, "11 days of slack left: <prod> is to be off Kubernetes 1.35 by 2027-02-28") {
		t.Errorf("%q", got)
	}
	if got := c.Entries[1].Line(); got != "" {
		t.Errorf("%q", got)
	}
}

// TestExternal: a site whose machines somebody else runs is said, and has no date.
func TestExternal(t *testing.T) {
	c := Make(Input{Sites: []lifecycle.Site{{Name: "aws", Provider: lifecycle.ProviderExternal}}, Now: time.Now()})
	var b strings.Builder
	if err := c.Text(&b); err != nil {
		t.Fatal(err)
	}
	if len(c.Entries) != 1 || !c.Entries[0].OpenBy.IsZero() || c.Entries[0].Line() != "" ||
		!strings.Contains(b.String(), "aws: somebody else runs its machines, and sees to its version.") {
		t.Errorf("%+v\n%s", c.Entries, b.String())
	}
}
