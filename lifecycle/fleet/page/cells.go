package page

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
	"kiban.dev/kiban/lifecycle/fleet"
)

// name leads to the site's page.
func (s site) name() Cell { return Cell{Text: s.Site, Link: sitePage(s.Site)} }

// labels are the site's wave and labels, as a selector would name them.
func (s site) labels() Cell {
	w := s.wave()
	if !w.known {
		return Cell{Text: "not known", Mark: MarkUnknown}
	}
	d, _, known := s.Declared.Last()
	parts := []string{fmt.Sprintf("wave %d", w.number)}
	for _, k := range slices.Sorted(maps.Keys(d.Labels)) {
		parts = append(parts, k+"="+d.Labels[k])
	}
	if !known {
		parts = append(parts, "labels not known")
	}
	c := Cell{Text: strings.Join(parts, ", "), Key: fmt.Sprintf("%06d", w.number)}
	if w.then != "" {
		c.Text, c.Mark = c.Text+" ("+w.then+")", MarkOld
	}
	return c
}

// wave is a site's wave, and how far that can be believed. then is when it was so, where it is not known now.
type wave struct {
	number int
	known  bool
	then   string
}

// wave is the one rule for all pages: what the repository says now; where it can't be read, what was known last; else it is not known.
func (s site) wave() wave {
	if s.place.Turn != "" && !s.place.Unread {
		return wave{number: s.place.Wave, known: true}
	}
	v := look(s, s.Declared)
	w := wave{number: v.Value.Wave, known: v.Ever}
	if v.Ever && !v.Now {
		w.then = v.when()
	}
	return w
}

// cell is the wave in a column of its own.
func (w wave) cell() Cell {
	c := Cell{Text: fmt.Sprint(w.number), Key: numberKey(w.number)}
	switch {
	case !w.known:
		return Cell{Text: "not known", Mark: MarkUnknown}
	case w.then != "":
		c.Text, c.Mark = c.Text+" ("+w.then+")", MarkOld
	}
	return c
}

// external reports whether somebody else runs the site's machines.
func (s site) external() bool { return s.Declared.Value.Provider == lifecycle.ProviderExternal }

// stands is how it is.
func (s site) stands() Cell {
	return look(s, s.Standing).cell(func(st fleet.Standing) Cell {
		return Cell{Text: st.Verdict(), Mark: standingMark(st)}
	})
}

func standingMark(st fleet.Standing) Mark {
	mark := MarkGood
	if st.NotYet || st.Run != "" {
		mark = MarkNone
	}
	for _, d := range st.Problems {
		if d.Severity != lifecycle.SeverityWarning {
			return MarkBad
		}
		mark = MarkOdd
	}
	if st.Failed != "" || st.API != "" && !st.NotYet {
		return MarkBad
	}
	return mark
}

// versions is what runs, and what is declared where that is something else.
func (s site) versions() Cell {
	return look(s, s.Standing).cell(func(st fleet.Standing) Cell {
		if s.external() {
			return Cell{Text: "run by others"}
		}
		if s.place.Unread {
			st.Declared = "" // what it is to run is not known
		}
		return Cell{Text: st.Versions(), Key: versionKey(st.Versions())}
	})
}

// numbers matches those that a version is made of.
var numbers = regexp.MustCompile(`\d+`)

// versionKey has versions sort by their numbers, the oldest first: those of each version that is named, one after the other
// ("v1.36.3 of v1.36.4"). What names none stands behind all that do.
func versionKey(text string) string {
	var versions []string
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		var parts []string
		for _, n := range numbers.FindAllString(word, -1) {
			parts = append(parts, fmt.Sprintf("%04s", n))
		}
		if len(parts) > 0 {
			versions = append(versions, strings.Join(parts, "."))
		}
	}
	return cmp.Or(strings.Join(versions, " "), "none")
}

// support is until when the minor that runs is supported, and how many days are left to begin to leave it.
func (s site) support() Cell {
	if s.external() {
		return Cell{Text: "run by others"}
	}
	return look(s, s.Support).cell(func(e calendar.Entry) Cell {
		if e.Ends.IsZero() {
			return Cell{Text: cmp.Or(e.Why, "not known"), Mark: MarkUnknown}
		}
		c := Cell{Text: e.Runs + " to " + day(e.Ends), Key: day(e.Ends), Mark: supportMark(e, s.now)}
		switch slack := daysUntil(e.OpenBy, s.now); {
		case outOfSupport(e, s.now):
			c.Text = e.Runs + " ended " + day(e.Ends)
		case e.OpenBy.IsZero():
		case slack < 0:
			c.Text += fmt.Sprintf(", %d days late", -slack)
		default:
			c.Text += fmt.Sprintf(", slack %d days", slack)
		}
		return c
	})
}

func supportMark(e calendar.Entry, now time.Time) Mark {
	slack := daysUntil(e.OpenBy, now)
	switch {
	case outOfSupport(e, now):
		return MarkBad
	case e.OpenBy.IsZero():
		return MarkNone
	case slack < 0:
		return MarkBad
	case slack <= calendar.Soon:
		return MarkOdd
	}
	return MarkGood
}

// outOfSupport reports whether the minor that runs has no support any more. Ends is the first day without.
func outOfSupport(e calendar.Entry, now time.Time) bool {
	return !e.Ends.IsZero() && !now.Before(e.Ends)
}

// next is what the next version would break.
func (s site) next() Cell {
	if s.external() {
		return Cell{Text: "run by others"}
	}
	return look(s, s.Ready).cell(func(f fleet.Foresight) Cell {
		to := strings.TrimPrefix(f.To.Kubernetes(), "v")
		switch {
		case f.To.IsZero():
			return Cell{Text: cmp.Or(f.Verdict, "no next version is known")}
		case f.Ready:
			return Cell{Text: to + ": ready", Mark: MarkGood}
		case f.Blocks > 0:
			return Cell{Text: fmt.Sprintf("%s: %d in the way", to, f.Blocks), Mark: MarkBad}
		case f.Unseen > 0:
			return Cell{Text: fmt.Sprintf("%s: %d not looked at", to, f.Unseen), Mark: MarkOdd}
		}
		return Cell{Text: fmt.Sprintf("%s: %d to look at", to, f.Attention), Mark: MarkOdd}
	})
}

// drift is what a plan would do.
func (s site) drift() Cell {
	return look(s, s.Drift).cell(func(d fleet.Drift) Cell {
		switch {
		case len(d.Stops) > 0:
			return Cell{Text: lifecycle.Count(d.Steps, "step") + ", blocked", Key: numberKey(d.Steps), Mark: MarkBad}
		case d.Settled():
			return Cell{Text: "none", Key: numberKey(0), Mark: MarkGood}
		case d.Steps == 0:
			return Cell{Text: "unfinished", Key: numberKey(1), Mark: MarkOdd}
		}
		return Cell{Text: lifecycle.Count(d.Steps, "step"), Key: numberKey(d.Steps), Mark: MarkOdd}
	})
}

// lastRun is the last run that applied what is declared, or else the last of any kind.
func (s site) lastRun() Cell {
	return look(s, s.Runs).cell(func(runs []lifecycle.RunRecord) Cell {
		r, ok := lastApplied(runs)
		if !ok && len(runs) == 0 {
			return Cell{Text: "none"}
		} else if !ok {
			r = runs[0]
		}
		return Cell{Text: string(r.Result) + " " + day(r.Ended), Key: r.Ended.UTC().Format(time.RFC3339), Mark: runMark(r.Result)}
	})
}

func lastApplied(runs []lifecycle.RunRecord) (lifecycle.RunRecord, bool) {
	if i := slices.IndexFunc(runs, lifecycle.RunRecord.Applied); i >= 0 {
		return runs[i], true
	}
	return lifecycle.RunRecord{}, false
}

func runMark(r lifecycle.RunResult) Mark {
	switch r {
	case lifecycle.RunDone:
		return MarkGood
	case lifecycle.RunFailed:
		return MarkBad
	}
	return MarkOdd
}

// asked is when the site was asked last, and whether it answered.
func (s site) asked() Cell {
	age := s.now.Sub(s.Asked)
	key := s.Asked.UTC().Format(time.RFC3339)
	switch {
	case s.Asked.IsZero():
		return Cell{Text: "never", Mark: MarkUnknown}
	case s.Failed != "":
		return Cell{Text: "no answer", Key: key, Mark: MarkUnknown}
	case s.stale():
		return Cell{Text: "old: " + lifecycle.Span(age) + " ago", Key: key, Mark: MarkOld}
	case age < time.Hour:
		return Cell{Text: "within the hour", Key: key}
	}
	return Cell{Text: lifecycle.Span(age.Truncate(time.Hour)) + " before", Key: key}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func numberKey(n int) string { return fmt.Sprintf("%09d", n) }

// daysUntil is how many days are left until a day; below zero: it is over.
func daysUntil(t, now time.Time) int {
	const day = 24 * time.Hour
	return int(t.UTC().Truncate(day).Sub(now.UTC().Truncate(day)) / day)
}
