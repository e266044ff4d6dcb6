package page

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/fleet"
)

func siteOf(c fleet.Collected) site { return site{Collected: c, now: at(), listed: true} }

// cellsOf are all that the table of all sites says of one.
func cellsOf(s site) []Cell {
	return []Cell{s.stands(), s.versions(), s.support(), s.next(), s.drift(), s.lastRun(), s.proven(), s.newestBackup(), s.certificates(),
		s.turn()}
}

// What was good once is never shown as good now, however it came to be old.
func TestOldIsNeverGreen(t *testing.T) {
	for name, change := range map[string]func(*fleet.Collected){
		"it did not answer":       func(c *fleet.Collected) { silent(c, 3) },
		"it never answered":       func(c *fleet.Collected) { silent(c, 0) },
		"it was not asked":        func(c *fleet.Collected) { older(c, 25*time.Hour) },
		"it was asked a year ago": func(c *fleet.Collected) { older(c, 365*24*time.Hour) },
	} {
		c := well(t, "tokyo", 1, nil)
		change(&c)
		s := siteOf(c)
		for _, cell := range cellsOf(s) {
			if cell.Mark != MarkOld && cell.Mark != MarkUnknown {
				t.Errorf("%s: %q is %q", name, cell.Text, cell.Mark)
			}
		}
		for _, section := range siteDoc(Input{}, s, nil).Sections {
			cells := slices.Clone(section.Lines)
			for _, f := range section.Facts {
				cells = append(cells, f.Cell)
			}
			if section.Table != nil {
				cells = append(cells, slices.Concat(section.Table.Rows...)...)
			}
			for _, cell := range cells {
				if cell.Mark == MarkGood {
					t.Errorf("%s: %s: %q is good", name, section.ID, cell.Text)
				}
			}
		}
		if unanswered().of(s) != is {
			t.Errorf("%s: it counts as known", name)
		}
	}
	fresh := siteOf(well(t, "tokyo", 1, nil))
	for i, cell := range cellsOf(fresh) {
		if i < 7 && i != 1 && cell.Mark != MarkGood {
			t.Errorf("it is well now, and %q is %q", cell.Text, cell.Mark)
		}
	}
}

// older has a site be asked so long before.
func older(c *fleet.Collected, by time.Duration) {
	c.Asked = c.Asked.Add(-by)
	for _, at := range []*time.Time{&c.Declared.At, &c.Standing.At, &c.Machines.At, &c.Addons.At, &c.Support.At, &c.Ready.At, &c.Drift.At,
		&c.Soak.At,
		&c.Pinned.At, &c.Locks.At, &c.Runs.At, &c.Backups.At, &c.Certificates.At, &c.Tenants.At} {
		*at = c.Asked
	}
}

// Each question is answered by what is, and says of how many it is not known.
func TestQuestions(t *testing.T) {
	tests := []struct {
		file   string
		change func(*fleet.Collected)
	}{
		{"not-known.html", func(c *fleet.Collected) { silent(c, 3) }},
		{"out-of-support.html", func(c *fleet.Collected) { unsupportedSite(t, c) }},
		{"problems.html", func(c *fleet.Collected) { failedSite(t, c) }},
		{"failed.html", func(c *fleet.Collected) { failedSite(t, c) }},
		{"drift.html", func(c *fleet.Collected) { c.Drift.Value.Stops = lifecycle.Diagnostics{lifecycle.Blockedf("", "no")} }},
		{"backups.html", func(c *fleet.Collected) { c.Backups.Value.Proven = nil }},
		{"certificates.html", func(c *fleet.Collected) {
			c.Certificates.Value[0].NotBefore, c.Certificates.Value[0].NotAfter = at().AddDate(-1, 0, 0), at().AddDate(0, 0, 20)
		}},
		{"changed.html", func(c *fleet.Collected) { failedSite(t, c) }},
	}
	if len(tests) != len(questions()) {
		t.Errorf("%d questions have a test, of %d", len(tests), len(questions()))
	}
	for _, tt := range tests {
		i := slices.IndexFunc(questions(), func(q question) bool { return q.file == tt.file })
		if i < 0 {
			t.Fatalf("no question %s", tt.file)
		}
		q := questions()[i]
		fine, hit := well(t, "fine", 1, nil), well(t, "hit", 1, nil)
		tt.change(&hit)
		past, never := hit, well(t, "never", 1, nil)
		past.Site = "past"
		silent(&past, 2)
		silent(&never, 0)
		a := q.answer([]site{siteOf(fine), siteOf(hit), siteOf(past), siteOf(never)})
		var names []string
		for _, row := range a.doc().Sections[0].Table.Rows {
			names = append(names, row[0].Text)
		}
		slices.Sort(names)
		switch got := strings.Join(names, " "); {
		case tt.file == "not-known.html":
			if got != "hit never past" || a.now != 3 {
				t.Errorf("%s: %s", tt.file, got)
			}
		case got != "hit past" || a.now != 1 || a.past != 1 || a.undetermined != 1:
			t.Errorf("%s: %s; %d now, %d then, %d not known", tt.file, got, a.now, a.past, a.undetermined)
		}
	}
}

func TestSiteWithoutAFile(t *testing.T) {
	in := Input{Sites: []fleet.Collected{well(t, "tokyo", 1, nil), well(t, "tokyo", 1, nil), well(t, "gone", 1, nil)},
		Listed: []string{"tokyo", "osaka", "kobe"},
		Unusable: lifecycle.Diagnostics{lifecycle.Warnf("collected/kobe.json:3",
			"what was collected of a site can't be used").Because("it is cut off")}}
	sites := in.sites()
	var got []string
	for _, s := range sites {
		got = append(got, s.Site+" "+s.asked().Text)
	}
	if strings.Join(got, "; ") != "gone within the hour; kobe never; osaka never; tokyo within the hour" {
		t.Errorf("%q", got)
	}
	if s := sites[1]; !strings.Contains(s.Failed, "cut off") || look(s, s.Drift).Ever {
		t.Errorf("%q", s.Failed)
	}
	if d := siteDoc(in, sites[0], nil); !strings.Contains(strings.Join(d.Lead, " "), "no such site any more") {
		t.Errorf("%q", d.Lead)
	}
	if !in.At().Equal(in.Sites[0].Asked) {
		t.Errorf("now is %v", in.At())
	}
	empty := Make(Input{})
	if empty.Doc(0).Sections[0].Table.Empty == "" || empty.Len() < 10 {
		t.Error("without sites there are no pages")
	}
}

func TestDeliver(t *testing.T) {
	run := func(hoursAgo, minutes int, result lifecycle.RunResult, revision, doing string) lifecycle.RunRecord {
		ended := at().Add(-time.Duration(hoursAgo) * time.Hour)
		return lifecycle.RunRecord{Began: ended.Add(-time.Duration(minutes) * time.Minute), Ended: ended, Result: result, Revision: revision,
			Doing: doing, Done: 3}
	}
	a, b, c := well(t, "a", 1, nil), well(t, "b", 1, nil), well(t, "c", 1, nil)
	nothing := run(2, 1, lifecycle.RunDone, "r2", "apply")
	nothing.Done = 0
	a.Runs.Value = []lifecycle.RunRecord{nothing, run(10, 30, lifecycle.RunDone, "r1", "apply"), run(13, 20, lifecycle.RunFailed, "r1",
		"apply"),
		run(20, 5, lifecycle.RunDone, "r0", "backup"), run(31*24, 5, lifecycle.RunFailed, "r0", "apply")}
	b.Runs.Value = []lifecycle.RunRecord{run(1, 5, lifecycle.RunFailed, "r2", "apply"), run(4, 30, lifecycle.RunDone, "r1", ""),
		run(5, 5, lifecycle.RunBlocked, "r1", "apply")}
	silent(&c, 0)
	committed := map[string]time.Time{"r1": at().Add(-20 * time.Hour), "r9": at()}
	d := deliver([]site{siteOf(a), siteOf(b), siteOf(c)}, committed)
	if d.Deployments != 2 || d.Sites != 2 || d.Failed != 2 || d.Open != 1 || d.Unknown != 1 || d.Short != 0 {
		t.Errorf("%+v", d)
	}
	if len(d.Restored) != 1 || d.Restored[0] != 3*time.Hour || len(d.Spread) != 1 || d.Spread[0] != 6*time.Hour+30*time.Minute {
		t.Errorf("%+v", d)
	}
	if len(d.Lead) != 2 || d.Lead[0] != 10*time.Hour || d.Lead[1] != 16*time.Hour || d.Uncommitted != 0 {
		t.Errorf("%+v", d)
	}
	if says := d.leadTime(); !strings.HasPrefix(says, "16 h from the commit") || !strings.Contains(says, "the middle one of 2 runs") {
		t.Error(says)
	}
	for range fleet.RunsKept {
		b.Runs.Value = append(b.Runs.Value, run(100, 1, lifecycle.RunDone, "r", "apply"))
	}
	if d := deliver([]site{siteOf(b)}, nil); d.Short != 1 {
		t.Error("a record that may be cut is not told")
	}
}

// Lead time is that of what a run brought: a repair of what drifted brings nothing, and of a commit that nobody knows it is not known.
func TestLeadTime(t *testing.T) {
	run := func(hoursAgo int, revision, digest string, result lifecycle.RunResult) lifecycle.RunRecord {
		ended := at().Add(-time.Duration(hoursAgo) * time.Hour)
		return lifecycle.RunRecord{Began: ended.Add(-time.Minute), Ended: ended, Result: result, Revision: revision,
			Digest: digest, Done: 1}
	}
	committed := map[string]time.Time{"r1": at().Add(-100 * time.Hour), "r2": at().Add(-50 * time.Hour), "later": at()}
	tests := map[string]struct {
		runs    []lifecycle.RunRecord
		lead    []time.Duration
		unknown int
		says    string
	}{
		"a repair of drift": {[]lifecycle.RunRecord{run(10, "r2", "a", lifecycle.RunDone), run(90, "r1", "a", lifecycle.RunDone)},
			[]time.Duration{10 * time.Hour}, 0, "10 h from the commit"},
		"a failure before it": {[]lifecycle.RunRecord{run(10, "r2", "b", lifecycle.RunDone), run(20, "r2", "b", lifecycle.RunFailed),
			run(90, "r1", "a", lifecycle.RunDone)}, []time.Duration{10 * time.Hour, 40 * time.Hour}, 0, "the middle one of 2 runs"},
		"older records": {[]lifecycle.RunRecord{run(10, "r2", "", lifecycle.RunDone), run(11, "r2", "", lifecycle.RunDone)},
			[]time.Duration{39 * time.Hour}, 0, "1 day 15 h"},
		"a commit that is not here": {[]lifecycle.RunRecord{run(10, "r3-dirty", "b", lifecycle.RunDone)}, nil, 1, "Not known of 1 run"},
		"a commit that is later":    {[]lifecycle.RunRecord{run(10, "later", "b", lifecycle.RunDone)}, nil, 1, "a clock that is wrong"},
		"nothing":                   {[]lifecycle.RunRecord{run(10, "r1", "b", lifecycle.RunFailed)}, nil, 0, "so there is none"},
	}
	for name, tt := range tests {
		c := well(t, "a", 1, nil)
		c.Runs.Value = tt.runs
		d := deliver([]site{siteOf(c)}, committed)
		if !slices.Equal(d.Lead, tt.lead) || d.Uncommitted != tt.unknown || !strings.Contains(d.leadTime(), tt.says) {
			t.Errorf("%s: %v, %d not known: %s", name, d.Lead, d.Uncommitted, d.leadTime())
		}
	}
	if got := Revisions([]fleet.Collected{well(t, "a", 1, nil), well(t, "b", 1, nil), {}}); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

func TestQuantity(t *testing.T) {
	for in, want := range map[string]float64{"500m": 0.5, "20": 20, "36Gi": 36 << 30, "1.5k": 1500, "1e3": 1000, "0": 0,
		"128Mi": 128 << 20, "2E": 2e18} {
		if got, ok := quantity(in); !ok || got != want {
			t.Errorf("%s is %v (%v), want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "m", "1x", "-1", "1kk", "<b>"} {
		if got, ok := quantity(in); ok {
			t.Errorf("%q is %v", in, got)
		}
	}
	if got := amount("requests.memory", 9<<30) + ", " + amount("requests.cpu", 3.5) + ", " + amount("pods", 12); got != "9 Gi, 3.5, 12" {
		t.Error(got)
	}
}

func TestRepository(t *testing.T) {
	for _, bad := range []string{"http://gitlab.example.com/a/b", "javascript:alert(1)", "https://", "https://u:p@h/a", "https://h/a?b",
		"https://h/a b", "a/b"} {
		if (Repository{URL: bad}).Validate() == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	r := Repository{URL: "https://gitlab.example.com/infra/fleet/", Branch: "main"}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	if got := r.edit("overlays/a b/version.yaml"); got != "https://gitlab.example.com/infra/fleet/-/edit/main/overlays/a%20b/version.yaml" {
		t.Error(got)
	}
	if got := r.create("x.yaml", "a: 1\n",
		"Add x"); got != "https://gitlab.example.com/infra/fleet/-/new/main?commit_message=Add+x&content=a%3A+1%0A&file_name=x.yaml" {
		t.Error(got)
	}
	if got := (Repository{}).edit("x"); got != "" {
		t.Error(got)
	}
	if got := r.proposal("a'b", "Add"); !strings.HasPrefix(got, `git switch -c 'a'\''b'`) {
		t.Error(got)
	}
}
