package controlplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// EtcdMember is one etcd member.
type EtcdMember struct {
	Name string
	// PeerURL is as `k0s etcd member-list` prints it: https://127.88.0.11:2380.
	PeerURL string
	Learner bool
}

func (c *Controller) etcdDir() string       { return filepath.Join(c.DataDir, "etcd") }
func (c *Controller) etcdClientURL() string { return etcdClientURL(c.Addr) }

func etcdClientURL(host string) string { return "https://" + net.JoinHostPort(host, "2379") }
func etcdPeerURL(host string) string   { return "https://" + net.JoinHostPort(host, "2380") }

// etcdClient talks to the etcd of the given hosts; without any, to this controller's own.
func (c *Controller) etcdClient(hosts ...string) (*clientv3.Client, error) {
	tls, err := transport.TLSInfo{
		TrustedCAFile: c.pki("etcd/ca.crt"), CertFile: c.pki("apiserver-etcd-client.crt"), KeyFile: c.pki("apiserver-etcd-client.key"),
	}.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("the controller is not initialized: %w", err)
	}
	if len(hosts) == 0 {
		hosts = []string{c.Addr}
	}
	var urls []string
	for _, h := range hosts {
		urls = append(urls, etcdClientURL(h))
	}
	return clientv3.New(clientv3.Config{Endpoints: urls, TLS: tls, DialTimeout: 2 * time.Second, Logger: zap.NewNop()})
}

// EtcdMembers lists the members, asking this controller's own etcd. Sorted by name.
func (c *Controller) EtcdMembers(ctx context.Context) ([]EtcdMember, error) {
	client, err := c.etcdClient()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	response, err := client.MemberList(ctx)
	if err != nil {
		return nil, fmt.Errorf("etcd member list: %w", err)
	}
	var list []EtcdMember
	for _, m := range response.Members {
		list = append(list, EtcdMember{Name: m.Name, PeerURL: strings.Join(m.PeerURLs, ","), Learner: m.IsLearner})
	}
	slices.SortFunc(list, func(a, b EtcdMember) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}

// EtcdLeave removes the member with this peer address ("127.88.0.12") from the cluster; an empty one means this controller's own.
func (c *Controller) EtcdLeave(ctx context.Context, peerAddress string) error {
	if peerAddress == "" {
		peerAddress = c.Addr
	}
	client, err := c.etcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	response, err := client.MemberList(ctx)
	if err != nil {
		return fmt.Errorf("etcd member list: %w", err)
	}
	i := slices.IndexFunc(response.Members, func(m *etcdserverpb.Member) bool { return peerHost(m) == peerAddress })
	if i < 0 {
		return fmt.Errorf("no etcd member has the peer address %q", peerAddress)
	}
	if _, err := client.MemberRemove(ctx, response.Members[i].ID); err != nil {
		return fmt.Errorf("etcd member remove: %w", err)
	}
	return nil
}

// etcdAdmit adds a learner on behalf of a joining controller and returns the --initial-cluster that it starts with. Asked again for a
// member that was added but never started, it answers the same.
func (c *Controller) etcdAdmit(ctx context.Context, name, peerAddress string) (string, error) {
	client, err := c.etcdClient()
	if err != nil {
		return "", err
	}
	defer client.Close()
	list, err := client.MemberList(ctx)
	if err != nil {
		return "", err
	}
	members := list.Members
	if !slices.ContainsFunc(members, func(m *etcdserverpb.Member) bool { return peerHost(m) == peerAddress }) {
		added, err := client.MemberAddAsLearner(ctx, []string{etcdPeerURL(peerAddress)})
		if err != nil {
			return "", err
		}
		members = added.Members
	}
	var cluster []string
	for _, m := range members {
		if peerHost(m) == peerAddress {
			m.Name = name
		}
		if m.Name == "" { // another controller is joining at this moment: etcd cannot start a member that knows only a part of them
			return "", errors.New("another etcd member is joining")
		}
		cluster = append(cluster, m.Name+"="+strings.Join(m.PeerURLs, ","))
	}
	return strings.Join(cluster, ","), nil
}

// etcdWhole waits until this controller's etcd answers as a full member, promoting it when it still is a learner.
func (c *Controller) etcdWhole(ctx context.Context) error {
	if err := c.etcdListens(ctx); err != nil {
		return err
	}
	client, err := c.etcdClient()
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		once, cancel := context.WithTimeout(ctx, 2*time.Second)
		_, err := client.Get(once, "/")
		if errors.Is(err, rpctypes.Error(rpctypes.ErrGRPCNotSupportedForLearner)) {
			err = c.etcdPromote(once, client)
		}
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// etcdListens waits until etcd's port is open. Before that its client would only complain, and wait longer each time.
func (c *Controller) etcdListens(ctx context.Context) error {
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.Addr, "2379"))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *Controller) etcdPromote(ctx context.Context, own *clientv3.Client) error {
	// Of all else, a learner answers only this.
	status, err := own.Status(ctx, c.etcdClientURL())
	if err != nil {
		return err
	}
	others, err := c.etcdPeers()
	if err != nil {
		return err
	}
	client, err := c.etcdClient(others...)
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.MemberPromote(ctx, status.Header.MemberId); err != nil && !errors.Is(err, rpctypes.ErrMemberNotLearner) {
		return err
	}
	return errors.New("promoted, to be asked again")
}

// etcdPeers are the hosts of the members that this one joined, for as long as it cannot ask itself.
func (c *Controller) etcdPeers() ([]string, error) {
	data, err := os.ReadFile(c.joinedFile())
	if err != nil {
		return nil, err
	}
	var hosts []string
	for member := range strings.SplitSeq(string(data), ",") {
		name, at, _ := strings.Cut(member, "=")
		u, err := url.Parse(at)
		if err != nil {
			return nil, err
		}
		if name != c.Name {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts, nil
}

// joinedFile holds the --initial-cluster with which this controller joined.
func (c *Controller) joinedFile() string { return filepath.Join(c.DataDir, "etcd-initial-cluster") }

// etcdStarted reports whether this controller's etcd has data to start from.
func (c *Controller) etcdStarted() bool {
	_, err := os.Stat(filepath.Join(c.etcdDir(), "member"))
	return err == nil
}

// etcdArgs are etcd's flags. initialCluster is empty for a member that founds a cluster or has data already.
func (c *Controller) etcdArgs(initialCluster string) []string {
	state := "existing"
	if initialCluster == "" {
		initialCluster, state = c.Name+"="+etcdPeerURL(c.Addr), "new"
	}
	args := []string{
		"--name=" + c.Name, "--data-dir=" + c.etcdDir(),
		"--listen-client-urls=" + c.etcdClientURL(), "--advertise-client-urls=" + c.etcdClientURL(),
		"--listen-peer-urls=" + etcdPeerURL(c.Addr), "--initial-advertise-peer-urls=" + etcdPeerURL(c.Addr),
		"--initial-cluster=" + initialCluster, "--initial-cluster-state=" + state,
		"--client-cert-auth=true", "--trusted-ca-file=" + c.pki("etcd/ca.crt"),
		"--cert-file=" + c.pki("etcd/server.crt"), "--key-file=" + c.pki("etcd/server.key"),
		"--peer-client-cert-auth=true", "--peer-trusted-ca-file=" + c.pki("etcd/ca.crt"),
		"--peer-cert-file=" + c.pki("etcd/peer.crt"), "--peer-key-file=" + c.pki("etcd/peer.key"),
		"--log-level=warn", "--log-outputs=stderr",
		"--unsafe-no-fsync=true", // only a kernel crash loses data by it, and it makes the lab several times faster
	}
	for _, name := range slices.Sorted(maps.Keys(c.Config.EtcdArgs)) { // of a flag that is there twice the last counts
		args = append(args, "--"+name+"="+c.Config.EtcdArgs[name])
	}
	return args
}

// peerHost is the host part of a member's first peer URL.
func peerHost(m *etcdserverpb.Member) string {
	if len(m.PeerURLs) == 0 {
		return ""
	}
	u, err := url.Parse(m.PeerURLs[0])
	if err != nil {
		return ""
	}
	return u.Hostname()
}
