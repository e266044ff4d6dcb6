package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Opening is how maintenance windows stand at a moment.
type Opening struct {
	// Until is when the window that is open closes; zero when none is open.
	Until time.Time
	// Next is when the next one opens, in its own time zone; zero when none does within a week.
	Next time.Time
}

// Open reports whether a window is open.
func (o Opening) Open() bool { return !o.Until.IsZero() }

// WhenNext says when the next window opens: "the next opens Sat 3 Jan 22:00 JST, in 5 days 19 h".
func (o Opening) WhenNext(now time.Time) string {
	if o.Next.IsZero() { // the one occurrence of the week falls on a clock change
		return "none opens within a week"
	}
	return fmt.Sprintf("the next opens %s, in %s", o.Next.Format("Mon 2 Jan 15:04 MST"), Span(o.Next.Sub(now)))
}

// openNow is what to do where a closed window can't be waited for.
const openNow = "declare a window that is open now (spec.upgrade.windows of the Site)"

// AwaitWindow is what to do where the maintenance windows keep a command from going on.
const AwaitWindow = "When it is open, run the same command again: it carries on from there. If it can't wait: " + openNow +
	", and run the same command again."

// InWindows is how many of a plan's steps start in a maintenance window only.
func (p Plan) InWindows() (n int) {
	for _, s := range p.Steps {
		if slices.ContainsFunc(s.Before, func(g Gate) bool { return g.Kind == GateWindow }) {
			n++
		}
	}
	return n
}

// OutsideWindows finds that steps of a plan would not start now, because all of the site's maintenance windows are closed. It is no part of
// the plan, which means the same whenever it is made.
func OutsideWindows(p Plan, windows []Window, now time.Time) (Diagnostic, bool) {
	held := p.InWindows()
	o, err := OpeningOf(windows, now)
	if held == 0 || len(windows) == 0 || err != nil || o.Open() {
		return Diagnostic{}, false // a time zone that nobody knows is what validation refuses
	}
	next := o.WhenNext(now)
	d := Warnf(p.Site, "all maintenance windows are closed: nothing disruptive starts now").
		Because(strings.ToUpper(next[:1])+next[1:]+".",
			fmt.Sprintf("%d of %s may start in a window only. Carried out now, the plan comes as far as the first of them, and ends there.",
				held, Count(len(p.Steps), "step")))
	return d.Try("When it is open: kiban apply " + p.Site + ". If it can't wait: " + openNow + "."), true
}

// OpeningOf is how windows stand at a moment, by the wall clock of each window's own time zone. A time zone that nobody knows is an error.
func OpeningOf(windows []Window, now time.Time) (Opening, error) {
	var o Opening
	for _, w := range windows {
		spans, err := w.around(now)
		if err != nil {
			return Opening{}, err
		}
		for _, s := range spans {
			switch {
			case !now.Before(s.open) && now.Before(s.close):
				if s.close.After(o.Until) {
					o.Until = s.close
				}
			case s.open.After(now) && (o.Next.IsZero() || s.open.Before(o.Next)):
				o.Next = s.open
			}
		}
	}
	return o, nil
}

// span is one occurrence of a window.
type span struct{ open, close time.Time }

// around are a window's occurrences from yesterday, whose end may be today, until a week ahead. Days are those on which it opens. Clock
// changes are the time zone's: on the day that has no 02:30, a window at 02:30 opens at 03:30, and one that would be over by then does not
// open.
func (w Window) around(now time.Time) ([]span, error) {
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", w.TimeZone, err)
	}
	closes := 0
	if w.End <= w.Start {
		closes = 1
	}
	y, m, d := now.In(zone).Date()
	var spans []span
	for day := d - 1; day <= d+7; day++ {
		open := time.Date(y, m, day, 0, w.Start, 0, 0, zone)
		opensOn := time.Date(y, m, day, 12, 0, 0, 0, zone).Weekday()
		if len(w.Days) > 0 && !slices.Contains(w.Days, opensOn) {
			continue
		}
		if s := (span{open, time.Date(y, m, day+closes, 0, w.End, 0, 0, zone)}); s.open.Before(s.close) {
			spans = append(spans, s)
		}
	}
	return spans, nil
}
