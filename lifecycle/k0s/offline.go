package k0s

import (
	"context"
	"errors"
	"io"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	// the operating systems that k0sctl knows register themselves
	_ "github.com/k0sproject/k0sctl/configurer/linux"
	_ "github.com/k0sproject/k0sctl/configurer/linux/enterpriselinux"
	rig "github.com/k0sproject/rig/v2"
	rigos "github.com/k0sproject/rig/v2/os"
	"github.com/k0sproject/rig/v2/protocol"
)

// offline is a connection to nowhere. With it k0sctl's host methods can quote and compute paths without a machine.
type offline struct{}

func (offline) String() string       { return "offline" }
func (offline) Protocol() string     { return "offline" }
func (offline) ProtocolName() string { return "offline" }
func (offline) IPAddress() string    { return "" }
func (offline) IsConnected() bool    { return false }
func (offline) IsWindows() bool      { return false }

var errOffline = errors.New("no machine is asked anything while a document is read")

func (offline) StartProcess(context.Context, string, io.Reader, io.Writer, io.Writer) (protocol.Waiter, error) {
	return nil, errOffline
}

// attachOffline prepares a host for questions that need no machine. Paths are those of Linux; the distribution matters only to
// packages.
func attachOffline(h *cluster.Host, client *rig.Client) error {
	h.Client = client
	h.OSRelease = &rigos.Release{ID: "debian", Name: "Linux", Version: "0"}
	if err := h.ResolveConfigurer(); err != nil {
		return err
	}
	h.Configurer.SetPath("K0sBinaryPath", h.K0sInstallLocation())
	return nil
}
