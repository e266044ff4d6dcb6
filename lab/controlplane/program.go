package controlplane

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// respawnDelay is how long a program that exited stays down. k0s waits 5 s; the lab has the patience for one.
const respawnDelay = time.Second

// program is one child process that is kept alive.
type program struct {
	name string
	argv []string
	env  []string
	logs string
	// stop is what asks it to end.
	stop syscall.Signal
	// patience is how long it may take to, before it is killed.
	patience time.Duration
	log      *slog.Logger

	cancel context.CancelFunc
	done   chan struct{}
}

// start begins keeping the program alive. end must be called.
func (p *program) start() {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		for ctx.Err() == nil {
			err := p.once(ctx)
			if ctx.Err() != nil {
				return
			}
			p.log.Warn("program exited, starting it again", "program", p.name, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(respawnDelay):
			}
		}
	}()
}

// end stops the program and waits until it is gone.
func (p *program) end() {
	p.cancel()
	<-p.done
}

func (p *program) once(ctx context.Context) error {
	if err := os.MkdirAll(p.logs, 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(p.logs, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Cancel = func() error { return cmd.Process.Signal(p.stop) }
	cmd.WaitDelay = p.patience
	// The lab may be killed: then nothing of it may stay behind. The kernel sends this signal when the thread that started the child
	// ends, not the process, so the thread is kept for as long as the child lives.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return nil
}
