package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// trial is everything that is on stage.
type trial struct {
	options
	transcript
	work    string
	project *project
	runner  *runner
	fleet   *fleet
	lab     *lab // of the site lab
	prod    *lab // of the site lab-prod
	env     []string
	// watch, when set, is told of the process that runs a child's jobs.
	watch func(pid int)
	// proposed is the merge request in hand; main is the pipeline of the last push.
	proposed *mergeRequest
	main     *pipeline
	// planned is the pipeline of the merge request that moves production.
	planned *pipeline
	// oldest is the first pipeline of main, which later ones have overtaken.
	oldest *pipeline
	// heard is how many messages people had got before what is looked at.
	heard int
}

// The versions that the lab's site goes through, each the next minor or patch of the one before.
const (
	first  = "v1.35.7+k0s.0"
	second = "v1.36.2+k0s.0"
	third  = "v1.36.3+k0s.2"
)

const site = "lab"

// run is the whole of it. Whatever happens, what was started is ended.
func (o options) run(ctx context.Context, work string) error {
	r := &trial{options: o, transcript: transcript{w: os.Stdout, began: time.Now()}, work: work, project: &project{}}
	server := r.project.serve()
	defer server.Close()
	defer func() {
		for _, l := range []*lab{r.lab, r.prod} {
			if l != nil {
				l.down()
			}
		}
	}()
	err := r.play(ctx)
	r.end()
	return err
}

// scene is a part of the story: its title, and its steps.
type scene struct {
	title string
	play  func(context.Context) error
}

func (r *trial) play(ctx context.Context) error {
	for _, s := range []scene{
		{"The stage", r.setUp},
		{"A merge request moves " + site + " from " + first + " to " + second, r.propose},
		{"It is merged", r.merge},
		{"The schedule looks for drift", r.schedule},
		{"A node is changed by hand between the plan and the merge", r.byHand},
		{"A job is killed", r.killed},
		{"Production waits for " + site, r.production},
		{"The schedule takes a backup of production, and proves it", r.backups},
		{"Afterwards", r.afterwards},
	} {
		r.act(s.title)
		if err := s.play(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *trial) setUp(ctx context.Context) error {
	var node string
	if err := r.step("gitlab-ci-local "+runnerVersion+" on node "+nodeVersion+" is installed", func() (said string, err error) {
		node, err = install(ctx, r.Cache)
		return "", err
	}); err != nil {
		return err
	}
	var err error
	if r.runner, err = newRunner(r.work, node, r.Kiban, r.Lab); err != nil {
		return err
	}
	r.env = r.runner.env
	key, err := r.writeIdentity()
	if err != nil {
		return err
	}
	if err := r.runner.setVariables(map[string]string{"KIBAN_GITLAB_TOKEN": apiToken, "KIBAN_GITLAB_REVIEW_TOKEN": reviewToken,
		"KIBAN_WEBHOOK": r.project.url + "/services/" + hookSecret, "KIBAN_BACKUP_IDENTITY": key}); err != nil {
		return err
	}
	return r.first(ctx)
}

// afterwards looks back at all that was written.
func (r *trial) afterwards(ctx context.Context) error {
	return r.step("no token, no private key and no webhook's address is in a log, an artifact, a note or a message",
		func() (string, error) { return r.secrets(ctx) })
}

// first has the site where the story begins: applied once, by an engineer, from the repository.
func (r *trial) first(ctx context.Context) error {
	if err := r.step("machines are there, and a repository of the example fleet with "+site, func() (string, error) {
		name, hold, err := freeNet(r.Net, "238")
		if err != nil {
			return "", err
		}
		r.lab = &lab{bin: r.Lab, dir: filepath.Join(r.work, "lab"), net: name, env: r.env, hold: hold}
		if err := r.lab.up(ctx, 3, 4); err != nil {
			return "", err
		}
		r.fleet, err = newFleet(ctx, r.Repository, r.work, r.env, "127.88.0.", name+".", "../../.lab/", r.lab.dir+"/")
		return "3 controllers and 4 workers on " + name + ".0/24", err
	}); err != nil {
		return err
	}
	return r.step("an engineer applies it for the first time, at "+first, func() (string, error) {
		if _, err := must(ctx, r.fleet.dir, r.env, r.Kiban, "apply", site, "--yes"); err != nil {
			return "", err
		}
		return "", r.at(ctx, site, first)
	})
}

// at fails unless every machine of a site runs that version and every node is Ready.
func (r *trial) at(ctx context.Context, name, version string) error {
	out, err := must(ctx, r.fleet.dir, r.env, r.Kiban, "status", name, "-o", "json")
	if err != nil {
		return err
	}
	var state struct {
		Hosts []struct{ Name, Running, Role string }
		Nodes []struct {
			Name          string
			Ready         bool
			Unschedulable bool
		}
	}
	if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &state); err != nil {
		return fmt.Errorf("kiban status: %w", err)
	}
	workers := 0
	for _, h := range state.Hosts {
		if h.Running != version {
			return fmt.Errorf("%s runs %s, not %s", h.Name, h.Running, version)
		}
		if h.Role == "worker" {
			workers++
		}
	}
	if workers == 0 || len(state.Nodes) != workers {
		return fmt.Errorf("kiban status tells of %d workers and %d nodes", workers, len(state.Nodes))
	}
	for _, n := range state.Nodes {
		if !n.Ready || n.Unschedulable {
			return fmt.Errorf("node %s: ready %t, unschedulable %t", n.Name, n.Ready, n.Unschedulable)
		}
	}
	return nil
}
