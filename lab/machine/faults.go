package machine

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lab/machine/posix"
)

// faults are what is wrong with a machine beside k0s and its pods. Machine.mu guards it.
type faults struct {
	skew     time.Duration
	latency  time.Duration
	hang     bool
	auth     bool
	sudo     bool
	hostKey  ssh.Signer
	commands []*commandFault
	holds    []*held
	set      []string // as they were asked for, for status
}

// commandFault fails or holds programs whose command line matches.
type commandFault struct {
	match   *regexp.Regexp
	hold    chan struct{} // closed when the fault is cleared; nil: fail
	status  int
	message string
}

// FaultKind describes one thing that can be made to go wrong.
type FaultKind struct {
	Name, Args, Help string
	apply            func(m *Machine, args []string) error
}

// FaultKinds lists everything that can be made to go wrong.
func FaultKinds() []FaultKind {
	return []FaultKind{
		{"off", "", "power off: SSH refuses connections, services and pods are gone",
			func(m *Machine, _ []string) error { m.PowerOff(); return nil }},
		{"power-cut", "", "power off, and files that were written within 30 s and not synced are empty",
			func(m *Machine, _ []string) error { return m.LosePower() }},
		{"on", "", "power on: enabled services start", func(m *Machine, _ []string) error { return m.PowerOn() }},
		{"reboot", "", "power off and on", func(m *Machine, _ []string) error { m.PowerOff(); return m.PowerOn() }},
		{"clock", "OFFSET", "the clock is off by OFFSET (\"90s\", \"-5m\")",
			func(m *Machine, a []string) error { return m.duration(a, &m.faults.skew) }},
		{"latency", "DURATION", "what a client sends over SSH arrives DURATION late",
			func(m *Machine, a []string) error { return m.duration(a, &m.faults.latency) }},
		{"ssh-cut", "", "all SSH connections break now; new ones are accepted", func(m *Machine, _ []string) error { m.cut(); return nil }},
		{"ssh-hang", "", "new SSH connections are accepted and never answered; present ones break", func(m *Machine, _ []string) error {
			m.with(func(f *faults) { f.hang = true })
			m.cut()
			return nil
		}},
		{"ssh-auth", "", "no SSH key is accepted", func(m *Machine,
			_ []string) error {
			m.with(func(f *faults) { f.auth = true })
			return nil
		}},
		{"host-key", "", "the SSH host key is another one than known_hosts has", func(m *Machine, _ []string) error {
			k, err := newKey("", "")
			m.with(func(f *faults) { f.hostKey = k })
			return err
		}},
		{"sudo", "", "sudo wants a password", func(m *Machine, _ []string) error { m.with(func(f *faults) { f.sudo = true }); return nil }},
		{"disk-full", "", "writes fail with \"no space left on device\"",
			func(m *Machine, _ []string) error { m.disk.SetFull(true); return nil }},
		{"fail", "REGEXP [STATUS [MESSAGE]]", "programs whose command line matches fail (status 1)", (*Machine).failCommand},
		{"hang", "REGEXP", "programs whose command line matches hang until the fault is cleared", (*Machine).hangCommand},
		{"hold-before", "REGEXP [N]", "the Nth command line that matches is held before it runs, until its client is gone",
			func(m *Machine, a []string) error { return m.holdCommand(a, false) }},
		{"hold-after", "REGEXP [N]", "the same when it has run, before its client is told",
			func(m *Machine, a []string) error { return m.holdCommand(a, true) }},
		{"never-ready", "[VERSION]", "the node never becomes Ready from its next start on, with k0s of that version or of any",
			func(m *Machine, a []string) error {
				node, version := m.lab.fleet.Faults(m.k0s.Node()), strings.Join(a, "")
				node.NeverReadyVersion.Store(&version)
				node.NeverReady.Store(true)
				return nil
			}},
		{"hold-pods", "", "pods on the node do not end: a drain waits", func(m *Machine, _ []string) error {
			m.lab.fleet.Faults(m.k0s.Node()).HoldPods.Store(true)
			return nil
		}},
		{"crash", "[VERSION]", "the k0s service of that version, or of any, exits soon after each start", func(m *Machine,
			a []string) error {
			m.crash.Crash(strings.Join(a, ""), true)
			return nil
		}},
		{"unfit", "[VERSION]", "k0s of that version, or of any, rejects the machine: `k0s sysinfo` fails, and its service does not start",
			func(m *Machine, a []string) error { m.crash.Unfit(strings.Join(a, "")); return nil }},
		{"crash-serving", "[VERSION]", "a controller of that version, or of any, exits each time that its API server has answered",
			func(m *Machine, a []string) error { m.crash.CrashServing(strings.Join(a, "")); return nil }},
		{"slow-start", "DURATION", "a controller takes DURATION longer to start", func(m *Machine, a []string) error {
			var d time.Duration
			err := m.duration(a, &d)
			m.crash.SlowStart(d)
			return err
		}},
		{"corrupt", "[PATH]", "damage a file, /usr/local/bin/k0s by default (clearing does not mend it)", (*Machine).corrupt},
	}
}

var errArgs = errors.New("wrong number of arguments")

// Fault makes something go wrong, by the name of its FaultKind.
func (m *Machine) Fault(kind string, args ...string) error {
	kinds := FaultKinds()
	i := slices.IndexFunc(kinds, func(k FaultKind) bool { return k.Name == kind })
	if i < 0 {
		var names []string
		for _, k := range kinds {
			names = append(names, k.Name)
		}
		return fmt.Errorf("no fault %q; there are %s", kind, strings.Join(names, ", "))
	}
	if err := m.prepare(); err != nil {
		return err
	}
	if err := kinds[i].apply(m, args); err != nil {
		return fmt.Errorf("%s %s: %w", kind, kinds[i].Args, err)
	}
	said := strings.TrimSpace(kind + " " + strings.Join(args, " "))
	m.event("fault: " + said)
	switch kind {
	case "on", "off", "power-cut", "reboot", "ssh-cut", "corrupt":
	default:
		m.with(func(f *faults) { f.set = append(f.set, said) })
	}
	return nil
}

// ClearFaults makes everything well again, except damaged files; a machine that is off is switched on.
func (m *Machine) ClearFaults() error {
	m.with(func(f *faults) {
		for _, c := range f.commands {
			if c.hold != nil {
				close(c.hold)
			}
		}
		for _, h := range f.holds {
			close(h.free)
		}
		*f = faults{}
	})
	m.disk.SetFull(false)
	m.crash.Clear()
	node := m.lab.fleet.Faults(m.k0s.Node())
	node.NeverReady.Store(false)
	node.NeverReadyVersion.Store(nil)
	node.HoldPods.Store(false)
	m.event("faults cleared")
	return m.PowerOn()
}

// Faults lists the faults in force, as they were asked for.
func (m *Machine) Faults() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.faults.set)
}

func (m *Machine) with(do func(*faults)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do(&m.faults)
}

func (m *Machine) duration(args []string, to *time.Duration) error {
	if len(args) != 1 {
		return errArgs
	}
	d, err := time.ParseDuration(strings.TrimPrefix(args[0], "+"))
	if err != nil {
		return err
	}
	m.with(func(*faults) { *to = d })
	return nil
}

func (m *Machine) cut() {
	m.mu.Lock()
	s := m.server
	m.mu.Unlock()
	if s != nil {
		s.cut()
	}
}

func (m *Machine) failCommand(args []string) error {
	if len(args) < 1 || len(args) > 3 {
		return errArgs
	}
	re, err := regexp.Compile(args[0])
	if err != nil {
		return err
	}
	c := &commandFault{match: re, status: 1, message: "simulated failure"}
	if len(args) > 1 {
		if c.status, err = strconv.Atoi(args[1]); err != nil || c.status < 1 || c.status > 255 {
			return errors.New("the status is 1 to 255")
		}
	}
	if len(args) > 2 {
		c.message = args[2]
	}
	m.with(func(f *faults) { f.commands = append(f.commands, c) })
	return nil
}

func (m *Machine) hangCommand(args []string) error {
	if len(args) != 1 {
		return errArgs
	}
	re, err := regexp.Compile(args[0])
	if err != nil {
		return err
	}
	m.with(func(f *faults) { f.commands = append(f.commands, &commandFault{match: re, hold: make(chan struct{})}) })
	return nil
}

// intercept applies the faults that concern programs.
func (m *Machine) intercept(ctx context.Context, c *posix.Call) (int, bool) {
	m.mu.Lock()
	commands := m.faults.commands
	m.mu.Unlock()
	if len(commands) == 0 {
		return 0, false
	}
	line := strings.Join(c.Args, " ")
	for _, f := range commands {
		if !f.match.MatchString(line) {
			continue
		}
		if f.hold == nil {
			fmt.Fprintln(c.Err, f.message)
			return f.status, true
		}
		select {
		case <-f.hold:
		case <-ctx.Done():
			return 130, true
		}
	}
	return 0, false
}

// corrupt overwrites the middle of a file.
func (m *Machine) corrupt(args []string) error {
	p := "/usr/local/bin/k0s"
	if len(args) > 0 {
		p = args[0]
	}
	b, err := m.root.ReadFile(p)
	if err != nil {
		return err
	}
	if len(b) == 0 {
		return errors.New("the file is empty")
	}
	b[len(b)/2] ^= 0xff
	return m.root.WriteFile(p, b, 0o755)
}
