package k0s

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jellydator/validation"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"github.com/k0sproject/k0sctl/pkg/retry"
	"github.com/k0sproject/rig/v2/protocol/ssh"
	"github.com/k0sproject/rig/v2/protocol/ssh/hostkey"
	"github.com/k0sproject/rig/v2/sshconfig"
	"github.com/sirupsen/logrus"
	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

const (
	defaultConnectTimeout = 10 * time.Second
	defaultKeepAlive      = 5 * time.Second
	// lostAfter is how many keep-alive intervals a host may be silent before its connection counts as lost.
	lostAfter = 3
)

// hermetic makes the SSH library depend on nothing but the declared site: no ~/.ssh/config, which could send a host's
// connection elsewhere, and no SSH_KNOWN_HOSTS, which could switch host key checks off (H33). These are globals of the library,
// as are the interval at which k0sctl's own helpers try again, the names in its validation, and where it logs: all are set
// once, for the process.
var hermetic = sync.OnceFunc(func() {
	ssh.ConfigParser = nil
	hostkey.KnownHostsPathFromEnv = func() (string, bool) { return "", false }
	retry.Interval = time.Second
	validation.ErrorTag = "yaml"
	logrus.SetOutput(io.Discard) // k0sctl logs to a global; a session gets it through a hook
})

// reach applies the site's SSH defaults to a host where its document leaves them open, and the strict host key
// recipe always. raw is the host as written, which alone tells "port: 22" from no port. It returns what it had to overrule.
func reach(h *cluster.Host, raw yaml.MapSlice, site lifecycle.SSH, dir string) (overruled []string, err error) {
	joinFlags(h)
	switch {
	case h.OpenSSH != nil:
		return nil, errors.New("openSSH is not supported: kiban checks host keys with its own SSH client; write ssh instead")
	case h.WinRM != nil:
		return nil, errors.New("winRM is not supported: kiban manages Linux machines over SSH")
	case h.SSH == nil:
		return nil, nil
	}
	written, _ := lookup(raw, "ssh").(yaml.MapSlice)
	if lookup(written, "user") == nil && site.User != "" {
		h.SSH.User = site.User
	}
	if lookup(written, "port") == nil && site.Port != 0 {
		h.SSH.Port = site.Port
	}
	if h.SSH.KeyPath == nil && site.KeyPath != "" {
		path := site.KeyPath
		h.SSH.KeyPath = &path
	}
	for c := h.SSH; c != nil; c = c.Bastion {
		if c.KeyPath != nil {
			path := absolute(dir, *c.KeyPath)
			c.KeyPath = &path
		}
		overruled = append(overruled, strict(c, site)...)
	}
	return overruled, nil
}

// absolute resolves a path against the overlay's folder. "~" is left to the SSH library.
func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "~") || dir == "" {
		return path
	}
	return filepath.Join(dir, path)
}

// strict sets the only options under which the library refuses an unknown host: with a user file it would add the key to
// it, even where StrictHostKeyChecking says yes (H33).
func strict(c *ssh.Config, site lifecycle.SSH) (overruled []string) {
	options := sshconfig.OptionArguments{}
	for k, v := range c.SSHConfigOptions {
		switch strings.ToLower(k) {
		case "userknownhostsfile", "globalknownhostsfile", "stricthostkeychecking":
			overruled = append(overruled, fmt.Sprintf("%s: %v", k, v))
		default:
			options[k] = v
		}
	}
	options["UserKnownHostsFile"] = "none"
	options["GlobalKnownHostsFile"] = site.KnownHosts
	options["StrictHostKeyChecking"] = "yes"
	options.SetIfUnset("ConnectTimeout", seconds(site.ConnectTimeout, defaultConnectTimeout))
	c.SSHConfigOptions = options
	return overruled
}

func seconds(d, or time.Duration) string {
	if d <= 0 {
		d = or
	}
	return fmt.Sprintf("%d", int((d+time.Second-1)/time.Second))
}
