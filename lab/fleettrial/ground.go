package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
)

// ground is the fleet, its repository and the lab that it is in.
type ground struct {
	drive.Ground
	shape
	members []member
	// remove: the folder goes with the trial.
	remove bool
}

func newGround(b drive.Binaries, s shape, keep string) (*ground, error) {
	g := &ground{shape: s, members: s.members(), remove: keep == ""}
	g.Binaries, g.Dir = b, keep
	if keep == "" {
		dir, err := os.MkdirTemp("", "kiban-fleettrial-")
		g.Dir = dir
		return g, err
	}
	dir, err := filepath.Abs(keep)
	g.Dir = dir
	return g, errors.Join(err, os.MkdirAll(dir, 0o755))
}

func (g *ground) tearDown() {
	_, _ = g.Run(g.Lab, "down", "--dir", ".lab") // a lab that is gone already is as good
	if g.remove {
		_ = os.RemoveAll(g.Dir)
	}
}

// setUp has all sites at the former version, and keeps what their machines then hold.
func (g *ground) setUp(ctx context.Context) error {
	if err := g.declare(former); err != nil {
		return err
	}
	b, err := json.Marshal(g.machines())
	if err != nil {
		return err
	}
	file := filepath.Join(g.Dir, "machines.json")
	if was, err := os.ReadFile(file); err == nil && bytes.Equal(was, b) && g.has("machines.before") {
		return nil // a trial before this one left the same machines
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(g.Dir, "machines.before")); err != nil {
		return err
	}
	if _, err := g.Run(g.Lab, "up", "--dir", ".lab", "--net", g.net, "--machines", "machines.json", "--detach"); err != nil {
		return err
	}
	for tries := 1; ; tries++ { // a computer that has other work makes machines that answer late; the same command goes on from there
		_, err := g.kiban(ctx, "fleet", "apply", "--yes", "--parallel", fmt.Sprint(g.parallel))
		if err == nil {
			break
		}
		if tries == 3 || ctx.Err() != nil {
			return err
		}
	}
	if _, err := g.Run(g.Lab, "down", "--dir", ".lab"); err != nil {
		return err
	}
	if err := g.Copy(".lab/machines", "machines.new"); err != nil {
		return err
	}
	return os.Rename(filepath.Join(g.Dir, "machines.new"), filepath.Join(g.Dir, "machines.before"))
}

// has reports whether the ground has a file or folder.
func (g *ground) has(path string) bool {
	_, err := os.Stat(filepath.Join(g.Dir, path))
	return err == nil
}

// Copy copies a folder of the ground with owners and times.
func (g *ground) Copy(from, to string) error {
	if err := os.RemoveAll(filepath.Join(g.Dir, to)); err != nil {
		return err
	}
	_, err := g.Run("cp", "-a", from, to)
	return err
}

// reset has all sites as setUp left them, the next version declared, and the fault planted.
func (g *ground) reset() error {
	_, _ = g.Run(g.Lab, "down", "--dir", ".lab") // after setUp none runs
	if err := os.RemoveAll(filepath.Join(g.Dir, ".kiban")); err != nil {
		return err
	}
	if err := g.Copy("machines.before", ".lab/machines"); err != nil {
		return err
	}
	if err := g.declare(next); err != nil {
		return err
	}
	if _, err := g.Run(g.Lab, "up", "--dir", ".lab", "--keep", "--machines", "machines.json", "--net", g.net, "--detach"); err != nil {
		return err
	}
	for _, m := range g.members {
		if m.alike {
			if _, err := g.Run(g.Lab, "fault", m.name, "never-ready", next, "--dir", ".lab"); err != nil {
				return err
			}
		}
	}
	return nil
}

// declare writes the repository, and commits it.
func (g *ground) declare(version string) error {
	for _, m := range g.members {
		s := fleet.Site{Name: m.name, Net: g.net, Hosts: []fleet.Machine{{Name: m.name, Role: "single", Address: m.address}},
			Version: version, User: "root", MaxUnavailable: "1", DrainTimeout: "60s", NodeTimeout: "45s", ConnectTimeout: "20s",
			Spec: fmt.Sprintf("  wave: %d\n", m.wave)}
		if !m.full {
			s.Config = "        storage:\n          type: kine\n"
		}
		if err := s.Write(g.Dir); err != nil {
			return err
		}
	}
	// What a fleet's .gitignore has: with anything else there, the revision would not say what is declared.
	ignored := []byte("/.kiban/\n/.lab/\n/machines*\n/engines.log\n")
	if err := os.WriteFile(filepath.Join(g.Dir, ".gitignore"), ignored, 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A", ".gitignore", "overlays"},
		{"-c", "user.name=trial", "-c", "user.email=trial@example.com", "commit", "-q", "--allow-empty", "-m", version}} {
		if _, err := g.Run("git", args...); err != nil {
			return err
		}
	}
	return nil
}

// kiban runs kiban to its end; another exit code than 0 is an error. What is at work when ctx ends goes on to its end, and nothing is
// begun after it.
func (g *ground) kiban(ctx context.Context, args ...string) (drive.Usage, error) {
	if ctx.Err() != nil {
		return drive.Usage{}, ctx.Err()
	}
	return g.Run(g.Kiban, args...)
}

// begin starts kiban, in a session of its own, with what it says in a file.
func (g *ground) begin(args ...string) (*exec.Cmd, error) {
	c := exec.Command(g.Kiban, args...)
	c.Dir, c.Env = g.Dir, drive.Environ(os.Environ())
	log, err := os.OpenFile(filepath.Join(g.Dir, "engines.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = ownSession()
	return c, c.Start()
}

// place is what is read of "kiban fleet next -o json".
type place struct {
	Site, Turn, Hold, Why string
}

// queue asks all sites and decides who may go.
func (g *ground) queue(ctx context.Context) ([]place, error) {
	if _, err := g.kiban(ctx, "fleet", "collect"); err != nil {
		note("%v", err) // a site that did not answer is not known, and no other's matter
	}
	said, err := g.kiban(ctx, "fleet", "next", "-o", "json")
	if err != nil && said.Code != 3 {
		return nil, err
	}
	var q struct{ Sites []place }
	return q.Sites, json.Unmarshal([]byte(said.Stdout), &q)
}

// end is how all sites stand: as kiban says, as their machines say, and as their APIs say.
func (g *ground) end(ctx context.Context) (map[string]stand, error) {
	places, err := g.queue(ctx)
	if err != nil {
		return nil, err
	}
	end := map[string]stand{}
	for _, p := range places {
		end[p.Site] = stand{turn: p.Turn, hold: p.Hold}
	}
	var mu sync.Mutex
	err = sideBySide(g.parallel, g.members, func(m member) error {
		version, err := g.version(m)
		if err != nil {
			return err
		}
		ready, err := g.ready(ctx, m)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		s := end[m.name]
		s.version, s.ready = version, ready
		end[m.name] = s
		return nil
	})
	return end, err
}

// file is the real path of a file on a site's machine.
func (g *ground) file(m member, path string) string {
	return filepath.Join(g.Dir, ".lab", "machines", m.name, "root", path)
}

// version is what k0s is installed on a site's machine. It is read from the file, for it is asked often.
func (g *ground) version(m member) (string, error) {
	b, err := os.ReadFile(g.file(m, "usr/local/bin/k0s"))
	first, _, _ := strings.Cut(string(b), "\n")
	_, version, _ := strings.Cut(first, "--as=")
	return version, err
}

// ready reports whether the API of a site says that its node is Ready, asked past kiban.
func (g *ground) ready(ctx context.Context, m member) (bool, error) {
	cfg, err := clientcmd.BuildConfigFromFlags("", g.file(m, "var/lib/k0s/pki/admin.conf"))
	if err != nil {
		return false, err
	}
	cfg.Timeout = 30 * time.Second
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return false, err
	}
	node, err := client.CoreV1().Nodes().Get(ctx, m.name, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	}), nil
}

// sideBySide does something with each member, so many at a time, and tells of all that failed.
func sideBySide(most int, list []member, do func(member) error) error {
	var mu sync.Mutex
	var wg sync.WaitGroup
	var errs []error
	slots := make(chan struct{}, most)
	for _, m := range list {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(m); err != nil {
				mu.Lock()
				errs = append(errs, fmt.Errorf("%s: %w", m.name, err))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
