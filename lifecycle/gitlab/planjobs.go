package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gitlab.com/gitlab-org/api/client-go"
)

const (
	// planJob is how the jobs that plan a site begin their names; the site follows.
	planJob = "plan:"
	// rehearseJob is how the jobs that rehearse a site's plan begin theirs.
	rehearseJob = "rehearse:"
	// pipelinesAsked is how many of a merge request's pipelines are looked through for a plan, the newest first.
	pipelinesAsked = 20
	// nested is how many pipelines deep a plan job may be. GitLab allows two levels of children.
	nested = 3
)

// planned is a job of a pipeline that counts: it is the project's own, and of the commit that was merged.
type planned struct {
	*gitlab.Job
	project  string
	pipeline int64
	commit   string
	// sign had the plan signed, in the same pipeline and before the merge; nil: no job did. rehearse rehearsed it, likewise.
	sign, rehearse *gitlab.Job
}

// planJobs are the jobs that planned a merge request's sites, and why others don't count.
type planJobs struct {
	mr *gitlab.BasicMergeRequest
	// target is the number of the project that the merge request goes into.
	target int64
	found  map[string]planned
	// why says of a site why the newest job that planned it does not count; of "", why the newest pipeline does not.
	why map[string]string
	// merged are the commits of pipelines of which it is known whether they are what was merged: "" when one is, else why not.
	merged map[string]string
}

func (j *planJobs) sites() []string {
	names := slices.Collect(maps.Keys(j.found))
	for name := range j.why {
		if _, counts := j.found[name]; name != "" && !counts {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// missing says why there is no plan of a site that counts.
func (j *planJobs) missing(site string) string {
	return cmp.Or(j.why[site], j.why[""], fmt.Sprintf("no pipeline of merge request !%d has a job %s%s", j.mr.IID, planJob, site))
}

// refuse notes why the newest plan of a site does not count.
func (j *planJobs) refuse(site, format string, args ...any) {
	if _, told := j.why[site]; !told {
		j.why[site] = fmt.Sprintf(format, args...)
	}
}

// planJobs are the jobs that planned the sites of a merge request: of each the last one that had finished when it was merged, in the
// newest pipeline that counts and has one.
func (c *Client) planJobs(ctx context.Context, project string, mr *gitlab.BasicMergeRequest, sites []string) (*planJobs, error) {
	jobs := &planJobs{mr: mr, found: map[string]planned{}, why: map[string]string{}, merged: map[string]string{}}
	if jobs.target = cmp.Or(mr.TargetProjectID, mr.ProjectID); jobs.target == 0 {
		p, _, err := c.api.Projects.GetProject(project, nil, gitlab.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		jobs.target = p.ID
	}
	pipelines, _, err := c.api.MergeRequests.ListMergeRequestPipelines(project, mr.IID, gitlab.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	pipelines = slices.DeleteFunc(pipelines, func(p *gitlab.PipelineInfo) bool { return p.Source != "" && p.Source != "merge_request_event" })
	slices.SortFunc(pipelines, func(a, b *gitlab.PipelineInfo) int { return cmp.Compare(b.ID, a.ID) })
	for _, p := range pipelines[:min(len(pipelines), pipelinesAsked)] {
		why, err := c.disqualified(ctx, jobs, p)
		if err != nil {
			return nil, err
		}
		if why != "" {
			jobs.refuse("", "%s", why)
			continue
		}
		if err := c.jobsOf(ctx, jobs, p, nested); err != nil {
			return nil, err
		}
		missing := func(name string) bool { _, ok := jobs.found[name]; return !ok }
		if len(jobs.found) > 0 && !slices.ContainsFunc(sites, missing) {
			break
		}
	}
	return jobs, nil
}

// disqualified says why nothing that a pipeline of the merge request made was reviewed; "" when it may have been.
func (c *Client) disqualified(ctx context.Context, jobs *planJobs, p *gitlab.PipelineInfo) (string, error) {
	if p.ProjectID != jobs.target {
		return fmt.Sprintf("it was planned elsewhere: pipeline %d is of project %d, not of project %d, and what a fork's jobs leave "+
			"is the fork's to replace", p.ID, p.ProjectID, jobs.target), nil
	}
	why, known := jobs.merged[p.SHA]
	if !known {
		var err error
		if why, err = c.notMerged(ctx, jobs, p); err != nil {
			return "", err
		}
		jobs.merged[p.SHA] = why
	}
	return why, nil
}

// notMerged says why a pipeline's commit is not what was merged. It is the head of the merge request, the commit that merging made, or a
// trial merge of that head: GitLab alone writes to refs/merge-requests/N/merge and /train.
func (c *Client) notMerged(ctx context.Context, jobs *planJobs, p *gitlab.PipelineInfo) (string, error) {
	mr := jobs.mr
	if p.SHA != "" && slices.Contains([]string{mr.SHA, mr.MergeCommitSHA, mr.SquashCommitSHA}, p.SHA) {
		return "", nil
	}
	other := fmt.Sprintf("another commit was planned than the one that was merged: pipeline %d is of %s, and !%d was merged at %s",
		p.ID, short(p.SHA), mr.IID, short(mr.SHA))
	trial := fmt.Sprintf("refs/merge-requests/%d/", mr.IID)
	if p.Ref != trial+"merge" && p.Ref != trial+"train" {
		return other, nil
	}
	commit, _, err := c.api.Commits.GetCommit(fmt.Sprint(jobs.target), p.SHA, nil, gitlab.WithContext(ctx))
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		return fmt.Sprintf("what was planned can't be told: GitLab no longer has commit %s of pipeline %d", short(p.SHA), p.ID), nil
	case err != nil:
		return "", err
	case mr.SHA == "" || !slices.Contains(commit.ParentIDs, mr.SHA):
		return other, nil
	}
	return "", nil
}

// jobsOf adds the plan jobs of a pipeline and of those that it started in the same project for the same commit, but for sites that have
// one already.
func (c *Client) jobsOf(ctx context.Context, jobs *planJobs, p *gitlab.PipelineInfo, depth int) error {
	project := fmt.Sprint(jobs.target)
	all, err := c.everyJob(ctx, project, p.ID)
	if err != nil {
		return err
	}
	every := triesOf(all)
	for name, tries := range every {
		site, ok := strings.CutPrefix(name, planJob)
		if _, has := jobs.found[site]; !ok || has {
			continue
		}
		if job, why := lastBefore(tries, jobs.mr.MergedAt); job != nil {
			jobs.found[site] = planned{job, project, p.ID, p.SHA, signOf(every[signJob+site], jobs.mr.MergedAt),
				rehearsalOf(every[rehearseJob+site], jobs.mr.MergedAt)}
		} else {
			jobs.refuse(site, "%s", why)
		}
	}
	if depth == 1 {
		return nil
	}
	bridges, err := c.bridges(ctx, project, p.ID)
	if err != nil {
		return err
	}
	for _, b := range bridges {
		child := b.DownstreamPipeline
		if child == nil {
			continue // it has not started one
		}
		if child.ProjectID != jobs.target || child.SHA != p.SHA {
			jobs.refuse("", "pipeline %d was started elsewhere: it is of project %d and commit %s", child.ID, child.ProjectID, short(child.SHA))
			continue
		}
		if err := c.jobsOf(ctx, jobs, child, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// everyJob lists a pipeline's jobs, those that were retried included: what was reviewed is what had been made by then.
func (c *Client) everyJob(ctx context.Context, project string, pipeline int64) (all []*gitlab.Job, err error) {
	opts := gitlab.ListJobsOptions{ListOptions: gitlab.ListOptions{PerPage: notesPerPage}, IncludeRetried: new(true)}
	for {
		jobs, resp, err := c.api.Jobs.ListPipelineJobs(project, pipeline, &opts, gitlab.WithContext(ctx))
		if err != nil {
			return nil, err
		}
		all = append(all, jobs...)
		if resp.NextPage == 0 {
			return all, nil
		}
		opts.Page = resp.NextPage
	}
}

// triesOf are the jobs of each name, the newest first.
func triesOf(jobs []*gitlab.Job) map[string][]*gitlab.Job {
	tries := map[string][]*gitlab.Job{}
	for _, j := range jobs {
		tries[j.Name] = append(tries[j.Name], j)
	}
	for name := range tries {
		slices.SortFunc(tries[name], func(a, b *gitlab.Job) int { return cmp.Compare(b.ID, a.ID) })
	}
	return tries
}

// signOf is the job that had a plan signed; nil when none has done so with success before the merge.
func signOf(tries []*gitlab.Job, merged *time.Time) *gitlab.Job {
	if len(tries) == 0 {
		return nil
	}
	if job, _ := lastBefore(tries, merged); job != nil && job.Status == "success" {
		return job
	}
	return nil
}

// rehearsalOf is the job that rehearsed a plan, whatever came of it; nil when none had ended before the merge.
func rehearsalOf(tries []*gitlab.Job, merged *time.Time) *gitlab.Job {
	if len(tries) == 0 {
		return nil
	}
	job, _ := lastBefore(tries, merged)
	return job
}

// lastBefore is the newest of a job's tries that had finished when the merge request was merged: people can have seen no later one.
// Without one, why says how the newest stands.
func lastBefore(tries []*gitlab.Job, merged *time.Time) (job *gitlab.Job, why string) {
	newest := tries[0]
	if merged == nil {
		return nil, "GitLab does not say when the merge request was merged, so nobody can tell whether it was planned before"
	}
	for _, j := range tries {
		if j.FinishedAt != nil && !j.FinishedAt.After(*merged) {
			return j, ""
		}
	}
	if newest.FinishedAt == nil {
		return nil, fmt.Sprintf("its plan was not made: job %d is %s (%s)", newest.ID, newest.Status, newest.WebURL)
	}
	return nil, fmt.Sprintf("it was planned after it was merged: job %d ended at %s, and the merge was at %s (%s)", newest.ID,
		newest.FinishedAt.UTC().Format(time.RFC3339), merged.UTC().Format(time.RFC3339), newest.WebURL)
}
