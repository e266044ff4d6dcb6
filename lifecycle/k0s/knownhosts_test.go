package k0s

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	rig "github.com/k0sproject/rig/v2"
	"github.com/k0sproject/rig/v2/protocol/ssh"
	"github.com/k0sproject/rig/v2/sshconfig"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// Each connection reads the whole of its file of known hosts: on a site of many machines, none is given a file of all of them. A line keeps
// its number.
func TestEachConnectionReadsAFewHosts(t *testing.T) {
	key := newSigner(t).PublicKey()
	file := filepath.Join(t.TempDir(), "known_hosts")
	var hosts cluster.Hosts
	var content strings.Builder
	for i := range 100 {
		address := fmt.Sprintf("10.0.0.%d", i+1)
		content.WriteString(knownhosts.Line([]string{address}, key) + "\n")
		hosts = append(hosts, &cluster.Host{CompositeConfig: rig.CompositeConfig{SSH: &ssh.Config{Address: address, Port: 22,
			SSHConfigOptions: sshconfig.OptionArguments{}}}})
	}
	if err := os.WriteFile(file, []byte(content.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Session{site: lifecycle.Site{SSH: lifecycle.SSH{KnownHosts: file}}}
	types := s.knowHosts(hosts)
	for i, h := range hosts {
		if got := types(h.SSH); !slices.Equal(got, []string{key.Type()}) {
			t.Errorf("%s is asked for %q", h.SSH.Address, got)
		}
		own, _ := h.SSH.SSHConfigOptions["GlobalKnownHostsFile"].(string)
		lines := strings.Split(read(t, own), "\n")
		if i >= len(lines) || !strings.HasPrefix(lines[i], "["+h.SSH.Address+"]:22 ") {
			t.Errorf("%s is not on line %d of %s", h.SSH.Address, i+1, own)
		}
		if n := len(strings.Fields(strings.Join(lines, "\n"))) / 3; n > 32 {
			t.Errorf("%s is checked against %d hosts", h.SSH.Address, n)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(s.scratch); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is left: %v", s.scratch, err)
	}
}
