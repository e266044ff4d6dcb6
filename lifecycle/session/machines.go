package session

import (
	"context"
	"errors"
	"net"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/check"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/observe"
)

// machines are those of a site, as each of those who ask needs them.
type machines struct {
	facts observe.Machines
	gates check.Machines
	steps apply.Machines
	logs  apply.Logs
	hosts apply.Hosts
	// credentials are the administrator's; zero when there are none yet.
	credentials func(ctx context.Context) (lifecycle.Credentials, error)
	// lock is where a machine keeps the site's lock.
	lock func(host string) lock.Place
	// missing looks for a version at the source of k0s; nil where there is none.
	missing func(ctx context.Context, v lifecycle.Version, arch string) (lifecycle.Diagnostic, bool)
	// audit looks into the audit logs of controllers; nil where there are none.
	audit func(ctx context.Context) []lifecycle.From[[]lifecycle.APICall]
	dial  func(ctx context.Context, host, network, addr string) (net.Conn, error)
	close func() error
}

// overSSH are a site's own machines.
func overSSH(s *k0s.Session) machines {
	place := func(host string) lock.Place { return s.HostLock(host) }
	return machines{facts: s, gates: s, steps: s, logs: s, hosts: s, credentials: s.Credentials, lock: place, dial: s.Dial, close: s.Close,
		missing: s.Missing, audit: s.AuditCalls}
}

// elsewhere stands for the machines of a site that someone else runs: there are none, but there is a kubeconfig.
func elsewhere(kubeconfig func() ([]byte, error)) machines {
	n := noMachines{kubeconfig}
	return machines{facts: n, gates: n, steps: n, logs: n, hosts: n, lock: n.lock, dial: n.dial,
		credentials: func(context.Context) (lifecycle.Credentials, error) { return n.credentials() },
		close:       func() error { return nil },
	}
}

// noMachines answers for machines that are not kiban's.
type noMachines struct {
	kubeconfig func() ([]byte, error)
}

var errNoMachines = errors.New("the site has no machines of its own")

// Facts are of no machine. A kubeconfig that is not here is for the API to be unknown by.
func (n noMachines) Facts(context.Context) (lifecycle.MachineFacts, error) {
	c, err := n.credentials()
	return lifecycle.MachineFacts{Credentials: c}, err
}

func (n noMachines) credentials() (lifecycle.Credentials, error) {
	b, err := n.kubeconfig()
	return lifecycle.Credentials{Kubeconfig: b}, err
}

func (noMachines) HostFacts(context.Context, string) (lifecycle.HostState, error) {
	return lifecycle.HostState{}, errNoMachines
}

func (noMachines) EtcdMembers(context.Context) (lifecycle.EtcdState, error) {
	return lifecycle.EtcdState{}, nil // the cluster runs no etcd that is kiban's to know of
}

func (noMachines) LastLog(context.Context, string, int) ([]string, error) { return nil, errNoMachines }

func (noMachines) Do(context.Context, lifecycle.Step, func(string)) error { return errNoMachines }

func (noMachines) lock(string) lock.Place { return nil }

func (noMachines) dial(context.Context, string, string, string) (net.Conn, error) {
	return nil, errNoMachines
}
