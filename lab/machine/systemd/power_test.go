package systemd

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// slowToEnd is a manager with the unit app, whose program takes a moment to end once it was asked to. running counts the programs that run.
func slowToEnd(t *testing.T) (m *Manager, running *atomic.Int32) {
	t.Helper()
	files := disk.New(disk.Options{Root: t.TempDir()}).As(disk.Root(), nil)
	if err := files.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := files.WriteFile(folder+"/app.service", []byte("[Service]\nExecStart=/usr/bin/app\nRestart=always\nRestartSec=10\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	running = new(atomic.Int32)
	m = New(Options{Files: files, Now: time.Now, Booted: time.Now, Note: func(string, string) {},
		Exec: func(ctx context.Context, _ Process, _ io.Writer) error {
			running.Add(1)
			defer running.Add(-1)
			<-ctx.Done()
			time.Sleep(100 * time.Millisecond)
			return nil
		}})
	t.Cleanup(m.StopAll)
	return m, running
}

// Once a machine has lost power, a command that is still at it starts nothing; the next boot does.
func TestNothingStartsWithoutPower(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, running := slowToEnd(t)
		if err := m.Start("app"); err != nil {
			t.Fatal(err)
		}
		m.StopAll()
		if err := m.Start("app"); !errors.Is(err, ErrOff) || running.Load() != 0 {
			t.Errorf("%v; %d programs run", err, running.Load())
		}
		m.Boot()
		if err := m.Start("app"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if running.Load() != 1 {
			t.Errorf("%d programs run", running.Load())
		}
	})
}

// A start that comes while the unit is being stopped is done after the stop, not lost.
func TestStartDuringAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, running := slowToEnd(t)
		if err := m.Start("app"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		stopped := make(chan error, 1)
		go func() { stopped <- m.Stop("app") }()
		synctest.Wait()
		if err := m.Start("app"); err != nil {
			t.Fatal(err)
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !m.Running("app") || running.Load() != 1 {
			t.Errorf("running %t, %d programs", m.Running("app"), running.Load())
		}
	})
}

// Two who start a unit that waits for its restart start it once.
func TestStartByTwo(t *testing.T) {
	m, running := slowToEnd(t)
	if err := m.Start("app"); err != nil {
		t.Fatal(err)
	}
	m.Kill(m.Processes()[0].PID)
	for s, _ := m.look("app"); s.state != activating; s, _ = m.look("app") {
		time.Sleep(time.Millisecond)
	}
	done := make(chan error, 2)
	m.mu.Lock() // both come to it before the end of the wait is noticed: a mutex that was held for long is handed over in turn
	for range 2 {
		go func() { done <- m.Start("app") }()
	}
	time.Sleep(20 * time.Millisecond)
	m.mu.Unlock()
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	time.Sleep(20 * time.Millisecond)
	if running.Load() != 1 {
		t.Errorf("%d programs run", running.Load())
	}
}
