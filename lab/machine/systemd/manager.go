// Package systemd runs the services of a simulated machine by the unit files on its disk, and answers systemctl and journalctl.
//
// Services are of systemd's Type=simple: `systemctl start` returns as soon as the program runs, whether or not it will live.
// Unit files are read at every start, as if `daemon-reload` had been called; the real one waits to be told.
package systemd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// Process is one start of a service's program.
type Process struct {
	Unit string
	Argv []string
	Env  []string
	PID  int
}

// Options of a machine's service manager.
type Options struct {
	// Files is the disk as root sees it.
	Files disk.View
	// Now and Booted are the machine's clock and the time it was switched on.
	Now, Booted func() time.Time
	// Exec runs a program until it exits or ctx ends; log is the journal.
	Exec func(ctx context.Context, p Process, log io.Writer) error
	// Note hears of what is done to services: started, stopped, crashed.
	Note func(unit, what string)
	// Reboot restarts the machine in a moment; nil: `systemctl reboot` is refused.
	Reboot func()
}

// Manager is one machine's systemd.
type Manager struct {
	opts Options

	mu       sync.Mutex
	services map[string]*service
	nextPID  int
	// off: the machine has lost power. Nothing starts before Boot.
	off bool
}

// States of a service, as systemctl names them.
const (
	inactive     = "inactive"
	active       = "active"
	activating   = "activating"
	deactivating = "deactivating"
	failed       = "failed"
)

// service is what the manager knows of a unit that was started once. Manager.mu guards it.
type service struct {
	state, sub string
	unit       unit
	pid        int
	status     int // of the last exit
	restarts   int
	// entered and left are when it last became active and ceased to be.
	entered, left time.Time
	// enteredUp and leftUp are the same by the clock that nobody sets, since the machine was switched on.
	enteredUp, leftUp time.Duration
	// invocation names the last start, as systemd does.
	invocation string
	journal    journal
	// stop ends the service for good, kill ends the present process; done is closed when the service is over.
	stop, kill context.CancelFunc
	done       chan struct{}
}

// New returns a manager without running services.
func New(o Options) *Manager {
	return &Manager{opts: o, services: map[string]*service{}, nextPID: 600}
}

// ErrNoUnit says that there is no unit file, ErrMasked that it is a link to /dev/null, ErrOff that the machine has lost power.
var (
	ErrNoUnit = errors.New("unit not found")
	ErrMasked = errors.New("unit is masked")
	ErrOff    = errors.New("the machine is off")
)

// Start starts a unit and returns as soon as its program runs. A unit that runs is left alone; one that is being stopped is started after
// that.
func (m *Manager) Start(name string) error {
	u, ok := load(m.opts.Files, name)
	switch {
	case !ok:
		return ErrNoUnit
	case u.masked:
		return ErrMasked
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.services[name]
	if s == nil {
		s = &service{state: inactive, sub: "dead"}
		m.services[name] = s
	}
	for s.done != nil && (s.state == activating || s.state == deactivating) {
		s.stop() // start cuts the wait for an automatic restart short
		done := s.done
		m.mu.Unlock()
		<-done
		m.mu.Lock()
	}
	if m.off {
		return ErrOff
	}
	if s.done != nil {
		return nil
	}
	m.opts.Note(name, "start")
	ctx, cancel := context.WithCancel(context.Background())
	s.unit, s.restarts, s.stop, s.done = u, 0, cancel, make(chan struct{})
	first := make(chan struct{})
	go m.supervise(ctx, name, s, first)
	m.mu.Unlock()
	<-first
	m.mu.Lock()
	return nil
}

// supervise runs a service's program again and again as its unit wants.
func (m *Manager) supervise(ctx context.Context, name string, s *service, first chan struct{}) {
	done := s.done
	for {
		err := m.once(ctx, name, s, first)
		m.mu.Lock()
		s.pid, s.left, s.leftUp = 0, m.opts.Now(), m.up()
		again := s.unit.again(err)
		if ctx.Err() != nil || !again {
			s.state, s.sub = inactive, "dead"
			if ctx.Err() == nil && err != nil {
				s.state, s.sub = failed, "failed"
			}
			s.done = nil
			m.mu.Unlock()
			started(first)
			close(done)
			return
		}
		s.state, s.sub = activating, "auto-restart"
		wait := s.unit.restartSec
		m.mu.Unlock()
		m.opts.Note(name, "exited")
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			continue // once more through the check above
		}
		m.mu.Lock()
		s.restarts++
		if u, ok := load(m.opts.Files, name); ok {
			s.unit = u
		}
		m.mu.Unlock()
	}
}

// started tells the waiting Start, once.
func started(first chan struct{}) {
	select {
	case <-first:
	default:
		close(first)
	}
}

func (m *Manager) once(ctx context.Context, name string, s *service, first chan struct{}) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	m.mu.Lock()
	m.nextPID += 7
	s.state, s.sub, s.pid, s.kill, s.entered, s.enteredUp = active, "running", m.nextPID, kill, m.opts.Now(), m.up()
	s.invocation = invocation()
	env, envErr := s.unit.variables(m.opts.Files)
	p := Process{Unit: name, Argv: s.unit.exec, Env: env, PID: s.pid}
	description := s.unit.description
	m.mu.Unlock()
	started(first)
	log := writer{m, s}
	fmt.Fprintf(log, "systemd[1]: Started %s.service - %s.", name, description)
	err := envErr
	if err == nil {
		err = m.opts.Exec(ctx, p, log)
	}
	m.mu.Lock()
	s.status = 0
	if err != nil {
		s.status = 1
	}
	m.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(log, "systemd[1]: %s.service: Main process exited, code=exited, status=1/FAILURE", name)
		fmt.Fprintf(log, "systemd[1]: %s.service: Failed with result 'exit-code'.", name)
	}
	return err
}

// Stop ends a unit and waits until its program is gone. A unit that does not run is no error.
func (m *Manager) Stop(name string) error {
	m.mu.Lock()
	s := m.services[name]
	if s == nil || s.done == nil {
		defer m.mu.Unlock()
		if s != nil && s.state == failed {
			s.state, s.sub = inactive, "dead"
		}
		if _, ok := load(m.opts.Files, name); !ok && s == nil {
			return ErrNoUnit
		}
		return nil
	}
	s.state, s.sub = deactivating, "stop-sigterm"
	stop, done := s.stop, s.done
	m.mu.Unlock()
	m.opts.Note(name, "stop")
	stop()
	<-done
	return nil
}

// Running reports whether a unit's program runs.
func (m *Manager) Running(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.services[name]
	return s != nil && s.state == active
}

// StopAll ends everything at once, as a machine does that loses power. A command that is still at it starts nothing any more.
func (m *Manager) StopAll() {
	m.mu.Lock()
	m.off = true
	var waits []chan struct{}
	for _, s := range m.services {
		if s.done != nil {
			s.stop()
			waits = append(waits, s.done)
		}
	}
	m.mu.Unlock()
	for _, w := range waits {
		<-w
	}
}

// Boot starts every enabled unit.
func (m *Manager) Boot() {
	m.mu.Lock()
	m.off = false
	m.mu.Unlock()
	infos, err := m.opts.Files.ReadDir(multiUser)
	if err != nil {
		return
	}
	for _, i := range infos {
		_ = m.Start(strings.TrimSuffix(i.Name(), ".service")) // a dangling link starts nothing, as with systemd
	}
}

// Kill ends a process by its id; systemd may start it again.
func (m *Manager) Kill(pid int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.services {
		if s.pid == pid && s.kill != nil {
			s.kill()
			return true
		}
	}
	return false
}

// Processes are the running programs.
func (m *Manager) Processes() []Process {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ps []Process
	for n, s := range m.services {
		if s.pid != 0 {
			ps = append(ps, Process{Unit: n, Argv: s.unit.exec, PID: s.pid})
		}
	}
	return ps
}
