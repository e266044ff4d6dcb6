package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// policies rolls the version out in each way, and prints the table: likeness, waves, nothing.
func (g *ground) policies(ctx context.Context) ([]trial, error) {
	var ts []trial
	for _, p := range []struct {
		name string
		do   func(context.Context) (string, error)
	}{{"held by likeness", g.likeness}, {"the wave of a failure is the last", g.wholeWaves}, {"nothing stops it", g.nothing}} {
		t, err := g.trial(ctx, p.do)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		t.name = p.name
		note("%s: harmed %v, %d done, %s", t.name, t.harmed(), len(t.through()), t.took.Round(time.Second))
		ts = append(ts, t)
	}
	fmt.Printf("%d sites in %d waves, %s to %s, which fails on %d like machines; %d side by side; %d with Kubernetes' own programs.\n\n",
		g.sites, g.waves, former, next, g.alike, g.parallel, g.full)
	fmt.Println("| | harmed | done | took |\n|---|---|---|---|")
	for _, t := range ts {
		fmt.Printf("| %s | %d of %d: %s | %d of %d | %s |\n", t.name, len(t.harmed()), g.alike, strings.Join(t.harmed(), ", "),
			len(t.through()), g.sites, t.took.Round(time.Second))
	}
	return ts, nil
}

// trial rolls the version out from where setUp left the sites.
func (g *ground) trial(ctx context.Context, do func(context.Context) (string, error)) (t trial, err error) {
	if err := g.reset(); err != nil {
		return t, err
	}
	began := time.Now()
	if t.told, err = do(ctx); err != nil {
		return t, err
	}
	t.took = time.Since(began)
	t.end, err = g.end(ctx)
	return t, err
}

// likeness is the small engine, to its end: a call is enough, unless a machine did not answer in time.
func (g *ground) likeness(ctx context.Context) (string, error) {
	calls, err := g.cron(ctx)
	return fmt.Sprintf("%d calls of kiban fleet apply", calls), err
}

// wholeWaves applies wave by wave, and begins none after a wave in which a site failed.
func (g *ground) wholeWaves(ctx context.Context) (string, error) {
	for wave := range g.waves {
		failed, err := g.applied(ctx, func(m member) bool { return m.wave == wave+1 })
		if err != nil || failed > 0 {
			return fmt.Sprintf("stopped after wave %d", wave+1), err
		}
	}
	return "all waves went", nil
}

// nothing applies all sites, whatever happens.
func (g *ground) nothing(ctx context.Context) (string, error) {
	_, err := g.applied(ctx, func(member) bool { return true })
	return "", err
}

// applied runs "kiban apply" at the sites, and tells how many failed.
func (g *ground) applied(ctx context.Context, which func(member) bool) (failed int, err error) {
	list := slices.DeleteFunc(slices.Clone(g.members), func(m member) bool { return !which(m) })
	codes := make(chan int, len(list))
	err = sideBySide(g.parallel, list, func(m member) error {
		code, err := g.applyOne(ctx, m)
		codes <- code
		return err
	})
	close(codes)
	for code := range codes {
		if code == 1 {
			failed++
		}
	}
	return failed, err
}

// blockedTries is how often a run is begun anew that was not let begin.
const blockedTries = 5

// applyOne applies a site, and tells with which exit code that ended. That a run fails is no error. One that was blocked is begun anew:
// of a computer that has other work a machine may not answer in time, and the lock of a run that was killed holds for a while.
func (g *ground) applyOne(ctx context.Context, m member) (code int, err error) {
	for tries := 1; ; tries++ {
		said, err := g.kiban(ctx, "apply", m.name, "--yes", "--lock-timeout", "3m")
		if said.Code == 1 && ctx.Err() == nil {
			return said.Code, nil
		}
		if said.Code != 3 || tries == blockedTries || ctx.Err() != nil {
			return said.Code, err
		}
		note("%s, again: %v", m.name, err)
	}
}

// replacedEngines has three engines take turns. The first, "kiban fleet apply", is killed with all that it has begun when a fifth of the
// sites run the version; the second, a pipeline that asks "kiban fleet next" for each round of jobs, when half of them do; cron goes on.
func (g *ground) replacedEngines(ctx context.Context) (string, error) {
	var told []string
	cut, err := g.killedEngine(ctx, g.sites/5)
	if err != nil {
		return "", err
	}
	told = append(told, "kiban fleet apply until "+cut)
	note("%s", told[0])
	if cut, err = g.killedPipeline(ctx, g.sites/2); err != nil {
		return "", err
	}
	told = append(told, "a pipeline until "+cut)
	note("%s", told[1])
	calls, err := g.cron(ctx)
	told = append(told, fmt.Sprintf("then cron, %d calls of kiban fleet apply", calls))
	return strings.Join(told, "; "), err
}

// killedEngine runs the small engine until so many sites run the version, and then kills it and every process that it has begun.
func (g *ground) killedEngine(ctx context.Context, until int) (string, error) {
	c, err := g.begin("fleet", "apply", "--yes", "--parallel", fmt.Sprint(g.parallel))
	if err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		select {
		case err := <-ended:
			return "", fmt.Errorf("it ended before it could be killed: %w", errors.Join(err, ctx.Err()))
		case <-time.After(time.Second):
		}
		done, err := g.versions()
		if err != nil {
			return "", err
		}
		if done < until && ctx.Err() == nil {
			continue
		}
		killed := killSession(c.Process.Pid)
		<-ended
		return fmt.Sprintf("%d of %d sites ran the version (SIGKILL, to it and %d runs)", done, g.sites, killed-1), nil
	}
}

// killedPipeline goes in rounds, as a schedule does: it asks who may go, has a job for each, and asks again when all have ended. In the
// round in which so many sites run the version, or the last, its jobs are killed while they are at work.
func (g *ground) killedPipeline(ctx context.Context, until int) (string, error) {
	for round := 1; ; round++ {
		names, jobs, err := g.mayGo(ctx)
		if err != nil {
			return "", err
		}
		if !slices.Equal(names, jobs) {
			return "", fmt.Errorf("fleet next names %v, and ci generate has jobs for %v", names, jobs)
		}
		if len(names) == 0 { // what runs that were killed held is let go in a while
			if round > 60 || ctx.Err() != nil {
				return "", errors.Join(ctx.Err(), errors.New("no site may go any more, and it was not killed"))
			}
			time.Sleep(5 * time.Second)
			continue
		}
		done, err := g.versions()
		if err != nil {
			return "", err
		}
		batch := names[:min(len(names), g.parallel)]
		if done+len(batch) > until {
			killed, err := g.killedJobs(batch)
			return fmt.Sprintf("%d of %d did (SIGKILL, to %d jobs)", done, g.sites, killed), err
		}
		if _, err := g.applied(ctx, func(m member) bool { return slices.Contains(batch, m.name) }); err != nil {
			note("round %d: %v", round, err)
		}
	}
}

// mayGo asks all sites, and gives those that may go: as "fleet next" names them, and as the pipeline has jobs for them.
func (g *ground) mayGo(ctx context.Context) (names, jobs []string, err error) {
	if _, err := g.kiban(ctx, "fleet", "collect"); err != nil {
		note("%v", err) // as in queue
	}
	said, err := g.kiban(ctx, "fleet", "next", "-o", "names")
	if err != nil && said.Code != 3 {
		return nil, nil, err
	}
	names = strings.Fields(said.Stdout)
	said, err = g.kiban(ctx, "ci", "generate", "apply", "--may-go", "--image", "kiban:1")
	for _, m := range g.members {
		if strings.Contains(said.Stdout, "kiban apply "+m.name+" ") {
			jobs = append(jobs, m.name)
		}
	}
	return names, jobs, err
}

// killedJobs begins jobs, and kills them after a moment.
func (g *ground) killedJobs(names []string) (killed int, err error) {
	var began []int
	for _, name := range names {
		c, err := g.begin("apply", name, "--yes")
		if err != nil {
			return killed, err
		}
		began = append(began, c.Process.Pid)
		defer func() { _ = c.Wait() }() // it was killed
	}
	time.Sleep(4 * time.Second)
	for _, pid := range began {
		killed += killSession(pid)
	}
	return killed, nil
}

// cron calls the small engine until a call has nothing to do any more that a later one could.
func (g *ground) cron(ctx context.Context) (calls int, err error) {
	for calls = 1; calls <= 60; calls++ {
		said, err := g.kiban(ctx, "fleet", "apply", "--yes", "--parallel", fmt.Sprint(g.parallel), "-o", "json")
		if said.Code != 0 && said.Code != 1 && said.Code != 3 {
			return calls, err
		}
		places, err := g.queue(ctx)
		if err != nil {
			return calls, err
		}
		turns := map[string]int{}
		for _, p := range places {
			turns[p.Turn]++
		}
		note("cron, call %d: %v", calls, turns)
		if rest := turns["go"] + turns["running"] + turns["waits"] + turns["unknown"]; rest == 0 {
			return calls, nil
		}
		time.Sleep(5 * time.Second)
	}
	return calls, errors.New("cron went on for 60 calls, and sites may still go")
}

// versions is how many sites run the version.
func (g *ground) versions() (int, error) {
	n := 0
	for _, m := range g.members {
		v, err := g.version(m)
		if err != nil {
			return 0, err
		}
		if v == next {
			n++
		}
	}
	return n, nil
}

func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// killSession kills the leader of a session, and then all other processes of it. It tells how many it killed.
func killSession(leader int) (killed int) {
	if syscall.Kill(leader, syscall.SIGKILL) == nil { // first, so that it sees none of the others end
		killed++
	}
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		_, rest, ok := strings.Cut(string(b), ") ") // state, parent, group, session
		if fields := strings.Fields(rest); err == nil && ok && len(fields) > 3 && fields[3] == strconv.Itoa(leader) && pid != leader {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
	}
	return killed
}
