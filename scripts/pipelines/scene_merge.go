package main

import (
	"context"
	"fmt"
	"strings"
)

// merge: the change is merged, and the main pipeline does what was reviewed.
func (r *trial) merge(ctx context.Context) error {
	if err := r.step("merged, the main pipeline applies it", func() (string, error) {
		r.heard = len(r.project.messages(0))
		r.project.fail("GET", "/merge_requests", 429) // the reviewed plan is asked for
		r.project.fail("POST", "/services/", 500)     // and somebody is told
		l, err := r.push(ctx, r.proposed)
		if err != nil {
			return "", err
		}
		r.main, r.oldest = l, l
		return "", l.want("success")
	}); err != nil {
		return err
	}
	if err := r.step("node by node: controllers one after another, workers cordoned, drained, upgraded and returned", func() (string, error) {
		job, ran := r.main.job("apply:" + site)
		if !ran {
			return "", fmt.Errorf("there was no job apply:%s, but %q", site, r.main.names())
		}
		return rolled(job.Artifacts, second)
	}); err != nil {
		return err
	}
	if err := r.step("every machine runs "+second+", every node is Ready",
		func() (string, error) { return "", r.at(ctx, site, second) }); err != nil {
		return err
	}
	if err := r.step("the cluster keeps that it was reviewed, and where", func() (string, error) { return r.reviewed(ctx) }); err != nil {
		return err
	}
	if err := r.step("GitLab has the deployment", func() (string, error) { return r.deployedOnce() }); err != nil {
		return err
	}
	if err := r.step("people were told twice: that it began, and that it is done",
		func() (string, error) { return r.beganAndDone() }); err != nil {
		return err
	}
	return r.retry(ctx)
}

// beganAndDone holds what came to the webhook since the merge.
func (r *trial) beganAndDone() (string, error) {
	said := r.project.messages(r.heard)
	if len(said) != 2 || !strings.Contains(said[1], second) {
		return "", fmt.Errorf("%d messages were sent:\n%s", len(said), strings.Join(said, "\n\n"))
	}
	return headline(said[0]) + " / " + headline(said[1]), r.metFaults()
}

// push merges a merge request, and runs the pipeline of main that follows.
func (r *trial) push(ctx context.Context, m *mergeRequest) (*pipeline, error) {
	sha, before, err := r.fleet.merge(ctx, m.SourceBranch)
	if err != nil {
		return nil, err
	}
	r.project.merged(m, sha)
	return r.start(ctx, event{source: "push", sha: sha, before: before})
}

// reviewed holds what the cluster's record of the run says of the review.
func (r *trial) reviewed(ctx context.Context) (string, error) {
	out, err := must(ctx, r.fleet.dir, r.env, r.Kiban, "runs", site, "-o", "json")
	if err != nil {
		return "", err
	}
	if !strings.Contains(out, `"`+r.proposed.WebURL+`"`) {
		return "", fmt.Errorf("no record names %s:\n%s", r.proposed.WebURL, out)
	}
	return r.proposed.WebURL, nil
}

// deployedOnce holds that there is one deployment, of the merged commit.
func (r *trial) deployedOnce() (string, error) {
	all := r.project.deployments()
	if len(all) != 1 || all[0].Status != "success" || all[0].SHA != r.main.SHA {
		return "", fmt.Errorf("the deployments are %+v, not one of %s", all, r.main.SHA)
	}
	return fmt.Sprintf("%s at %.8s", all[0].Environment.Name, all[0].SHA), nil
}

// retry runs the job again: nothing is touched, and nobody is told again.
func (r *trial) retry(ctx context.Context) error {
	return r.step("the job is retried: no machine is touched, nobody is told again", func() (string, error) {
		mark, err := r.lab.ask(ctx, "mark")
		if err != nil {
			return "", err
		}
		if err := r.jobs(ctx, r.main.children[0], nil, "apply:"+site); err != nil {
			return "", err
		}
		if err := r.main.want("success"); err != nil {
			return "", err
		}
		changes, err := r.lab.changes(ctx, mark)
		if err == nil && changes != "" {
			err = fmt.Errorf("machines were changed:\n%s", changes)
		}
		if said := r.project.messages(r.heard); err == nil && len(said) != 2 {
			err = fmt.Errorf("people were told again:\n%s", strings.Join(said[2:], "\n\n"))
		}
		return "", err
	})
}
