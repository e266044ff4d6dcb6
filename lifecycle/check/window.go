package check

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func (c *Checker) window(_ context.Context, _ lifecycle.Gate, _ time.Time) lifecycle.GateResult {
	return decideWindow(c.site.Policy.Windows, c.now())
}

// decideWindow: now is within a window, by the wall clock of the window's own time zone.
func decideWindow(windows []lifecycle.Window, now time.Time) lifecycle.GateResult {
	if len(windows) == 0 {
		return skipped("the site declares no maintenance windows")
	}
	var next span
	for _, w := range windows {
		spans, err := spansAround(w, now)
		if err != nil {
			return failed("maintenance window: %v", err)
		}
		for _, s := range spans {
			switch {
			case !now.Before(s.open) && now.Before(s.close):
				return met("the window is open until %s", s.close.Format("Mon 15:04 MST"))
			case s.open.After(now) && (next.open.IsZero() || s.open.Before(next.open)):
				next = s
			}
		}
	}
	return waiting("no maintenance window is open; the next opens %s, in %s", next.open.Format("Mon 2 Jan 15:04 MST"), next.open.Sub(now).Round(time.Minute))
}

// span is one occurrence of a window.
type span struct{ open, close time.Time }

// spansAround are a window's occurrences from yesterday, whose end may be today, until a week ahead. Days are those on which
// it opens. Clock changes are the time zone's: on the day that has no 02:30, a window at 02:30 opens at 03:30, and one that
// would be over by then does not open.
func spansAround(w lifecycle.Window, now time.Time) ([]span, error) {
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
