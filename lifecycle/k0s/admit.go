package k0s

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"

	"kiban.dev/kiban/lifecycle/allowed"
)

// limits are the allow lists that a document is held to where it is acted upon. Beside what package allowed says, paths below own are
// allowed: tests have machines in folders.
type limits struct{ own string }

func (l limits) has(path string) bool { return l.own != "" && strings.HasPrefix(path, l.own+"/") }

func (l limits) judge(path string, by func(string) allowed.Refusal) error {
	if path == "" || l.has(path) {
		return nil
	}
	return asError(by(path))
}

func asError(r allowed.Refusal) error {
	if r.Refused() {
		return r
	}
	return nil
}

// admit holds a host to what may be declared: SSH options, arguments of `k0s install`, and paths. Package site says the same with file and
// line; here it is what decides, for a site may come from elsewhere.
func (l limits) admit(h *cluster.Host) error {
	if h.Localhost {
		return errors.New("localhost is not supported: commands for the machine would run where kiban runs; write ssh instead")
	}
	for c := h.SSH; c != nil; c = c.Bastion {
		if err := errors.Join(asError(allowed.Address(c.Address)), asError(allowed.User(cmp.Or(c.User, "root")))); err != nil {
			return err
		}
		for name, value := range c.SSHConfigOptions {
			if err := asError(allowed.SSHOption(name, value)); err != nil {
				return err
			}
		}
	}
	for _, entry := range h.InstallFlags {
		if err := asError(allowed.InstallFlag(entry, l.has)); err != nil {
			return err
		}
	}
	return errors.Join(l.judge(h.K0sInstallPath, allowed.Binary), l.judge(h.DataDir, allowed.DataDir),
		l.judge(h.KubeletRootDir, allowed.DataDir))
}

// joinFlags gives each argument of `k0s install` the value that stands in an entry of its own behind it.
func joinFlags(h *cluster.Host) {
	if entries := allowed.Joined(h.InstallFlags); !slices.Equal(entries, h.InstallFlags) {
		h.InstallFlags = entries
		h.SetDefaults() // which takes folders and roles from the flags
	}
}

// destinations holds the files that a host is to have to the places that they may go to.
func (l limits) destinations(m *machine, hostFiles []string) error {
	at := allowed.Machine{Binary: m.paths.binary, DataDir: m.paths.data, ConfigFile: m.paths.config, TokenFile: m.paths.token}
	for _, f := range m.host.Files {
		if l.has(f.Path) {
			continue
		}
		if err := asError(at.File(f.Path, hostFiles)); err != nil {
			return err
		}
	}
	return nil
}
