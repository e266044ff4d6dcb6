package fleet

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestAges reads what this repository's own configuration says, as people wrote it, and what others may say.
func TestAges(t *testing.T) {
	const dayLong = 24 * time.Hour
	own := Ages("../..")
	for site, want := range map[string]time.Duration{"tokyo-staging": 3 * dayLong, "staging-2": 3 * dayLong, "tokyo-prod": 14 * dayLong,
		"anything": 14 * dayLong, "lab": 0} {
		if got := own(site); got.Least != want || got.From != "renovate.json5" {
			t.Errorf("%s: %+v, want %s", site, got, want)
		}
	}
	for text, want := range map[string]time.Duration{
		"":                            14 * dayLong, // nothing is said: kiban's preset
		"{extends: [\"gitlab>a/b\"]}": 14 * dayLong,
		"{packageRules: [{minimumReleaseAge: '1 week'}, {matchDepTypes: [c], minimumReleaseAge: '2 days'}]}":          7 * dayLong,
		"{packageRules: [{matchFileNames: ['overlays/**', '!overlays/x/**'], minimumReleaseAge: '36 hours'}]}":        0,
		"{// a comment\n packageRules: [{matchDepNames: [k0s], minimumReleaseAge: '5 days'}, {matchFileNames: [y]}]}": 5 * dayLong,
		"{packageRules: [{minimumReleaseAge: 'soon'}]}":                                                               0,
		"{packageRules: [": 14 * dayLong,
	} {
		dir := t.TempDir()
		if text != "" {
			if err := os.WriteFile(filepath.Join(dir, "renovate.json5"), []byte(strings.Replace(text, "{//", "{\n//", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := Ages(dir)("x"); got.Least != want || got.From == "" {
			t.Errorf("%s: %+v, want %s", text, got, want)
		}
	}
}

// TestSlack: a site is told of in time, and no sooner; what it waits for is taken to be like it where it is not known.
func TestSlack(t *testing.T) {
	v := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	site := lifecycle.Site{Name: "prod", Dir: filepath.Join(t.TempDir(), "overlays", "prod"),
		Cluster:   lifecycle.Cluster{Version: v, Hosts: make([]lifecycle.Host, 3)},
		Promotion: lifecycle.Promotion{From: []string{"staging"}, Soak: 72 * time.Hour}}
	at := func(day string) time.Time {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	asked := 0
	never := func() []lifecycle.RunRecord { asked++; return nil }
	if got := slackAt(site, v, never, at("2026-11-29")); got != "" || asked != 0 {
		t.Errorf("too soon: %q, and the record was read %d times", got, asked)
	}
	if got := slackAt(site, v, never, at("2027-02-10")); !strings.Contains(got, "days of slack left: prod is to be off Kubernetes 1.35 by "+
		"2027-02-28: the first merge request, which is for staging, must be open by") {
		t.Errorf("%q", got)
	}
	if got := DaysLeft(site, v, 0, at("2027-02-12")); got != "11 days of slack left" {
		t.Errorf("%q", got)
	}
	if got := DaysLeft(site, v, 0, at("2027-02-26")); got != "3 days late" {
		t.Errorf("%q", got)
	}
	site.Fleet.Support = []lifecycle.Support{{Minor: "1.35", Released: at("2025-12-17"), Ends: at("2027-05-28")}}
	if got := slackAt(site, v, never, at("2027-02-10")); got != "" {
		t.Errorf("the fleet's own dates are later: %q", got)
	}
	// ten days for an upgrade, by the record, are nine more than assumed
	long := func() []lifecycle.RunRecord {
		next := v
		next.Minor--
		return []lifecycle.RunRecord{{Result: lifecycle.RunDone, Began: at("2026-11-01"), Ended: at("2026-11-11"), Machines: 3,
			Before: []lifecycle.Version{next}, After: []lifecycle.Version{v}}}
	}
	site.Fleet.Support = nil
	before, after := slackAt(site, v, never, at("2027-02-10")), slackAt(site, v, long, at("2027-02-10"))
	if after == before || !strings.Contains(after, "days late to leave Kubernetes 1.35 in time") && !strings.Contains(after, "of slack left") {
		t.Errorf("the record counts for nothing: %q and %q", before, after)
	}
	if got := DaysLeft(site, v, 10*24*time.Hour, at("2027-02-12")); got != "2 days of slack left" {
		t.Errorf("%q", got)
	}
}

// TestAskedFor: the record of a site and of those that it waits for counts, and who does not answer is named.
func TestAskedFor(t *testing.T) {
	v := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	sites := map[string]lifecycle.Site{}
	for _, name := range []string{"staging", "prod", "beside"} {
		sites[name] = lifecycle.Site{Name: name, Cluster: lifecycle.Cluster{Version: v, Hosts: make([]lifecycle.Host, 3)}}
	}
	prod := sites["prod"]
	prod.Promotion = lifecycle.Promotion{From: []string{"staging"}, Soak: 72 * time.Hour}
	sites["prod"] = prod
	source := Source{List: func(string) ([]string, error) { return []string{"beside", "prod", "staging"}, nil },
		Load: func(_ context.Context, _, name, _ string) (lifecycle.Site, lifecycle.Diagnostics) {
			return sites[name], nil
		},
		Inputs: func(lifecycle.Site) (map[string]string, error) { return nil, nil }}
	var gate sync.Mutex
	var asked []string
	ask := func(_ context.Context, site string) ([]lifecycle.RunRecord, lifecycle.Diagnostics, error) {
		gate.Lock()
		defer gate.Unlock()
		if asked = append(asked, site); site == "staging" {
			return nil, lifecycle.Diagnostics{lifecycle.Warnf(site, "no answer")}, nil
		}
		began, former := time.Now(), v
		former.Minor--
		return []lifecycle.RunRecord{{Result: lifecycle.RunDone, Began: began, Ended: began.Add(5 * time.Hour), Machines: 3,
			Before: []lifecycle.Version{former}, After: []lifecycle.Version{v}}}, nil, nil
	}
	var text strings.Builder
	warnings, err := source.WriteCalendar(t.Context(), &text, t.TempDir(), []string{"prod"}, ask, "text")
	if err != nil || len(warnings) != 1 || warnings[0].Subject != "staging" ||
		!strings.Contains(warnings[0].Summary, "could not be asked how long") {
		t.Errorf("%v, %v", warnings, err)
	}
	slices.Sort(asked)
	if !slices.Equal(asked, []string{"prod", "staging"}) {
		t.Errorf("asked: %v", asked)
	}
	for _, want := range []string{"prod is upgraded by one minor in 5 h, as its longest run so far", "20 minutes for each of 3 machines"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in\n%s", want, text.String())
		}
	}
}

// TestDueByTheRecord: when people are told that the time runs short, the site's own record counts, where it may matter.
func TestDueByTheRecord(t *testing.T) {
	now := time.Now()
	v := lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	site := lifecycle.Site{Name: "prod", Dir: filepath.Join(t.TempDir(), "overlays", "prod"),
		Cluster: lifecycle.Cluster{Version: v, Hosts: make([]lifecycle.Host, 3)}}
	ends := func(days int) {
		site.Fleet.Support = []lifecycle.Support{{Minor: "1.35", Released: now.AddDate(-1, 0, 0), Ends: now.AddDate(0, 0, days)}}
	}
	asked := 0
	tenDays := func() []lifecycle.RunRecord {
		asked++
		before := v
		before.Minor--
		return []lifecycle.RunRecord{{Result: lifecycle.RunDone, Began: now.AddDate(0, 0, -30), Ended: now.AddDate(0, 0, -20), Machines: 3,
			Before: []lifecycle.Version{before}, After: []lifecycle.Version{v}}}
	}
	due := func(record func() []lifecycle.RunRecord) int {
		e, known := Source{}.Due(t.Context(), fleetOf(site), site, record)(v)
		if !known || e.OpenBy.IsZero() {
			t.Fatalf("%+v, %v", e, known)
		}
		return e.Slack
	}
	ends(40)
	if assumed, told := due(nil), due(tenDays); asked != 1 || assumed-told < 8 || assumed-told > 10 {
		t.Errorf("assumed: %d days left; by a record of ten days, which was asked for %d times: %d", assumed, asked, told)
	}
	if ends(200); due(nil) != due(tenDays) || asked != 1 {
		t.Errorf("with time enough the record was asked for %d times", asked)
	}
}
