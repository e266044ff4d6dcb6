package fleet

import (
	"os"
	"path/filepath"
	"strings"
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
	if got := Slack(site, v, at("2026-11-29")); got != "" {
		t.Errorf("too soon: %q", got)
	}
	if got := Slack(site, v, at("2027-02-10")); !strings.Contains(got, "days of slack left: prod is to be off Kubernetes 1.35 by "+
		"2027-02-28: the first merge request, which is for staging, must be open by") {
		t.Errorf("%q", got)
	}
	if got := DaysLeft(site, v, at("2027-02-12")); got != "11 days of slack left" {
		t.Errorf("%q", got)
	}
	if got := DaysLeft(site, v, at("2027-02-26")); got != "3 days late" {
		t.Errorf("%q", got)
	}
	site.Fleet.Support = []lifecycle.Support{{Minor: "1.35", Released: at("2025-12-17"), Ends: at("2027-05-28")}}
	if got := Slack(site, v, at("2027-02-10")); got != "" {
		t.Errorf("the fleet's own dates are later: %q", got)
	}
}
