package k0s

import (
	_ "embed"
	"fmt"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/sh/shellescape"
)

//go:embed facts.sh
var factsScript string

// paths are where k0s has its things on a host.
type paths struct {
	binary, data, config, token string
	locks                       string // where kiban keeps the site's lock and its epochs
}

// pathsOf asks a host, which needs a configurer only, no machine.
func pathsOf(h *cluster.Host) paths {
	return paths{binary: h.K0sInstallLocation(), data: h.K0sDataDir(), config: h.K0sConfigPath(), token: h.K0sJoinTokenPath(),
		locks: hostLockDir}
}

// staged is where a binary of the version waits beside the installed one.
func (p paths) staged(version fmt.Stringer) string {
	return fmt.Sprintf("%s/k0s.kiban-%s", p.dir(), version)
}

// dir is the folder of the installed binary.
func (p paths) dir() string {
	for i := len(p.binary) - 1; i >= 0; i-- {
		if p.binary[i] == '/' {
			return p.binary[:i]
		}
	}
	return "."
}

// script is the facts script with its parameters: the role that the host is asked as, its paths, and those of its declared files.
func script(a question) string {
	q := shellescape.Quote
	args := "set --"
	for _, f := range a.host.Files {
		args += " " + q(f.Path)
	}
	role := "worker"
	if a.controls() {
		role = "controller"
	}
	return fmt.Sprintf("N=%s ROLE=%s BIN=%s DATA=%s CONF=%s TOKEN=%s LOCKS=%s\n%s\n%s", q(a.nonce), role, q(a.paths.binary),
		q(a.paths.data), q(a.paths.config), q(a.paths.token), q(a.paths.locks), args, factsScript)
}

// factsCommand is the one command that observes a host: the script, run as root. It first says who runs it, so that a refusal by
// sudo can be told from other trouble.
func factsCommand(a question) string {
	return fmt.Sprintf("S=%s\nU=$(id -u)\nprintf '%%s uid=%%s\\n%%s shell=%%s\\n' %[2]s \"$U\" %[2]s \"$SHELL\"\n"+
		"if [ \"$U\" = 0 ]; then sh -c \"$S\"; "+
		"else sudo -n -- sh -c \"$S\"; fi",
		shellescape.Quote(script(a)), a.nonce)
}
