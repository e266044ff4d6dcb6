// Package drive brings up a lab with a site on it and runs the real binaries there, for benchmarks and for the reliability report.
package drive

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kiban.dev/kiban/lab/fleet"
)

// Binaries are the paths of what is driven.
type Binaries struct{ Kiban, Lab string }

// Ground is a lab and a fleet on it, in a folder of its own.
type Ground struct {
	Binaries
	Dir string
	fleet.Site
}

// Up brings up machines and writes the overlay. Whatever it returns beside an error wants its TearDown, too.
func Up(b Binaries, site fleet.Site, args ...string) (*Ground, error) {
	dir, err := os.MkdirTemp("", "kiban-drive-")
	if err != nil {
		return nil, err
	}
	g := &Ground{Binaries: b, Dir: dir, Site: site}
	if err := g.Write(dir); err != nil {
		return g, err
	}
	_, err = g.Run(b.Lab, append([]string{"up", "--dir", ".lab", "--net", site.Net, "--controllers", fmt.Sprint(site.Controllers),
		"--workers", fmt.Sprint(site.Workers), "--detach"}, args...)...)
	return g, err
}

// TearDown ends the lab and removes the folder.
func (g *Ground) TearDown() {
	if g == nil {
		return
	}
	_, _ = g.Run(g.Lab, "down", "--dir", ".lab") // a lab that is gone already is as good
	_ = os.RemoveAll(g.Dir)
}

// Usage is what a whole process took and gave.
type Usage struct {
	Wall time.Duration
	// CPU is the processor time, of the system for it included.
	CPU time.Duration
	// RSS is the peak resident memory in bytes.
	RSS            int64
	Stdout, Stderr string
	Code           int
}

// Run runs a program in the fleet's folder, as at a terminal (Environ). An exit code other than 0 is an error, with the end of what it
// said.
func (g *Ground) Run(bin string, args ...string) (Usage, error) {
	cmd := exec.Command(bin, args...)
	cmd.Dir, cmd.Env = g.Dir, Environ(os.Environ())
	var out, errw bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errw
	start := time.Now()
	err := cmd.Run()
	u := Usage{Wall: time.Since(start), Stdout: out.String(), Stderr: errw.String(), Code: cmd.ProcessState.ExitCode()}
	if ru, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.RSS = ru.Maxrss * 1024 // Linux counts KiB
		u.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return u, fmt.Errorf("%s %s: %w\n%s", filepath.Base(bin), strings.Join(args, " "), err, LastLines(errw.String(), 15))
	}
	return u, err
}

// Apply carries out what the overlay says, at the given version.
func (g *Ground) Apply(version string) (Usage, error) {
	g.Version = version
	if err := g.Write(g.Dir); err != nil {
		return Usage{}, err
	}
	return g.Run(g.Kiban, "apply", "lab", "--yes")
}

// Journals are the site's journals, oldest first.
func (g *Ground) Journals() []string {
	files, err := filepath.Glob(filepath.Join(g.Dir, ".kiban", "runs", "lab", "*.jsonl"))
	if err != nil {
		return nil
	}
	var out []string
	for _, f := range files {
		if !strings.HasSuffix(f, ".commands.jsonl") {
			out = append(out, f)
		}
	}
	return out
}

// LastLines is the end of a text.
func LastLines(s string, n int) string {
	ls := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(ls[max(0, len(ls)-n):], "\n")
}
