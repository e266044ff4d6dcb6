package posix

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func pgrep(_ context.Context, c *Call) int {
	o, err := c.parse("f", "x", "a", "l", "c", "o", "n")
	if err == nil && len(o.args) != 1 {
		err = errors.New("only one pattern can be provided")
	}
	var re *regexp.Regexp
	if err == nil {
		re, err = expression(o.args[0], dialect{extended: true})
	}
	if err != nil {
		c.usage("%v", err)
		return 2
	}
	found := c.System.processes()
	found = slices.DeleteFunc(found, func(p Process) bool {
		subject := p.Command
		if !o.has("f") {
			subject = p.program()
		}
		m := re.FindString(subject)
		return m == "" && !re.MatchString(subject) || o.has("x") && m != subject
	})
	slices.SortFunc(found, func(a, b Process) int { return a.PID - b.PID })
	switch { // process ids are given in the order of starts
	case o.has("o") && len(found) > 0:
		found = found[:1]
	case o.has("n") && len(found) > 0:
		found = found[len(found)-1:]
	}
	if o.has("c") {
		fmt.Fprintln(c.Out, len(found))
	}
	for _, p := range found {
		switch {
		case o.has("c"):
		case o.has("a"):
			fmt.Fprintln(c.Out, p.PID, p.Command)
		case o.has("l"):
			fmt.Fprintln(c.Out, p.PID, p.program())
		default:
			fmt.Fprintln(c.Out, p.PID)
		}
	}
	if len(found) == 0 {
		return 1
	}
	return 0
}

// program is the name of a process's program.
func (p Process) program() string {
	name, _, _ := strings.Cut(p.Command, " ")
	return name[strings.LastIndex(name, "/")+1:]
}

func (s *System) processes() []Process {
	if s.Processes == nil {
		return nil
	}
	return slices.Clone(s.Processes())
}

// kill is /bin/kill; shellKill is the shell's own, which differs in the status of wrong arguments.
func kill(_ context.Context, c *Call) int { return c.kill(1) }

func (c *Call) kill(usage int) int {
	sig, pids, err := killArguments(c.Args[1:])
	if err != nil {
		fmt.Fprintf(c.Err, "kill: %v\n", err)
		return usage
	}
	status := 0
	for _, a := range pids {
		pid, err := strconv.Atoi(a)
		if err != nil {
			fmt.Fprintf(c.Err, "kill: Illegal number: %s\n", a)
			return usage
		}
		if err := c.signal(pid, sig); err != nil {
			fmt.Fprintf(c.Err, "kill: %v\n", err)
			status = 1
		}
	}
	return status
}

// killArguments reads -SIGNAL or -s SIGNAL and the process ids.
func killArguments(a []string) (sig int, pids []string, err error) {
	sig = signals()["TERM"]
	if len(a) > 0 && strings.HasPrefix(a[0], "-") && a[0] != "--" {
		name := a[0][1:]
		a = a[1:]
		if name == "s" {
			if len(a) == 0 {
				return 0, nil, errors.New("usage: kill [-s signal | -signal] pid ...")
			}
			name, a = a[0], a[1:]
		}
		if sig, err = signal(name); err != nil {
			return 0, nil, err
		}
	}
	if len(a) > 0 && a[0] == "--" {
		a = a[1:]
	}
	if len(a) == 0 {
		return 0, nil, errors.New("usage: kill [-s signal | -signal] pid ...")
	}
	return sig, a, nil
}

// signal sends a signal to a process of the machine: 0 only asks whether it may be sent, and all that a service does about any other is
// to end.
func (c *Call) signal(pid, sig int) error {
	if pid == os.Getpid() && sig == 0 { // what the shell calls $$
		return nil
	}
	if !slices.ContainsFunc(c.System.processes(), func(p Process) bool { return p.PID == pid }) {
		return errors.New("No such process")
	}
	switch {
	case c.User.UID != 0:
		return errors.New("Operation not permitted")
	case sig != 0 && c.System.Kill != nil:
		c.System.Kill(pid)
	}
	return nil
}
