package k0s

import (
	"crypto/ed25519"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/k0sproject/rig/v2/protocol/ssh"
	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// keyTypes reads a known_hosts file once, and says for a host which kinds of host key the file has of it. A server is asked for
// those only: left alone, client and server may agree on another kind, and a known host would look changed. A host that an authority speaks
// for is asked for its certificate; one that the file does not have, for a plain key, so that the refusal says that it is not known, also
// where it has a certificate.
func keyTypes(file string) (func(*ssh.Config) []string, error) {
	check, err := knownhosts.New(file)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(content), "\n")
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
			types = append(types, algorithms(want, lines)...)
		}
		if len(types) == 0 {
			return plainAlgorithms()
		}
		slices.Sort(types)
		return slices.Compact(types)
	}, nil
}

// algorithms are what a server is asked for because of one line of known_hosts.
func algorithms(known knownhosts.KnownKey, lines []string) []string {
	if n := known.Line - 1; n >= 0 && n < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[n]), "@cert-authority") {
		return []string{cryptossh.CertAlgoED25519v01, cryptossh.CertAlgoECDSA256v01, cryptossh.CertAlgoECDSA384v01, cryptossh.CertAlgoECDSA521v01,
			cryptossh.CertAlgoRSASHA512v01, cryptossh.CertAlgoRSASHA256v01} // the authority's own kind says nothing of the key that it signed
	}
	if t := known.Key.Type(); t != cryptossh.KeyAlgoRSA {
		return []string{t}
	}
	return []string{cryptossh.KeyAlgoRSASHA512, cryptossh.KeyAlgoRSASHA256}
}

func plainAlgorithms() []string { return slices.Concat(kindsOfKey()...) }

// askFor sets the kinds of host key on a host's connection, and on the bastion before it.
func askFor(c *ssh.Config, types func(*ssh.Config) []string) {
	for ; c != nil; c = c.Bastion {
		if t := types(c); len(t) > 0 {
			c.SSHConfigOptions.SetIfUnset("HostKeyAlgorithms", strings.Join(t, ","))
		}
	}
}
