package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"kiban.dev/kiban/lab/drive"
)

// sizes are of how many sites fleets are validated: from the first to the last, the cost of a site must not grow.
func (o options) sizes() []int {
	if o.long {
		return []int{20, 200, 1000, 3500}
	}
	return []int{20, 200}
}

// benchRender validates and renders realistic fleets of several sizes. What each site costs is processor time of the whole process, its
// start included. It is held against kustomize, in the fleet of 200: as a library, one call a site, and as a program, one process a site.
// Then it is told what a change costs in the largest.
func benchRender(o options) ([]row, error) {
	var rows []row
	each := map[int]time.Duration{}
	for _, n := range o.sizes() {
		more, cost, err := o.fleetOf(n, n == o.sizes()[len(o.sizes())-1])
		rows, each[n] = append(rows, more...), cost
		if err != nil {
			return rows, err
		}
	}
	smallest, largest := o.sizes()[0], o.sizes()[len(o.sizes())-1]
	first, last := each[smallest], each[largest]
	return append(rows, row{fmt.Sprintf("what one of %d sites costs", largest), milliseconds(last),
		fmt.Sprintf("%s (one of %d)", milliseconds(first), smallest), ratio(last, first), "at most 1.2",
		verdict(float64(last) <= 1.2*float64(first))}), nil
}

// fleetOf measures a fleet of so many sites, and tells what it costs to validate one of them.
func (o options) fleetOf(sites int, largest bool) (rows []row, each time.Duration, err error) {
	dir, err := os.MkdirTemp("", "kiban-bench-")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	if err := realisticFleet(dir, filepath.Join("..", "clusters"), sites); err != nil {
		return nil, 0, err
	}
	g := &drive.Ground{Binaries: o.Binaries, Dir: dir}
	u, err := g.Run(g.Kiban, "validate")
	if err != nil {
		return nil, 0, err
	}
	each = u.CPU / time.Duration(sites)
	name := fmt.Sprintf("%d sites, ", sites)
	rows = []row{{name + "validate, cold: a site", milliseconds(each), "", "", "", ""},
		{name + "validate: elapsed", seconds(u.Wall), "", "", "under 60 s", verdict(u.Wall < time.Minute)},
		{name + "validate: peak memory", fmt.Sprintf("%d MB", u.RSS/1e6), "", "", "under 1 GB", verdict(u.RSS < 1e9)}}
	if sites == 200 {
		more, err := rendered(g, sites, each)
		if rows = append(rows, more...); err != nil {
			return rows, each, err
		}
	}
	if largest {
		more, err := changed(g, name)
		return append(rows, more...), each, err
	}
	return rows, each, nil
}

// processes is how many sites are built by a kustomize process each: each is the same.
const processes = 20

// rendered holds building all sites against kustomize.
func rendered(g *drive.Ground, sites int, validated time.Duration) ([]row, error) {
	u, err := g.Run(g.Kiban, "render", "--out", filepath.Join(g.Dir, ".kiban", "rendered"))
	if err != nil {
		return nil, err
	}
	ours := u.CPU / time.Duration(sites)
	before, err := processorTime()
	if err != nil {
		return nil, err
	}
	overlays, err := filepath.Glob(filepath.Join(g.Dir, "overlays", "*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range overlays {
		if err := kustomize(dir, io.Discard); err != nil {
			return nil, err
		}
	}
	after, err := processorTime()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var theirs time.Duration
	for _, dir := range overlays[:processes] {
		u, err := g.Run(self, "kustomize-build", dir)
		if err != nil {
			return nil, err
		}
		theirs += u.CPU / processes
	}
	library := (after - before) / time.Duration(sites)
	name := fmt.Sprintf("%d sites, ", sites)
	return []row{
		{name + "validate, cold: a site", milliseconds(validated), milliseconds(library) + " (kustomize builds it, as a library)",
			ratio(validated, library), "", ""},
		{name + "render --out: a site", milliseconds(ours), milliseconds(theirs) + " (kustomize build, a process)", ratio(ours, theirs),
			"at most 0.3", verdict(float64(ours) <= 0.3*float64(theirs))},
	}, nil
}

// changed is what is asked of a change: one line of one site, and then a base that all sites are built from.
func changed(g *drive.Ground, name string) ([]row, error) {
	if _, err := g.Run("git", "init", "-q"); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(g.Dir, ".gitignore"), []byte(".kiban\n"), 0o644); err != nil {
		return nil, err
	}
	for _, args := range [][]string{{"add", "-A"}, {"-c", "user.name=bench", "-c", "user.email=bench@example.com", "commit", "-qm", "fleet"}} {
		if _, err := g.Run("git", args...); err != nil {
			return nil, err
		}
	}
	if err := replaceIn(filepath.Join(g.Dir, "overlays", "shop-0007", "site.yaml"), "wave: 3", "wave: 4"); err != nil {
		return nil, err
	}
	var rows []row
	say := func(what string, goal time.Duration, args ...string) error {
		u, err := g.Run(g.Kiban, append(args, "--changed-since", "HEAD")...)
		if err == nil {
			text := ""
			if goal > 0 {
				text = fmt.Sprintf("in %.0f s", goal.Seconds())
			}
			rows = append(rows, row{name + what, seconds(u.Wall), "", "", text, ""})
			if goal > 0 {
				rows[len(rows)-1].met = verdict(u.Wall < goal)
			}
		}
		return err
	}
	const oneLine, aBase = 2 * time.Second, 30 * time.Second
	if err := say("one line of one site: validate, the first time", 0, "validate"); err != nil {
		return rows, err
	}
	if err := say("the same: sites", oneLine, "sites"); err != nil {
		return rows, err
	}
	if err := say("the same: validate", oneLine, "validate"); err != nil {
		return rows, err
	}
	if err := replaceIn(filepath.Join(g.Dir, "clusters", "base", "site.yaml"), "stableFor: 10s", "stableFor: 11s"); err != nil {
		return rows, err
	}
	return rows, say("a changed base: sites", aBase, "sites")
}

func replaceIn(file, former, next string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text := strings.Replace(string(b), former, next, 1)
	if text == string(b) {
		return fmt.Errorf("%s has no %q", file, former)
	}
	return os.WriteFile(file, []byte(text), 0o644)
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

// kustomize prints what an overlay comes to, by the stock library.
func kustomize(dir string, to io.Writer) error {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return err
	}
	text, err := built.AsYaml()
	if err != nil {
		return err
	}
	_, err = to.Write(text)
	return err
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
