package systemd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/posix"
)

// Systemctl is the program.
func (m *Manager) Systemctl(_ context.Context, c *posix.Call) int {
	var verb string
	var units, props []string
	o := options{}
	a := c.Args[1:]
	for i := 0; i < len(a); i++ {
		s := a[i]
		switch {
		case s == "-p" || s == "--property":
			if i++; i < len(a) {
				props = append(props, strings.Split(a[i], ",")...)
			}
		case strings.HasPrefix(s, "-p"):
			props = append(props, strings.Split(s[2:], ",")...)
		case strings.HasPrefix(s, "--property="):
			props = append(props, strings.Split(s[len("--property="):], ",")...)
		case s == "--value":
			o.value = true
		case s == "--timestamp=unix":
			o.unix = true
		case s == "--quiet" || s == "-q":
			o.quiet = true
		case s == "--now":
			o.now = true
		case slices.Contains([]string{"--no-pager", "--no-block", "--full", "-l", "--plain", "--no-legend", "--force", "-f", "--system", "--all", "-a", "--no-ask-password", "--wait"}, s):
		case s == "-n" || s == "--lines":
			i++
		case strings.HasPrefix(s, "--lines="), strings.HasPrefix(s, "-n"):
		case strings.HasPrefix(s, "-"):
			fmt.Fprintf(c.Err, "systemctl: unrecognized option '%s'\n", s)
			return 1
		case verb == "":
			verb = s
		default:
			units = append(units, strings.TrimSuffix(s, ".service"))
		}
	}
	switch verb {
	case "daemon-reload", "daemon-reexec":
		if c.User.UID != 0 {
			return denied(c, "reload daemon")
		}
		return 0
	case "reboot":
		if c.User.UID != 0 || m.opts.Reboot == nil {
			return denied(c, "reboot system")
		}
		m.opts.Reboot()
		return 0
	case "is-system-running":
		fmt.Fprintln(c.Out, "running")
		return 0
	case "list-units", "list-unit-files", "":
		return m.list(c)
	case "--version":
		fmt.Fprintln(c.Out, "systemd 252 (252.36-1~deb12u1)")
		return 0
	}
	if len(units) == 0 {
		fmt.Fprintln(c.Err, "Too few arguments.")
		return 1
	}
	status := 0
	for i, u := range units {
		if i > 0 && verb == "show" {
			fmt.Fprintln(c.Out)
		}
		if rc := m.verb(c, verb, u, props, o); rc != 0 && status == 0 {
			status = rc
		}
	}
	return status
}

type options struct{ value, unix, quiet, now bool }

func denied(c *posix.Call, what string) int {
	fmt.Fprintf(c.Err, "Failed to %s: Interactive authentication required.\n", what)
	return 1
}

func (m *Manager) verb(c *posix.Call, verb, name string, props []string, o options) int {
	switch verb {
	case "start", "stop", "restart", "try-restart", "reload-or-restart", "enable", "disable", "reset-failed", "kill", "mask", "unmask":
		if c.User.UID != 0 {
			return denied(c, verb+" "+name+".service")
		}
	}
	var err error
	switch verb {
	case "start":
		err = m.Start(name)
	case "stop":
		err = m.Stop(name)
	case "restart", "reload-or-restart":
		if _, ok := load(m.opts.Files, name); !ok {
			err = ErrNoUnit
		} else if err = m.Stop(name); err == nil {
			err = m.Start(name)
		}
	case "try-restart":
		if m.Running(name) {
			if err = m.Stop(name); err == nil {
				err = m.Start(name)
			}
		}
	case "enable", "disable":
		if verb == "enable" {
			err = m.Enable(c.Files, name)
		} else {
			err = m.Disable(c.Files, name)
		}
		if err == nil && o.now {
			return m.verb(c, map[string]string{"enable": "start", "disable": "stop"}[verb], name, nil, o)
		}
	case "reset-failed":
		m.mu.Lock()
		if s := m.services[name]; s != nil {
			s.restarts = 0
			if s.state == failed {
				s.state, s.sub = inactive, "dead"
			}
		}
		m.mu.Unlock()
	case "kill":
		for _, p := range m.Processes() {
			if p.Unit == name {
				m.Kill(p.PID)
			}
		}
	case "show":
		m.show(c, name, props, o)
	case "cat":
		b, rerr := c.Files.ReadFile(unitPath(name))
		if rerr != nil {
			fmt.Fprintf(c.Err, "No files found for %s.service.\n", name)
			return 1
		}
		fmt.Fprintf(c.Out, "# %s\n%s", unitPath(name), b)
	case "is-active", "is-failed":
		s, known := m.look(name)
		if !o.quiet {
			fmt.Fprintln(c.Out, s.state)
		}
		switch {
		case verb == "is-active" && s.state == active, verb == "is-failed" && s.state == failed:
			return 0
		case !known:
			return 4
		}
		return 3
	case "is-enabled":
		return m.isEnabled(c, name, o)
	case "status":
		return m.status(c, name)
	default:
		fmt.Fprintf(c.Err, "Unknown command verb %s.\n", verb)
		return 1
	}
	switch {
	case err == ErrNoUnit && (verb == "enable" || verb == "disable"):
		fmt.Fprintf(c.Err, "Failed to %s unit: Unit file %s.service does not exist.\n", verb, name)
		return 1
	case err == ErrNoUnit:
		fmt.Fprintf(c.Err, "Failed to %s %s.service: Unit %s.service not found.\n", verb, name, name)
		return 5
	case err != nil:
		fmt.Fprintf(c.Err, "Failed to %s %s.service: %v\n", verb, name, err)
		return 1
	}
	return 0
}

// look copies a service's state; known is false when there is neither a unit file nor a running service.
func (m *Manager) look(name string) (service, bool) {
	u, loaded := load(m.opts.Files, name)
	m.mu.Lock()
	defer m.mu.Unlock()
	s := service{state: inactive, sub: "dead"}
	if known := m.services[name]; known != nil {
		s = *known
		s.journal.lines = slices.Clone(known.journal.lines)
	}
	if loaded {
		s.unit = u
	} else {
		s.unit.path = ""
	}
	return s, loaded || s.state != inactive
}

func (m *Manager) isEnabled(c *posix.Call, name string, o options) int {
	if _, err := c.Files.Stat(unitPath(name)); err != nil {
		fmt.Fprintf(c.Err, "Failed to get unit file state for %s.service: No such file or directory\n", name)
		return 1
	}
	word, rc := "disabled", 1
	if m.Enabled(name) {
		word, rc = "enabled", 0
	}
	if !o.quiet {
		fmt.Fprintln(c.Out, word)
	}
	return rc
}

func stamp(t time.Time, o options) string {
	switch {
	case t.IsZero():
		return ""
	case o.unix:
		return "@" + strconv.FormatInt(t.Unix(), 10)
	}
	return t.UTC().Format("Mon 2006-01-02 15:04:05 UTC")
}

// show prints properties in systemd's own order, whatever order they were asked for in.
func (m *Manager) show(c *posix.Call, name string, want []string, o options) {
	s, known := m.look(name)
	monotonic := func(t time.Time) string {
		if t.IsZero() {
			return "0"
		}
		return strconv.FormatInt(t.Sub(m.opts.Booted()).Microseconds(), 10)
	}
	loaded, fileState := "loaded", ""
	if s.unit.path != "" {
		fileState = "disabled"
		if m.Enabled(name) {
			fileState = "enabled"
		}
	} else if !known {
		loaded = "not-found"
	}
	result := "success"
	if s.status != 0 {
		result = "exit-code"
	}
	command := ""
	if len(s.unit.exec) > 0 {
		command = fmt.Sprintf("{ path=%s ; argv[]=%s ; ignore_errors=no }", s.unit.exec[0], strings.Join(s.unit.exec, " "))
	}
	for _, p := range [][2]string{
		{"Type", "simple"}, {"Restart", s.unit.restart}, {"MainPID", strconv.Itoa(s.pid)}, {"Result", result}, {"NRestarts", strconv.Itoa(s.restarts)},
		{"ExecMainStartTimestamp", stamp(s.entered, o)}, {"ExecMainStartTimestampMonotonic", monotonic(s.entered)}, {"ExecMainPID", strconv.Itoa(s.pid)},
		{"ExecMainStatus", strconv.Itoa(s.status)}, {"ExecStart", command}, {"Environment", strings.Join(s.unit.environment, " ")},
		{"Id", name + ".service"}, {"Names", name + ".service"}, {"Description", s.unit.description}, {"LoadState", loaded}, {"ActiveState", s.state},
		{"SubState", s.sub}, {"FragmentPath", s.unit.path}, {"UnitFileState", fileState},
		{"StateChangeTimestamp", stamp(later(s.entered, s.left), o)}, {"ActiveEnterTimestamp", stamp(s.entered, o)}, {"ActiveEnterTimestampMonotonic", monotonic(s.entered)},
		{"ActiveExitTimestamp", stamp(s.left, o)}, {"InactiveEnterTimestamp", stamp(s.left, o)}, {"InactiveEnterTimestampMonotonic", monotonic(s.left)}, {"NeedDaemonReload", "no"},
	} {
		if len(want) > 0 && !slices.Contains(want, p[0]) {
			continue
		}
		if o.value {
			fmt.Fprintln(c.Out, p[1])
		} else {
			fmt.Fprintf(c.Out, "%s=%s\n", p[0], p[1])
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *Manager) status(c *posix.Call, name string) int {
	s, known := m.look(name)
	if !known {
		fmt.Fprintf(c.Err, "Unit %s.service could not be found.\n", name)
		return 4
	}
	dot, since := "●", s.entered
	if s.state == inactive {
		dot, since = "○", s.left
	}
	enabled := "disabled"
	if m.Enabled(name) {
		enabled = "enabled"
	}
	fmt.Fprintf(c.Out, "%s %s.service - %s\n     Loaded: loaded (%s; %s; preset: enabled)\n     Active: %s (%s)", dot, name, s.unit.description, s.unit.path, enabled, s.state, s.sub)
	if !since.IsZero() {
		fmt.Fprintf(c.Out, " since %s; %s ago", stamp(since, options{}), m.opts.Now().Sub(since).Round(time.Second))
	}
	fmt.Fprintln(c.Out)
	if s.pid != 0 {
		fmt.Fprintf(c.Out, "   Main PID: %d (%s)\n", s.pid, lastElement(s.unit.exec))
	}
	fmt.Fprintln(c.Out)
	for _, l := range s.journal.lines[max(0, len(s.journal.lines)-10):] {
		fmt.Fprintln(c.Out, l)
	}
	if s.state == active {
		return 0
	}
	return 3
}

func lastElement(argv []string) string {
	if len(argv) == 0 {
		return "?"
	}
	return argv[0][strings.LastIndex(argv[0], "/")+1:]
}

func (m *Manager) list(c *posix.Call) int {
	infos, err := m.opts.Files.ReadDir(folder)
	if err != nil {
		return 0
	}
	for _, i := range infos {
		if n, ok := strings.CutSuffix(i.Name(), ".service"); ok {
			s, _ := m.look(n)
			fmt.Fprintf(c.Out, "  %s.service loaded %s %s %s\n", n, s.state, s.sub, s.unit.description)
		}
	}
	return 0
}

// Journalctl is the program: -u UNIT, -n COUNT; what else only shapes the output is accepted.
func (m *Manager) Journalctl(_ context.Context, c *posix.Call) int {
	name, n := "", 0
	a := c.Args[1:]
	for i := 0; i < len(a); i++ {
		arg := func() string {
			if i++; i < len(a) {
				return a[i]
			}
			return ""
		}
		switch s := a[i]; {
		case s == "-u" || s == "--unit":
			name = arg()
		case strings.HasPrefix(s, "--unit="):
			name = s[len("--unit="):]
		case s == "-n" || s == "--lines":
			n, _ = strconv.Atoi(arg())
		case strings.HasPrefix(s, "--lines="), strings.HasPrefix(s, "-n"):
			n, _ = strconv.Atoi(strings.TrimPrefix(strings.TrimPrefix(s, "--lines="), "-n"))
		case s == "-o" || s == "--since" || s == "-p" || s == "--output":
			arg()
		case strings.HasPrefix(s, "-u"):
			name = s[2:]
		}
	}
	name = strings.TrimSuffix(name, ".service")
	s, _ := m.look(name)
	ls := s.journal.lines
	if n > 0 {
		ls = ls[max(0, len(ls)-n):]
	}
	if len(ls) == 0 {
		fmt.Fprintln(c.Out, "-- No entries --")
	}
	for _, l := range ls {
		fmt.Fprintln(c.Out, l)
	}
	return 0
}
