package k0s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lifecycle"
)

// The operator's command reaches the machine word by word, whatever is in the words, and what it prints is told line by line.
func TestRunCommand(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	s := f.open(v135)
	run := func(command ...string) ([]string, error) {
		var said []string
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		err := s.Do(ctx, lifecycle.Step{ID: "w1/run", Target: "w1", Action: lifecycle.ActionRun, Command: command},
			func(line string) { said = append(said, line) })
		return said, err
	}
	said, err := run("printf", `%s\n`, "two words", "$HOME", "it's", "*", "a;b")
	if want := []string{"two words", "$HOME", "it's", "*", "a;b"}; err != nil || !slices.Equal(said, want) {
		t.Errorf("got %q, %v; want %q", said, err, want)
	}
	said, err = run("sh", "-c", "echo begun; echo no such disk >&2; exit 7")
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || !strings.Contains(d.Summary, "status 7") ||
		!strings.Contains(d.Detail, "no such disk") || len(said) != 2 {
		t.Errorf("a command that fails: %q, %v", said, err)
	}
	if _, err := run(); err == nil {
		t.Error("a step without a command did something")
	}
}

func TestLines(t *testing.T) {
	var said []string
	l := &lines{say: func(s string) { said = append(said, s) }}
	for _, part := range []string{"one\ntw", "o\n\n", "\x1b[31mthree", strings.Repeat("x", 2*longestLine)} {
		if n, err := l.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("wrote %d of %d, %v", n, len(part), err)
		}
	}
	l.flush()
	if len(said) < 4 || said[0] != "one" || said[1] != "two" || !strings.HasPrefix(said[2], "[31mthree") {
		t.Errorf("said %q", said)
	}
	for i := range 2 * keepLines {
		fmt.Fprintf(l, "line %d\n", i)
	}
	if len(l.last) != keepLines || l.last[keepLines-1] != fmt.Sprintf("line %d", 2*keepLines-1) {
		t.Errorf("kept %q", l.last)
	}
}

// A machine that has rebooted since the plan was made is not rebooted again.
func TestRebootedAlready(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	s := f.open(v135)
	if f.state(s, "w1").BootID == "" {
		t.Skip("this machine has no boot id to tell")
	}
	step := lifecycle.Step{ID: "w1/reboot", Target: "w1", Action: lifecycle.ActionReboot,
		After: []lifecycle.Gate{{Kind: lifecycle.GateRebooted, Target: "w1", Was: "the boot before"}}}
	if err := s.Do(t.Context(), step, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range f.fakes["w1"].sent() {
		if strings.Contains(c, "systemctl reboot") {
			t.Errorf("it was rebooted: %s", c)
		}
	}
}

// A machine that goes down just when it is to be rebooted is waited for: a run that was cut off may have rebooted it. What it is then
// decides whether it is rebooted.
func TestRebootOfAMachineThatGoesDown(t *testing.T) {
	for name, c := range map[string]struct {
		away, within time.Duration
		rebooted     bool // meanwhile
		sent         bool
		err          string
	}{
		"it has rebooted":     {200 * time.Millisecond, time.Minute, true, false, ""},
		"it was another harm": {200 * time.Millisecond, time.Minute, false, true, ""},
		"it stays away":       {time.Hour, 300 * time.Millisecond, true, false, "no connection to"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFarm(t, "c1", "w1")
			s := f.open(v135)
			was := f.state(s, "w1").BootID
			if was == "" {
				t.Skip("this machine has no boot id to tell")
			}
			if c.rebooted {
				was = "the boot before"
			}
			f.fakes["w1"].leaves(c.away)
			var said []string
			err := s.Do(t.Context(), lifecycle.Step{ID: "w1/reboot", Target: "w1", Action: lifecycle.ActionReboot,
				After: []lifecycle.Gate{{Kind: lifecycle.GateRebooted, Target: "w1", Was: was, Timeout: c.within}}},
				func(line string) { said = append(said, line) })
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("it ended with %v", err)
			}
			if !strings.Contains(strings.Join(said, "\n"), "it does not answer, and may be going down already") {
				t.Errorf("said %q", said)
			}
			sent := strings.Contains(strings.Join(f.fakes["w1"].sent(), "\n"), "systemctl reboot")
			if sent != c.sent {
				t.Errorf("sent the command: %t", sent)
			}
		})
	}
}

// A connection that ends before the command does is what a reboot looks like; a refusal is not.
func TestGoneMeanwhile(t *testing.T) {
	refused := &ssh.ExitError{} // status 0, no signal: it ended by itself
	for name, c := range map[string]struct {
		err  error
		gone bool
	}{
		"the connection is lost":  {errLost, true},
		"it broke off":            {fmt.Errorf("wait: %w", io.EOF), true},
		"no exit status was sent": {&commandError{err: &ssh.ExitMissingError{}}, true},
		"it was refused":          {&commandError{err: refused}, false},
	} {
		if got := goneMeanwhile(c.err); got != c.gone {
			t.Errorf("%s: %t, want %t", name, got, c.gone)
		}
	}
}

// What ended with its connection is told as that, and says nothing of k0s; what a machine refused is not.
func TestALostConnectionIsToldAsOne(t *testing.T) {
	task := &task{Session: &Session{site: lifecycle.Site{Name: "lab"}}, step: lifecycle.Step{Target: "w1", Action: lifecycle.ActionUpgrade},
		ctx: t.Context(), refused: &refusals{}}
	for name, c := range map[string]struct {
		err  error
		lost bool
	}{
		"the host is silent":      {&commandError{host: "w1", command: "systemctl stop k0sworker", err: errLost}, true},
		"no exit status was sent": {&commandError{host: "w1", command: "x", err: &ssh.ExitMissingError{}}, true},
		"it can't be dialled":     {fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Err: errors.New("no route")}), true},
		"the machine refuses":     {&commandError{host: "w1", command: "x", err: &ssh.ExitError{}}, false},
		"something else":          {errors.New("no such version"), false},
	} {
		err := task.explain(c.err)
		if errors.Is(err, lifecycle.ErrConnectionLost) != c.lost || strings.Contains(err.Error(),
			"connection was lost during upgrade") != c.lost {
			t.Errorf("%s: %v", name, err)
		}
	}
}
