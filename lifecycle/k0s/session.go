package k0s

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"time"

	rig "github.com/k0sproject/rig/v2"
	"github.com/k0sproject/rig/v2/protocol/ssh"

	"kiban.dev/kiban/lifecycle"
)

// Options of a session.
type Options struct {
	// Log gets what k0sctl and rig have to say, at debug level. Nil: nobody does.
	Log *slog.Logger
	// Epoch is the epoch of the site's lock that the run in hand holds, 0 for none. Machines refuse commands of a step that come with an older
	// one than they know. Nil: there is no lock.
	Epoch func() int
	// Audit gets every command of a step before it is sent, secrets masked, without the look at the epoch that goes before it; with an
	// error of it the command is not sent. It is called from several goroutines. May be nil.
	Audit func(Command) error
	// Parallel bounds how many hosts are asked at once; 0 means 64.
	Parallel int
	// CacheDir keeps fetched k0s binaries.
	CacheDir string
	// Offline takes binaries from CacheDir alone, with the checksums that the site pins: nothing is fetched.
	Offline bool
	// KeepBackup keeps a backup that a step takes; nil where none does.
	KeepBackup lifecycle.KeepBackup
	// Restore is the backup that the action restore puts on a controller; nil when there is none.
	Restore *Archive

	limits limits // what tests allow beside package allowed
}

// Archive is a backup as k0s wrote it.
type Archive struct {
	// Digest identifies its content, "sha256:<hex>".
	Digest string
	// Open reads it from its beginning.
	Open func() (io.ReadCloser, error)
}

// Command is a command that a step sends to a host.
type Command struct {
	Time    time.Time
	Step    string
	Host    string
	Command string
}

// keepConnections is how many hosts' connections outlive an observation. On larger sites each is closed at once: it takes memory, here and
// on the machine, for as long as it is open.
const keepConnections = 128

// Session is the connections to a site's machines for one run of a verb. Its methods may be called from several goroutines.
type Session struct {
	site     lifecycle.Site
	opts     Options
	document document
	machines []*machine
	uploads  chan struct{}
	fetching fetches
	// scratch is a folder that goes with the session; "" for none.
	scratch string
}

// machine is one host and how it is reached.
type machine struct {
	host lifecycle.Host
	*transport
	paths paths
	ssh   *ssh.Config // nil: the host is this machine
}

// Open prepares a session. No host is contacted before it is needed.
func Open(site lifecycle.Site, opts Options) (*Session, error) {
	hermetic()
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Parallel <= 0 {
		opts.Parallel = 64
	}
	parts, err := cut(site.Cluster.Document, site.SSH, site.Dir)
	if err != nil {
		return nil, fmt.Errorf("read the cluster document: %w", err)
	}
	parts.limits = opts.limits
	s := &Session{site: site, opts: opts, document: parts, uploads: make(chan struct{}, lifecycle.UploadsAtOnce)}
	captureLogs(opts.Log)
	if err := s.connectable(); err != nil {
		return nil, err
	}
	return s, nil
}

// connectable builds the machines, in the order of the site's hosts.
func (s *Session) connectable() error {
	c, err := decode(s.site.Cluster.Document)
	if err != nil {
		return fmt.Errorf("read the cluster document: %w", err)
	}
	if len(c.Spec.Hosts) != len(s.document.hosts) {
		return fmt.Errorf("read the cluster document: %d hosts where %d were expected", len(c.Spec.Hosts), len(s.document.hosts))
	}
	client, err := rig.NewClient(rig.WithConnection(offline{}))
	if err != nil {
		return err
	}
	for i, h := range c.Spec.Hosts {
		joinFlags(h)
		if err := s.opts.limits.admit(h); err != nil {
			return fmt.Errorf("%s: %w", subject(h, i), err)
		}
		if _, err := reach(h, s.document.hosts[i], s.site.SSH, s.site.Dir); err != nil {
			return fmt.Errorf("%s: %w", subject(h, i), err)
		}
		if err := attachOffline(h, client); err != nil {
			return err
		}
	}
	types := s.knowHosts(c.Spec.Hosts)
	byName := map[string]*machine{}
	for i, h := range c.Spec.Hosts {
		askFor(h.SSH, types)
		m := &machine{paths: pathsOf(h), ssh: h.SSH}
		if m.transport, err = newTransport(h, s.site.SSH, s.opts.Log); err != nil {
			return fmt.Errorf("%s: %w", subject(h, i), err)
		}
		byName[hostname(s.document.hosts[i])] = m
	}
	for _, h := range s.site.Cluster.Hosts {
		m, ok := byName[h.Name]
		if !ok {
			return fmt.Errorf("host %s is not in the cluster document", h.Name)
		}
		m.host = h
		if err := s.opts.limits.destinations(m, s.site.Fleet.HostFiles); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
		s.machines = append(s.machines, m)
	}
	return nil
}

// machine finds a host by name.
func (s *Session) machine(name string) (*machine, error) {
	i := slices.IndexFunc(s.machines, func(m *machine) bool { return m.host.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("the site has no host %q", name)
	}
	return s.machines[i], nil
}

// controllers are the machines that run the control plane and are to stay.
func (s *Session) controllers() []*machine {
	var out []*machine
	for _, m := range s.machines {
		if m.host.Role.IsController() && !m.host.Reset {
			out = append(out, m)
		}
	}
	return out
}

// Dial opens a connection to addr as the host sees it, through the host's SSH.
func (s *Session) Dial(ctx context.Context, host, network, addr string) (net.Conn, error) {
	m, err := s.machine(host)
	if err != nil {
		return nil, err
	}
	conn, err := m.dial(ctx, network, addr)
	if err != nil {
		return nil, fmt.Errorf("through %s to %s: %w", host, addr, err)
	}
	return conn, nil
}

// Close closes every connection.
func (s *Session) Close() error {
	for _, m := range s.machines {
		m.drop(false)
	}
	if s.scratch != "" {
		return forgetHosts(s.scratch)
	}
	return nil
}
