package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// changed is the machine that somebody changes by hand.
const changed = "worker-2"

// byHand: a node is changed between the plan and the merge, so what would run is not what was reviewed.
func (r *trial) byHand(ctx context.Context) error {
	for _, s := range []struct {
		title string
		play  func(context.Context) (string, error)
	}{
		{"a merge request to " + third + " is planned", r.proposeNext},
		{"somebody gives k0s on " + changed + " another argument, on the machine", r.meddle},
		{"merged, the job apply:" + site + " ends with exit code 4, and touches no machine", r.stale},
		{"its log shows what differs", r.differences},
		{"people are told once, also when the job is retried", r.staleAgain},
		{"the schedule fails for it, and tells of the drift once", r.drifted},
		{"the same schedule again tells nobody again", r.driftedAgain},
	} {
		if err := r.step(s.title, func() (string, error) { return s.play(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (r *trial) proposeNext(ctx context.Context) (string, error) {
	m, e, err := r.mergeRequest(ctx, "lab-k0s-1.36.3", versionFile, second, third)
	if err != nil {
		return "", err
	}
	r.proposed = m
	l, err := r.start(ctx, e)
	if err != nil {
		return "", err
	}
	if n := len(r.project.notesOf(m)); n != 1 {
		return "", fmt.Errorf("the merge request has %d notes", n)
	}
	return "", l.want("success")
}

// meddle changes the service of a worker, as an engineer would who looks for something.
func (r *trial) meddle(ctx context.Context) (string, error) {
	return "--debug", r.rewrite(ctx, "k0s worker ", "k0s worker --debug ")
}

func (r *trial) rewrite(ctx context.Context, from, to string) error {
	const unit = "/etc/systemd/system/k0sworker.service"
	if _, err := r.lab.ask(ctx, "exec", changed, fmt.Sprintf("sed -i 's#%s#%s#' %s && systemctl daemon-reload && systemctl restart k0sworker",
		from, to, unit)); err != nil {
		return err
	}
	for deadline := time.Now().Add(time.Minute); ; settle() {
		if _, err := r.lab.ask(ctx, "exec", changed, "k0s status"); err == nil {
			return nil
		} else if time.Now().After(deadline) {
			return err
		}
	}
}

func (r *trial) stale(ctx context.Context) (string, error) {
	mark, err := r.lab.ask(ctx, "mark")
	if err != nil {
		return "", err
	}
	r.heard = len(r.project.messages(0))
	if r.main, err = r.push(ctx, r.proposed); err != nil {
		return "", err
	}
	return "", errors.Join(r.main.want("failed"), r.refused(ctx, mark))
}

// refused holds that the job ended with 4 and that no machine was changed.
func (r *trial) refused(ctx context.Context, mark string) error {
	job, ran := r.main.job("apply:" + site)
	if !ran || job.Code != 4 {
		return fmt.Errorf("apply:%s ended with exit code %d, not 4\n%s", site, job.Code, tail(job.Log, 40))
	}
	changes, err := r.lab.changes(ctx, mark)
	if err == nil && changes != "" {
		err = fmt.Errorf("machines were changed:\n%s", changes)
	}
	return err
}

// differences are shown in the job's log, with what to do about them.
func (r *trial) differences(context.Context) (string, error) {
	job, _ := r.main.job("apply:" + site)
	_, log, _ := strings.Cut(job.Log, "not what was reviewed")
	for _, want := range []string{changed + "/", "- --debug", "--accept-changes"} {
		if !strings.Contains(log, want) {
			return "", fmt.Errorf("the log does not say %q:\n%s", want, tail(job.Log, 60))
		}
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "new: ") {
			return strings.TrimSpace(line), nil
		}
	}
	return "", nil
}

func (r *trial) staleAgain(ctx context.Context) (string, error) {
	said := r.project.messages(r.heard)
	if len(said) != 2 || !strings.Contains(said[1], "not what was reviewed") {
		return "", fmt.Errorf("%d messages were sent, not that it began and that it was stopped:\n%s", len(said), strings.Join(said, "\n\n"))
	}
	mark, err := r.lab.ask(ctx, "mark")
	if err != nil {
		return "", err
	}
	if err := r.jobs(ctx, r.main.children[0], nil, "apply:"+site); err != nil {
		return "", err
	}
	if err := r.refused(ctx, mark); err != nil {
		return "", err
	}
	if again := r.project.messages(r.heard); len(again) != 2 {
		return "", fmt.Errorf("the retried job told again:\n%s", strings.Join(again[2:], "\n\n"))
	}
	return headline(said[1]), nil
}

func (r *trial) drifted(ctx context.Context) (string, error) {
	r.heard = len(r.project.messages(0))
	if err := r.scheduled(ctx, "failed"); err != nil {
		return "", err
	}
	said := r.project.messages(r.heard)
	if len(said) != 1 || !strings.Contains(said[0], site) {
		return "", fmt.Errorf("%d messages were sent, not one:\n%s", len(said), strings.Join(said, "\n\n"))
	}
	return headline(said[0]), nil
}

func (r *trial) driftedAgain(ctx context.Context) (string, error) {
	if err := r.scheduled(ctx, "failed"); err != nil {
		return "", err
	}
	if said := r.project.messages(r.heard); len(said) != 1 {
		return "", fmt.Errorf("told again:\n%s", strings.Join(said[1:], "\n\n"))
	}
	return "", nil
}

// scheduled runs the schedule's pipeline, which must end so.
func (r *trial) scheduled(ctx context.Context, status string) error {
	sha, err := r.fleet.head(ctx)
	if err != nil {
		return err
	}
	l, err := r.start(ctx, event{source: "schedule", sha: sha})
	if err != nil {
		return err
	}
	return l.want(status)
}

// headline is the first line of a message.
func headline(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return line
}

// secrets fails when a token, the private key or the webhook's address is in any log, artifact, checkout or message.
func (r *trial) secrets(context.Context) (string, error) {
	root, err := os.OpenRoot(r.work)
	if err != nil {
		return "", err
	}
	defer root.Close()
	return leaks(root.FS(), []string{apiToken, reviewToken, hookSecret, identity}, r.project.everything())
}
