package lifecycle

import (
	"strings"
	"testing"
	"time"
)

func TestSupportOfVersion(t *testing.T) {
	for _, tt := range []struct {
		version, minor, ends string
	}{
		{"v1.30.14+k0s.0", "1.30", "2025-07-15"},
		{"v1.34.10+k0s.0", "1.34", "2026-10-27"},
		{"v1.35.2+k0s.0", "1.35", "2027-02-28"},
		{"v1.36.4+k0s.1", "1.36", "2027-06-28"},
		{"v1.37.0-rc.1+k0s.0", "1.37", "2027-10-28"},
		{"v1.29.1+k0s.0", "1.29", ""},
		{"v1.99.1+k0s.0", "1.99", ""},
		{"v2.36.0+k0s.0", "2.36", ""},
	} {
		v, err := ParseVersion(tt.version)
		if err != nil {
			t.Fatal(err)
		}
		got := v.Support()
		ends := ""
		if !got.Ends.IsZero() {
			ends = got.Ends.Format(time.DateOnly)
		}
		if got.Minor != tt.minor || ends != tt.ends || got.Released.IsZero() != (tt.ends == "") {
			t.Errorf("%s: got %+v, want %s until %q", tt.version, got, tt.minor, tt.ends)
		}
	}
}

// TestSupportDates holds what must be true of the dates whoever edits them.
func TestSupportDates(t *testing.T) {
	all, err := readSupport(supportDates)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(supportDates), `"source": "https://kubernetes.io/`) {
		t.Error("the dates do not say where they are from")
	}
	if len(all) < 8 {
		t.Fatalf("only %d minors", len(all))
	}
	for i, s := range all {
		if s.Released.IsZero() || !s.Ends.IsZero() && !s.Ends.After(s.Released.AddDate(0, 12, 0)) {
			t.Errorf("%s: released %s, ends %s: a minor has patches for more than a year", s.Minor, s.Released, s.Ends)
		}
		if i > 0 && (!s.Released.After(all[i-1].Released) || !s.Ends.IsZero() && !s.Ends.After(all[i-1].Ends)) {
			t.Errorf("%s does not come after %s", s.Minor, all[i-1].Minor)
		}
	}
}

func TestSupportUnreadable(t *testing.T) {
	for _, in := range []string{"", `{"minors":[{"minor":"1.36","released":"soon"}]}`,
		`{"minors":[{"minor":"1.36","released":"2026-04-22","ends":"2027-02-30"}]}`} {
		if got, err := readSupport([]byte(in)); err == nil {
			t.Errorf("%q: got %v", in, got)
		}
	}
	if got, err := readSupport([]byte(`{"minors":[{"minor":"1.38","released":"2026-12-09"}]}`)); err != nil || len(got) != 1 ||
		!got[0].Ends.IsZero() {
		t.Errorf("an end that is not known yet: got %v, %v", got, err)
	}
}

func TestSupportEnds(t *testing.T) {
	s := Support{Minor: "1.34", Ends: time.Date(2026, 10, 27, 0, 0, 0, 0, time.UTC)}
	for _, tt := range []struct {
		now          string
		ended, sixty bool
	}{{"2026-08-27T23:59:59Z", false, false}, {"2026-08-28T00:00:00Z", false, true}, {"2026-10-26T23:59:59Z", false, true},
		{"2026-10-27T00:00:00Z", true, true}, {"2030-01-01T00:00:00Z", true, true}} {
		now, err := time.Parse(time.RFC3339, tt.now)
		if err != nil {
			t.Fatal(err)
		}
		if s.Ended(now) != tt.ended || s.EndsWithin(SupportEndsSoon, now) != tt.sixty {
			t.Errorf("at %s: ended %t, within 60 days %t", tt.now, s.Ended(now), s.EndsWithin(SupportEndsSoon, now))
		}
	}
	if unknown := (Support{Minor: "1.99"}); unknown.Ended(s.Ends) || unknown.EndsWithin(1000*time.Hour, s.Ends) {
		t.Error("an end that is not known is no end")
	}
}

// TestFleetsOwnDates: a fleet's dates count more than kiban's, and a mistake in them has its line.
func TestFleetsOwnDates(t *testing.T) {
	own, _, err := ParseSupport([]byte(`{"minors":[
{"minor":"1.37","released":"2026-08-26","ends":"2027-12-28"},{"minor":"1.38","released":"2026-12-09"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	f := Fleet{Support: own}
	all := f.KnownSupport()
	if n := len(all); n != 9 || all[0].Minor != "1.30" || all[8].Minor != "1.38" || all[7].Ends.Format(time.DateOnly) != "2027-12-28" {
		t.Errorf("%+v", all)
	}
	if s := f.SupportOf(Version{Major: 1, Minor: 37}); s.Ends.Format(time.DateOnly) != "2027-12-28" {
		t.Errorf("%+v", s)
	}
	if s := f.SupportOf(Version{Major: 1, Minor: 36}); s.Ends.Format(time.DateOnly) != "2027-06-28" {
		t.Errorf("%+v", s)
	}
	for text, line := range map[string]int{
		"{\n\"minors\": [\n{\"minor\": \"1.36\", \"ends\": \"2027-06-28\"},\n{\"minor\": \"1.37\", \"ends\": \"never\"}]}":      4,
		"{\n\"minors\": [\n{\"minor\": \"1.36\", \"ends\": \"2027-06-28\"},\n{\"minor\": \"1.36\", \"ends\": \"2027-06-28\"}]}": 3,
		"{\n\"minors\": [\n{\"minor\": \"one\", \"ends\": \"2027-06-28\"}]}":                                                    3,
		"{\n\"minors\": [\n\"released\": 3\n]}":                                                                                 3,
		"{\n\"minor\": []}":                                                                                                     2,
		"":                                                                                                                      1,
		"{\n\"minors\": [{\"minor\": \"1.36\", \"released\": \"2027-01-01\", \"ends\": \"2026-01-01\"}]}": 2,
	} {
		if got, at, err := ParseSupport([]byte(text)); err == nil || at != line || got != nil {
			t.Errorf("%q: line %d, want %d: %v, %v", text, at, line, got, err)
		}
	}
}

// TestDatesOfEndOfLife: the file may be what endoflife.date answers, as it comes.
func TestDatesOfEndOfLife(t *testing.T) {
	own, _, err := ParseSupport([]byte(`[{"cycle":"1.38","releaseDate":"2026-12-09","eol":false,"latest":"1.38.0","lts":false},
{"cycle":"1.37","releaseDate":"2026-08-26","eol":"2027-12-28","latest":"1.37.1","latestReleaseDate":"2026-09-09","lts":false}]`))
	if err != nil {
		t.Fatal(err)
	}
	all := Fleet{Support: own}.KnownSupport()
	if n := len(all); n != 9 || all[8].Minor != "1.38" || !all[8].Ends.IsZero() || all[8].Released.Format(time.DateOnly) != "2026-12-09" ||
		all[7].Ends.Format(time.DateOnly) != "2027-12-28" {
		t.Errorf("%+v", all)
	}
	for text, line := range map[string]int{
		"[{\"cycle\":\"1.37\",\"eol\":false},\n{\"cycle\":\"1.36\",\"releaseDate\":\"2026-04-22\",\"eol\":\"soon\"}]": 2,
		"[\n{\"cycle\":\"1.37\",\"eol\":true}]":                                        2, // it has ended, and nobody says when
		"[{\"cycle\":\"rolling\",\"eol\":\"2027-12-28\"}]":                             1,
		"[{\"cycle\":\"1.37\",\"releaseDate\":\"2026-08-26\",\"eol\":\"2026-01-01\"}]": 1,
		"[{\"cycle\":\"1.37\"},\n{\"cycle\"":                                           2,
	} {
		if got, at, err := ParseSupport([]byte(text)); err == nil || at != line || got != nil {
			t.Errorf("%q: line %d, want %d: %v, %v", text, at, line, got, err)
		}
	}
}
