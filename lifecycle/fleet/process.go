package fleet

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Process applies each site with a process of its own: what one of them does, or ends by, is no other's matter.
type Process struct {
	// Program is kiban, Fleet the folder of the fleet.
	Program, Fleet string
	// Dir is where each leaves SITE.json, how it ended, and SITE.log, what it said.
	Dir string
	// Args come behind `apply SITE --yes`.
	Args []string
}

// Log is the file that has what a site's process said.
func (p Process) Log(site string) string { return filepath.Join(p.Dir, site+".log") }

// stopWithin is how long a process that was told to stop at once may take to tidy up before it is killed.
const stopWithin = 30 * time.Second

// Apply applies a site to its end. When stop is closed, the steps in hand finish; when ctx ends, it stops at once.
func (p Process) Apply(ctx context.Context, stop <-chan struct{}, site string) lifecycle.Outcome {
	began := time.Now()
	o, err := p.run(ctx, stop, site)
	if err != nil {
		o = lifecycle.Outcome{Format: lifecycle.OutcomeFormat, Site: site, Began: began, Ended: time.Now()}
		o.Kind, o.ExitCode = lifecycle.OutcomeFailed, 1
		o.Failed(err)
	}
	return o
}

func (p Process) run(ctx context.Context, stop <-chan struct{}, site string) (o lifecycle.Outcome, err error) {
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return o, err
	}
	result := filepath.Join(p.Dir, site+fileEnding)
	if err := os.Remove(result); err != nil && !errors.Is(err, os.ErrNotExist) {
		return o, err
	}
	log, err := os.OpenFile(p.Log(site), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	args := append([]string{"--fleet", p.Fleet, "apply", site, "--yes", "--progress", "plain", "--result", result}, p.Args...)
	c := exec.CommandContext(ctx, p.Program, args...)
	c.Stdout, c.Stderr = log, log
	// A process group of its own: Ctrl-C reaches kiban alone, which hands it on once.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var stopping atomic.Bool
	c.Cancel = func() error {
		if !stopping.Load() { // the first asks for an end in order, the next one for an end
			_ = c.Process.Signal(syscall.SIGINT) // one that has ended is as good
			time.Sleep(200 * time.Millisecond)
		}
		return c.Process.Signal(syscall.SIGINT)
	}
	c.WaitDelay = stopWithin
	if err := c.Start(); err != nil {
		return o, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err = <-ended:
	case <-stop:
		stopping.Store(true)
		_ = c.Process.Signal(syscall.SIGINT)
		err = <-ended
	}
	return p.told(result, site, c.ProcessState.ExitCode(), err)
}

// told is how the process says that it ended.
func (p Process) told(result, site string, code int, ended error) (o lifecycle.Outcome, err error) {
	b, err := os.ReadFile(result)
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err == nil && o.Site != site {
		err = fmt.Errorf("%s is of the site %q", result, o.Site)
	}
	if err != nil {
		return o, lifecycle.Errorf(site, "kiban ended with exit code %d, and left no word of how", code).From(cmp.Or(ended, err)).
			Try("What it said is in " + p.Log(site) + "; what it did: kiban runs " + site)
	}
	return o, nil
}
