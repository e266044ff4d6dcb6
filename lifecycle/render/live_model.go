package render

import (
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// liveModel is what a terminal shows of a run: events go in, lines come out. It knows no clock and no terminal.
type liveModel struct {
	style    Style
	titles   map[string]string
	estimate *lifecycle.Estimate // of the whole run; nil when no past run tells
	began    time.Time
	stage    string
	// planned and done count the run's steps.
	planned, done int
	// order holds the rows' keys in the order of the plan: one row for each stage and target.
	order []string
	rows  map[string]*liveRow
	// final are lines that will not change any more and were not written yet.
	final []string
}

// liveRow is one target in one stage: what it is at, since when, what it waits for.
type liveRow struct {
	stage, name         string
	planned, done, left int
	step                string
	began               time.Time
	within              time.Duration // 0: the step has no bound
	note                string
	active              bool
	failed              bool
	gate                liveGate
}

// liveGate is a condition that is waited for: since when, how long at most, and how it stands. Its zero value is none.
type liveGate struct {
	what, reason string
	since        time.Time
	within       time.Duration
}

func newLiveModel(titles map[string]string, estimate *lifecycle.Estimate, style Style) *liveModel {
	return &liveModel{style: style, titles: titles, estimate: estimate, rows: map[string]*liveRow{}}
}

// apply takes in one event.
func (m *liveModel) apply(e lifecycle.Event) {
	if m.began.IsZero() {
		m.began = e.Time
	}
	if e.Step == "" {
		m.finish(eventLine(e, m.began, m.style))
		return
	}
	if e.Stage != m.stage && e.Kind != lifecycle.EventPlanned && e.Kind != lifecycle.EventSkipped {
		m.stage = e.Stage
		m.finish(m.style.paint(codeBold, m.titles[e.Stage]))
	}
	r := m.row(e)
	switch e.Kind {
	case lifecycle.EventPlanned:
		r.planned++
		m.planned++
	case lifecycle.EventStarted:
		r.begin(e)
	case lifecycle.EventWaiting:
		if !r.active || r.step != string(e.Action) {
			r.begin(e)
		}
		r.note, r.gate = "", liveGate{what: e.Message, reason: e.Detail, since: e.Time.Add(-e.Elapsed), within: e.Within}
	case lifecycle.EventProgress:
		r.note, r.gate = e.Message, liveGate{}
	case lifecycle.EventFinished:
		r.active = false
		r.done++
		m.done++
		m.finish(eventLine(e, m.began, m.style))
	case lifecycle.EventFailed:
		r.active, r.failed = false, true
		m.finish(eventLine(e, m.began, m.style))
	case lifecycle.EventSkipped:
		r.left++
	}
}

// begin notes that the target is at a step now.
func (r *liveRow) begin(e lifecycle.Event) {
	r.active, r.step, r.began, r.within, r.note, r.gate = true, string(e.Action), e.Time, e.Within, "", liveGate{}
	if e.Kind == lifecycle.EventWaiting {
		r.within = 0 // that is how long is waited, and not what the step is given
	}
}

func (m *liveModel) finish(line string) {
	if line != "" {
		m.final = append(m.final, line)
	}
}

func (m *liveModel) row(e lifecycle.Event) *liveRow {
	name := e.Target
	if name == "" {
		name = "cluster"
	}
	key := e.Stage + "\x00" + name
	r, ok := m.rows[key]
	if !ok {
		r = &liveRow{stage: e.Stage, name: name}
		m.rows[key] = r
		m.order = append(m.order, key)
	}
	return r
}

// take gives the final lines that were not written yet, none wider than width.
func (m *liveModel) take(width int) (lines []string) {
	for _, l := range m.final {
		for one := range strings.SplitSeq(l, "\n") {
			lines = append(lines, wrapColumns(one, hanging(8, width), width)...)
		}
	}
	m.final = nil
	return lines
}

// lines is the changing part: every target of the stage that is under way with its step, then the whole run. None is wider than width, and
// they leave the terminal a line for its cursor. Where there is no room for all, each says less, then fewer are shown.
func (m *liveModel) lines(now time.Time, width, height int) []string {
	var active []*liveRow
	nameWidth, doneTargets, waiting, failed := 0, 0, 0, 0
	for _, key := range m.order {
		r := m.rows[key]
		if r.stage != m.stage {
			continue
		}
		nameWidth = max(nameWidth, columnsOf(r.name))
		switch {
		case r.failed:
			failed++
		case r.active || r.done > 0 && r.done < r.planned && r.left == 0:
			active = append(active, r)
		case r.done >= r.planned:
			doneTargets++
		default:
			waiting++
		}
	}
	foot := m.foot(now, fmt.Sprintf("%d done, %d under way, %d to come", doneTargets, len(active), waiting), failed, width)
	room := height - 1 - len(foot)
	if room < 1 {
		foot, room = shortened(foot, max(1, height-1)), height-1-min(len(foot), max(1, height-1))
	}
	lines := fitted(active, room, width, func(r *liveRow) []string { return r.lines(now, min(nameWidth, width/3), width) }, now)
	for _, l := range foot {
		lines = append(lines, m.style.paint(codeDim, l))
	}
	return lines
}

// foot is the whole run in a line: how long it goes on and how long it may take, how many of its steps are done, and the stage.
func (m *liveModel) foot(now time.Time, targets string, failed, width int) []string {
	line := clock(now.Sub(m.began)) + " "
	if m.estimate != nil {
		line += "of " + aboutSoLong(m.estimate.Duration) + ", "
	}
	if m.planned > 0 {
		line += fmt.Sprintf("%d of %s done; ", m.done, lifecycle.Count(m.planned, "step"))
	}
	line += m.titles[m.stage] + ": " + targets
	if failed > 0 {
		line += fmt.Sprintf(", %d failed", failed)
	}
	return wrapColumns(line, hanging(8, width), width)
}

// fitted gives rows as many lines as there is room for.
func fitted(rows []*liveRow, room, width int, full func(*liveRow) []string, now time.Time) (lines []string) {
	all, most, sum := make([][]string, len(rows)), 0, 0
	for i, r := range rows {
		all[i] = full(r)
		most, sum = max(most, len(all[i])), sum+len(all[i])
	}
	for each := min(most-1, max(room, 1)); sum > room && each > 0; each-- {
		sum = 0
		for i := range all {
			all[i] = shortened(all[i], each)
			sum += len(all[i])
		}
	}
	for i, l := range all {
		if len(lines)+len(l) > room-1 && i < len(all)-1 || len(lines)+len(l) > room {
			if room > 0 {
				lines = append(lines, andMore(rows[i:], now, width))
			}
			return lines
		}
		lines = append(lines, l...)
	}
	return lines
}

// andMore is the line for rows that there is no room for: how many, and which has been at its step for longest.
func andMore(rows []*liveRow, now time.Time, width int) string {
	line := fmt.Sprintf("  and %d more under way", len(rows))
	var longest *liveRow
	for _, r := range rows {
		if r.active && (longest == nil || r.began.Before(longest.began)) {
			longest = r
		}
	}
	if longest != nil {
		line += fmt.Sprintf(", longest %s: %s %s", longest.name, longest.step, soFar(now.Sub(longest.began), 0))
	}
	return clip(line, width)
}

// shortened are the first lines of a text; its last says when there was more.
func shortened(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	last := lines[most-1]
	head, _ := cutAt(last, max(columnsOf(last)-1, 1))
	return append(lines[:most-1:most-1], strings.TrimRight(head, " ")+"…")
}

// lines is a target: which of its steps it is at, for how long, and what it waits for, for how long of how long, and why.
func (r *liveRow) lines(now time.Time, nameWidth, width int) []string {
	head := fmt.Sprintf("  %s  ", r.name+strings.Repeat(" ", max(0, nameWidth-columnsOf(r.name))))
	hang := hanging(columnsOf(head), width)
	if !r.active {
		return wrapColumns(head+fmt.Sprintf("%d of %d steps done", r.done, r.planned), hang, width)
	}
	within := r.within
	if r.gate.what != "" { // its action is done, or not begun: the bound is the gate's
		within = 0
	}
	elapsed := soFar(now.Sub(r.began), 0)
	line := head + fmt.Sprintf("%d/%d %-10s %6s", r.done+1, max(r.planned, r.done+1), r.step, elapsed) +
		strings.TrimPrefix(soFar(now.Sub(r.began), within), elapsed)
	switch {
	case r.gate.what != "":
		line += fmt.Sprintf("  waits %s until %s", soFar(now.Sub(r.gate.since), r.gate.within), r.gate.what)
		if why := strings.Join(strings.Fields(r.gate.reason), " "); why != "" {
			line += ": " + why
		}
	case r.note != "":
		line += "  " + strings.Join(strings.Fields(r.note), " ")
	}
	return wrapColumns(line, hang, width)
}

// hanging is by how many columns lines hang that belong to one above: less where there is little room.
func hanging(wanted, width int) int {
	if width < 60 {
		return min(wanted, 4)
	}
	return min(wanted, width/3)
}

// soFar is for how long something goes on, of how long at most: "1m20s of 5m".
func soFar(d, within time.Duration) string {
	text := Duration(max(0, d).Truncate(time.Second))
	if within > 0 {
		text += " of " + Duration(within)
	}
	return text
}

// clip cuts a line to width columns, so that a terminal never wraps it: a wrapped line would break redrawing in place.
func clip(s string, width int) string {
	if width <= 0 || columnsOf(s) <= width {
		return s
	}
	if width == 1 {
		return "…"
	}
	head, _ := cutAt(s, width-1)
	return head + "…"
}
