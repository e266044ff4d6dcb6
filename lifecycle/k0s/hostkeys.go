package k0s

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	cryptossh "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// scansAtOnce bounds how many machines are asked for their keys side by side.
const scansAtOnce = 64

// HostKeys asks a site's machines for their SSH host keys, and compares them with the site's known_hosts file. Nobody logs in. A machine
// behind a bastion can't be asked this way; its bastion is.
func HostKeys(ctx context.Context, site lifecycle.Site) (lifecycle.HostKeys, error) {
	return hostKeys(ctx, site, Options{})
}

func hostKeys(ctx context.Context, site lifecycle.Site, opts Options) (lifecycle.HostKeys, error) {
	judge, err := judgeOf(site.SSH.KnownHosts)
	if err != nil {
		return lifecycle.HostKeys{}, err
	}
	s, err := Open(site, opts)
	if err != nil {
		return lifecycle.HostKeys{}, err
	}
	defer func() { _ = s.Close() }() // it has opened nothing
	doors, out := s.doors()
	found := make([][]lifecycle.HostKey, len(doors))
	failed := make([]error, len(doors))
	places := make(chan struct{}, scansAtOnce)
	var wg sync.WaitGroup
	for i, d := range doors {
		wg.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			keys, err := scan(ctx, d.address, cmp.Or(site.SSH.ConnectTimeout, defaultConnectTimeout))
			found[i], failed[i] = judge(d, keys), err
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return lifecycle.HostKeys{}, err
	}
	for i, d := range doors {
		if failed[i] != nil {
			out.Failed = append(out.Failed, lifecycle.HostKeyFailure{Host: d.host, Address: d.address, Why: printable(rootCause(failed[i]))})
			continue
		}
		out.Keys = append(out.Keys, found[i]...)
	}
	return out, nil
}

// door is where a connection to a machine begins: at the machine itself, or at the first bastion before it.
type door struct{ host, address string }

func (s *Session) doors() (doors []door, out lifecycle.HostKeys) {
	for _, m := range s.machines {
		if m.ssh == nil {
			continue // this machine
		}
		c := m.ssh
		for c.Bastion != nil {
			c = c.Bastion
		}
		d := door{m.host.Name, net.JoinHostPort(c.Address, strconv.Itoa(cmp.Or(c.Port, 22)))}
		if c != m.ssh {
			out.Failed = append(out.Failed, lifecycle.HostKeyFailure{Host: m.host.Name,
				Address: net.JoinHostPort(m.ssh.Address, strconv.Itoa(cmp.Or(m.ssh.Port, 22))),
				Why:     "it is behind the bastion " + d.address + ": run ssh-keyscan there, and compare the key with the machine's"})
		}
		if !slices.ContainsFunc(doors, func(o door) bool { return o.address == d.address }) {
			doors = append(doors, d)
		}
	}
	return doors, out
}

// kindsOfKey are asked for one by one, for a server shows only one key to a connection.
func kindsOfKey() [][]string {
	return [][]string{
		{cryptossh.KeyAlgoED25519},
		{cryptossh.KeyAlgoECDSA256, cryptossh.KeyAlgoECDSA384, cryptossh.KeyAlgoECDSA521},
		{cryptossh.KeyAlgoRSASHA512, cryptossh.KeyAlgoRSASHA256},
	}
}

// scan gives the host keys of the server at an address.
func scan(ctx context.Context, address string, timeout time.Duration) ([]cryptossh.PublicKey, error) {
	var keys []cryptossh.PublicKey
	for _, kinds := range kindsOfKey() {
		key, err := showKey(ctx, address, timeout, kinds)
		if err != nil {
			return nil, err
		}
		if key != nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("it has no ed25519, ECDSA or RSA host key")
	}
	return keys, nil
}

// showKey lets the server prove that it has a key of that kind, and goes no further. Nil: it has none.
func showKey(ctx context.Context, address string, timeout time.Duration, kinds []string) (cryptossh.PublicKey, error) {
	attempt, cancel := lifecycle.Within(ctx, timeout, "no answer")
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(attempt, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(attempt, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })() // whoever waits for the server stops
	var shown cryptossh.PublicKey
	enough := errors.New("the key is known now")
	_, _, _, err = cryptossh.NewClientConn(conn, address, &cryptossh.ClientConfig{
		User:              "nobody",
		HostKeyAlgorithms: kinds,
		HostKeyCallback: func(_ string, _ net.Addr, key cryptossh.PublicKey) error { // called once the signature has been checked
			shown = key
			return enough
		},
	})
	switch none := (*cryptossh.AlgorithmNegotiationError)(nil); {
	case shown != nil:
		return shown, nil
	case errors.As(err, &none) && strings.Contains(err.Error(), "host key"):
		return nil, nil
	case attempt.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("it does not answer as an SSH server within %s", timeout)
	}
	return nil, err
}

// judgeOf reads a known_hosts file, and compares with it. A file that is not there knows nothing.
func judgeOf(file string) (func(door, []cryptossh.PublicKey) []lifecycle.HostKey, error) {
	check, err := knownhosts.New(file)
	if errors.Is(err, fs.ErrNotExist) {
		check, err = knownhosts.New(os.DevNull)
	}
	if err != nil {
		return nil, lifecycle.Errorf(file, "the known_hosts file can't be read").
			Try("Mend the line that it names, or delete it").
			From(err)
	}
	return func(d door, keys []cryptossh.PublicKey) []lifecycle.HostKey { return standings(check, d, keys) }, nil
}

// standings is what known_hosts says of the keys that a machine shows.
func standings(check cryptossh.HostKeyCallback, d door, keys []cryptossh.PublicKey) []lifecycle.HostKey {
	var out, others []lifecycle.HostKey
	for _, key := range keys {
		k := lifecycle.HostKey{Host: d.host, Address: d.address, Type: key.Type(), Fingerprint: cryptossh.FingerprintSHA256(key),
			Line: knownhosts.Line([]string{d.address}, key)}
		err := check(d.address, &net.TCPAddr{IP: net.IPv4zero}, key)
		unlike, differs := errors.AsType[*knownhosts.KeyError](err)
		_, revoked := errors.AsType[*knownhosts.RevokedError](err)
		switch {
		case err == nil:
			k.Standing = lifecycle.KeyKnown
		case revoked:
			k.Standing = lifecycle.KeyRevoked
		case differs && len(unlike.Want) == 0:
			k.Standing = lifecycle.KeyNew
		default:
			k.Standing = lifecycle.KeyChanged
			same := false
			for _, w := range wanted(unlike) {
				k.Former = append(k.Former, cryptossh.FingerprintSHA256(w.Key))
				same = same || w.Key.Type() == k.Type
			}
			if !same { // another kind than the known one: a change only if the machine has none of a known kind
				others = append(others, k)
				continue
			}
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return others
	}
	return out
}

func wanted(e *knownhosts.KeyError) []knownhosts.KnownKey {
	if e == nil {
		return nil
	}
	return e.Want
}
