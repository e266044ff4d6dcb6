package k0s

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Where k0s looks for what its containerd is given.
const (
	containerdConfig  = "/etc/k0s/containerd.toml"
	containerdDropIns = "/etc/k0s/containerd.d"
)

// containerd is the container runtime of a machine whose k0s runs: version 1.7 up to k0s 1.35, 2 from 1.36 on. The two take files of
// another form each, and no file of the other's.
type containerd struct {
	*StandIn
	two bool
}

func (k *StandIn) containerd(k0s string) containerd {
	kube, _, _ := cutVersion(k0s)
	var major, minor int
	_, _ = fmt.Sscanf(kube, "v%d.%d", &major, &minor) // a version that is none of k0s's has none of either
	return containerd{k, major > 1 || minor >= 36}
}

var (
	tomlVersion = regexp.MustCompile(`(?m)^[ \t]*version[ \t]*=[ \t]*(\d+)`)
	oldSection  = regexp.MustCompile(`(?m)^[^#\n]*io\.containerd\.grpc\.v1\.cri`)
	tomlTable   = regexp.MustCompile(`(?m)^[ \t]*\[`)
	openTable   = regexp.MustCompile(`^[ \t]*\[[^\]]*$`)
)

// files are those that are merged into what k0s says itself, by path; k0s's own configuration, unless an administrator has taken it
// over, is not among them.
func (c containerd) files() map[string]string {
	out := map[string]string{}
	paths, _ := filepath.Glob(c.opts.Disk.Real(containerdDropIns) + "/*.toml")
	for _, p := range append(paths, c.opts.Disk.Real(containerdConfig)) {
		if b, err := os.ReadFile(p); err == nil && !strings.HasPrefix(string(b), "# k0s_managed=true") {
			out["/"+strings.TrimPrefix(p, c.opts.Disk.Real("/")+"/")] = string(b)
		}
	}
	return out
}

// form is the version that a file says it is of; 0 where it says none.
func form(text string) int {
	if at := tomlTable.FindStringIndex(text); at != nil {
		text = text[:at[0]]
	}
	if m := tomlVersion.FindStringSubmatch(text); m != nil {
		n, _ := strconv.Atoi(m[1])
		return n
	}
	return 0
}

// ends says why containerd ends with its files, "" where it does not.
func (c containerd) ends() string {
	for path, text := range c.files() {
		for line := range strings.Lines(text) {
			if openTable.MatchString(strings.TrimSuffix(line, "\n")) {
				return fmt.Sprintf("failed to load TOML from %s: toml: unclosed table key %q", path, strings.TrimSpace(line))
			}
		}
		if form(text) > 2 && !c.two {
			return fmt.Sprintf("failed to load TOML from %s: unsupported config version `%d`", path, form(text))
		}
	}
	return ""
}

// refused is why k0s does not even start containerd 2, nil where it does. Nothing else than k0s itself minds a former form.
func (c containerd) refused() error {
	for path, text := range c.files() {
		if why := c.invalid(path, text); why != nil {
			return fmt.Errorf("failed to start worker components: failed to setup containerd config: can't handle imports: encountered errors "+
				"while processing containerd configuration import files: [invalid containerd configuration in %q: %w]", path, why)
		}
	}
	return nil
}

// invalid says what k0s has against a file, nil where it takes it.
func (c containerd) invalid(path, text string) error {
	switch f := form(text); {
	case !c.two || path == containerdConfig:
	case f != 0 && f != 3:
		return fmt.Errorf("unsupported containerd configuration version: expected 3, got %d", f)
	case oldSection.MatchString(text):
		return errors.New("unsupported plugin io.containerd.grpc.v1.cri")
	}
	return nil
}

// start is what k0s does before its kubelet starts.
func (c containerd) start(ctx context.Context) error {
	if err := c.refused(); err != nil {
		return err
	}
	if why := c.ends(); why != "" {
		wait(ctx, c.opts.Timing.Crash)
		return errors.New("failed to start worker components: failed to ping containerd: containerd: " + why)
	}
	return nil
}

// watch restarts containerd some time after its files have changed, as k0s does while it runs, until ctx ends.
func (c containerd) watch(ctx context.Context, node string) {
	faults := c.opts.Fleet.Faults(node)
	defer faults.RuntimeDown.Store(false)
	seen := c.fingerprint()
	for ctx.Err() == nil {
		wait(ctx, c.opts.Timing.Containerd/4)
		now := c.fingerprint()
		if now == seen {
			continue
		}
		for seen = ""; seen != now && ctx.Err() == nil; { // it waits until nothing changes any more
			seen = now
			wait(ctx, c.opts.Timing.Containerd)
			now = c.fingerprint()
		}
		why := c.ends()
		if faults.RuntimeDown.Swap(why != "") != (why != "") && why != "" {
			c.opts.Log.Warn("containerd ends", "node", node, "why", why)
		}
	}
}

// fingerprint tells one state of the watched folder from another.
func (c containerd) fingerprint() string {
	var b strings.Builder
	entries, _ := os.ReadDir(c.opts.Disk.Real(containerdDropIns))
	for _, e := range entries {
		if fi, err := e.Info(); err == nil {
			fmt.Fprintln(&b, fi.Name(), fi.Size(), fi.ModTime().UnixNano())
		}
	}
	return b.String()
}

// ctrCommand is containerd's own client, as far as to ask whether it answers.
func (s *session) ctrCommand() *cobra.Command {
	version := s.command("version", "Print the client and server versions", func(*cobra.Command, []string) error {
		r := s.current()
		if s.call.User.UID != 0 || r == nil || !r.answering || !r.flags.runsKubelet(r.role) || s.opts.Fleet.Faults(r.node).RuntimeDown.Load() {
			return errors.New(`ctr: failed to dial "/run/k0s/containerd.sock": context deadline exceeded`)
		}
		release := "1.7.34"
		if s.containerd(r.version).two {
			release = "2.3.3"
		}
		_, err := io.WriteString(s.call.Out, "Client:\n  Version:  v"+release+"\nServer:\n  Version:  v"+release+"\n")
		return err
	})
	return parent("ctr", "containerd CLI", version)
}

// containerdRestarts is how long k0s waits for further changes of containerd's files before it restarts it.
const containerdRestarts = 3 * time.Second
