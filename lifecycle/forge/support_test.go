package forge

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
)

// due is a site with so many days of slack, whose minor ends on a day.
func due(slack int, ends time.Time) calendar.Entry {
	return calendar.Entry{Site: "lab", Runs: "1.35", Target: "1.36", Hops: 1, Ends: ends, OpenBy: ends.AddDate(0, 0, -5), First: "lab",
		Slack: slack}
}

// TestSupportIsToldThreeTimes: morning after morning, whatever else is told of the site meanwhile.
func TestSupportIsToldThreeTimes(t *testing.T) {
	ends := time.Date(2027, 2, 28, 0, 0, 0, 0, time.UTC)
	b, told := Book{}, map[int]string{}
	morning := func(slack int, ends time.Time) {
		m, near := SupportMessage(due(slack, ends))
		if !near {
			return
		}
		c, why := b.Claim(m, "webhook", clock("1", 0))
		if why != "" {
			return
		}
		b.Confirm(c, clock("1", 0))
		text, err := ShippedTemplate().ForChat(c.Message)
		if err != nil {
			t.Fatal(err)
		}
		told[slack] = text
	}
	for slack := 40; slack > -20; slack-- {
		morning(slack, ends)
		switch {
		case (slack+100)%5 == 0: // something drifts, and is put right
			b.tell(t, drifted("worker-1/upgrade"), "webhook", clock("1", 0))
		case (slack+100)%5 == 4:
			done := lifecycle.Outcome{Site: "lab", Kind: lifecycle.OutcomeDone, Run: time.Duration(slack).String()}
			b.tell(t, EndMessage(done), "webhook", clock("1", 0))
		}
		if _, why := b.Claim(well(), "webhook", clock("1", 0)); (slack+100)%5 == 3 && why != "nothing was amiss before" {
			t.Errorf("%d days: an end of support that comes near is nothing amiss: %q", slack, why)
		}
	}
	if len(told) != 3 || !strings.Contains(told[30], "\n30 days of slack left: lab is to be off Kubernetes 1.35 by 2027-02-28") ||
		!strings.Contains(told[7], "\n7 days of slack left: ") || !strings.Contains(told[-1], "\n1 day late to leave Kubernetes 1.35 in time: ") {
		t.Fatalf("%v", told)
	}
	for _, text := range told {
		if !strings.HasPrefix(text, "⚠️ *lab*: the time to leave its minor of Kubernetes runs short\n") ||
			!strings.Contains(text, "\nTry: Open that merge request, or bring the one that is there to its end. kiban calendar lab says") {
			t.Errorf("%s", text)
		}
	}
	clear(told)
	morning(3, ends.AddDate(0, 1, 0))
	morning(2, ends.AddDate(0, 1, 0))
	if len(told) != 1 || told[3] == "" {
		t.Errorf("the end of support has moved: %v", told)
	}
	for _, e := range []calendar.Entry{due(31, ends), {Site: "lab", Why: "which version it runs is not known"}} {
		if m, near := SupportMessage(e); near {
			t.Errorf("no hurry, or not known: %+v", m)
		}
	}
}

// TestSupportIsToldByWhatRuns: with the look at a site, by the oldest version that it saw, or by the declared one where nothing was seen.
func TestSupportIsToldByWhatRuns(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, v any) string {
		b, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	upgrade := upgradeOf(t)
	for _, tt := range []struct {
		name, file string
		runs       string
		want       []MessageKind
	}{
		{"as declared", write("empty.json", lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab"}), "v1.36.3+k0s.2",
			[]MessageKind{MessageSettled, MessageSupport}},
		{"machines that are behind", write("upgrade.json", upgrade), "v1.35.7+k0s.0", []MessageKind{MessageDrift, MessageSupport}},
		{"nothing was seen", filepath.Join(dir, "none.json"), "v1.36.3+k0s.2", []MessageKind{MessageUnseen, MessageSupport}},
		{"a plan that can't be read", write("future.json", lifecycle.Plan{Format: "99.0", Site: "lab"}), "v1.36.3+k0s.2", nil},
	} {
		asked := ""
		j := Job{Site: lifecycle.Site{Name: "lab", Labels: map[string]string{"tier": "production"},
			Cluster: lifecycle.Cluster{Version: version(t, "v1.36.3+k0s.2")}}, Commit: "0123456789", URL: "https://gitlab.example.com/-/jobs/1",
			Due: func(runs lifecycle.Version) (calendar.Entry, bool) {
				asked = runs.String()
				return due(5, time.Date(2027, 2, 28, 0, 0, 0, 0, time.UTC)), true
			}}
		ms, _, err := j.Tell("drift", tt.file, "")
		var kinds []MessageKind
		for _, m := range ms {
			kinds = append(kinds, m.Kind)
			if m.Tier != "production" || m.Job == "" || m.Revision == "" {
				t.Errorf("%s: whose message is it? %+v", tt.name, m)
			}
		}
		if asked != tt.runs || tt.want != nil && (err != nil || !slices.Equal(kinds, tt.want)) || !slices.Contains(kinds, MessageSupport) {
			t.Errorf("%s: asked for %s, told %v, %v", tt.name, asked, kinds, err)
		}
		j.Due = func(lifecycle.Version) (calendar.Entry, bool) { return calendar.Entry{}, false }
		if ms, _, _ := j.Tell("drift", tt.file, ""); slices.ContainsFunc(ms, func(m Message) bool { return m.Kind == MessageSupport }) {
			t.Errorf("%s: told, although nobody knows", tt.name)
		}
	}
	if r := NoteReceiver(nil, "12", "", ""); r.passes(MessageSupport) == "" {
		t.Error("it belongs to no merge request")
	}
	if r := IssueReceiver(nil, "12"); r.passes(MessageSupport) != "" || !MessageSupport.Opens() || MessageSupport.Amiss() {
		t.Error("an issue is opened for it, and nothing is amiss")
	}
}

// TestSlackByTheRecord: the note reckons with what the plan takes by the site's own record, a minor's part of it.
func TestSlackByTheRecord(t *testing.T) {
	p := upgradeOf(t)
	asked := time.Duration(-1)
	s := section{SitePlan: SitePlan{Site: lifecycle.Site{Name: "lab"}, Plan: p}}
	s.opts = NoteOptions{Now: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Support: lifecycle.Version.Support,
		Left: func(site lifecycle.Site, leaves lifecycle.Version, took time.Duration, _ time.Time) string {
			asked = took
			return site.Name + " leaves " + leaves.String()
		}}
	if got := s.support(); !strings.HasSuffix(got, ", lab leaves v1.35.7+k0s.0") || asked != 12*time.Minute {
		t.Errorf("%q, by %s", got, asked)
	}
	s.Plan.Estimate = nil
	if s.support(); asked != 0 {
		t.Errorf("without a record by %s", asked)
	}
}

// A site's cluster is connected to once, when it is needed, and let go of; what is only printed needs none.
func TestClusterOfAnAnnouncement(t *testing.T) {
	opened, closed := 0, 0
	var refuse error
	open := func(lifecycle.Site) (Cluster, func(), error) {
		opened++
		return livedCluster{}, func() { closed++ }, refuse
	}
	try := func(a Announcement, readable bool, uses int) (there bool) {
		opened, closed = 0, 0
		a.Cluster = open
		cluster, done := a.cluster(lifecycle.Site{}, readable)
		for range uses {
			there = cluster() != nil
		}
		done()
		return there
	}
	if try(Announcement{}, true, 2); opened != 1 || closed != 1 {
		t.Errorf("needed twice: opened %d times, closed %d times", opened, closed)
	}
	if try(Announcement{}, true, 0); opened != 0 || closed != 0 {
		t.Errorf("not needed: opened %d times", opened)
	}
	if try(Announcement{Print: io.Discard}, true, 1) || try(Announcement{}, false, 1) || opened != 0 {
		t.Error("what is printed, or of a site that can't be read, connects to it")
	}
	if refuse = errors.New("no answer"); try(Announcement{}, true, 1) || closed != 0 {
		t.Error("one that does not answer is used")
	}
}

type livedCluster struct{ Keeper }

func (livedCluster) Lived(context.Context) []lifecycle.RunRecord { return nil }
