package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// killed: what was done by hand is undone, so the reviewed plan may run; its job is killed half way, and resumed by retrying it.
func (r *trial) killed(ctx context.Context) error {
	for _, s := range []struct {
		title string
		play  func(context.Context) (string, error)
	}{
		{"somebody puts " + changed + " right again", func(ctx context.Context) (string, error) {
			return "", r.rewrite(ctx, "k0s worker --debug ", "k0s worker ")
		}},
		{"the job is retried, and kiban is killed while it upgrades worker-1", r.kill},
		{"the job is retried once more: it resumes and ends well", r.resume},
		{"every machine runs " + third + ", every node is Ready",
			func(ctx context.Context) (string, error) { return "", r.at(ctx, site, third) }},
		{"people were told of the end that it had, and of the one that it has now", r.told},
		{"the schedule is green again, and says nothing of a drift that people know to be over", r.calm},
	} {
		if err := r.step(s.title, func() (string, error) { return s.play(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

// kill runs the job again and sends SIGKILL to kiban once a worker's upgrade has begun: that is what a cancelled job, a lost runner or a
// full machine looks like from here.
func (r *trial) kill(ctx context.Context) (string, error) {
	r.heard = len(r.project.messages(0))
	child := r.main.children[0]
	done := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := func(pid int) {
		go func() {
			done <- killWhen(ctx, pid, filepath.Join(child.file.dir, stateDir, "builds", safeName("apply:"+site), ".kiban", "runs", site),
				"worker-1/upgrade")
		}()
	}
	if err := r.jobs(ctx, child, watch, "apply:"+site); err != nil {
		return "", err
	}
	cancel()
	if err := <-done; err != nil {
		return "", fmt.Errorf("%w\n%s", err, tail(child.results["apply:"+site].Log, 40))
	}
	if code := child.results["apply:"+site].Code; code != 128+int(syscall.SIGKILL) {
		return "", fmt.Errorf("the job ended with exit code %d\n%s", code, tail(child.results["apply:"+site].Log, 40))
	}
	return "", nil
}

// killWhen waits until a step has started by the journals in a folder, and kills the kiban among a process's descendants.
func killWhen(ctx context.Context, pid int, journals, step string) error {
	for ; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		files, _ := filepath.Glob(filepath.Join(journals, "*.jsonl"))
		for _, name := range files {
			b, _ := os.ReadFile(name)
			for line := range strings.Lines(string(b)) {
				if strings.Contains(line, `"kind":"started"`) && strings.Contains(line, `"step":"`+step+`"`) {
					target := descendant(pid, "kiban")
					if target == 0 {
						return errors.New("no kiban runs below the job")
					}
					return syscall.Kill(target, syscall.SIGKILL)
				}
			}
		}
	}
	return errors.New("the job ended before it came to " + step)
}

// descendant finds a process by the name of its program among those that a process has started, and theirs.
func descendant(pid int, program string) int {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		for _, field := range strings.Fields(string(b)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				continue
			}
			if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", child)); strings.TrimSpace(string(name)) == program {
				return child
			}
			if found := descendant(child, program); found != 0 {
				return found
			}
		}
	}
	return 0
}

func (r *trial) resume(ctx context.Context) (string, error) {
	if err := r.jobs(ctx, r.main.children[0], nil, "apply:"+site); err != nil {
		return "", err
	}
	if err := r.main.want("success"); err != nil {
		return "", err
	}
	job, _ := r.main.job("apply:" + site)
	events, err := readJournals(job.Artifacts)
	if err != nil {
		return "", err
	}
	var finished []string
	for _, e := range events {
		if e.Kind == "finished" {
			finished = append(finished, e.Step)
		}
	}
	for _, s := range finished {
		if strings.HasPrefix(s, "controller") && strings.HasSuffix(s, "/upgrade") {
			return "", fmt.Errorf("%s was done again: %q", s, finished)
		}
	}
	return strings.Join(finished, ", "), nil
}

func (r *trial) told(context.Context) (string, error) {
	said := r.project.messages(r.heard)
	var heads []string
	for _, m := range said {
		heads = append(heads, headline(m))
	}
	seen := map[string]bool{}
	for _, m := range said {
		if seen[m] {
			return "", fmt.Errorf("told twice: %s", m)
		}
		seen[m] = true
	}
	if len(said) < 2 || !strings.Contains(said[len(said)-1], third) {
		return "", fmt.Errorf("the messages are\n%s", strings.Join(said, "\n\n"))
	}
	return strings.Join(heads, " / "), nil
}

// calm runs the schedule, which is to be green and to tell nobody.
func (r *trial) calm(ctx context.Context) (string, error) {
	r.heard = len(r.project.messages(0))
	if err := r.scheduled(ctx, "success"); err != nil {
		return "", err
	}
	if said := r.project.messages(r.heard); len(said) > 0 {
		return "", fmt.Errorf("people were told:\n%s", strings.Join(said, "\n\n"))
	}
	return "", nil
}
