package k0s

import (
	_ "embed"
	"fmt"
	"path"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/sh/shellescape"

	"kiban.dev/kiban/lifecycle"
)

//go:embed facts.sh
var factsScript string

// paths are where k0s has its things on a host.
type paths struct {
	binary, data, config, token string
	etc                         string // where k0s looks for what its containerd is given, whatever else is declared
	locks                       string // where kiban keeps the site's lock and its epochs
}

// pathsOf asks a host, which needs a configurer only, no machine.
func pathsOf(h *cluster.Host) paths {
	return paths{binary: h.K0sInstallLocation(), data: h.K0sDataDir(), config: h.K0sConfigPath(), token: h.K0sJoinTokenPath(),
		etc: path.Dir(lifecycle.ContainerdConfig), locks: hostLockDir}
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

// arguments are the facts script's, quoted: what frames the answer, the role that the host is asked as, its paths, and those of its
// declared files. The script itself is the same for every host.
func arguments(a question) string {
	role := "worker"
	if a.controls() {
		role = "controller"
	}
	words := []string{a.nonce, role, a.paths.binary, a.paths.data, a.paths.config, a.paths.token, a.paths.etc, a.paths.locks}
	for _, f := range a.host.Files {
		words = append(words, f.Path)
	}
	for i, w := range words {
		words[i] = shellescape.Quote(w)
	}
	return strings.Join(words, " ")
}

// factsCommand is the one command that observes a host: the script, run as root. It first says who runs it, so that a refusal by
// sudo can be told from other trouble.
func factsCommand(a question) string {
	return fmt.Sprintf("S=%s\nU=$(id -u)\nprintf '%%s uid=%%s\\n%%s shell=%%s\\n' %[2]s \"$U\" %[2]s \"$SHELL\"\n"+
		"set -- %[3]s\nif [ \"$U\" = 0 ]; then exec sh -c \"$S\" sh \"$@\"; else exec sudo -n -- sh -c \"$S\" sh \"$@\"; fi",
		shellescape.Quote(factsScript), a.nonce, arguments(a))
}
