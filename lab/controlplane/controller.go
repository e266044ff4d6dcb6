// Package controlplane runs what a k0s controller runs: a certificate authority, a real etcd member, kube-apiserver,
// kube-controller-manager and kube-scheduler, each a process of its own, and the join API that lets further controllers in.
// All its state lies in DataDir, as k0s has it, so that backup, restore and reset mean what they say.
package controlplane

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"
)

// Controller is one k0s controller. Its methods other than Run need no running Run in this process: like `k0s token create`, they
// go by the files in DataDir and talk to the servers at Addr.
type Controller struct {
	// Name is the host name, and the name of the etcd member.
	Name string
	// Addr is the machine's address, on which everything listens.
	Addr string
	// Root is the real path of the machine's root folder: files that Config names, such as an audit policy, are looked up below it.
	Root string
	// DataDir and LogDir are the real paths of the machine's /var/lib/k0s and of where the programs' output goes.
	DataDir, LogDir string
	// Version is what the machine has installed: v1.36.3+k0s.2.
	Version string
	// Exe is the start of a command line that runs applets: {"/path/kiban-lab", "applet"}.
	Exe []string
	// JoinToken makes a new controller a member of an existing cluster. It is not looked at once DataDir holds a certificate authority.
	JoinToken string
	Config    Config
	// LeaseScale shortens (below 1) the leader election periods of kube-controller-manager and kube-scheduler, which are upstream's
	// 15 s, 10 s and 2 s. Zero means 1.
	LeaseScale float64
	// Registry is where a running controller makes itself known to the simulated kubelets of this lab. May be nil.
	Registry *Registry
	// Log may be nil.
	Log *slog.Logger
}

// EtcdMember is one etcd member.
type EtcdMember struct {
	Name string
	// PeerURL is as `k0s etcd member-list` prints it: https://127.88.0.11:2380.
	PeerURL string
	Learner bool
}

var errNotYet = errors.New("not yet")

// Run brings the controller up and keeps it up until ctx ends; then it stops its programs in reverse order and returns when all of them
// are gone. It returns early with an error only when the controller cannot be: a join token that is refused, a DataDir that cannot be
// written. A program that exits is started again after a second, for ever, as k0s does.
func (c *Controller) Run(ctx context.Context) error { return errNotYet }

// ReadyZ asks this controller's kube-apiserver for /readyz. Nil means it answered ok.
func (c *Controller) ReadyZ(ctx context.Context) error { return errNotYet }

// CreateToken makes a join token for the role "worker" or "controller", backed by a bootstrap-token Secret. An expiry of zero never ends.
func (c *Controller) CreateToken(ctx context.Context, role string, expiry time.Duration) (string, error) {
	return "", errNotYet
}

// InvalidateToken deletes the Secret of the token with this id (the part before the dot).
func (c *Controller) InvalidateToken(ctx context.Context, id string) error { return errNotYet }

// EtcdMembers lists the members, asking this controller's own etcd. Sorted by name.
func (c *Controller) EtcdMembers(ctx context.Context) ([]EtcdMember, error) { return nil, errNotYet }

// EtcdLeave removes the member with this peer address ("127.88.0.12") from the cluster; an empty one means this controller's own.
func (c *Controller) EtcdLeave(ctx context.Context, peerAddress string) error { return errNotYet }

// AdminKubeconfig returns pki/admin.conf.
func (c *Controller) AdminKubeconfig() ([]byte, error) { return nil, errNotYet }

// Backup writes a tar.gz of an etcd snapshot and the keys to w. The controller must be running, as k0s asks.
func (c *Controller) Backup(ctx context.Context, w io.Writer) error { return errNotYet }

// Restore unpacks a backup into DataDir, which must be absent or empty: a cluster of one etcd member with the same data.
func (c *Controller) Restore(r io.Reader) error { return errNotYet }
