// Package journal keeps what a run did: one JSON document a line, one line an event.
//
// A line is on disk before the effect it announces happens, so that whatever ends a run, even SIGKILL or a power cut, the journal
// says which step was in hand. A run that ended in the middle of a write leaves a torn last line; Read passes over it.
package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// Journal appends the events of one run to one file.
type Journal struct {
	mu   sync.Mutex
	file *os.File
}

// Open opens the journal at path for appending, and makes it and its folder when they are missing. Only their owner may read them: events
// name hosts and quote what they answered.
func Open(path string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := endLine(f); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), f.Close())
	}
	// The new file's name must be on disk too, or a power cut takes the whole journal.
	if err := atomicfile.SyncDir(filepath.Dir(path)); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), f.Close())
	}
	return &Journal{file: f}, nil
}

// Sink appends one event and returns when it is on disk. It is safe for use by several goroutines.
func (j *Journal) Sink(e lifecycle.Event) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	// Only what comes before an effect, or ends the story, must survive a power cut; a progress line may be lost with it.
	if !durable(e.Kind) {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Path is where the journal lies.
func (j *Journal) Path() string { return j.file.Name() }

// Close makes the rest durable and closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.file.Sync(), j.file.Close())
}

func durable(k lifecycle.EventKind) bool {
	switch k {
	case lifecycle.EventStarted, lifecycle.EventFinished, lifecycle.EventFailed, lifecycle.EventSummary:
		return true
	}
	return false
}

// endLine ends a torn last line, so that the next event begins a line of its own.
func endLine(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	_, err = f.Write([]byte{'\n'})
	return err
}
