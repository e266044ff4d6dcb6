package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/fleet"
)

const (
	older = "v1.35.7+k0s.0"
	newer = "v1.36.3+k0s.2"
)

// scenario is a run that is killed: what the site was before, and what is declared then.
type scenario struct {
	name                 string
	controllers, workers int                 // machines of the lab
	before               func(s *fleet.Site) // nil: bare machines
	declare              func(s *fleet.Site)
}

func scenarios() []scenario {
	return []scenario{
		{"a bootstrap", 1, 2, nil, func(*fleet.Site) {}},
		{"a join", 1, 2, func(s *fleet.Site) { s.Workers = 1 }, func(*fleet.Site) {}},
		{"an upgrade", 1, 2, func(*fleet.Site) {}, func(s *fleet.Site) { s.Version = newer }},
		{"a removal", 1, 2, func(*fleet.Site) {}, func(s *fleet.Site) { s.Reset = []string{"worker-2"} }},
	}
}

// ready brings up the lab in the state before, with the new declaration written.
func (s scenario) ready(b drive.Binaries, net string) (*drive.Ground, error) {
	site := fleet.Site{Net: net, Controllers: s.controllers, Workers: s.workers, Version: older, User: "root", MaxUnavailable: "1",
		DrainTimeout: "60s", NodeTimeout: "60s"}
	g, err := drive.Up(b, site, "--lease-scale", "0.3")
	if err != nil {
		return g, err
	}
	if s.before != nil {
		s.before(&g.Site)
		if err := g.Write(g.Dir); err != nil {
			return g, err
		}
		if _, err := g.Run(g.Kiban, "apply", "lab", "--yes"); err != nil {
			return g, err
		}
	}
	g.Site = site
	s.declare(&g.Site)
	return g, g.Write(g.Dir)
}

// undisturbed gives the number of events of a run that nobody kills, and where it ends.
func (s scenario) undisturbed(b drive.Binaries, net string) (events int, end string, err error) {
	g, err := s.ready(b, net)
	defer g.TearDown()
	if err != nil {
		return 0, "", err
	}
	if _, err := g.Run(g.Kiban, "apply", "lab", "--yes"); err != nil {
		return 0, "", err
	}
	js := g.Journals()
	raw, err := os.ReadFile(js[len(js)-1])
	if err != nil {
		return 0, "", err
	}
	end, err = endState(g)
	return bytes.Count(raw, []byte("\n")), end, err
}

// disturbance is what happens to a run under way.
type disturbance struct {
	name string
	do   func(g *drive.Ground, run *os.Process) error
}

// kill ends the process with no chance to tidy up.
func kill() disturbance {
	return disturbance{"SIGKILL", func(_ *drive.Ground, run *os.Process) error {
		_ = run.Kill() // gone already is as good
		return nil
	}}
}

// faults happen to machines. The run may weather them or stop: what counts is the next one.
func faults() []disturbance {
	return []disturbance{
		{"all SSH connections cut", func(g *drive.Ground, _ *os.Process) error { return fault(g, "all", "ssh-cut") }},
		{"worker-1 rebooted", func(g *drive.Ground, _ *os.Process) error { return fault(g, "worker-1", "reboot") }},
		{"controller-1 off for five seconds", func(g *drive.Ground, _ *os.Process) error {
			if err := fault(g, "controller-1", "off"); err != nil {
				return err
			}
			time.Sleep(5 * time.Second)
			return fault(g, "controller-1", "on")
		}},
		{"worker-2 off for five seconds", func(g *drive.Ground, _ *os.Process) error {
			if err := fault(g, "worker-2", "off"); err != nil {
				return err
			}
			time.Sleep(5 * time.Second)
			return fault(g, "worker-2", "on")
		}},
	}
}

func fault(g *drive.Ground, machine, kind string) error {
	_, err := g.Run(g.Lab, "fault", "--dir", ".lab", machine, kind)
	return err
}

// disturbed runs apply, disturbs it, runs it again until it goes through, and gives where that ends.
func (s scenario) disturbed(b drive.Binaries, net string, k point) (end string, err error) {
	g, err := s.ready(b, net)
	defer g.TearDown()
	if err != nil {
		return "", err
	}
	if err := applyAndDisturb(g, k); err != nil {
		return "", err
	}
	// Whoever carries on may do so on another machine: nothing that the first run kept here is needed.
	if err := os.RemoveAll(filepath.Join(g.Dir, ".kiban")); err != nil {
		return "", err
	}
	if _, err := g.Run(g.Kiban, "apply", "lab", "--yes", "--lock-timeout", "2m"); err != nil {
		return "", err
	}
	if u, err := g.Run(g.Kiban, "plan", "lab", "--detailed-exitcode"); err != nil {
		return "", fmt.Errorf("the plan afterwards is not empty: %w\n%s", err, u.Stdout)
	}
	return endState(g)
}

// applyAndDisturb does so when the run's journal has as many events, and returns when the run has ended.
func applyAndDisturb(g *drive.Ground, k point) error {
	seen := len(g.Journals())
	cmd := exec.Command(g.Kiban, "apply", "lab", "--yes")
	cmd.Dir = g.Dir
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // how it ended is not what counts
	for {
		select {
		case <-done:
			return nil // it was faster: then nothing was left to disturb
		case <-time.After(2 * time.Millisecond):
		}
		js := g.Journals()
		if len(js) <= seen {
			continue
		}
		raw, err := os.ReadFile(js[len(js)-1])
		if err != nil || bytes.Count(raw, []byte("\n")) < k.events {
			continue
		}
		time.Sleep(k.after)
		err = k.what.do(g, cmd.Process)
		<-done
		return err
	}
}

// endState is what status says of the site, without what differs from lab to lab: addresses, times, digests of addresses.
func endState(g *drive.Ground) (string, error) {
	u, err := g.Run(g.Kiban, "status", "lab", "-o", "json")
	if err != nil {
		return "", err
	}
	var st struct {
		Hosts []struct {
			Name, Binary, Running, Unit, Service string
			Staged                               []string
			Token                                bool
		}
		Nodes []struct {
			Name, Kubelet        string
			Ready, Unschedulable bool
			Mark                 struct{ Run string }
		}
		Etcd struct{ Members []struct{ Name string } }
	}
	raw := []byte(u.Stdout)
	var wrapped struct{ State json.RawMessage }
	if json.Unmarshal(raw, &wrapped) == nil && len(wrapped.State) > 0 {
		raw = wrapped.State
	}
	if err := json.Unmarshal(raw, &st); err != nil {
		return "", err
	}
	if len(st.Hosts) == 0 {
		return "", errors.New("status shows no hosts")
	}
	var lines []string
	for _, h := range st.Hosts {
		lines = append(lines, fmt.Sprintf("host %+v", h))
	}
	for _, n := range st.Nodes {
		lines = append(lines, fmt.Sprintf("node %+v", n))
	}
	for _, m := range st.Etcd.Members {
		lines = append(lines, "etcd "+m.Name)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}
