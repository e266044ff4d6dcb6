package posix

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/disk"
)

// Exit codes of programs that run another one.
const (
	statusUsage    = 125
	statusNoExec   = 126
	statusNotFound = 127
)

func env(ctx context.Context, c *Call) int {
	o, err := c.parseLeading("i", "u:", "ignore-environment", "unset=")
	if err != nil {
		c.usage("%v", err)
		return statusUsage
	}
	n := c.with(nil)
	n.Env = append([]string(nil), c.Env...)
	a := o.args
	if len(a) > 0 && a[0] == "-" {
		o.set["i"], a = []string{""}, a[1:]
	}
	if o.has("i", "ignore-environment") {
		n.Env = nil
	}
	for _, name := range append(o.set["u"], o.set["unset"]...) {
		n.Env = without(n.Env, name)
	}
	for len(a) > 0 && strings.Contains(a[0], "=") {
		k, _, _ := strings.Cut(a[0], "=")
		n.Env = append(without(n.Env, k), a[0])
		a = a[1:]
	}
	if len(a) > 0 {
		n.Args = a
		return n.Run(ctx)
	}
	for _, e := range n.Env {
		fmt.Fprintln(c.Out, e)
	}
	return 0
}

func without(env []string, name string) []string {
	var kept []string
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			kept = append(kept, e)
		}
	}
	return kept
}

// sudo is sudo with passwordless rules: without one it asks for a password, which -n refuses and which nobody here can type.
func sudo(ctx context.Context, c *Call) int {
	o, err := c.parseLeading("n", "E", "H", "S", "i", "v", "l", "u:", "non-interactive", "user=")
	if err != nil {
		fmt.Fprintf(c.Err, "sudo: %v\n", err)
		return 1
	}
	a, to := o.args, "root"
	if o.has("u", "user") {
		to = o.value("u", "user")
	}
	var vars []string
	for len(a) > 0 && strings.Contains(a[0], "=") {
		vars, a = append(vars, a[0]), a[1:]
	}
	if len(a) == 0 && !o.has("i", "v", "l") {
		fmt.Fprintln(c.Err, "usage: sudo -h | -K | -k | -V")
		return 1
	}
	u, ok := c.System.account(to)
	if !ok {
		fmt.Fprintf(c.Err, "sudo: unknown user %s\n", to)
		return 1
	}
	if !c.mayBecomeRoot() {
		fmt.Fprintln(c.Err, "sudo: a password is required")
		return 1
	}
	switch {
	case o.has("l"):
		fmt.Fprintf(c.Out, "User %s may run the following commands on %s:\n    (ALL) NOPASSWD: ALL\n", c.User.Name, c.System.Hostname())
		return 0
	case o.has("v"):
		return 0
	case len(a) == 0:
		a = []string{"/bin/sh"}
	}
	n := c.as(u)
	n.Args = a
	n.Env = append(c.sudoEnv(u, o), vars...)
	if o.has("i") {
		n.Dir = u.Home
		n.Files = c.System.view(n)
	}
	if _, err := n.find(a[0]); err != nil {
		fmt.Fprintf(c.Err, "sudo: %s: command not found\n", a[0])
		return 1
	}
	return n.Run(ctx)
}

// sudoEnv is the environment of what sudo runs: its own, or with -E the caller's with root's PATH.
func (c *Call) sudoEnv(u disk.User, o options) []string {
	own := []string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=/bin/sh", "PATH=" + rootPath, "LANG=C.UTF-8",
		"SUDO_USER=" + c.User.Name, "SUDO_UID=" + strconv.Itoa(c.User.UID)}
	if !o.has("E") {
		return own
	}
	kept := append([]string(nil), c.Env...)
	for _, v := range own {
		k, _, _ := strings.Cut(v, "=")
		if k == "HOME" && !o.has("H") && c.Getenv("HOME") != "" {
			continue
		}
		kept = append(without(kept, k), v)
	}
	return kept
}

func (c *Call) mayBecomeRoot() bool {
	return c.User.UID == 0 || c.System.Sudo == nil || c.System.Sudo(c.User.Name)
}

// nap waits, or until the session ends; it reports whether the whole time passed.
func nap(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// span reads "5", "0.2", "1m".
func span(s string) (time.Duration, error) {
	unit := time.Second
	for suffix, u := range map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour} {
		if t, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = t, u
			break
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err == nil && f < 0 {
		err = errors.New("negative")
	}
	return time.Duration(f * float64(unit)), err
}

func sleep(ctx context.Context, c *Call) int {
	o, err := c.parse()
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		return c.usage("%v", err)
	}
	var whole time.Duration
	for _, a := range o.args {
		if a == "infinity" {
			<-ctx.Done()
			return 130
		}
		d, err := span(a)
		if err != nil {
			return c.usage("invalid time interval '%s'", a)
		}
		whole += d
	}
	if !nap(ctx, whole) {
		return 130
	}
	return 0
}

// signals are the names that kill and timeout take.
func signals() map[string]int {
	return map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15, "CONT": 18, "STOP": 19}
}

// signal is a signal's number by its name or as it is.
func signal(s string) (int, error) {
	if n, ok := signals()[strings.TrimPrefix(strings.ToUpper(s), "SIG")]; ok {
		return n, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 64 {
		return 0, fmt.Errorf("'%s': invalid signal", s)
	}
	return n, nil
}

func timeout(ctx context.Context, c *Call) int {
	o, err := c.parseLeading("s:", "k:", "signal=", "kill-after=", "foreground", "preserve-status")
	name, status := "TERM", 124
	if o.has("s", "signal") {
		name = o.value("s", "signal")
	}
	sig := 0
	if err == nil {
		sig, err = signal(name)
	}
	if err == nil && o.has("k", "kill-after") {
		_, err = span(o.value("k", "kill-after"))
	}
	if err == nil && len(o.args) < 2 {
		err = errors.New("missing operand")
	}
	var d time.Duration
	if err == nil {
		if d, err = span(o.args[0]); err != nil {
			err = fmt.Errorf("invalid time interval '%s'", o.args[0])
		}
	}
	if err != nil {
		c.usage("%v", err)
		return statusUsage
	}
	if o.has("preserve-status") || sig == signals()["KILL"] { // the program's own end is told
		status = 128 + sig
	}
	n := c.with(o.args[1:])
	if d == 0 {
		return n.Run(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	done := make(chan int, 1)
	go func() { done <- n.Run(ctx) }()
	select {
	case rc := <-done:
		if ctx.Err() == context.DeadlineExceeded {
			return status
		}
		return rc
	case <-ctx.Done():
		if sig == signals()["KILL"] {
			fmt.Fprintln(c.Err, "Killed") // what the shell says of timeout itself
		}
		return status
	}
}

func nohup(ctx context.Context, c *Call) int {
	o, err := c.parseLeading()
	if err == nil && len(o.args) == 0 {
		err = errors.New("missing operand")
	}
	if err != nil {
		c.usage("%v", err)
		return statusUsage
	}
	return c.with(o.args).Run(ctx)
}
