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
	"kiban.dev/kiban/lab/machine"
)

const (
	older = "v1.35.7+k0s.0"
	newer = "v1.36.3+k0s.2"
)

// scenario is a run that is disturbed: what the site was before, what is declared then, and what is typed.
type scenario struct {
	name                 string
	controllers, workers int                 // machines of the lab
	before               func(s *fleet.Site) // nil: bare machines
	declare              func(s *fleet.Site)
	// verb is what is typed; nil: apply. prepare comes before it, and may say more of it: a file, a revision. after, when set, makes the
	// repository declare what the verb brought about.
	verb    []string
	prepare func(g *drive.Ground) (more []string, err error)
	after   func(g *drive.Ground) error
	// refusal is what the verb may say instead of going on, which names apply as the way on; again says that the verb comes after that.
	refusal string
	again   bool
}

// telemetry is a configuration that is not k0s's default.
const telemetry = "        telemetry:\n          enabled: false\n"

func scenarios() []scenario {
	same := func(*fleet.Site) {}
	configured := func(s *fleet.Site) { s.Config = telemetry }
	soaks := func(s *fleet.Site) { s.Spec = "    controlPlane: {soak: 1h, commit: manual}\n" }
	soaksNewer := func(s *fleet.Site) { soaks(s); s.Version = newer }
	return []scenario{
		{name: "a bootstrap", controllers: 1, workers: 2, declare: same},
		{name: "a join", controllers: 1, workers: 2, before: func(s *fleet.Site) { s.Workers = 1 }, declare: same},
		{name: "an upgrade", controllers: 1, workers: 2, before: same, declare: func(s *fleet.Site) { s.Version = newer }},
		{name: "a configure", controllers: 1, workers: 1, before: same, declare: configured},
		{name: "a removal", controllers: 1, workers: 2, before: same, declare: func(s *fleet.Site) { s.Reset = []string{"worker-2"} }},
		{name: "a restore", controllers: 1, workers: 1, before: same, declare: same, verb: []string{"restore", "lab", "--yes"},
			prepare: destroyed, refusal: "a restore was interrupted after its first step: kiban apply"},
		{name: "a rollback", controllers: 1, workers: 1, before: same, declare: configured, verb: []string{"rollback", "lab", "--yes"},
			prepare: applied, after: reverted},
		{name: "a reboot", controllers: 1, workers: 2, before: same, declare: same, verb: []string{"node", "reboot", "lab", "worker-1",
			"--yes"}},
		{name: "a maintenance", controllers: 1, workers: 2, before: same, declare: same,
			verb: []string{"node", "maintain", "lab", "worker-1", "--yes", "--", "touch", "/etc/maintained"}},
		{name: "a pin and roll", controllers: 1, workers: 1, before: soaks, declare: soaksNewer},
		{name: "a way back", controllers: 1, workers: 1, before: soaks, declare: soaks, prepare: soaking},
		{name: "a commit", controllers: 1, workers: 1, before: soaks, declare: soaksNewer, prepare: upgraded,
			verb: []string{"commit", "lab", "--yes"}, after: followed, refusal: "kiban apply lab brings the control plane back first",
			again: true},
	}
}

// typed is the command of the scenario. again says that another run may have the lock still.
func (s scenario) typed(more []string, again bool) []string {
	args := s.verb
	if args == nil {
		args = []string{"apply", "lab", "--yes"}
	}
	if again && args[0] != "restore" {
		more = append([]string{"--lock-timeout", "2m"}, more...)
	}
	if i := slices.Index(args, "--"); i > 0 {
		return slices.Concat(args[:i], more, args[i:])
	}
	return slices.Concat(args, more)
}

// ready brings up the lab in the state before, with the new declaration written.
func (s scenario) ready(b drive.Binaries, net string) (g *drive.Ground, more []string, err error) {
	// After an API server was away a kubelet may take a minute until it watches its pods again: client-go waits ever longer before it asks.
	site := fleet.Site{Net: net, Controllers: s.controllers, Workers: s.workers, Version: older, User: "root", MaxUnavailable: "1",
		DrainTimeout: "150s", NodeTimeout: "60s"}
	g, err = drive.Up(b, site, "--lease-scale", "0.3")
	if err != nil {
		return g, nil, err
	}
	if s.before != nil {
		s.before(&g.Site)
		if err := g.Write(g.Dir); err != nil {
			return g, nil, err
		}
		if s.verb != nil && s.verb[0] == "rollback" {
			if err := commit(g, "before"); err != nil {
				return g, nil, err
			}
		}
		if _, err := g.Run(g.Kiban, "apply", "lab", "--yes"); err != nil {
			return g, nil, err
		}
	}
	g.Site = site
	s.declare(&g.Site)
	if err := g.Write(g.Dir); err != nil {
		return g, nil, err
	}
	if s.prepare != nil {
		more, err = s.prepare(g)
	}
	return g, more, err
}

// destroyed takes a backup and wipes the controller, as if its machine had been replaced.
func destroyed(g *drive.Ground) (more []string, err error) {
	file := filepath.Join(g.Dir, "lab.backup")
	u, err := g.Run(g.Kiban, "backup", "lab", "--out", file)
	if err != nil {
		return nil, err
	}
	_, err = g.Run(g.Lab, "exec", "--dir", ".lab", "controller-1",
		"systemctl stop k0scontroller && k0s reset && rm -f /etc/k0s/k0s.yaml /usr/local/bin/k0s")
	return []string{"--from", strings.TrimSpace(u.Stdout)}, err
}

// applied applies what is declared now, as a revision of its own; the one before is what is gone back to.
func applied(g *drive.Ground) (more []string, err error) {
	first, err := git(g, "rev-parse", "HEAD")
	if err != nil {
		return nil, err
	}
	if err := commit(g, "after"); err != nil {
		return nil, err
	}
	_, err = g.Run(g.Kiban, "apply", "lab", "--yes")
	return []string{"--to", first}, err
}

// upgraded applies what is declared now.
func upgraded(g *drive.Ground) (more []string, err error) {
	_, err = g.Run(g.Kiban, "apply", "lab", "--yes")
	return nil, err
}

// soaking has the control plane soak at the next version, and declares the former one again.
func soaking(g *drive.Ground) (more []string, err error) {
	was := g.Version
	g.Version = newer
	if err := g.Write(g.Dir); err != nil {
		return nil, err
	}
	if _, err := upgraded(g); err != nil {
		return nil, err
	}
	g.Version = was
	return nil, g.Write(g.Dir)
}

// followed lets the workers follow a control plane that was committed. A commit that found nothing left to do did not wait for the lock
// of
// the run that was killed.
func followed(g *drive.Ground) error {
	_, err := g.Run(g.Kiban, "apply", "lab", "--yes", "--lock-timeout", "2m")
	return err
}

// reverted declares what was gone back to.
func reverted(g *drive.Ground) error {
	g.Config = ""
	return g.Write(g.Dir)
}

func commit(g *drive.Ground, message string) error {
	// A commit does not hold the lab's keys, so the fleet's owners name where they are.
	fleet := "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec:\n  localFiles: [" + filepath.Join(g.Dir, ".lab") + "/]\n"
	if err := os.WriteFile(filepath.Join(g.Dir, "fleet.yaml"), []byte(fleet), 0o644); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "overlays", "fleet.yaml"},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", message}} {
		if _, err := git(g, args...); err != nil {
			return err
		}
	}
	return nil
}

func git(g *drive.Ground, args ...string) (string, error) {
	u, err := g.Run("git", args...)
	return strings.TrimSpace(u.Stdout), err
}

// whole is what a run that nobody disturbs is like.
type whole struct {
	events   int
	commands []command
	end      string
}

// undisturbed carries the run out, and gives what it was like.
func (s scenario) undisturbed(b drive.Binaries, net string) (w whole, err error) {
	g, more, err := s.ready(b, net)
	defer g.TearDown()
	if err != nil {
		return w, err
	}
	since, err := machine.RecordMark(recordFile(g))
	if err != nil {
		return w, err
	}
	if _, err := g.Run(g.Kiban, s.typed(more, false)...); err != nil {
		return w, err
	}
	rs, err := records(g, since)
	if err != nil {
		return w, err
	}
	w.commands = changing(rs)
	js := g.Journals()
	raw, err := os.ReadFile(js[len(js)-1])
	if err != nil {
		return w, err
	}
	w.events = bytes.Count(raw, []byte("\n"))
	w.end, err = s.end(g)
	return w, err
}

// end is where the site stands, whose plan must be empty.
func (s scenario) end(g *drive.Ground) (string, error) {
	if s.after != nil {
		if err := s.after(g); err != nil {
			return "", err
		}
	}
	if u, err := g.Run(g.Kiban, "plan", "lab", "--detailed-exitcode"); err != nil {
		return "", fmt.Errorf("the plan afterwards is not empty: %w\n%s", err, u.Stdout)
	}
	return endState(g)
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

// faults happen to machines of the lab. The run may weather them or stop: what counts is the next one.
func (s scenario) faults() []disturbance {
	return []disturbance{
		{"all SSH connections cut", func(g *drive.Ground, _ *os.Process) error { return fault(g, "all", "ssh-cut") }},
		{"worker-1 rebooted", func(g *drive.Ground, _ *os.Process) error { return fault(g, "worker-1", "reboot") }},
		off("controller-1"), off(fmt.Sprintf("worker-%d", s.workers)),
	}
}

// off switches a machine off for a while.
func off(machine string) disturbance {
	return disturbance{machine + " off for five seconds", func(g *drive.Ground, _ *os.Process) error {
		if err := fault(g, machine, "off"); err != nil {
			return err
		}
		time.Sleep(5 * time.Second)
		return fault(g, machine, "on")
	}}
}

func fault(g *drive.Ground, machine, kind string, args ...string) error {
	// what comes after the two dashes is no option, whatever it begins with
	_, err := g.Run(g.Lab, append([]string{"fault", "--dir", ".lab", "--", machine, kind}, args...)...)
	return err
}

// trial disturbs a run. It reports whether the run came to where it was to be disturbed.
type trial interface {
	at(g *drive.Ground, args []string) (reached bool, err error)
	String() string
}

// disturbed runs the command, disturbs it, runs it again, and gives where that ends.
func (s scenario) disturbed(b drive.Binaries, net string, k trial) (end string, reached bool, err error) {
	g, more, err := s.ready(b, net)
	defer g.TearDown()
	if err != nil {
		return "", false, err
	}
	if reached, err = k.at(g, s.typed(more, false)); err != nil {
		return "", reached, err
	}
	// Whoever carries on may do so on another machine: nothing that the first run kept here is needed.
	if err := os.RemoveAll(filepath.Join(g.Dir, ".kiban")); err != nil {
		return "", reached, err
	}
	if _, err := g.Run(g.Lab, "fault", "--dir", ".lab", "--clear"); err != nil {
		return "", reached, err
	}
	u, err := g.Run(g.Kiban, s.typed(more, true)...)
	if err != nil && s.refusal != "" && strings.Contains(strings.Join(strings.Fields(u.Stderr), " "), s.refusal) {
		_, err = g.Run(g.Kiban, "apply", "lab", "--yes", "--lock-timeout", "2m")
		if err == nil && s.again {
			_, err = g.Run(g.Kiban, s.typed(more, true)...)
		}
	}
	if err != nil {
		return "", reached, err
	}
	end, err = s.end(g)
	return end, reached, err
}

// at disturbs the run when its journal has as many events, and returns when it has ended.
func (k point) at(g *drive.Ground, args []string) (reached bool, err error) {
	seen := len(g.Journals())
	return disturb(g, args, 2*time.Millisecond, k.what, func() (bool, error) {
		js := g.Journals()
		if len(js) <= seen {
			return false, nil
		}
		raw, err := os.ReadFile(js[len(js)-1])
		if err != nil || bytes.Count(raw, []byte("\n")) < k.events {
			return false, nil
		}
		time.Sleep(k.after)
		return true, nil
	})
}

// disturb begins a run, looks every so often whether its moment has come, and then disturbs it. It returns when the run has ended, and
// tells whether the moment came: a run that was faster left nothing to disturb.
func disturb(g *drive.Ground, args []string, every time.Duration, what disturbance, due func() (bool, error)) (bool, error) {
	cmd := exec.Command(g.Kiban, args...)
	cmd.Dir, cmd.Env = g.Dir, drive.Environ(os.Environ())
	if err := cmd.Start(); err != nil {
		return false, err
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }() // how it ended is not what counts
	for {
		select {
		case <-done:
			return false, nil
		case <-time.After(every):
		}
		come, err := due()
		if err != nil {
			return false, err
		}
		if come {
			err := what.do(g, cmd.Process)
			<-done
			return true, err
		}
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
