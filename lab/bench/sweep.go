package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
)

// ofSite is how many machines a site of the sweep has.
const ofSite = 3

// benchSweep asks all sites of a fleet at once, from one process: what of their machines differs from what is declared. The machines answer
// 5 ms late, and run nothing yet.
func benchSweep(o options) ([]row, error) {
	sites := 200
	if o.long {
		sites = 3500
	}
	g, err := sweepGround(o, sites)
	defer g.TearDown()
	if err != nil {
		return nil, err
	}
	u, err := g.Run(g.Kiban, "fleet", "collect", "--parallel", "32")
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("drift of %d sites of %d machines at 5 ms", sites, ofSite)
	if collected, reached := sweptIn(g.Dir); collected != sites || reached != sites {
		return nil, fmt.Errorf("%s: %d sites were collected, and of %d all machines were reached", name, collected, reached)
	}
	rows := []row{{name, seconds(u.Wall), "", "", "", ""}, {name + ": processor time", seconds(u.CPU), "", "", "", ""},
		{name + ": peak memory", fmt.Sprintf("%d MB", u.RSS/1e6), "", "", "under 500 MB", verdict(u.RSS < 500e6)}}
	if o.long {
		rows[0].goal, rows[0].met = "under 3 min", verdict(u.Wall < 3*time.Minute)
	}
	return rows, nil
}

// sweepGround has the machines of all sites, and an overlay for each site, with its own host keys.
func sweepGround(o options, sites int) (*drive.Ground, error) {
	g, err := setUp(o, "127.100.0", 1, sites*ofSite-1)
	if err != nil {
		return g, err
	}
	if _, err := g.Run(g.Lab, "fault", "all", "latency", "5ms", "--dir", ".lab"); err != nil {
		return g, err
	}
	keys, err := hostKeys(filepath.Join(g.Dir, ".lab", "ssh", "known_hosts"))
	if err != nil {
		return g, err
	}
	machines := g.Machines()
	if err := os.RemoveAll(filepath.Join(g.Dir, "overlays")); err != nil {
		return g, err
	}
	for i := range sites {
		var known bytes.Buffer
		hosts := machines[i*ofSite : (i+1)*ofSite]
		for n := range hosts {
			hosts[n].Role = "worker"
			known.WriteString(keys[hosts[n].Address])
		}
		hosts[0].Role = "controller"
		name := fmt.Sprintf("shop-%04d", i)
		s := fleet.Site{Name: name, Net: g.Net, Hosts: hosts, Version: "v1.36.3+k0s.2", User: "root", MaxUnavailable: "1", DrainTimeout: "60s",
			NodeTimeout: "60s", ConnectTimeout: "20s", KnownHosts: "known_hosts"}
		if err := s.Write(g.Dir); err != nil {
			return g, err
		}
		if err := os.WriteFile(filepath.Join(g.Dir, "overlays", name, "known_hosts"), known.Bytes(), 0o644); err != nil {
			return g, err
		}
	}
	return g, nil
}

// hostKeys are the lines of a file of host keys, by address.
func hostKeys(file string) (map[string]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for line := range strings.Lines(string(b)) {
		names, _, _ := strings.Cut(line, " ")
		for name := range strings.SplitSeq(names, ",") { // an address, or "[address]:port"
			address, _, _ := strings.Cut(strings.TrimPrefix(name, "["), "]")
			keys[address] += line
		}
	}
	return keys, nil
}

// sweptIn counts the sites that were collected, and those of which all machines were reached.
func sweptIn(dir string) (collected, reached int) {
	files, _ := filepath.Glob(filepath.Join(dir, ".kiban", "collected", "*.json")) // the pattern is well formed
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		collected++
		if bytes.Contains(b, []byte(fmt.Sprintf(`"reached": %d`, ofSite))) || bytes.Contains(b, []byte(fmt.Sprintf(`"reached":%d`, ofSite))) {
			reached++
		}
	}
	return collected, reached
}
