package timeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// The picture's measures, in its own units; it is scaled to the width of the page.
const (
	pictureWidth = 1280.0
	endWidth     = 84.0
	stripHeight  = 24.0 // the stages' names
	axisHeight   = 26.0
	levelHeight  = 64.0
	letterWidth  = 6.3 // of small text, on average and rather too much
	farLanes     = 24  // from so many on, the times stand above the lanes too
	leastWidth   = 2.0 // of a bar, so that short steps are seen at all
)

// picture draws a timeline.
type picture struct {
	page
	t    model
	row  float64 // a lane's height
	left float64 // where time begins, right of the names
}

// right is where time ends.
func (p *picture) right() float64 { return pictureWidth - endWidth }

// nameLetters is how much of a machine's name has room.
const nameLetters = 26

// leftOf gives the names the room that the longest of them needs.
func leftOf(lanes []lane) float64 {
	longest := 17 // what the picture itself says there
	for _, l := range lanes {
		longest = max(longest, len([]rune(l.name)))
	}
	return 16 + 7.2*float64(min(longest, nameLetters))
}

// draw is the picture as SVG: stages above, a lane a machine, the machines out of service below, all over one axis of time.
func draw(t model) markup {
	p := picture{t: t, row: rowHeight(len(t.lanes)), left: leftOf(t.lanes)}
	lanes := stripHeight + 4
	if len(t.lanes) > farLanes {
		lanes += axisHeight - 6
	}
	axis := lanes + p.row*float64(len(t.lanes)) + 4
	levels := axis + axisHeight + 22
	bottom := levels + levelHeight
	if !t.machines() { // none goes out of service
		bottom = axis
	}
	height := max(bottom, axis+axisHeight) + 10
	p.put(`<svg viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, pictureWidth, height,
		fmt.Sprintf("What was done to %s over %s", t.doneTo(), render.Duration(t.length)))
	p.put(`<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="3" height="6" fill="#fff" fill-opacity=".42"/></pattern></defs>`)
	p.stages(lanes, axis)
	p.ticks(lanes, axis, bottom)
	for i, l := range t.lanes {
		p.lane(l, lanes+p.row*float64(i))
	}
	if t.machines() {
		p.levels(levels)
	}
	p.put("</svg>\n")
	return markup(p.b.String())
}

// doneTo says what has a lane: "7 machines", "3 addons", "7 machines and 3 addons".
func (t model) doneTo() string {
	machines := 0
	var units []lifecycle.Step
	for _, l := range t.lanes {
		if lifecycle.IsUnit(l.name) {
			units = append(units, lifecycle.Step{Target: l.name})
		} else {
			machines++
		}
	}
	var parts []string
	if machines > 0 {
		parts = append(parts, lifecycle.Count(machines, "machine"))
	}
	if len(units) > 0 {
		parts = append(parts, render.UnitNames(units))
	}
	return strings.Join(parts, " and ")
}

// rowHeight gives few lanes room for words, and many of them less.
func rowHeight(lanes int) float64 {
	switch {
	case lanes <= 12:
		return 28
	case lanes <= 60:
		return 21
	}
	return 15
}

func (p *picture) x(at time.Duration) float64 {
	if p.t.length <= 0 {
		return p.left
	}
	return p.left + (p.right()-p.left)*float64(at)/float64(p.t.length)
}

// stages names the stages above the lanes, and shades every other one. A name that has no room is left to the tooltip.
func (p *picture) stages(top, bottom float64) {
	for i, s := range p.t.stages {
		from, to := p.x(s.from), p.x(s.to)
		if i+1 < len(p.t.stages) {
			to = max(to, p.x(p.t.stages[i+1].from)) // no gaps between them
		}
		p.put("<g><title>%s</title>", fmt.Sprintf("Stage %d: %s\n%s, from %s to %s", i+1, s.title, render.Duration(s.to-s.from), moment(s.from),
			moment(s.to)))
		class := "none"
		if i%2 == 0 {
			class = "band"
		}
		p.put(`<rect class="%s" fill="transparent" x="%.1f" y="0" width="%.1f" height="%.1f"/>`, markup(class), from, max(0.5, to-from), bottom)
		label := fmt.Sprintf("%d. %s", i+1, s.title) // with a dot: "4 workers to" would be a count
		if room := int((to - from - 8) / letterWidth); room < len([]rune(label)) {
			label = lifecycle.Shorten(label, room)
			if room < 8 {
				label = fmt.Sprint(i + 1)
			}
		}
		if to-from >= 12 {
			p.put(`<text class="small soft strong" x="%.1f" y="16">%s</text>`, from+5, label)
		}
		p.put("</g>\n")
	}
	p.put(`<line class="edge" x1="0" x2="%.0f" y1="%.1f" y2="%.1f"/>`+"\n", pictureWidth, top-1, top-1)
}

// ticks draws the axis of time, and its lines through everything.
func (p *picture) ticks(top, axis, bottom float64) {
	step := tickStep(p.t.length)
	for at := time.Duration(0); at <= p.t.length; at += step {
		x := p.x(at)
		p.put(`<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, x, x, top, bottom)
		p.put(`<text class="small soft mid" x="%.1f" y="%.1f">%s</text>`+"\n", x, axis+15, moment(at))
		if len(p.t.lanes) > farLanes {
			p.put(`<text class="small soft mid" x="%.1f" y="%.1f">%s</text>`+"\n", x, top-6, moment(at))
		}
	}
	p.put(`<line class="edge" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n", p.left, p.right(), axis, axis)
}

// tickStep is a round time of which between five and a dozen fit.
func tickStep(length time.Duration) time.Duration {
	for _, s := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		6 * time.Hour, 12 * time.Hour} {
		if length/s <= 12 {
			return s
		}
	}
	return (length/8/(24*time.Hour) + 1) * 24 * time.Hour
}

// moment is a time on the axis: 0:05, 12:30, 1:02:00.
func moment(at time.Duration) string {
	s := int(at.Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// lane draws one machine: its name, its bars, and what became of it.
func (p *picture) lane(l lane, top float64) {
	base := top + p.row/2 + 4
	p.put(`<line class="edge" x1="0" x2="%.0f" y1="%.1f" y2="%.1f"/>`, pictureWidth, top+p.row, top+p.row)
	p.put(`<text x="4" y="%.1f"><title>%s</title>%s</text>`+"\n", base, l.name, lifecycle.Shorten(l.name, nameLetters))
	var busy time.Duration
	for _, b := range l.bars {
		p.bar(b, top+3, p.row-6)
		busy += b.to - b.from
	}
	class, text := "soft", render.Duration(busy.Round(time.Millisecond))
	switch l.state() {
	case barFailed:
		class, text = "bad strong", "✗ failed"
	case barCut:
		class, text = "odd strong", "… no end"
	case barIdle:
		class, text = "odd", fmt.Sprintf("%d of %d steps", len(l.bars), len(l.bars)+l.left)
	default:
		text = "✓ " + text
	}
	p.put(`<text class="small end %s" x="%.1f" y="%.1f">%s</text>`+"\n", markup(class), pictureWidth-4, base, text)
}

// bar draws one step: its colour, hatched where it waited for a gate, and its name where there is room.
func (p *picture) bar(b bar, top, height float64) {
	from, to := p.x(b.from), p.x(b.to)
	width := max(leastWidth, to-from)
	from = min(from, p.right()-width)
	class := colour(b.action)
	switch b.state {
	case barFailed:
		class = "fail"
	case barCut:
		class += " cut"
	}
	p.put(`<g><title>%s</title><rect class="b %s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f"/>`, b.tooltip(), markup(class), from,
		top, width, height, min(3, width/3))
	for _, w := range b.waits {
		if x, end := p.x(w.from), p.x(w.to); end-x >= 1 {
			p.put(`<rect class="hatch" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, x, top, end-x, height)
		}
	}
	long := fmt.Sprintf("%s %s", b.action, render.Duration((b.to - b.from).Round(100*time.Millisecond)))
	for _, label := range []string{long, string(b.action)} {
		if height >= 12 && float64(len(label))*letterWidth+8 <= width {
			p.put(`<text class="in" x="%.1f" y="%.1f">%s</text>`, from+5, top+height/2+4, label)
			break
		}
	}
	p.put("</g>\n")
}

// tooltip says all there is to say of a step.
func (b bar) tooltip() string {
	lines := []string{b.step}
	if !b.version.IsZero() {
		lines[0] += "  " + b.version.String()
	}
	lines = append(lines, fmt.Sprintf("%s, %s to %s, %s", render.Duration(b.to-b.from), moment(b.from), moment(b.to), b.state))
	if b.reason != "" {
		lines = append(lines, b.reason)
	}
	for i, w := range b.waits {
		if i == 6 {
			lines = append(lines, fmt.Sprintf("and %s more", lifecycle.Count(len(b.waits)-i, "wait")))
			break
		}
		lines = append(lines, fmt.Sprintf("waited %s until %s%s", render.Duration((w.to-w.from).Round(time.Millisecond)), w.gate,
			render.Parenthesis(w.reason)))
	}
	if b.note != "" {
		lines = append(lines, b.note)
	}
	return withoutTicks(strings.Join(lines, "\n"))
}

// levels draws how many machines were out of service against how many may have been.
func (p *picture) levels(top float64) {
	bottom := top + levelHeight
	most := max(p.t.most(), p.t.widest(), 1)
	y := func(n int) float64 { return bottom - (levelHeight-12)*float64(n)/float64(most) }
	p.put(`<text x="4" y="%.1f">out of service</text>`, top+14)
	p.put(`<text class="small soft" x="4" y="%.1f">machines, against</text><text class="small soft" x="4" y="%.1f">what is allowed</text>`+"\n", top+30, top+44)
	for _, n := range scale(most) {
		p.put(`<text class="small soft end" x="%.1f" y="%.1f">%d</text><line class="rule" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n",
			p.left-6, y(n)+4, n, p.left, p.right(), y(n), y(n))
	}
	for _, l := range p.t.allowed {
		p.put(`<rect class="room" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, p.x(l.from), y(l.n), max(0.5, p.x(l.to)-p.x(l.from)),
			bottom-y(l.n))
	}
	var line, area strings.Builder
	for i, l := range p.t.out {
		end := p.t.length
		if i+1 < len(p.t.out) {
			end = p.t.out[i+1].at
		}
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&line, "%s%.1f %.1fH%.1f", command, p.x(l.at), y(l.n), p.x(end))
		if l.n > 0 {
			class := "area"
			if allowed := p.t.allowedAt(l.at); allowed > 0 && l.n > allowed {
				class = "over"
			}
			a := page{}
			a.put(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`, markup(class), p.x(l.at), y(l.n),
				max(0.5, p.x(end)-p.x(l.at)), bottom-y(l.n),
				fmt.Sprintf("%d out of service, from %s to %s", l.n, moment(l.at), moment(end)))
			area.WriteString(a.b.String())
		}
	}
	p.put(`%s<path class="level" d="%s"/>`+"\n", markup(area.String()), markup(line.String()))
	for _, l := range p.t.allowed { // a little above the level that it bounds, so that both are seen
		p.put(`<g><title>%s</title><line class="limit" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/></g>`+"\n",
			fmt.Sprintf("at most %d out of service, from %s to %s", l.n, moment(l.from), moment(l.to)), p.x(l.from), p.x(l.to), y(l.n)-3, y(l.n)-3)
	}
	p.put(`<text class="small end soft" x="%.1f" y="%.1f">at most %d</text>`, pictureWidth-4, top+14, p.t.most())
	if w := p.t.widest(); w > 0 {
		p.put(`<text class="small end soft" x="%.1f" y="%.1f">%d allowed</text>`, pictureWidth-4, top+30, w)
	}
	p.put(`<line class="edge" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`+"\n", p.left, p.right(), bottom, bottom)
}

// allowedAt is the limit at a moment; 0 where there is none.
func (t model) allowedAt(at time.Duration) int {
	n := 0
	for _, l := range t.allowed {
		if l.from <= at && at <= l.to {
			n = cmp.Or(max(n, l.n), n)
		}
	}
	return n
}

// scale is which numbers stand beside the levels: each while they are few, else the ends and the middle.
func scale(most int) []int {
	switch {
	case most <= 1:
		return []int{0, most}
	case most <= 3:
		out := []int{}
		for n := range most + 1 {
			out = append(out, n)
		}
		return out
	}
	return []int{0, most / 2, most}
}
