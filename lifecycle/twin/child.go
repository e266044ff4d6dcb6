package twin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Kiban is kiban itself, as a program of its own in the twin's fleet: what is rehearsed is what will run.
type Kiban struct {
	// Program is this very program, Fleet the folder of the twin's fleet.
	Program, Fleet string
	// Home is the folder that stands for the user's, so that nothing of his is read.
	Home string
	// Own are variables of its own, "NAME=value".
	Own []string
}

// Ended is how a run of kiban ended.
type Ended struct {
	// Code is its exit code, -1 when it was killed.
	Code int
	// Out is what it printed; Events are what it told, in order.
	Out    []byte
	Events []lifecycle.Event
}

// Findings are those that ended a run, or that it told beside.
func (e Ended) Findings() lifecycle.Diagnostics {
	var ds lifecycle.Diagnostics
	for _, ev := range e.Events {
		if ev.Kind == lifecycle.EventFinding && ev.Diagnostic != nil {
			ds = append(ds, *ev.Diagnostic)
		}
	}
	return ds
}

// Err is why a run that should have gone through did not.
func (e Ended) Err(doing string) error {
	if e.Code == 0 {
		return nil
	}
	d := lifecycle.Errorf("", "kiban could not %s", doing).Try("It is not the site: only the twin was touched.")
	for _, f := range e.Findings().Stopping() {
		d = d.Because(f.Error())
	}
	if d.Detail == "" {
		d.Detail = fmt.Sprintf("It ended with exit code %d.", e.Code)
	}
	return d
}

// Run runs a verb to its end, and gives each event to watch as it comes; watch may be nil, and may kill the run by the function that it is
// given. What ends ctx interrupts the verb as Ctrl-C would, then ends it.
func (k Kiban) Run(ctx context.Context, watch func(e lifecycle.Event, kill func()), args ...string) (Ended, error) {
	if err := os.MkdirAll(k.temp(), 0o700); err != nil {
		return Ended{Code: -1}, NoRoom(k.Home, err)
	}
	c := exec.CommandContext(ctx, k.Program, args...)
	c.Dir, c.Env = k.Fleet, k.environ()
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { // once asks it to finish what is in hand, twice to end now and tidy up
		time.AfterFunc(200*time.Millisecond, func() { _ = c.Process.Signal(syscall.SIGTERM) }) // one that has ended is as good
		return c.Process.Signal(syscall.SIGTERM)
	}
	c.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	c.Stdout = &out
	said, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return Ended{Code: -1}, err
	}
	ended := Ended{}
	kill := func() { _ = c.Process.Kill() } // one that has ended is as good
	ended.Events = follow(said, func(e lifecycle.Event) {
		if watch != nil {
			watch(e, kill)
		}
	})
	err = c.Wait()
	ended.Code, ended.Out = c.ProcessState.ExitCode(), out.Bytes()
	if _, exited := errors.AsType[*exec.ExitError](err); exited && ctx.Err() == nil {
		err = nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return ended, err
}

// follow reads events, one a line; other lines are notes.
func follow(from io.Reader, each func(lifecycle.Event)) (events []lifecycle.Event) {
	const longest = 8 << 20
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, longest)
	for lines.Scan() {
		var e lifecycle.Event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Kind == "" {
			e = lifecycle.Event{Kind: lifecycle.EventNote, Message: lines.Text()}
		}
		events = append(events, e)
		each(e)
	}
	_, _ = io.Copy(io.Discard, from) // a line that is longer: it waits for nobody
	return events
}

// environ is what kiban is told in the twin: nothing of the site's secrets, of a job, or of the user's agent. Its temporary files are in
// its home, which goes with the twin: one that is killed leaves them.
func (k Kiban) environ() []string {
	env := append([]string{"HOME=" + k.Home, "TMPDIR=" + k.temp(), "NO_COLOR=1"}, k.Own...)
	if v, ok := os.LookupEnv("PATH"); ok {
		env = append(env, "PATH="+v)
	}
	return env
}

func (k Kiban) temp() string { return filepath.Join(k.Home, "tmp") }
