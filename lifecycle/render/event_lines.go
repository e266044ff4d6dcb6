package render

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// EventLines tells programs what people see otherwise: everything is one event, as JSON, a line. Text that is written to it becomes notes.
// It may be used by several goroutines.
type EventLines struct {
	mu  sync.Mutex
	w   io.Writer
	now func() time.Time
}

// NewEventLines makes one that writes to w.
func NewEventLines(w io.Writer) *EventLines { return &EventLines{w: w, now: time.Now} }

// Sink writes an event of a run.
func (l *EventLines) Sink(e lifecycle.Event) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.w.Write(lifecycle.HarmlessJSON(b.Bytes()))
	return err
}

// Write makes a note of each line that says something.
func (l *EventLines) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := l.Sink(lifecycle.Event{Format: lifecycle.EventFormat, Time: l.now(), Kind: lifecycle.EventNote, Message: line}); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// Findings writes diagnostics.
func (l *EventLines) Findings(ds lifecycle.Diagnostics) error {
	for i := range ds {
		if err := l.Sink(lifecycle.Event{Format: lifecycle.EventFormat, Time: l.now(), Kind: lifecycle.EventFinding, Message: ds[i].Summary,
			Diagnostic: &ds[i]}); err != nil {
			return err
		}
	}
	return nil
}
