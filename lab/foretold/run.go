package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kiban.dev/kiban/lab/drive"
)

// event is what is needed of kiban's events.
type event struct {
	Time     time.Time `json:"time"`
	Kind     string    `json:"kind"`
	Step     string    `json:"step"`
	Target   string    `json:"target"`
	Action   string    `json:"action"`
	Disrupts bool      `json:"disrupts"`
	Result   string    `json:"result"`
}

// run builds the site, rehearses, and does it.
func (s scenario) run(ctx context.Context, b drive.Binaries, net, keep string) (foretold, happened end, err error) {
	site := s.site(net)
	g, err := drive.Up(b, site)
	defer g.TearDown()
	if err == nil && len(s.documents) > 0 {
		err = os.WriteFile(filepath.Join(g.Dir, "overlays", site.Name, "slow.yml"), []byte(addonObjects()), 0o600)
	}
	if err != nil {
		return foretold, happened, err
	}
	if _, err = g.Apply(site.Version); err != nil {
		return foretold, happened, err
	}
	if err = s.furnish(g); err != nil {
		return foretold, happened, err
	}
	g.Version, g.Path = s.to, s.path
	if err = g.Write(g.Dir); err != nil {
		return foretold, happened, err
	}
	if s.begun != "" {
		before := s
		before.faults = []string{"kiban=kill@" + s.begun}
		_, code, said := before.apply(ctx, g)
		if code != -1 {
			return foretold, happened, fmt.Errorf("the run before was not killed at %s: %s", s.begun, drive.LastLines(string(said), 3))
		}
	}
	text, foretold, err := rehearse(ctx, g, s.faults)
	s.keep(keep, "rehearsal.json", text)
	if err != nil {
		return foretold, happened, err
	}
	text, happened, err = s.happen(ctx, g)
	s.keep(keep, "events.jsonl", text)
	return foretold, happened, err
}

// keep puts what was said into the folder, for who wants to know why.
func (s scenario) keep(dir, name string, text []byte) {
	if dir != "" {
		_ = os.MkdirAll(dir, 0o755)
		_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(s.name, " ", "-")+"."+name), text, 0o644) // it is for reading only
	}
}

// furnish brings the workload in, and waits until it runs.
func (s scenario) furnish(g *drive.Ground) error {
	if s.workload == "" {
		return nil
	}
	file := filepath.Join(g.Dir, "workload.yaml")
	if err := os.WriteFile(file, []byte(s.workload), 0o644); err != nil {
		return err
	}
	if _, err := g.Run(g.Lab, "kubectl", "--dir", ".lab", "--", "apply", "-f", file); err != nil {
		return err
	}
	for _, args := range s.kubectl {
		if _, err := g.Run(g.Lab, append([]string{"kubectl", "--dir", ".lab", "--"}, args...)...); err != nil {
			return err
		}
	}
	time.Sleep(s.settles)
	if s.later == "" {
		return nil
	}
	if err := os.WriteFile(file, []byte(s.later), 0o600); err != nil {
		return err
	}
	if _, err := g.Run(g.Lab, "kubectl", "--dir", ".lab", "--", "apply", "-f", file); err != nil {
		return err
	}
	time.Sleep(3 * time.Second) // until API servers heed it
	return nil
}

// rehearse gives what kiban foretells.
func rehearse(ctx context.Context, g *drive.Ground, faults []string) (text []byte, e end, err error) {
	args := []string{"rehearse", g.Name, "-o", "json"}
	for _, f := range faults {
		args = append(args, "--fault", f)
	}
	c := exec.CommandContext(ctx, g.Kiban, args...)
	c.Dir, c.Env = g.Dir, append(drive.Environ(os.Environ()), "KIBAN_LAB="+g.Lab)
	var said bytes.Buffer
	c.Stderr = &said
	text, err = c.Output()
	var r struct {
		Steps, Done int
		Result      string
		Order       []string
		Took        time.Duration
		Blocks      []struct{ Step string }
		Services    []struct{ Requests, Lost int }
	}
	if json.Unmarshal(text, &r) != nil {
		return text, e, fmt.Errorf("it was not rehearsed: %w: %s", err, drive.LastLines(said.String(), 8))
	}
	e = end{order: r.Order, done: r.Done, steps: r.Steps, result: r.Result, took: r.Took}
	for _, block := range r.Blocks {
		if block.Step != "" && !slices.Contains(e.blocked, block.Step) {
			e.blocked = append(e.blocked, block.Step)
		}
	}
	for _, s := range r.Services {
		e.requests, e.lost = e.requests+s.Requests, e.lost+s.Lost
	}
	return text, e, nil
}

// happen does it, with the same faults and a prober.
func (s scenario) happen(ctx context.Context, g *drive.Ground) (text []byte, e end, err error) {
	report := filepath.Join(g.Dir, "probe.json")
	prober := exec.CommandContext(ctx, g.Lab, "probe", "--dir", ".lab", "--all", "--report", report)
	prober.Dir = g.Dir
	if err := prober.Start(); err != nil {
		return nil, e, err
	}
	var all []event
	for range 1 + strings.Count(strings.Join(s.faults, " "), "kiban=kill") {
		var events []event
		events, code, said := s.apply(ctx, g)
		text = append(text, said...)
		all = append(all, events...)
		if code != -1 {
			break
		}
	}
	_ = prober.Process.Signal(syscall.SIGTERM)
	_ = prober.Wait() // that requests were lost is in its report
	e = became(all)
	var p struct{ Requests, Failures int }
	if b, err := os.ReadFile(report); err == nil {
		_ = json.Unmarshal(b, &p) // the totals are 0 then, which is told
	}
	e.requests, e.lost = p.Requests, p.Failures
	return text, e, nil
}

// apply runs kiban once, and injects the faults when their steps begin. What was injected is not injected by the next run again.
func (s *scenario) apply(ctx context.Context, g *drive.Ground) (events []event, code int, said []byte) {
	c := exec.CommandContext(ctx, g.Kiban, "apply", g.Name, "--yes", "--progress", "json")
	c.Dir, c.Env = g.Dir, drive.Environ(os.Environ())
	out, err := c.StderrPipe()
	if err != nil || c.Start() != nil {
		return nil, 1, nil
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		said = append(append(said, lines.Bytes()...), '\n')
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			continue
		}
		events = append(events, e)
		if e.Kind != "started" && e.Kind != "waiting" {
			continue
		}
		for i, f := range s.faults {
			machine, rest, _ := strings.Cut(f, "=")
			kind, at, _ := strings.Cut(rest, "@")
			if !strings.Contains(at, "/") {
				at = machine + "/" + at
			}
			if at != e.Step {
				continue
			}
			s.faults = slices.Clone(s.faults)
			s.faults[i] = ""
			if machine == "kiban" {
				_ = c.Process.Kill()
				continue
			}
			_, _ = g.Run(g.Lab, append([]string{"fault", "--dir", ".lab", machine}, strings.Split(kind, ":")...)...)
		}
	}
	_ = c.Wait() // its code says how it ended
	return events, c.ProcessState.ExitCode(), said
}

// became reads how runs ended out of their events.
func became(events []event) end {
	e := end{}
	disrupts, planned, done := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var first, last time.Time
	for _, v := range events {
		disrupts[v.Step] = disrupts[v.Step] || v.Disrupts
		switch v.Kind {
		case "planned":
			planned[v.Step] = true
			continue
		case "started":
			if v.Target != "" && (disrupts[v.Step] || v.Action == "cordon") && !slices.Contains(e.order, v.Target) {
				e.order = append(e.order, v.Target)
			}
		case "finished":
			done[v.Step] = true
		case "failed": // a way back that fails, too, is told with the upgrade that failed
			if v.Action != "restore-former" && !slices.Contains(e.blocked, v.Step) {
				e.blocked = append(e.blocked, v.Step)
			}
		case "summary":
			e.result = v.Result
			if v.Result == "done" {
				e.blocked = nil
			}
		}
		if v.Step != "" && v.Kind != "skipped" {
			if first.IsZero() {
				first = v.Time
			}
			last = v.Time
		}
	}
	delete(done, "")
	e.steps, e.done, e.took = len(planned), len(done), last.Sub(first)
	if e.result == "" {
		e.result = "blocked"
	}
	return e
}
