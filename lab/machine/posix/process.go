package posix

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func sh(ctx context.Context, c *Call) int {
	a := c.Args[1:]
	flags := ""
	for len(a) > 0 && strings.HasPrefix(a[0], "-") && a[0] != "-c" && a[0] != "-s" && a[0] != "--" {
		flags += "set " + a[0] + "\n"
		a = a[1:]
	}
	switch {
	case len(a) > 1 && a[0] == "-c":
		var params []string
		if len(a) > 3 {
			params = a[3:]
		}
		return c.script(ctx, flags+a[1], params)
	case len(a) == 0, a[0] == "-s", a[0] == "-":
		b, err := io.ReadAll(c.In)
		if err != nil {
			return c.fail(err)
		}
		var params []string
		if len(a) > 1 {
			params = a[1:]
			if params[0] == "--" {
				params = params[1:]
			}
		}
		n := c.with(c.Args)
		n.In = strings.NewReader("")
		return n.script(ctx, flags+string(b), params)
	}
	b, err := c.Files.ReadFile(a[0])
	if err != nil {
		fmt.Fprintf(c.Err, "sh: 0: cannot open %s: %s\n", a[0], reason(err))
		return 2
	}
	return c.script(ctx, flags+string(b), a[1:])
}

func env(ctx context.Context, c *Call) int {
	a := c.Args[1:]
	n := c.with(nil)
	n.Env = append([]string(nil), c.Env...)
	for len(a) > 0 {
		switch {
		case a[0] == "-i" || a[0] == "-":
			n.Env = nil
		case a[0] == "-u" && len(a) > 1:
			a = a[1:]
			n.Env = without(n.Env, a[0])
		case a[0] == "--":
		case strings.HasPrefix(a[0], "-"):
			return c.usage("invalid option '%s'", a[0])
		case strings.Contains(a[0], "="):
			k, _, _ := cut(a[0])
			n.Env = append(without(n.Env, k), a[0])
		default:
			n.Args = a
			return n.Run(ctx)
		}
		a = a[1:]
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
	a, to := c.Args[1:], "root"
	login := false
	var vars []string
	for len(a) > 0 && (strings.HasPrefix(a[0], "-") || strings.Contains(a[0], "=")) {
		s := a[0]
		a = a[1:]
		switch {
		case s == "--":
		case s == "-n", s == "-E", s == "-H", s == "-S", s == "--non-interactive":
			continue
		case s == "-i":
			login = true
			continue
		case s == "-u" && len(a) > 0:
			to, a = a[0], a[1:]
			continue
		case s == "-v", s == "-l":
			if !c.mayBecomeRoot() {
				return c.password()
			}
			return 0
		case !strings.HasPrefix(s, "-"):
			vars = append(vars, s)
			continue
		default:
			fmt.Fprintf(c.Err, "sudo: invalid option -- '%s'\n", strings.TrimLeft(s, "-"))
			return 1
		}
		break // "--" ends the options
	}
	if !c.mayBecomeRoot() {
		return c.password()
	}
	u, ok := c.System.account(to)
	if !ok {
		fmt.Fprintf(c.Err, "sudo: unknown user %s\n", to)
		return 1
	}
	if len(a) == 0 {
		if !login {
			fmt.Fprintln(c.Err, "usage: sudo -h | -K | -k | -V")
			return 1
		}
		a = []string{"/bin/sh"}
	}
	n := c.as(u)
	n.Args = a
	n.Env = append([]string{"HOME=" + u.Home, "USER=" + u.Name, "LOGNAME=" + u.Name, "SHELL=/bin/sh", "PATH=" + rootPath, "LANG=C.UTF-8",
		"SUDO_USER=" + c.User.Name, "SUDO_UID=" + strconv.Itoa(c.User.UID)}, vars...)
	if login {
		n.Dir = u.Home
		n.Files = c.System.view(n)
	}
	if _, err := n.find(a[0]); err != nil {
		fmt.Fprintf(c.Err, "sudo: %s: command not found\n", a[0])
		return 1
	}
	return n.Run(ctx)
}

func (c *Call) mayBecomeRoot() bool {
	return c.User.UID == 0 || c.System.Sudo == nil || c.System.Sudo(c.User.Name)
}

func (c *Call) password() int {
	fmt.Fprintln(c.Err, "sudo: a password is required")
	return 1
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
	for suffix, u := range map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour} {
		if t, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = t, u
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return time.Duration(f * float64(unit)), err
}

func sleep(ctx context.Context, c *Call) int {
	if len(c.Args) < 2 {
		return c.usage("missing operand")
	}
	for _, a := range c.Args[1:] {
		if a == "infinity" {
			<-ctx.Done()
			return 130
		}
		d, err := span(a)
		if err != nil {
			return c.usage("invalid time interval '%s'", a)
		}
		if !nap(ctx, d) {
			return 130
		}
	}
	return 0
}

func timeout(ctx context.Context, c *Call) int {
	a := c.Args[1:]
	for len(a) > 0 && strings.HasPrefix(a[0], "-") {
		if (a[0] == "-s" || a[0] == "-k") && len(a) > 1 {
			a = a[1:]
		}
		a = a[1:]
	}
	if len(a) < 2 {
		c.usage("missing operand")
		return 125
	}
	d, err := span(a[0])
	if err != nil {
		c.usage("invalid time interval '%s'", a[0])
		return 125
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	n := c.with(a[1:])
	done := make(chan int, 1)
	go func() { done <- n.Run(ctx) }()
	select {
	case status := <-done:
		if ctx.Err() == context.DeadlineExceeded {
			return 124
		}
		return status
	case <-ctx.Done():
		return 124
	}
}

func nohup(ctx context.Context, c *Call) int {
	if len(c.Args) < 2 {
		return c.usage("missing operand")
	}
	return c.with(c.Args[1:]).Run(ctx)
}

// xargs knows -0, -r, -n and -I.
func xargs(ctx context.Context, c *Call) int {
	o := struct {
		null, skipEmpty bool
		max             int
		replace         string
	}{}
	a := c.Args[1:]
	for len(a) > 0 && strings.HasPrefix(a[0], "-") {
		var err error
		switch {
		case a[0] == "-0":
			o.null = true
		case a[0] == "-r":
			o.skipEmpty = true
		case a[0] == "-0r" || a[0] == "-r0":
			o.null, o.skipEmpty = true, true
		case a[0] == "-n" && len(a) > 1:
			o.max, err = strconv.Atoi(a[1])
			a = a[1:]
		case a[0] == "-I" && len(a) > 1:
			o.replace, a = a[1], a[1:]
		default:
			return c.usage("invalid option '%s'", a[0])
		}
		if err != nil {
			return c.usage("%v", err)
		}
		a = a[1:]
	}
	if len(a) == 0 {
		a = []string{"echo"}
	}
	b, err := io.ReadAll(c.In)
	if err != nil {
		return c.fail(err)
	}
	var words []string
	switch {
	case o.null:
		words = strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	case o.replace != "":
		words = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	default:
		words = strings.Fields(string(b))
	}
	if len(b) == 0 {
		words = nil
	}
	if len(words) == 0 && (o.skipEmpty || o.replace != "") {
		return 0
	}
	if o.max == 0 {
		o.max = max(1, len(words))
	}
	if o.replace != "" {
		o.max = 1
	}
	status := 0
	for first := true; first || len(words) > 0; first = false {
		n := min(o.max, len(words))
		args := append([]string(nil), a...)
		if o.replace != "" {
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], o.replace, words[0])
			}
		} else {
			args = append(args, words[:n]...)
		}
		words = words[n:]
		run := c.with(args)
		run.In = strings.NewReader("")
		if run.Run(ctx) != 0 {
			status = 123
		}
	}
	return status
}

func pgrep(_ context.Context, c *Call) int {
	o, err := c.parse("f", "x", "a", "l", "c", "o", "n")
	if err != nil || len(o.args) != 1 {
		return c.usage("only one pattern can be provided")
	}
	re, err := regexp.Compile(o.args[0])
	if err != nil {
		return c.usage("%v", err)
	}
	found, count := 1, 0
	for _, p := range c.System.processes() {
		subject := p.Command
		if !o.has("f") {
			subject = strings.Fields(p.Command)[0]
			subject = subject[strings.LastIndex(subject, "/")+1:]
		}
		if m := re.FindString(subject); m == "" || o.has("x") && m != subject {
			continue
		}
		found = 0
		count++
		switch {
		case o.has("c"):
		case o.has("a"):
			fmt.Fprintln(c.Out, p.PID, p.Command)
		default:
			fmt.Fprintln(c.Out, p.PID)
		}
	}
	if o.has("c") {
		fmt.Fprintln(c.Out, count)
	}
	return found
}

func (s *System) processes() []Process {
	if s.Processes == nil {
		return nil
	}
	return s.Processes()
}

func kill(_ context.Context, c *Call) int {
	status := 0
	probe := false
	for _, a := range c.Args[1:] {
		if strings.HasPrefix(a, "-") {
			probe = a == "-0"
			continue
		}
		pid, err := strconv.Atoi(a)
		if err != nil {
			return c.usage("Illegal pid: %s", a)
		}
		exists := false
		for _, p := range c.System.processes() {
			exists = exists || p.PID == pid
		}
		switch {
		case !exists:
			fmt.Fprintf(c.Err, "sh: 1: kill: No such process\n")
			status = 1
		case c.User.UID != 0:
			fmt.Fprintf(c.Err, "sh: 1: kill: Operation not permitted\n")
			status = 1
		case !probe && c.System.Kill != nil:
			c.System.Kill(pid)
		}
	}
	return status
}
