package machine

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"sync"
)

// held is a command line that is to be held when it comes: before it runs, or when it has run and its client does not know yet.
type held struct {
	match *regexp.Regexp
	after bool

	mu   sync.Mutex
	left int // how many like it are let through before
	free chan struct{}
}

// holdCommand arms a hold: the command line that matches, and which one of those.
func (m *Machine) holdCommand(args []string, after bool) error {
	if len(args) < 1 || len(args) > 2 {
		return errArgs
	}
	re, err := regexp.Compile(args[0])
	if err != nil {
		return err
	}
	n := 1
	if len(args) == 2 {
		if n, err = strconv.Atoi(args[1]); err != nil || n < 1 {
			return errors.New("the number of the command is 1 or more")
		}
	}
	h := &held{match: re, after: after, left: n, free: make(chan struct{})}
	m.with(func(f *faults) { f.holds = append(f.holds, h) })
	return nil
}

// due gives the hold that the command line is due for.
func (m *Machine) due(command string) *held {
	m.mu.Lock()
	holds := m.faults.holds
	m.mu.Unlock()
	for _, h := range holds {
		if h.match.MatchString(command) && h.next() {
			return h
		}
	}
	return nil
}

func (h *held) next() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.left--
	return h.left == 0
}

// wait holds the command until its client is gone or the fault is cleared.
func (h *held) wait(ctx context.Context, m *Machine, command string) {
	m.event("held: " + oneLine(command, 400))
	select {
	case <-ctx.Done():
	case <-h.free:
	}
}

// LosePower is the plug being pulled under what was not synced.
func (m *Machine) LosePower() error {
	m.PowerOff()
	lost, err := m.disk.LoseUnsynced()
	for _, p := range lost {
		m.event("lost what was not synced: " + p)
	}
	return err
}
