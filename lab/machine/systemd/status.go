package systemd

import (
	"fmt"
	"strings"
	"time"

	"kiban.dev/kiban/lab/machine/posix"
)

func (m *Manager) statusAll(c *posix.Call, o options) int {
	status := 0
	for i, name := range o.units {
		if i > 0 {
			fmt.Fprintln(c.Out)
		}
		if rc := m.status(c, name, o.lines); status == 0 {
			status = rc
		}
	}
	return status
}

func (m *Manager) status(c *posix.Call, name string, lines int) int {
	s, known := m.look(name)
	if !known {
		fmt.Fprintf(c.Err, "Unit %s.service could not be found.\n", name)
		return exitNoSuchUnit
	}
	dot, since := "●", s.entered
	switch s.state {
	case inactive:
		dot, since = "○", s.left
	case failed:
		dot, since = "×", s.left
	}
	loaded := fmt.Sprintf("loaded (%s; %s; preset: enabled)", s.unit.path, m.fileState(name))
	if s.unit.masked {
		loaded = fmt.Sprintf("masked (Reason: Unit %s.service is masked.)", name)
	}
	fmt.Fprintf(c.Out, "%s %s.service - %s\n     Loaded: %s\n", dot, name, s.unit.description, loaded)
	if len(s.unit.dropIns) > 0 {
		fmt.Fprintf(c.Out, "    Drop-In: %s\n", strings.Join(s.unit.dropIns, " "))
	}
	fmt.Fprintf(c.Out, "     Active: %s (%s)", s.state, s.sub)
	if !since.IsZero() {
		fmt.Fprintf(c.Out, " since %s; %s ago", stamp(since, options{}), m.opts.Now().Sub(since).Round(time.Second))
	}
	fmt.Fprintln(c.Out)
	if s.pid != 0 {
		fmt.Fprintf(c.Out, "   Main PID: %d (%s)\n", s.pid, lastElement(s.unit.exec))
	}
	fmt.Fprintln(c.Out)
	for _, e := range s.journal.last(journalOptions{lines: lines}) {
		fmt.Fprintln(c.Out, e.in("short"))
	}
	if s.state == active {
		return 0
	}
	return exitNotActive
}

func lastElement(argv []string) string {
	if len(argv) == 0 {
		return "?"
	}
	return argv[0][strings.LastIndex(argv[0], "/")+1:]
}
