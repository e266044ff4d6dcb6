package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/kubelet"
	"kiban.dev/kiban/lab/machine/k0s"
)

// Options describe a lab. Zero values mean the defaults given.
type Options struct {
	// Dir holds everything (.lab). Relative paths count from the working directory.
	Dir string
	// Net is the first three octets of the machines' addresses (127.88.0); NetAuto takes free ones.
	Net string
	// Machines are described one by one. Without them, Controllers and Workers are how many there are: controller-1 at Net.11, worker-1 at
	// Net.101.
	Machines             []Spec
	Controllers, Workers int
	// Prefix is put before the machines' names.
	Prefix string
	// Versions are the releases in the mirror (Versions()).
	Versions []string
	// Keep goes on with what Dir holds; otherwise the machines are new.
	Keep bool
	// Exe is the start of a command line that runs applets: {"/path/kiban-lab", "applet"}.
	Exe []string
	// Timing is how long k0s takes for things.
	Timing k0s.Timing
	// LeaseScale shortens the leader election of kube-controller-manager and kube-scheduler (1: upstream's periods).
	LeaseScale float64
	// Kubelet are the periods of the simulated kubelets; its Registry and Log are set by the lab.
	Kubelet kubelet.Options
	// Log may be nil.
	Log *slog.Logger
}

// Versions are the releases that a lab's mirror has.
func Versions() []string {
	return []string{"v1.34.10+k0s.0", "v1.35.6+k0s.0", "v1.35.7+k0s.0", "v1.36.2+k0s.0", "v1.36.3+k0s.2", "v1.37.2+k0s.0"}
}

// Lab is a set of machines and the clusters that are made of them.
type Lab struct {
	opts     Options
	shared   *shared
	specs    []Spec
	machines []*Machine
	cancel   context.CancelFunc
	// release gives the lab's nets up.
	release func()
}

// New makes a lab's folder and machines; nothing runs yet.
func New(o Options) (*Lab, error) {
	if o.Dir == "" {
		o.Dir = ".lab"
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	o.Dir = dir
	if o.Net == "" {
		o.Net = "127.88.0"
	}
	if ip := net.ParseIP(o.Net + ".1").To4(); o.Net != NetAuto && (ip == nil || ip[0] != 127) {
		return nil, fmt.Errorf("net %q is neither of the form 127.x.y nor %q", o.Net, NetAuto)
	}
	if o.Controllers < 0 || o.Controllers > maxControllers || o.Workers < 0 || o.Workers > maxWorkers {
		return nil, fmt.Errorf("%d controllers and %d workers: at most %d and %d", o.Controllers, o.Workers, maxControllers, maxWorkers)
	}
	specs := o.Machines
	if specs == nil {
		specs = counted(o.Prefix, o.Controllers, o.Workers)
	} else if err := checkSpecs(specs); err != nil {
		return nil, err
	}
	if o.Versions == nil {
		o.Versions = Versions()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Lab{opts: o, specs: specs}, nil
}

// Up creates the machines and switches them on. When it returns, every SSH server answers.
func (l *Lab) Up(ctx context.Context) error {
	if err := os.Remove(infoFile(l.opts.Dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !l.opts.Keep {
		for _, d := range []string{"machines", "mirror", "ssh", "commands.jsonl"} {
			if err := os.RemoveAll(filepath.Join(l.opts.Dir, d)); err != nil {
				return err
			}
		}
	}
	// A lab may stand for a site of somebody. Files of machines have the modes that they are to have there, so nobody else comes in
	// above.
	for _, d := range []string{"machines", "ssh"} {
		if err := os.MkdirAll(filepath.Join(l.opts.Dir, d), 0o700); err != nil {
			return err
		}
	}
	if err := WriteMirror(l.MirrorDir(), l.opts.Versions, archs(l.specs)...); err != nil {
		return err
	}
	client, err := l.clientKey()
	if err != nil {
		return err
	}
	record, err := openRecorder(l.RecordFile(), l.opts.Keep)
	if err != nil {
		return err
	}
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	k := l.opts.Kubelet
	k.Registry, k.Log = controlplane.NewRegistry(), l.opts.Log
	l.shared = &shared{
		registry: k.Registry, fleet: kubelet.NewFleet(life, k), exe: l.opts.Exe, timing: l.opts.Timing, leaseScale: l.opts.LeaseScale,
		record: record, client: client, log: l.opts.Log, keep: l.opts.Keep, bins: binNames(),
	}
	if err := l.settle(); err != nil {
		l.Down()
		return err
	}
	return l.writeInfo()
}

// settle finds the lab a net, and starts the machines there.
func (l *Lab) settle() error {
	if l.opts.Net != NetAuto {
		return l.start(l.opts.Net)
	}
	var err error
	for net := range free(nets(l.specs)) {
		if err = l.start(net); err == nil {
			l.opts.Net = net
			return nil
		}
		l.abandon()
		if !inUse(err) {
			return err
		}
	}
	return fmt.Errorf("no net is free: %w", err)
}

// start makes the machines with addresses of a net, and switches them on.
func (l *Lab) start(net string) error {
	release, err := claim(net, nets(l.specs))
	if err != nil {
		return err
	}
	l.release = release
	if err := l.create(net); err != nil {
		return err
	}
	for _, m := range l.machines {
		if err := m.PowerOn(); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

// abandon forgets the machines of a net that turned out not to be free.
func (l *Lab) abandon() {
	for _, m := range l.machines {
		m.PowerOff()
	}
	l.machines = nil
	if l.release != nil {
		l.release()
		l.release = nil
	}
}

func (l *Lab) clientKey() (ssh.PublicKey, error) {
	if b, err := os.ReadFile(l.KeyFile()); err == nil {
		s, err := ssh.ParsePrivateKey(b)
		if err != nil {
			return nil, err
		}
		return s.PublicKey(), nil
	}
	s, err := newKey(l.KeyFile(), "kiban-lab")
	if err != nil {
		return nil, err
	}
	return s.PublicKey(), os.WriteFile(l.KeyFile()+".pub", ssh.MarshalAuthorizedKey(s.PublicKey()), 0o644)
}

// create makes the machines and writes known_hosts.
func (l *Lab) create(net string) error {
	specs, err := placed(l.specs, net)
	if err != nil {
		return err
	}
	for _, s := range specs {
		l.machines = append(l.machines, newMachine(l.shared, filepath.Join(l.opts.Dir, "machines", s.Name), s))
	}
	var known strings.Builder
	for _, m := range l.machines {
		k, err := hostKey(m.dir)
		if err != nil {
			return err
		}
		m.key = k
		fmt.Fprintf(&known, "[%s]:%d %s", m.Address, m.port, ssh.MarshalAuthorizedKey(k.PublicKey()))
	}
	return os.WriteFile(l.KnownHostsFile(), []byte(known.String()), 0o600)
}

// Down switches everything off. What the folder holds stays.
func (l *Lab) Down() {
	var wg sync.WaitGroup
	for _, m := range l.machines {
		wg.Add(1)
		go func() {
			defer wg.Done()
			m.PowerOff()
			if _, err := os.Stat(m.disk.Real("/")); err == nil {
				_ = m.disk.Save(m.ownersFile()) // without it, what a later --keep finds belongs to root
			}
		}()
	}
	wg.Wait()
	if l.cancel != nil {
		l.cancel()
	}
	if l.release != nil {
		l.release()
	}
}

// Machines are the lab's machines: controllers first.
func (l *Lab) Machines() []*Machine { return l.machines }

// Machine finds a machine by name, nil when there is none.
func (l *Lab) Machine(name string) *Machine {
	for _, m := range l.machines {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Paths in the lab's folder.
func (l *Lab) Dir() string            { return l.opts.Dir }
func (l *Lab) KeyFile() string        { return filepath.Join(l.opts.Dir, "ssh", "id_ed25519") }
func (l *Lab) KnownHostsFile() string { return filepath.Join(l.opts.Dir, "ssh", "known_hosts") }
func (l *Lab) MirrorDir() string      { return filepath.Join(l.opts.Dir, "mirror") }
func (l *Lab) RecordFile() string     { return RecordFile(l.opts.Dir) }

// RecordFile is the record in a lab's folder.
func RecordFile(dir string) string { return filepath.Join(dir, "commands.jsonl") }

// Mark is the present end of the record.
func (l *Lab) Mark() Mark { return l.shared.record.mark() }

// Records are what was recorded since a mark.
func (l *Lab) Records(since Mark) ([]Record, error) {
	var rs []Record
	err := ReadRecords(l.RecordFile(), since, func(r Record) error { rs = append(rs, r); return nil })
	return rs, err
}

// Changes are the alterations of machines since a mark: files and services.
func (l *Lab) Changes(since Mark) ([]Record, error) {
	rs, err := l.Records(since)
	var cs []Record
	for _, r := range rs {
		if r.IsChange() {
			cs = append(cs, r)
		}
	}
	return cs, err
}

// Kubeconfig is the administrator's kubeconfig of the first controller that runs, and the addresses "ip:6443" of all that do.
func (l *Lab) Kubeconfig() (config []byte, servers []string, err error) {
	for _, m := range l.machines {
		c := m.k0s.Controller()
		if c == nil {
			continue
		}
		if config == nil {
			config, _ = c.AdminKubeconfig() // a controller that has not got it yet is passed over
		}
		port := c.Config.APIPort
		if port == 0 {
			port = 6443
		}
		servers = append(servers, fmt.Sprintf("%s:%d", m.Address, port))
	}
	if config == nil {
		return nil, nil, errors.New("no controller of this lab runs yet")
	}
	return config, servers, nil
}
