package machine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/kubelet"
	"kiban.dev/kiban/lab/machine/disk"
	"kiban.dev/kiban/lab/machine/k0s"
	"kiban.dev/kiban/lab/machine/posix"
	"kiban.dev/kiban/lab/machine/systemd"
)

// Machine is one simulated machine.
type Machine struct {
	// Name is its host name; Address its IPv4 address, with SSH on Port.
	Name, Address string

	dir      string // of the machine in the lab's folder
	spec     Spec
	hardware posix.Hardware
	port     int
	lab      *shared
	disk     *disk.Disk
	root     disk.View
	shell    *posix.System
	units    *systemd.Manager
	k0s      *k0s.StandIn
	ready    sync.Once
	// power is held while the machine goes on or off, so that a machine that reboots is not switched on twice.
	power sync.Mutex

	mu     sync.Mutex
	on     bool
	booted time.Time
	server *server
	faults faults
	// crash is k0s's own share of the faults.
	crash *k0s.Faults
	key   ssh.Signer // the host key that known_hosts has
}

// shared is what the machines of one lab have in common.
type shared struct {
	registry   *controlplane.Registry
	fleet      *kubelet.Fleet
	exe        []string
	timing     k0s.Timing
	leaseScale float64
	record     *recorder
	client     ssh.PublicKey
	log        *slog.Logger
	keep       bool
	bins       []string
	scripts    posix.Scripts
}

// Port is where the machines' SSH servers listen.
const Port = 2222

func newMachine(l *shared, dir string, spec Spec) *Machine {
	m := &Machine{Name: spec.Name, Address: spec.Address, dir: dir, port: Port, lab: l, crash: &k0s.Faults{}, spec: spec,
		hardware: spec.hardware()}
	root := filepath.Join(dir, "root")
	m.disk = disk.New(disk.Options{Root: root, Generated: generated{m}})
	m.root = m.disk.As(disk.Root(), nil)
	m.units = systemd.New(systemd.Options{Files: m.root, Now: m.now, Booted: m.bootTime, Exec: m.exec, Note: m.note, Reboot: m.reboot})
	m.k0s = k0s.New(k0s.Options{
		Hostname: m.hostname, Address: spec.Address, Hardware: m.hardware, Node: spec.node(), Disk: m.disk, Root: m.root, Systemd: m.units,
		Registry: l.registry, Fleet: l.fleet, Exe: l.exe, LogDir: filepath.Join(dir, "log"), LeaseScale: l.leaseScale, Timing: l.timing,
		Faults: m.crash, Light: spec.Light, Log: l.log.With("machine", spec.Name),
	})
	m.shell = &posix.System{
		Disk: m.disk, Hostname: m.hostname, Address: spec.Address, Hardware: m.hardware, Now: m.now, Booted: m.bootTime,
		Users: users(), Sudo: m.maySudo,
		Programs: map[string]posix.Program{"systemctl": m.units.Systemctl, "journalctl": m.units.Journalctl, "reboot": m.rebootProgram,
			"shutdown": m.shutdownProgram},
		Interpreter: m.interpreter, Intercept: m.intercept, Kill: m.units.Kill, Changed: m.changed,
		Scripts: &l.scripts,
		Processes: func() []posix.Process {
			ps := []posix.Process{{PID: 1, Command: "/sbin/init"}}
			for _, p := range m.units.Processes() {
				ps = append(ps, posix.Process{PID: p.PID, Command: strings.Join(p.Argv, " ")})
			}
			return ps
		},
	}
	return m
}

func users() map[string]disk.User {
	return map[string]disk.User{"root": disk.Root(), "ops": {Name: "ops", UID: 1000, GID: 1000, Home: "/home/ops"}}
}

// prepare puts the skeleton on the disk, the first time that anyone looks.
func (m *Machine) prepare() error {
	var err error
	m.ready.Do(func() {
		if _, serr := os.Stat(m.disk.Real("/etc/hostname")); serr == nil && m.lab.keep {
			if m.disk.Load(m.ownersFile()) != nil { // a lab that was killed saved no owners
				err = m.root.Chown("/home/ops", 1000, 1000)
			}
			return
		}
		if err = os.MkdirAll(m.disk.Real("/"), 0o755); err != nil {
			return
		}
		for _, s := range m.skeleton() {
			if p, folder := strings.CutSuffix(s.path, "/"); folder {
				if err = m.root.MkdirAll(p, s.mode); err == nil {
					err = m.root.Chmod(p, s.mode)
				}
			} else {
				err = m.root.WriteFile(s.path, []byte(s.content), s.mode)
			}
			if err != nil {
				return
			}
		}
		for link, target := range map[string]string{"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib"} {
			if err = m.root.Symlink(target, link); err != nil {
				return
			}
		}
		err = m.root.Chown("/home/ops", 1000, 1000)
	})
	return err
}

func (m *Machine) ownersFile() string { return filepath.Join(m.dir, "owners.json") }

// Run runs a command line on the machine as SSH would, without SSH.
func (m *Machine) Run(ctx context.Context, user, command string, in io.Reader, out, errs io.Writer) int {
	if err := m.prepare(); err != nil {
		fmt.Fprintln(errs, err)
		return 255
	}
	if in == nil {
		in = strings.NewReader("")
	}
	counted := &counter{Reader: in}
	start := time.Now()
	hold := m.due(command)
	if hold != nil && !hold.after {
		if hold.wait(ctx, m, command); ctx.Err() != nil {
			return 255 // it was never run
		}
	}
	status := m.shell.Login(ctx, user, command, counted, out, errs)
	if hold != nil && hold.after {
		hold.wait(ctx, m, command)
	}
	m.lab.record.add(Record{Kind: KindCommand, Time: start, Machine: m.Name, User: user, Command: command, Stdin: counted.n.Load(),
		Status: status,
		Millis: time.Since(start).Milliseconds()})
	return status
}

// Files is the machine's disk as root sees it; what is changed through it is not recorded.
func (m *Machine) Files() (disk.View, error) { return m.root, m.prepare() }

// K0s is the k0s stand-in.
func (m *Machine) K0s() *k0s.StandIn { return m.k0s }

func (m *Machine) hostname() string {
	b, err := m.root.ReadFile("/etc/hostname")
	if err != nil || len(strings.TrimSpace(string(b))) == 0 {
		return m.Name
	}
	return strings.TrimSpace(string(b))
}

// now is the machine's clock.
func (m *Machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.faults.skew)
}

func (m *Machine) maySudo(string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.faults.sudo
}

func (m *Machine) interpreter(path, line string) (posix.Program, error) {
	if !k0s.IsBinary(line) {
		return nil, nil
	}
	v, err := k0s.BinaryVersion(m.root, path)
	if err != nil {
		return nil, err
	}
	return m.k0s.Program(v), nil
}

func (m *Machine) exec(ctx context.Context, p systemd.Process, log io.Writer) error {
	return m.k0s.Exec(ctx, p, log)
}

// note records what the service manager does. What services do by themselves is no change that anyone made.
func (m *Machine) note(unit, what string) {
	kind := KindService
	if what == "exited" {
		kind = KindEvent
	}
	m.lab.record.add(Record{Kind: kind, Time: time.Now(), Machine: m.Name, What: what, Path: unit})
}

func (m *Machine) changed(c *posix.Call, ch disk.Change) {
	m.lab.record.add(Record{Kind: KindChange, Time: time.Now(), Machine: m.Name, User: c.User.Name, Command: c.Command(), What: ch.Kind,
		Path: ch.Path})
}

func (m *Machine) event(what string) {
	m.lab.record.add(Record{Kind: KindEvent, Time: time.Now(), Machine: m.Name, What: what})
}

// PowerOn boots the machine: SSH answers, enabled services start. A machine that is on is left alone.
func (m *Machine) PowerOn() error {
	m.power.Lock()
	defer m.power.Unlock()
	m.mu.Lock()
	if m.on {
		m.mu.Unlock()
		return nil
	}
	m.booted = time.Now()
	m.mu.Unlock()
	s, err := m.listen()
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.on, m.server = true, s
	m.mu.Unlock()
	if _, err := os.Stat(m.disk.Real("/")); err == nil {
		if err := m.prepare(); err != nil {
			return err
		}
	}
	m.units.Boot()
	return nil
}

// PowerOff is the plug being pulled: SSH with the commands that it runs, services and pods are gone when it returns.
func (m *Machine) PowerOff() {
	m.power.Lock()
	defer m.power.Unlock()
	m.mu.Lock()
	s, was := m.server, m.on
	m.on, m.server = false, nil
	m.mu.Unlock()
	if !was {
		return
	}
	s.close()
	m.units.StopAll()
	s.commands.Wait()
	m.k0s.Kill()
}

// On reports whether the machine has power.
func (m *Machine) On() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.on
}
