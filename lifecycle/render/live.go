package render

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// redraw is the pause between two drawings: often enough to look alive, seldom enough for a slow line.
const redraw = 200 * time.Millisecond

// LiveView draws a run on a terminal, in place: finished steps stay above, what is under way changes below.
type LiveView struct {
	mu    sync.Mutex
	w     io.Writer
	model *liveModel
	size  func() (width, height int)
	now   func() time.Time
	drawn []int // the lines of the changing part on the screen, by their columns
	err   error

	stop chan struct{}
	done chan struct{}
}

// Live begins to draw a run of a plan on w, whose own style it needs to move about. size gives the terminal's columns and rows, and is
// asked at each drawing. Close must be called.
func Live(w io.Writer, size func() (width, height int), plan lifecycle.Plan, style Style) *LiveView {
	v := &LiveView{w: w, model: newLiveModel(titlesOf(plan), plan.Estimate, style), size: size, now: time.Now,
		stop: make(chan struct{}), done: make(chan struct{})}
	go v.run()
	return v
}

// Sink takes an event in; it shows at the next drawing. A terminal that can't be written to does not stop the run: the journal tells of it.
func (v *LiveView) Sink(e lifecycle.Event) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.model.apply(e)
	return nil
}

// Write puts text above the changing part, so that other messages and the drawing do not overwrite each other.
func (v *LiveView) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for line := range strings.Lines(string(p)) {
		v.model.finish(strings.TrimRight(line, "\n"))
	}
	return len(p), nil
}

// Close draws what is final, takes the changing part off the screen, and gives the first error of writing.
func (v *LiveView) Close() error {
	close(v.stop)
	<-v.done
	v.mu.Lock()
	defer v.mu.Unlock()
	width, _ := v.size()
	v.draw(nil, width)
	return v.err
}

func (v *LiveView) run() {
	defer close(v.done)
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		select {
		case <-v.stop:
			return
		case <-tick.C:
			v.mu.Lock()
			if !v.model.began.IsZero() {
				width, height := v.size()
				v.draw(v.model.lines(v.now(), width, height), width)
			}
			v.mu.Unlock()
		}
	}
}

// draw replaces the changing part by the final lines and the new changing part, in one write so that it does not flicker.
func (v *LiveView) draw(lines []string, width int) {
	var b strings.Builder
	if up := rowsOf(v.drawn, width); up > 0 {
		b.WriteString(v.model.style.raw(fmt.Sprintf("\x1b[%dA\r\x1b[J", up)))
	}
	v.drawn = nil
	for _, l := range v.model.take(width) {
		b.WriteString(l + "\n")
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
		v.drawn = append(v.drawn, columnsOf(l))
	}
	if _, err := io.WriteString(v.w, b.String()); err != nil && v.err == nil {
		v.err = err
	}
}

// rowsOf is how many rows of a terminal lines take that were written when it may have been wider: it breaks them anew when it is resized.
func rowsOf(columns []int, width int) (rows int) {
	for _, n := range columns {
		rows++
		if width > 0 && n > width {
			rows += (n - 1) / width
		}
	}
	return rows
}
