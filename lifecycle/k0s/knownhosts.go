package k0s

import (
	"crypto/ed25519"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/k0sproject/rig/v2/protocol/ssh"
	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// keyTypes reads a known_hosts file once, and says for a host which kinds of host key the file has of it. A server is asked for
// those only: left alone, client and server may agree on another kind, and a known host would look changed.
func keyTypes(file string) (func(*ssh.Config) []string, error) {
	check, err := knownhosts.New(file)
	if err != nil {
		return nil, err
	}
	nobody, err := cryptossh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return nil, err
	}
	return func(c *ssh.Config) []string {
		address := net.JoinHostPort(c.Address, strconv.Itoa(c.Port))
		key, ok := errors.AsType[*knownhosts.KeyError](check(address, &net.TCPAddr{IP: net.IPv4zero}, nobody))
		if !ok {
			return nil
		}
		var types []string
		for _, want := range key.Want {
			t := want.Key.Type()
			if t == cryptossh.KeyAlgoRSA {
				types = append(types, cryptossh.KeyAlgoRSASHA512, cryptossh.KeyAlgoRSASHA256)
				continue
			}
			types = append(types, t)
		}
		slices.Sort(types)
		return slices.Compact(types)
	}, nil
}

// askFor sets the kinds of host key on a host's connection, and on the bastion before it.
func askFor(c *ssh.Config, types func(*ssh.Config) []string) {
	for ; c != nil; c = c.Bastion {
		if t := types(c); len(t) > 0 {
			c.SSHConfigOptions.SetIfUnset("HostKeyAlgorithms", strings.Join(t, ","))
		}
	}
}
