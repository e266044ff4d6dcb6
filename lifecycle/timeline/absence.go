package timeline

import (
	"cmp"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// outOfService counts the machines out of service over time. A machine goes out with the end of its cordon, or with the beginning of
// the first step that disrupts it. It is back with the end of its uncordon, or, where it was not cordoned, of the step itself. What
// failed stays out: nobody saw it come back.
func outOfService(rows []bar, end time.Duration) []level {
	type change struct {
		at time.Duration
		by int
	}
	var changes []change
	for _, s := range absences(rows, end) {
		changes = append(changes, change{s.from, 1})
		if s.to < end {
			changes = append(changes, change{s.to, -1})
		}
	}
	// At one moment, the one that comes back comes first: the next one may go because of it.
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	out, n := []level{{0, 0}}, 0
	for i, c := range changes {
		n += c.by
		if i+1 < len(changes) && changes[i+1].at == c.at {
			continue
		}
		if out[len(out)-1].at == c.at {
			out = out[:len(out)-1]
		}
		out = append(out, level{c.at, n})
	}
	return out
}

// absence is a time in which one machine was out of service; one that did not come back ends with the run.
type absence struct {
	target   string
	from, to time.Duration
}

func absences(rows []bar, end time.Duration) []absence {
	var targets []string
	byTarget := map[string][]bar{}
	for _, b := range rows {
		if b.target == "" || lifecycle.IsUnit(b.target) || b.state == barIdle {
			continue
		}
		if byTarget[b.target] == nil {
			targets = append(targets, b.target)
		}
		byTarget[b.target] = append(byTarget[b.target], b)
	}
	var out []absence
	for _, target := range targets {
		bars := byTarget[target]
		slices.SortStableFunc(bars, func(a, b bar) int { return cmp.Compare(a.from, b.from) })
		away, cordoned, since := false, false, time.Duration(0)
		leave := func(at time.Duration) {
			if !away {
				away, since = true, at
			}
		}
		back := func(at time.Duration) {
			if away {
				out = append(out, absence{target, since, at})
			}
			away, cordoned = false, false
		}
		for _, b := range bars {
			switch {
			case b.action == lifecycle.ActionCordon:
				if b.state == barDone {
					leave(b.to)
					cordoned = true
				}
			case b.action == lifecycle.ActionUncordon && b.state == barDone:
				back(b.to)
			case b.disrupts && b.acted >= 0:
				leave(b.acted)
				if b.state == barDone && !cordoned {
					back(b.to)
				}
			}
		}
		back(end)
	}
	return out
}

// allowed is the window of each stage that disturbs machines: one while its canaries go, then its width.
func (t *builder) allowed(rows []bar, spans []stageSpan) []limit {
	var out []limit
	for _, span := range spans {
		i := slices.IndexFunc(t.header.Stages, func(s lifecycle.Stage) bool { return s.ID == span.id })
		if i < 0 || t.header.Stages[i].Width == 0 || !slices.ContainsFunc(rows, func(b bar) bool {
			return b.stage == span.id && b.disrupts && b.target != "" && !lifecycle.IsUnit(b.target)
		}) {
			continue
		}
		stage := t.header.Stages[i]
		wide := span.from
		if stage.Canary > 0 && stage.Width > 1 {
			wide = canariesDone(rows, stage, span)
			if wide > span.from {
				out = append(out, limit{span.from, wide, 1})
			}
		}
		if wide < span.to {
			out = append(out, limit{wide, span.to, stage.Width})
		}
	}
	return out
}

// canariesDone is when the window of a stage opened: its canaries had come through all their steps. The stage's end when they had not.
func canariesDone(rows []bar, stage lifecycle.Stage, span stageSpan) time.Duration {
	through := map[string]time.Duration{}
	for _, b := range rows {
		if b.stage != stage.ID {
			continue
		}
		if _, seen := through[b.target]; !seen {
			through[b.target] = 0
		}
		if b.state != barDone {
			through[b.target] = span.to
		}
		through[b.target] = max(through[b.target], b.to)
	}
	var ends []time.Duration
	for _, at := range through {
		ends = append(ends, at)
	}
	slices.Sort(ends)
	if len(ends) < stage.Canary {
		return span.to
	}
	return min(span.to, ends[stage.Canary-1])
}
