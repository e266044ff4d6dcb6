package k0s

import (
	"cmp"
	"encoding/base64"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/rig/v2/protocol/ssh"
	cryptossh "golang.org/x/crypto/ssh"

	"kiban.dev/kiban/lifecycle"
)

// knowHosts has the hosts, and the bastions before them, held against what ssh(1) would read of the site's known_hosts file for them: the
// library knows fewer forms of it, and reads the whole of a file for each connection, so each is given one of few hosts. It gives what each
// is to be asked for. Where the file can't be read, each host says so when it is asked.
func (s *Session) knowHosts(hosts cluster.Hosts) func(*ssh.Config) []string {
	content, err := os.ReadFile(s.site.SSH.KnownHosts)
	if err != nil {
		return func(*ssh.Config) []string { return nil }
	}
	known := lifecycle.ReadKnownHosts(string(content))
	var ways []*ssh.Config
	seen := map[string]bool{}
	for _, h := range hosts {
		for c := h.SSH; c != nil; c = c.Bastion {
			if !seen[wayName(c)] {
				seen[wayName(c)] = true
				ways = append(ways, c)
			}
		}
	}
	files := map[string]string{}
	if s.scratch, err = os.MkdirTemp("", "kiban-known-hosts-"); err == nil {
		for few := range slices.Chunk(ways, 32) {
			file := filepath.Join(s.scratch, strconv.Itoa(len(files)))
			if os.WriteFile(file, []byte(spelledOut(known, few)), 0o600) != nil {
				continue
			}
			for _, c := range few {
				files[wayName(c)] = file
			}
		}
	}
	return func(c *ssh.Config) []string {
		if file, ok := files[wayName(c)]; ok {
			c.SSHConfigOptions["GlobalKnownHostsFile"] = file
		}
		return keyTypes(known, c)
	}
}

// forgetHosts removes the files of knowHosts and their folder. os.RemoveAll would open the folder that they lie in, which is everybody's.
func forgetHosts(scratch string) error {
	files, err := os.ReadDir(scratch)
	for _, f := range files {
		err = errors.Join(err, os.Remove(filepath.Join(scratch, f.Name())))
	}
	return errors.Join(err, os.Remove(scratch))
}

// wayName is what a machine is called in the files that the library reads.
func wayName(c *ssh.Config) string { return "[" + c.Address + "]:" + strconv.Itoa(cmp.Or(c.Port, 22)) }

// spelledOut is a known_hosts file in which each line names those of some machines that it speaks of, in full. Lines stay where they are,
// for findings name them; those of nobody here are empty. A key that is revoked is so for all.
func spelledOut(known lifecycle.KnownHosts, ways []*ssh.Config) string {
	names, of := map[int][]string{}, map[int]lifecycle.KnownHost{}
	put := func(h lifecycle.KnownHost, name string) {
		names[h.Line], of[h.Line] = append(names[h.Line], name), h
	}
	for _, c := range ways {
		for _, h := range known.Of(c.Address, cmp.Or(c.Port, 22)) {
			if h.Marker != lifecycle.MarkerRevoked {
				put(h, wayName(c))
			}
		}
	}
	for _, h := range known.Revoked() {
		put(h, "*")
	}
	var lines []string
	for _, at := range slices.Sorted(maps.Keys(of)) {
		if h := of[at]; keyOf(h) != nil {
			lines = append(lines, slices.Repeat([]string{""}, at-1-len(lines))...)
			lines = append(lines, strings.TrimPrefix(h.Marker+" "+strings.Join(names[at], ",")+" "+h.Type+" "+h.Key, " "))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// keyOf is the key of a line; nil where it is none, or of a kind that the library does not know.
func keyOf(h lifecycle.KnownHost) cryptossh.PublicKey {
	b, err := base64.StdEncoding.DecodeString(h.Key)
	if err != nil {
		return nil
	}
	key, err := cryptossh.ParsePublicKey(b)
	if err != nil || key.Type() != h.Type {
		return nil
	}
	return key
}

// keyTypes says which kinds of host key are known of a host. A server is asked for those only: left alone, client and server may agree on
// another kind, and a known host would look changed. A host that an authority speaks for is asked for its certificate; one that is not
// known, for a plain key, so that the refusal says so, also where it has a certificate.
func keyTypes(known lifecycle.KnownHosts, c *ssh.Config) []string {
	var types []string
	for _, h := range known.Of(c.Address, cmp.Or(c.Port, 22)) {
		if h.Marker != lifecycle.MarkerRevoked && keyOf(h) != nil {
			types = append(types, algorithms(h)...)
		}
	}
	if len(types) == 0 {
		return plainAlgorithms()
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// algorithms are what a server is asked for because of one line of known_hosts.
func algorithms(h lifecycle.KnownHost) []string {
	switch {
	case h.Marker == lifecycle.MarkerAuthority: // the authority's own kind says nothing of the key that it signed
		return []string{cryptossh.CertAlgoED25519v01, cryptossh.CertAlgoECDSA256v01, cryptossh.CertAlgoECDSA384v01, cryptossh.CertAlgoECDSA521v01,
			cryptossh.CertAlgoRSASHA512v01, cryptossh.CertAlgoRSASHA256v01}
	case h.Type == cryptossh.KeyAlgoRSA:
		return []string{cryptossh.KeyAlgoRSASHA512, cryptossh.KeyAlgoRSASHA256}
	}
	return []string{h.Type}
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
