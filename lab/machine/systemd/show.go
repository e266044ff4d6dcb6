package systemd

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/posix"
)

func stamp(t time.Time, o options) string {
	switch {
	case t.IsZero():
		return ""
	case o.unix:
		return "@" + strconv.FormatInt(t.Unix(), 10)
	}
	return t.UTC().Format("Mon 2006-01-02 15:04:05 UTC")
}

// up is how long the machine has been on, by the clock that nobody sets. Both moments move when the other one is set.
func (m *Manager) up() time.Duration { return m.opts.Now().Sub(m.opts.Booted()) }

// invocation is a new name for a start of a service.
func invocation() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // it never fails
	return fmt.Sprintf("%x", id)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (m *Manager) showAll(c *posix.Call, o options) int {
	for i, name := range o.units {
		if i > 0 {
			fmt.Fprintln(c.Out)
		}
		if rc := m.show(c, name, o); rc != 0 {
			return rc
		}
	}
	return 0
}

// show prints properties in systemd's own order, whatever order they were asked for in. Those that it does not have are refused.
func (m *Manager) show(c *posix.Call, name string, o options) int {
	ps := m.properties(name, o)
	for _, want := range o.properties {
		if !slices.ContainsFunc(ps, func(p [2]string) bool { return p[0] == want }) {
			fmt.Fprintf(c.Err, "systemctl: the property %s is not in the lab\n", want)
			return exitFailed
		}
	}
	for _, p := range ps {
		switch {
		case len(o.properties) > 0 && !slices.Contains(o.properties, p[0]):
		case o.value:
			fmt.Fprintln(c.Out, p[1])
		default:
			fmt.Fprintf(c.Out, "%s=%s\n", p[0], p[1])
		}
	}
	return 0
}

func (m *Manager) properties(name string, o options) [][2]string {
	s, known := m.look(name)
	monotonic := func(up time.Duration) string { return strconv.FormatInt(up.Microseconds(), 10) }
	loaded := "loaded"
	switch {
	case s.unit.masked:
		loaded = "masked"
	case s.unit.path == "" && !known:
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
	return [][2]string{
		{"Type", "simple"}, {"Restart", s.unit.restart}, {"MainPID", strconv.Itoa(s.pid)}, {"Result", result}, {"NRestarts",
			strconv.Itoa(s.restarts)},
		{"ExecMainStartTimestamp", stamp(s.entered, o)}, {"ExecMainStartTimestampMonotonic", monotonic(s.enteredUp)}, {"ExecMainPID",
			strconv.Itoa(s.pid)},
		{"ExecMainStatus", strconv.Itoa(s.status)}, {"ExecStart", command}, {"Environment", strings.Join(s.unit.environment, " ")},
		{"EnvironmentFiles", environmentFiles(s.unit.files)}, {"Id", name + ".service"}, {"Names", name + ".service"}, {"Description",
			s.unit.description},
		{"LoadState", loaded}, {"ActiveState", s.state}, {"SubState", s.sub}, {"FragmentPath", s.unit.path}, {"DropInPaths",
			strings.Join(s.unit.dropIns, " ")},
		{"UnitFileState", m.fileState(name)}, {"StateChangeTimestamp", stamp(later(s.entered, s.left), o)}, {"ActiveEnterTimestamp",
			stamp(s.entered, o)},
		{"ActiveEnterTimestampMonotonic", monotonic(s.enteredUp)}, {"ActiveExitTimestamp", stamp(s.left, o)}, {"InactiveEnterTimestamp",
			stamp(s.left, o)},
		{"InactiveEnterTimestampMonotonic", monotonic(s.leftUp)}, {"NeedDaemonReload", "no"}, {"InvocationID", s.invocation},
	}
}

func environmentFiles(files []string) string {
	var out []string
	for _, f := range files {
		name, optional := strings.CutPrefix(f, "-")
		out = append(out, fmt.Sprintf("%s (ignore_errors=%s)", name, map[bool]string{true: "yes", false: "no"}[optional]))
	}
	return strings.Join(out, " ")
}
