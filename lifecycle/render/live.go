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
	drawn int // lines of the changing part on the screen
	err   error

	stop chan struct{}
	done chan struct{}
}

// Live begins to draw on w, whose own style it needs to move about. size gives the terminal's columns and rows; titles are the stages'
// titles by id. Close must be called.
func Live(w io.Writer, size func() (width, height int), titles map[string]string, style Style) *LiveView {
	v := &LiveView{w: w, model: newLiveModel(titles, style), size: size, now: time.Now, stop: make(chan struct{}), done: make(chan struct{})}
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
	v.draw(nil)
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
				v.draw(v.model.lines(v.now(), width, height))
			}
			v.mu.Unlock()
		}
	}
}

// draw replaces the changing part by the final lines and the new changing part, in one write so that it does not flicker.
func (v *LiveView) draw(lines []string) {
	var b strings.Builder
	if v.drawn > 0 {
		b.WriteString(v.model.style.raw(fmt.Sprintf("\x1b[%dA\r\x1b[J", v.drawn)))
	}
	for _, l := range v.model.take() {
		b.WriteString(l + "\n")
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	v.drawn = len(lines)
	if _, err := io.WriteString(v.w, b.String()); err != nil && v.err == nil {
		v.err = err
	}
}
