package render

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// liveModel is what a terminal shows of a run: events go in, lines come out. It knows no clock and no terminal.
type liveModel struct {
	style  Style
	titles map[string]string
	began  time.Time
	stage  string
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
	note                string
	active              bool
	failed              bool
}

func newLiveModel(titles map[string]string, style Style) *liveModel {
	return &liveModel{style: style, titles: titles, rows: map[string]*liveRow{}}
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
	case lifecycle.EventStarted:
		r.active, r.step, r.began, r.note = true, string(e.Action), e.Time, ""
	case lifecycle.EventWaiting:
		if !r.active || r.step != string(e.Action) {
			r.active, r.step, r.began = true, string(e.Action), e.Time
		}
		// The reason names the condition and how it stands; in one line of a terminal there is no room for both.
		r.note = "waits: " + strings.Join(strings.Fields(cmp.Or(e.Detail, e.Message)), " ")
	case lifecycle.EventProgress:
		r.note = e.Message
	case lifecycle.EventFinished:
		r.active, r.note = false, ""
		r.done++
		m.finish(eventLine(e, m.began, m.style))
	case lifecycle.EventFailed:
		r.active, r.failed = false, true
		m.finish(eventLine(e, m.began, m.style))
	case lifecycle.EventSkipped:
		r.left++
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

// take gives the final lines that were not written yet.
func (m *liveModel) take() []string {
	lines := m.final
	m.final = nil
	return lines
}

// lines is the changing part: every target of the stage that is under way and its step, then the rest in one line. None is wider than
// width, and there are no more than height.
func (m *liveModel) lines(now time.Time, width, height int) []string {
	var active []*liveRow
	nameWidth, doneTargets, waiting, failed := 0, 0, 0, 0
	for _, key := range m.order {
		r := m.rows[key]
		if r.stage != m.stage {
			continue
		}
		nameWidth = max(nameWidth, len(r.name))
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
	var lines []string
	for i, r := range active {
		if i == height-2 && len(active) > height-1 {
			lines = append(lines, clip(fmt.Sprintf("  and %d more under way", len(active)-i), width))
			break
		}
		lines = append(lines, m.rowLine(r, now, nameWidth, width))
	}
	sum := fmt.Sprintf("%s %s: %d done, %d under way, %d to come", clock(now.Sub(m.began)), m.titles[m.stage], doneTargets, len(active),
		waiting)
	if failed > 0 {
		sum += fmt.Sprintf(", %d failed", failed)
	}
	return append(lines, m.style.paint(codeDim, clip(sum, width)))
}

func (m *liveModel) rowLine(r *liveRow, now time.Time, nameWidth, width int) string {
	if !r.active {
		return clip(fmt.Sprintf("  %-*s  %d of %d steps done", nameWidth, r.name, r.done, r.planned), width)
	}
	line := fmt.Sprintf("  %-*s  %d/%d %-10s %6s", nameWidth, r.name, r.done+1, max(r.planned, r.done+1), r.step,
		Duration(now.Sub(r.began).Truncate(time.Second)))
	if r.note != "" {
		line += "  " + r.note
	}
	return clip(line, width)
}

// clip cuts a line to width columns, so that a terminal never wraps it: a wrapped line would break redrawing in place.
func clip(s string, width int) string {
	r := []rune(s)
	if width <= 0 || len(r) <= width {
		return s
	}
	if width == 1 {
		return "…"
	}
	return string(r[:width-1]) + "…"
}
