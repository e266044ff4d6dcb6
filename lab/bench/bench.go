package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kiban.dev/kiban/lab/fleet"
)

// ground is a lab and a fleet on it.
type ground struct {
	options
	dir string
	fleet.Site
}

// setUp brings up machines and writes the overlay; tearDown ends both.
func setUp(o options, net string, controllers, workers int, upArgs ...string) (*ground, error) {
	dir, err := os.MkdirTemp("", "kiban-bench-")
	if err != nil {
		return nil, err
	}
	g := &ground{options: o, dir: dir, Site: fleet.Site{Net: net, Controllers: controllers, Workers: workers, Version: "v1.35.7+k0s.0", User: "root",
		MaxUnavailable: "4", DrainTimeout: "120s", NodeTimeout: "120s"}}
	if err := g.Write(dir); err != nil {
		return g, err
	}
	args := append([]string{"up", "--dir", ".lab", "--net", net, "--controllers", fmt.Sprint(controllers), "--workers", fmt.Sprint(workers), "--detach"}, upArgs...)
	_, err = g.run(o.lab, args...)
	return g, err
}

func (g *ground) tearDown() {
	_, _ = g.run(g.lab, "down", "--dir", ".lab") // a lab that is gone already is as good
	_ = os.RemoveAll(g.dir)
}

// usage is what a whole process took.
type usage struct {
	wall time.Duration
	// peak resident memory, bytes
	rss    int64
	stdout string
}

func (g *ground) run(bin string, args ...string) (usage, error) {
	cmd := exec.Command(bin, args...)
	cmd.Dir = g.dir
	var out, errw bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errw
	start := time.Now()
	err := cmd.Run()
	u := usage{wall: time.Since(start), stdout: out.String()}
	if cmd.ProcessState != nil {
		if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			u.rss = ru.Maxrss * 1024 // Linux counts KiB
		}
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return u, fmt.Errorf("%s %s: %w\n%s", filepath.Base(bin), strings.Join(args, " "), err, lastLines(errw.String(), 15))
	}
	return u, err
}

func lastLines(s string, n int) string {
	ls := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(ls[max(0, len(ls)-n):], "\n")
}

// apply carries out what the overlay says, at the given version.
func (g *ground) apply(version string) (usage, error) {
	g.Version = version
	if err := g.Write(g.dir); err != nil {
		return usage{}, err
	}
	return g.run(g.kiban, "apply", "lab", "--yes")
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) }
