package k0s

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/k0sproject/rig/v2/protocol/ssh"
	"github.com/k0sproject/rig/v2/protocol/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"kiban.dev/kiban/lifecycle"
)

// unreachable says why a host could not be connected to, and what to do about it. c is how it was to be reached; nil for this machine.
func unreachable(err error, c *ssh.Config, knownHosts string) (lifecycle.HostProblem, string) {
	if c == nil {
		return lifecycle.HostUnreachable, err.Error()
	}
	text, declared := err.Error(), c
	c = failedAt(text, c)
	at := fmt.Sprintf("%s port %d", c.Address, c.Port)
	if key, ok := errors.AsType[*knownhosts.KeyError](err); ok {
		return lifecycle.HostKeyUnknown, hostKey(key, c, at, knownHosts)
	}
	switch {
	case strings.Contains(text, "key is revoked"):
		return lifecycle.HostKeyUnknown, fmt.Sprintf("the key of %s is marked @revoked in %s: whoever answers there may have stolen it. "+
			"Give the machine a new host key", at, knownHosts)
	case strings.Contains(text, "certificate serial") && strings.Contains(text, "revoked"):
		return lifecycle.HostKeyUnknown,
			fmt.Sprintf("the certificate of %s is not trusted: %s marks its key, or that of the authority which signed "+
				"it, @revoked. Give the machine a new host key and a new certificate", at, knownHosts)
	case strings.Contains(text, "no authorities for hostname"):
		return lifecycle.HostKeyUnknown, fmt.Sprintf("%s shows a certificate, and no @cert-authority of %s speaks for that name and port", at,
			knownHosts)
	case errors.Is(err, fs.ErrNotExist) && strings.Contains(text, "known_hosts"), strings.Contains(text, "no known_hosts file"):
		return lifecycle.HostNoKeys, fmt.Sprintf("there is no file %s here to check its key against", knownHosts)
	case strings.Contains(strings.ToLower(text), "too many authentication failures"):
		return lifecycle.HostAuth,
			fmt.Sprintf("%s ended the login of user %s: %s, and it takes only so many tries (MaxAuthTries of sshd_config(5), 6 by default); "+
				"name the one that is right: keyPath under ssh, in the Site or at the host", at, c.User, offered())
	case strings.Contains(text, "unable to authenticate"):
		return lifecycle.HostAuth, fmt.Sprintf("%s refuses user %s with %s; add its public key to the user's authorized_keys", at, c.User,
			identity(c))
	case strings.Contains(text, "no usable authentication method"):
		return lifecycle.HostNoLogin, noLogin(c) + forBastion(c, declared)
	case strings.Contains(text, "no common algorithm"):
		return lifecycle.HostKeyUnknown, fmt.Sprintf("%s no longer has the kind of host key that %s holds of it (%s)", at, knownHosts, text)
	}
	return lifecycle.HostUnreachable, fmt.Sprintf("no connection to %s: %s", at, rootCause(err))
}

// forBastion names the machine that a login failed at, where that is a bastion: the host itself is named beside the reason.
func forBastion(at, host *ssh.Config) string {
	if at == host {
		return ""
	}
	return fmt.Sprintf(", for its bastion %s port %d", at.Address, at.Port)
}

// failedAt is the machine of the way where the connection failed: the host, or a bastion before it. The library names bastions whose key it
// refuses, and says of all that fails behind one that it does; of other failures it does not say where they were.
func failedAt(text string, c *ssh.Config) *ssh.Config {
	if refused := strings.Count(text, "bastion connect: "); refused > 0 {
		for ; refused > 0 && c.Bastion != nil; refused-- {
			c = c.Bastion
		}
		return c
	}
	if strings.Contains(text, "bastion client connect: ") || strings.Contains(text, "bastion dial: ") {
		return c
	}
	for c.Bastion != nil {
		c = c.Bastion
	}
	return c
}

// hostKey says what is wrong with a host's key. What is behind a bastion answers there alone, so the command that shows its key is named.
func hostKey(key *knownhosts.KeyError, c *ssh.Config, at, file string) string {
	text := fmt.Sprintf("the key of %s is not in %s", at, file)
	if len(key.Want) > 0 {
		text = fmt.Sprintf("the key of %s is not the one in %s, line %d: the machine was set up anew, or another one answers in its place",
			at, file, key.Want[0].Line)
	}
	if b := c.Bastion; b != nil {
		text += fmt.Sprintf(". It can be asked for from its bastion alone: `ssh -p %d %s@%s ssh-keyscan -p %d %s >> %s`",
			b.Port, b.User, b.Address, c.Port, c.Address, file)
	}
	return text
}

// offered says which keys were tried.
func offered() string {
	client, closer, err := agent.NewClient()
	if err != nil {
		return "too many keys were tried"
	}
	if closer != nil {
		defer closer.Close()
	}
	keys, err := client.List()
	if err != nil || len(keys) == 0 {
		return "too many keys were tried"
	}
	return fmt.Sprintf("ssh-agent offers %s", lifecycle.Count(len(keys), "key"))
}

func identity(c *ssh.Config) string {
	if c.KeyPath != nil {
		return "key " + *c.KeyPath
	}
	return "the keys of ssh-agent"
}

// noLogin says why this computer has nothing to log in with.
func noLogin(c *ssh.Config) string {
	if c.KeyPath == nil {
		return "no ssh-agent runs or has a key, and neither the Site nor the host names one (keyPath)"
	}
	_, err := os.ReadFile(*c.KeyPath)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no key " + *c.KeyPath + " here"
	case err != nil:
		return fmt.Sprintf("key %s can't be read: %v", *c.KeyPath, rootCause(err))
	}
	return fmt.Sprintf("key %s needs a passphrase, and no ssh-agent has it", *c.KeyPath)
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
	if uid == "" || uid == "0" || strings.TrimSpace(stderr) == "" {
		return "", false // root itself, or nobody refused anything: the machine may be on its way down
	}
	user := uid
	if c != nil {
		user = c.User
	}
	first, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n")
	return fmt.Sprintf("user %s may not run commands as root without a password (%s); give it NOPASSWD in sudoers", user, printable(first)),
		true
}
