package k0s

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/k0sproject/rig/v2/protocol/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// unreachable says why a host could not be connected to, and what to do about it. c is how it was to be reached; nil for this machine.
func unreachable(err error, c *ssh.Config, knownHosts string) (lifecycle.HostProblem, string) {
	if c == nil {
		return lifecycle.HostUnreachable, err.Error()
	}
	at := fmt.Sprintf("%s port %d", c.Address, c.Port)
	text := err.Error()
	if key, ok := errors.AsType[*knownhosts.KeyError](err); ok {
		return lifecycle.HostKeyUnknown, hostKey(key, c, at, knownHosts)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.Contains(text, "known_hosts"), strings.Contains(text, "no known_hosts file"):
		return lifecycle.HostKeyUnknown,
			fmt.Sprintf("there is no file %s to check the key of %s against; make it with `%s` and compare the keys with the machine's", knownHosts,
				at, keyscan(c, knownHosts))
	case strings.Contains(text, "unable to authenticate"):
		return lifecycle.HostAuth, fmt.Sprintf("%s refuses user %s with %s; add its public key to the user's authorized_keys", at, c.User,
			identity(c))
	case strings.Contains(text, "no usable authentication method"):
		return lifecycle.HostAuth, fmt.Sprintf("there is no key to log in to %s with: %s cannot be read, "+
			"or needs a passphrase and no ssh-agent runs", at, identity(c))
	case strings.Contains(text, "no common algorithm"):
		return lifecycle.HostKeyUnknown, fmt.Sprintf("%s no longer has the kind of host key that %s holds of it (%s)", at, knownHosts, text)
	}
	return lifecycle.HostUnreachable, fmt.Sprintf("no connection to %s: %s", at, rootCause(err))
}

func hostKey(key *knownhosts.KeyError, c *ssh.Config, at, file string) string {
	if len(key.Want) == 0 {
		return fmt.Sprintf("the key of %s is not in %s; add it with `%s` after comparing it with the machine's", at, file, keyscan(c, file))
	}
	return fmt.Sprintf("the key of %s is not the one in %s, line %d: the machine was set up anew, or another one answers in its place. "+
		"Find out which; if it is right, replace that line with what `ssh-keyscan -p %d %s` prints", at, file, key.Want[0].Line, c.Port,
		c.Address)
}

func keyscan(c *ssh.Config, file string) string {
	return fmt.Sprintf("ssh-keyscan -p %d %s >> %s", c.Port, c.Address, file)
}

func identity(c *ssh.Config) string {
	if c.KeyPath != nil {
		return "key " + *c.KeyPath
	}
	return "the keys of ssh-agent"
}

// rootCause is the innermost message: the layers above say "ssh dial" in several ways.
func rootCause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// refused says whether the host's answer means that the user may not become root.
func refused(uid, stderr string, c *ssh.Config) (string, bool) {
	if uid == "" || uid == "0" {
		return "", false
	}
	user := uid
	if c != nil {
		user = c.User
	}
	first, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	return fmt.Sprintf("user %s may not run commands as root without a password (%s); give it NOPASSWD in sudoers", user, printable(first)),
		true
}
