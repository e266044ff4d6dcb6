package systemd

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lab/machine/posix"
)

// Exit codes of systemctl (systemctl(1), "EXIT STATUS", and LSB's for start and its like).
const (
	exitFailed       = 1
	exitNotFailed    = 1 // of is-failed
	exitNotActive    = 3
	exitNoSuchUnit   = 4
	exitNotInstalled = 5
)

// Systemctl is the program.
func (m *Manager) Systemctl(_ context.Context, c *posix.Call) int {
	o, err := parse(c.Args[1:])
	if err != nil {
		fmt.Fprintf(c.Err, "systemctl: %v\n", err)
		return exitFailed
	}
	if o.version {
		fmt.Fprintln(c.Out, "systemd 252 (252.36-1~deb12u1)")
		return 0
	}
	switch o.verb {
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
	case "list-units", "":
		return m.list(c, o)
	}
	do, changes, known := m.verb(o.verb)
	switch {
	case !known:
		fmt.Fprintf(c.Err, "Unknown command verb %s.\n", o.verb)
		return exitFailed
	case len(o.units) == 0:
		fmt.Fprintln(c.Err, "Too few arguments.")
		return exitFailed
	case changes && c.User.UID != 0:
		return denied(c, o.verb+" "+o.units[0]+".service")
	}
	return do(c, o)
}

func denied(c *posix.Call, what string) int {
	fmt.Fprintf(c.Err, "Failed to %s: Interactive authentication required.\n", what)
	return exitFailed
}

// verb is what does a verb for all the units that are named, and whether only root may.
func (m *Manager) verb(verb string) (do func(*posix.Call, options) int, changes, known bool) {
	switch verb {
	case "start", "stop", "restart", "try-restart", "reload-or-restart", "reset-failed", "kill":
		return m.run, true, true
	case "enable", "disable", "reenable", "mask", "unmask":
		return m.files, true, true
	case "is-active", "is-failed":
		return m.is, false, true
	case "is-enabled":
		return m.isEnabled, false, true
	case "show":
		return m.showAll, false, true
	case "cat":
		return m.cat, false, true
	case "status":
		return m.statusAll, false, true
	}
	return nil, false, false
}

// run does what changes running services.
func (m *Manager) run(c *posix.Call, o options) int {
	status := 0
	for _, name := range o.units {
		err := m.runOne(o.verb, name)
		rc := exitFailed
		switch {
		case err == nil:
			continue
		case errors.Is(err, ErrNoUnit) && (o.verb == "kill" || o.verb == "reset-failed"):
			err = fmt.Errorf("Unit %s.service not loaded.", name)
		case errors.Is(err, ErrNoUnit) && o.verb == "stop":
			err, rc = fmt.Errorf("Unit %s.service not loaded.", name), exitNotInstalled
		case errors.Is(err, ErrNoUnit):
			err, rc = fmt.Errorf("Unit %s.service not found.", name), exitNotInstalled
		case errors.Is(err, ErrMasked):
			err = fmt.Errorf("Unit %s.service is masked.", name)
		}
		fmt.Fprintf(c.Err, "Failed to %s %s.service: %v\n", o.verb, name, err)
		if status == 0 {
			status = rc
		}
	}
	return status
}

func (m *Manager) runOne(verb, name string) error {
	u, loaded := load(m.opts.Files, name)
	_, known := m.look(name)
	switch verb {
	case "start":
		return m.Start(name)
	case "stop":
		return m.Stop(name)
	case "restart", "reload-or-restart", "try-restart":
		switch {
		case !loaded:
			return ErrNoUnit
		case u.masked && verb != "try-restart":
			return ErrMasked
		case verb == "try-restart" && !m.Running(name):
			return nil
		}
		if err := m.Stop(name); err != nil {
			return err
		}
		return m.Start(name)
	}
	if !known {
		return ErrNoUnit
	}
	if verb == "kill" {
		for _, p := range m.Processes() {
			if p.Unit == name {
				m.Kill(p.PID)
			}
		}
		return nil
	}
	m.resetFailed(name)
	return nil
}

func (m *Manager) resetFailed(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.services[name]; s != nil {
		s.restarts = 0
		if s.state == failed {
			s.state, s.sub = inactive, "dead"
		}
	}
}

// files does what changes unit files. What is wrong with one unit keeps those after it from being touched.
func (m *Manager) files(c *posix.Call, o options) int {
	for _, name := range o.units {
		_, ok := load(m.opts.Files, name)
		if !ok && o.verb != "mask" && o.verb != "unmask" && len(m.links(name)) == 0 {
			fmt.Fprintf(c.Err, "Failed to %s unit: Unit file %s.service does not exist.\n", strings.TrimPrefix(o.verb, "re"), name)
			return exitFailed
		}
	}
	for _, name := range o.units {
		made, removed, err := m.file(c, o.verb, name)
		if o.quiet {
			made, removed = nil, nil
		}
		for _, l := range removed {
			fmt.Fprintf(c.Err, "Removed \"%s\".\n", l)
		}
		for _, l := range made {
			to, _ := m.opts.Files.Readlink(l)
			fmt.Fprintf(c.Err, "Created symlink %s → %s.\n", l, to)
		}
		if errors.Is(err, ErrMasked) {
			err = fmt.Errorf("Unit file %s/%s.service is masked.", folder, name)
		}
		if err != nil {
			fmt.Fprintf(c.Err, "Failed to %s unit: %v\n", o.verb, err)
			return exitFailed
		}
		if u, _ := load(m.opts.Files, name); len(u.wantedBy) == 0 && o.verb == "enable" {
			fmt.Fprintln(c.Err, "The unit files have no installation config: they are not meant to be enabled.")
		}
	}
	if !o.now {
		return 0
	}
	switch o.verb {
	case "enable":
		o.verb = "start"
	case "disable", "mask":
		o.verb = "stop"
	default:
		return 0
	}
	return m.run(c, o)
}

func (m *Manager) file(c *posix.Call, verb, name string) (made, removed []string, err error) {
	link := []string{folder + "/" + name + ".service"}
	switch verb {
	case "enable":
		made, err = m.enable(c.Files, name)
	case "disable":
		removed, err = m.disable(c.Files, name)
	case "reenable":
		if removed, err = m.disable(c.Files, name); err == nil {
			made, err = m.enable(c.Files, name)
		}
	case "mask":
		if m.fileState(name) != "masked" {
			if err = mask(c.Files, name); err == nil {
				made = link
			}
		}
	case "unmask":
		if m.fileState(name) == "masked" {
			if err = unmask(c.Files, name); err == nil {
				removed = link
			}
		}
	}
	return made, removed, err
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

// is answers is-active and is-failed: 0 when at least one unit is so.
func (m *Manager) is(c *posix.Call, o options) int {
	found, unknown := false, true
	for _, name := range o.units {
		s, known := m.look(name)
		if !o.quiet {
			fmt.Fprintln(c.Out, s.state)
		}
		unknown = unknown && !known
		found = found || o.verb == "is-active" && s.state == active || o.verb == "is-failed" && s.state == failed
	}
	switch {
	case found:
		return 0
	case unknown:
		return exitNoSuchUnit
	case o.verb == "is-failed":
		return exitNotFailed
	}
	return exitNotActive
}

// isEnabled is 0 when at least one unit is enabled, or cannot be (static); a unit that is not there is an error.
func (m *Manager) isEnabled(c *posix.Call, o options) int {
	status := exitFailed
	for _, name := range o.units {
		state := m.fileState(name)
		if state == "" {
			fmt.Fprintf(c.Err, "Failed to get unit file state for %s.service: No such file or directory\n", name)
			return exitFailed
		}
		if state == "enabled" || state == "static" {
			status = 0
		}
		if !o.quiet {
			fmt.Fprintln(c.Out, state)
		}
	}
	return status
}

// cat shows a unit's files, drop-ins after it.
func (m *Manager) cat(c *posix.Call, o options) int {
	for i, name := range o.units {
		u, ok := load(m.opts.Files, name)
		switch {
		case !ok:
			fmt.Fprintf(c.Err, "No files found for %s.service.\n", name)
			return exitFailed
		case u.masked:
			fmt.Fprintf(c.Out, "# Unit %s.service is masked.\n", name)
			continue
		}
		if i > 0 {
			fmt.Fprintln(c.Out)
		}
		for j, p := range append([]string{u.path}, u.dropIns...) {
			b, err := c.Files.ReadFile(p)
			if err != nil {
				fmt.Fprintf(c.Err, "Failed to open %s: %v\n", p, err)
				return exitFailed
			}
			if j > 0 {
				fmt.Fprintln(c.Out)
			}
			fmt.Fprintf(c.Out, "# %s\n%s", p, b)
		}
	}
	return 0
}

// list shows the units that there are, or those that are named.
func (m *Manager) list(c *posix.Call, o options) int {
	infos, err := m.opts.Files.ReadDir(folder)
	if err != nil {
		return 0
	}
	for _, i := range infos {
		n, ok := strings.CutSuffix(i.Name(), ".service")
		if !ok || len(o.units) > 0 && !slices.Contains(o.units, n) {
			continue
		}
		s, _ := m.look(n)
		loaded := "loaded"
		if s.unit.masked {
			loaded = "masked"
		}
		fmt.Fprintf(c.Out, "  %s.service %s %s %s %s\n", n, loaded, s.state, s.sub, s.unit.description)
	}
	return 0
}
