package gitlab

import (
	"context"
	"errors"
	"fmt"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// largestPart is how many bytes of what a part gathered are read, packed.
const largestPart = 256 << 20

// EachPart gives what the parts of a pipeline have gathered, one after another: those that it has started in the project itself. The
// findings are of parts that left nothing, and of nobody else's.
func (c *Client) EachPart(ctx context.Context, project string, pipeline int64, each func(packed []byte) error) (lifecycle.Diagnostics,
	error) {
	bridges, err := c.bridges(ctx, project, pipeline)
	if err != nil {
		return nil, c.explainReading(ctx, err, project)
	}
	var ds lifecycle.Diagnostics
	for _, b := range bridges {
		packed, why, err := c.gathered(ctx, project, b)
		switch {
		case err != nil:
			return ds, c.explainReading(ctx, err, project)
		case why != "":
			ds = append(ds, lifecycle.Warnf(b.Name, "the plans of this part are not there").Because(why).
				Try("Retry its job \""+gatherJob+"\", then that of the note."))
		default:
			if err := each(packed); err != nil {
				return ds, err
			}
		}
	}
	return ds, nil
}

// gathered is what one part left, or why it left nothing.
func (c *Client) gathered(ctx context.Context, project string, b *gitlab.Bridge) (packed []byte, why string, err error) {
	child := b.DownstreamPipeline
	if child == nil {
		return nil, "GitLab has started no pipeline for it.", nil
	}
	if fmt.Sprint(child.ProjectID) != project {
		return nil, fmt.Sprintf("Pipeline %d is of another project.", child.ID), nil
	}
	all, err := c.everyJob(ctx, project, child.ID)
	if err != nil {
		return nil, "", err
	}
	for _, job := range triesOf(all)[gatherJob] {
		packed, err := c.artifact(ctx, planned{Job: job, project: project}, gathered, largestPart)
		switch {
		case errors.Is(err, gitlab.ErrNotFound):
			continue
		case errors.Is(err, tooLarge{}):
			return nil, fmt.Sprintf("Job %d left more than %d MiB.", job.ID, largestPart>>20), nil
		}
		return packed, "", err
	}
	return nil, fmt.Sprintf("Pipeline %d has gathered none (%s).", child.ID, child.WebURL), nil
}

// bridges are the jobs of a pipeline that start others.
func (c *Client) bridges(ctx context.Context, project string, pipeline int64) (all []*gitlab.Bridge, err error) {
	opts := gitlab.ListJobsOptions{ListOptions: gitlab.ListOptions{PerPage: notesPerPage}}
	for {
		some, resp, err := c.api.Jobs.ListPipelineBridges(project, pipeline, &opts, gitlab.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if resp.NextPage == 0 {
			return all, nil
		}
		opts.Page = resp.NextPage
	}
}
