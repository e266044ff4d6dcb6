package timeline

import (
	"cmp"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// model is a run as a picture has it: what each machine went through, and how many were out of service when. Times are since the
// run began.
type model struct {
	length time.Duration
	// lanes are the targets on which anything happened: the cluster as a whole, controllers, then the rest, as declared.
	lanes []lane
	// idle are the targets whose steps were not begun.
	idle   []string
	stages []stageSpan
	// out is how many machines were out of service from a moment on; allowed how many may have been, where the plan set a limit.
	out     []level
	allowed []limit
	// rows are all steps in the order of the plan; findings what failed and what was warned of.
	rows     []bar
	findings lifecycle.Diagnostics
}

type lane struct {
	name string
	bars []bar
	// left is how many steps were not begun.
	left int
}

// state is the worst of what became of its steps.
func (l lane) state() barState {
	out := barDone
	if l.left > 0 {
		out = barIdle
	}
	for _, b := range l.bars {
		if b.state == barFailed || b.state == barCut && out != barFailed {
			out = b.state
		}
	}
	return out
}

// barState is how far a step came.
type barState string

const (
	barDone   barState = "done"
	barFailed barState = "failed"
	barCut    barState = "no end" // begun, and the journal ends before it does
	barIdle   barState = "not begun"
)

// bar is one step: when, and what it waited for meanwhile.
type bar struct {
	step, stage, target string
	action              lifecycle.Action
	version             lifecycle.Version
	disrupts            bool
	// reason is why it was planned, or, when it failed, what was wrong.
	reason   string
	state    barState
	from, to time.Duration
	// acted is when its effect began, after the gates that it waited for before; negative when it came to none.
	acted time.Duration
	waits []wait
	// note is the last word of its progress.
	note string
}

// wait is a time in which a gate was not met.
type wait struct {
	from, to     time.Duration
	gate, reason string
}

type stageSpan struct {
	id, title string
	from, to  time.Duration
}

type level struct {
	at time.Duration
	n  int
}

type limit struct {
	from, to time.Duration
	n        int
}

// longest is the step that took the longest; the zero bar when none was begun.
func (t model) longest() bar {
	var out bar
	for _, b := range t.rows {
		if b.to-b.from > out.to-out.from {
			out = b
		}
	}
	return out
}

// most is the largest number of machines that were out of service at once.
func (t model) most() int {
	n := 0
	for _, l := range t.out {
		n = max(n, l.n)
	}
	return n
}

// widest is the largest number that the plan allowed; 0 when it set no limit.
func (t model) widest() int {
	n := 0
	for _, l := range t.allowed {
		n = max(n, l.n)
	}
	return n
}

// column heads what names the lanes: machines, or units too.
func (t model) column() string {
	for _, b := range t.rows {
		if lifecycle.IsUnit(b.target) {
			return "On"
		}
	}
	return "Machine"
}

// machines reports whether anything was done to a machine.
func (t model) machines() bool {
	return slices.ContainsFunc(t.rows, func(b bar) bool { return b.target != "" && b.state != barIdle && !lifecycle.IsUnit(b.target) })
}

func newModel(events []lifecycle.Event) model {
	if len(events) == 0 {
		return model{}
	}
	b := builder{began: events[0].Time, bars: map[string]*bar{}, header: &lifecycle.RunHeader{}}
	for _, e := range events {
		b.add(e)
	}
	return b.build()
}

type builder struct {
	began  time.Time
	last   time.Duration
	ended  bool
	header *lifecycle.RunHeader
	order  []string
	bars   map[string]*bar
	// waiting are the steps whose last wait has not ended.
	waiting  map[string]bool
	findings lifecycle.Diagnostics
}

func (t *builder) add(e lifecycle.Event) {
	at := max(0, e.Time.Sub(t.began)) // clocks are set back now and then
	if !t.ended {
		t.last = max(t.last, at)
	}
	if e.Diagnostic != nil {
		t.findings = append(t.findings, *e.Diagnostic)
	}
	switch {
	case e.Kind == lifecycle.EventBegun && e.Header != nil:
		t.header = e.Header
	case e.Kind == lifecycle.EventSummary:
		t.ended = true
	case e.Step != "":
		t.step(e, at)
	}
}

func (t *builder) step(e lifecycle.Event, at time.Duration) {
	b := t.bars[e.Step]
	if b == nil {
		b = &bar{step: e.Step, stage: e.Stage, target: e.Target, action: e.Action, state: barIdle, from: at, to: at, acted: -1, reason: e.Message,
			version: e.Version, disrupts: e.Disrupts}
		t.bars[e.Step] = b
		t.order = append(t.order, e.Step)
	}
	if e.Kind == lifecycle.EventPlanned || e.Kind == lifecycle.EventSkipped {
		return
	}
	if b.state == barIdle {
		b.state, b.from = barCut, at
	}
	b.to = at
	t.endWait(b, at)
	switch e.Kind {
	case lifecycle.EventStarted:
		b.acted = at
	case lifecycle.EventWaiting:
		if n := len(b.waits); n > 0 && b.waits[n-1].gate == e.Message && b.waits[n-1].to == at {
			b.waits[n-1].reason = e.Detail // the same wait, seen anew
		} else {
			b.waits = append(b.waits, wait{from: at, to: at, gate: e.Message, reason: e.Detail})
		}
		if t.waiting == nil {
			t.waiting = map[string]bool{}
		}
		t.waiting[e.Step] = true
	case lifecycle.EventProgress:
		b.note = e.Message
	case lifecycle.EventFinished:
		if b.state != barFailed {
			b.state = barDone
		}
		if e.Message != "" {
			b.note = e.Message
		}
	case lifecycle.EventFailed:
		b.state, b.reason = barFailed, e.Message
	}
}

// endWait lets the step's wait last until now.
func (t *builder) endWait(b *bar, at time.Duration) {
	if t.waiting[b.step] {
		b.waits[len(b.waits)-1].to = at
		delete(t.waiting, b.step)
	}
}

func (t *builder) build() model {
	out := model{length: t.last, findings: t.findings}
	for _, id := range t.order {
		b := t.bars[id]
		if b.state == barCut { // it ends where all that is known ends
			b.to = t.last
			t.endWait(b, t.last)
		}
		out.rows = append(out.rows, *b)
	}
	out.lanes, out.idle = t.lanes(out.rows)
	out.stages = t.stages(out.rows)
	out.out = outOfService(out.rows, t.last)
	out.allowed = t.allowed(out.rows, out.stages)
	return out
}

// lanes sorts the bars to their targets, the targets as they were declared, controllers first.
func (t *builder) lanes(rows []bar) (lanes []lane, idle []string) {
	rank := map[string]int{"": -1}
	for i, h := range t.header.Hosts {
		rank[h.Name] = i
		if !h.Role.IsController() {
			rank[h.Name] += len(t.header.Hosts)
		}
	}
	var targets []string
	bars, left := map[string][]bar{}, map[string]int{}
	for _, b := range rows {
		if _, known := rank[b.target]; !known {
			rank[b.target] = 2*len(t.header.Hosts) + len(rank)
		}
		if !slices.Contains(targets, b.target) {
			targets = append(targets, b.target)
		}
		if b.state == barIdle {
			left[b.target]++
			continue
		}
		bars[b.target] = append(bars[b.target], b)
	}
	slices.SortStableFunc(targets, func(a, b string) int { return cmp.Compare(rank[a], rank[b]) })
	for _, target := range targets {
		name := cmp.Or(target, "cluster")
		if bars[target] == nil {
			idle = append(idle, name)
			continue
		}
		slices.SortStableFunc(bars[target], func(a, b bar) int { return cmp.Compare(a.from, b.from) })
		lanes = append(lanes, lane{name: name, bars: bars[target], left: left[target]})
	}
	return lanes, idle
}

// stages says from when to when each stage was under way. Stages that were not begun have no span.
func (t *builder) stages(rows []bar) []stageSpan {
	titles := map[string]string{}
	for _, s := range t.header.Stages {
		titles[s.ID] = s.Title
	}
	var out []stageSpan
	for _, b := range rows {
		if b.state == barIdle {
			continue
		}
		i := slices.IndexFunc(out, func(s stageSpan) bool { return s.id == b.stage })
		if i < 0 {
			out = append(out, stageSpan{id: b.stage, title: cmp.Or(titles[b.stage], b.stage), from: b.from, to: b.to})
			continue
		}
		out[i].from, out[i].to = min(out[i].from, b.from), max(out[i].to, b.to)
	}
	slices.SortStableFunc(out, func(a, b stageSpan) int { return cmp.Compare(a.from, b.from) })
	return out
}
