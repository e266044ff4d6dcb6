package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"kiban.dev/kiban/lab/drive"
)

// sizes are of how many sites fleets are validated: from the first to the last, the cost of a site must not grow.
func sizes() []int { return []int{20, 200, 1000} }

// benchRender validates realistic fleets of three sizes, and builds the overlays of the middle one with the stock kustomize library, one
// call a
// site. What each site costs is processor time of the whole process, its start included.
func benchRender(o options) ([]row, error) {
	var rows []row
	each := map[int]time.Duration{}
	for _, n := range sizes() {
		if n > 200 && !o.long {
			continue
		}
		u, built, err := validated(o, n)
		if err != nil {
			return rows, err
		}
		each[n] = u.CPU / time.Duration(n)
		name := fmt.Sprintf("validate %d sites", n)
		rows = append(rows, row{name + ", cold: a site", milliseconds(each[n]), milliseconds(built/time.Duration(n)) + " (kustomize builds)",
			ratio(u.CPU, built), "", ""}, row{name + ": peak memory", fmt.Sprintf("%d MB", u.RSS/1e6), "", "", "under 1 GB", verdict(u.RSS < 1e9)})
	}
	first, last := each[20], each[200]
	if o.long {
		last = each[1000]
	}
	return append(rows, row{"what a site costs in the largest fleet", milliseconds(last), milliseconds(first) + " (in the smallest)",
		ratio(last, first), "at most 1.2", verdict(float64(last) <= 1.2*float64(first))}), nil
}

// validated validates a fleet of so many sites, and tells how much processor time kustomize takes to build them.
func validated(o options, sites int) (u drive.Usage, built time.Duration, err error) {
	dir, err := os.MkdirTemp("", "kiban-bench-")
	if err != nil {
		return u, 0, err
	}
	defer os.RemoveAll(dir)
	if err := realisticFleet(dir, filepath.Join("..", "clusters"), sites); err != nil {
		return u, 0, err
	}
	g := &drive.Ground{Binaries: o.Binaries, Dir: dir}
	before, err := processorTime()
	if err == nil {
		err = buildAll(dir)
	}
	if err != nil {
		return u, 0, err
	}
	after, err := processorTime()
	if err != nil {
		return u, 0, err
	}
	u, err = g.Run(g.Kiban, "validate")
	return u, after - before, err
}

// processorTime is what this process has taken.
func processorTime() (time.Duration, error) {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return 0, err
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano()), nil
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}

func buildAll(dir string) error {
	sites, err := filepath.Glob(filepath.Join(dir, "overlays", "*"))
	if err != nil {
		return err
	}
	for _, s := range sites {
		if _, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), s); err != nil {
			return err
		}
	}
	return nil
}

// hostKey is a host key as known_hosts has it. What counts is that there is one.
func hostKey() (string, error) {
	public, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	k, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	return string(ssh.MarshalAuthorizedKey(k)), nil
}
