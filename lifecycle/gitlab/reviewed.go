package gitlab

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

const (
	// planJob is how the jobs that plan a site begin their names; the site follows.
	planJob = "plan:"
	// pipelinesAsked is how many of a merge request's pipelines are looked through for a plan, the newest first.
	pipelinesAsked = 20
	// nested is how many pipelines deep a plan job may be. GitLab allows two levels of children.
	nested = 3
	// largestPlan is how many bytes of a plan are read.
	largestPlan = 32 << 20
)

// Reviewed finds what was reviewed of the sites when a commit came into a branch: the plans that the newest pipeline of its merge request
// made. Without names, those of every site that it planned. What is not there is no error; errors are Diagnostics.
//
// Where a newer pipeline has applied another commit to the job's environment since, what was reviewed no longer counts.
func (c *Client) Reviewed(ctx context.Context, project string, of lifecycle.MergedCommit, sites []string) (lifecycle.ReviewedSites, error) {
	found, err := c.reviewed(ctx, project, of, sites)
	if err != nil || of.Environment == "" {
		return found, err
	}
	overtaken, err := c.overtaken(ctx, project, of)
	if err != nil {
		return lifecycle.ReviewedSites{}, err
	}
	for i := range found.Sites {
		if overtaken != "" {
			found.Sites[i].Plan, found.Sites[i].Missing = nil, overtaken
		}
	}
	return found, nil
}

func (c *Client) reviewed(ctx context.Context, project string, of lifecycle.MergedCommit, sites []string) (lifecycle.ReviewedSites, error) {
	mr, err := c.mergedWith(ctx, project, of.Commit, of.Branch)
	if err != nil {
		return lifecycle.ReviewedSites{}, c.explainReading(ctx, err, project)
	}
	if mr == nil {
		return unreviewed(sites, fmt.Sprintf("commit %s came without a merge request: it was pushed directly", short(of.Commit))), nil
	}
	jobs, err := c.planJobs(ctx, project, mr.IID, sites)
	if err != nil {
		return lifecycle.ReviewedSites{}, c.explainReading(ctx, err, project)
	}
	out := lifecycle.ReviewedSites{Where: mr.WebURL}
	if len(sites) == 0 {
		for name := range jobs {
			sites = append(sites, name)
		}
		slices.Sort(sites)
	}
	for _, name := range sites {
		s := lifecycle.ReviewedSite{Name: name, Missing: fmt.Sprintf("no pipeline of merge request !%d has a job %s%s", mr.IID, planJob, name)}
		if job, planned := jobs[name]; planned {
			if s, err = c.planOf(ctx, job, name); err != nil {
				return lifecycle.ReviewedSites{}, c.explainReading(ctx, err, project)
			}
		}
		out.Sites = append(out.Sites, s)
	}
	return out, nil
}

func unreviewed(sites []string, why string) (out lifecycle.ReviewedSites) {
	for _, name := range sites {
		out.Sites = append(out.Sites, lifecycle.ReviewedSite{Name: name, Missing: why})
	}
	return out
}

// planned is a plan job, and the project whose pipeline it is of: a fork's pipelines run there.
type planned struct {
	*gitlab.Job
	project string
}

// planJobs are the plan jobs of a merge request by site, each of the newest pipeline that has one.
func (c *Client) planJobs(ctx context.Context, project string, number int64, sites []string) (map[string]planned, error) {
	pipelines, _, err := c.api.MergeRequests.ListMergeRequestPipelines(project, number, gitlab.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	pipelines = slices.DeleteFunc(pipelines, func(p *gitlab.PipelineInfo) bool { return p.Source != "" && p.Source != "merge_request_event" })
	slices.SortFunc(pipelines, func(a, b *gitlab.PipelineInfo) int { return cmp.Compare(b.ID, a.ID) })
	found := map[string]planned{}
	for _, p := range pipelines[:min(len(pipelines), pipelinesAsked)] {
		if err := c.jobsOf(ctx, project, p, nested, found); err != nil {
			return nil, err
		}
		missing := func(name string) bool { _, ok := found[name]; return !ok }
		if len(found) > 0 && !slices.ContainsFunc(sites, missing) {
			break
		}
	}
	return found, nil
}

// jobsOf adds the plan jobs of a pipeline and of those that it started, but for sites that have one already.
func (c *Client) jobsOf(ctx context.Context, project string, p *gitlab.PipelineInfo, depth int, found map[string]planned) error {
	if p.ProjectID != 0 {
		project = fmt.Sprint(p.ProjectID)
	}
	opts := gitlab.ListJobsOptions{ListOptions: gitlab.ListOptions{PerPage: notesPerPage}}
	for {
		jobs, resp, err := c.api.Jobs.ListPipelineJobs(project, p.ID, &opts, gitlab.WithContext(ctx))
		if err != nil {
			return err
		}
		for _, job := range jobs {
			if name, ok := strings.CutPrefix(job.Name, planJob); ok && found[name].Job == nil {
				found[name] = planned{job, project}
			}
		}
		if resp.NextPage == 0 {
			break
		}
		opts.Page = resp.NextPage
	}
	if depth == 1 {
		return nil
	}
	opts.Page = 0
	bridges, _, err := c.api.Jobs.ListPipelineBridges(project, p.ID, &opts, gitlab.WithContext(ctx))
	if err != nil {
		return err
	}
	for _, b := range bridges {
		if b.DownstreamPipeline == nil {
			continue // it has not started one
		}
		if err := c.jobsOf(ctx, project, b.DownstreamPipeline, depth-1, found); err != nil {
			return err
		}
	}
	return nil
}

// planOf gets the file that a plan job left. A job that warned has one too: it said that a gate was in the way then.
func (c *Client) planOf(ctx context.Context, job planned, site string) (lifecycle.ReviewedSite, error) {
	s := lifecycle.ReviewedSite{Name: site}
	if job.Status != "success" && !(job.Status == "failed" && job.AllowFailure) {
		s.Missing = fmt.Sprintf("its plan was not made: job %d is %s (%s)", job.ID, job.Status, job.WebURL)
		return s, nil
	}
	path := fmt.Sprintf("projects/%s/jobs/%d/artifacts/plans/%s.json", gitlab.PathEscape(job.project), job.ID, url.PathEscape(site))
	req, err := c.api.NewRequest(http.MethodGet, path, nil, []gitlab.RequestOptionFunc{gitlab.WithContext(ctx)})
	if err != nil {
		return s, err
	}
	file := limited{left: largestPlan}
	switch _, err := c.api.Do(req, &file); {
	case errors.Is(err, gitlab.ErrNotFound):
		s.Missing = fmt.Sprintf("its plan is no longer kept: the artifacts of job %d have expired or were deleted (%s)", job.ID, job.WebURL)
	case errors.Is(err, tooLarge{}):
		s.Missing = fmt.Sprintf("its plan has more than %d MiB (%s)", largestPlan>>20, job.WebURL)
	case err != nil:
		return s, err
	case len(bytes.TrimSpace(file.kept.Bytes())) == 0:
		s.Missing = fmt.Sprintf("its plan was not made: job %d left an empty file (%s)", job.ID, job.WebURL)
	default:
		s.Plan = file.kept.Bytes()
	}
	return s, nil
}

// tooLarge is the error of a limited that is full.
type tooLarge struct{}

func (tooLarge) Error() string { return "the file is too large" }

// limited keeps what is written, up to a limit.
type limited struct {
	kept bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, tooLarge{}
	}
	return l.kept.Write(p)
}

func short(commit string) string { return commit[:min(len(commit), 12)] }

// explainReading says what an operator can do about an error of the API that concerns pipelines and what their jobs left.
func (c *Client) explainReading(ctx context.Context, err error, project string) error {
	d, ok := errors.AsType[lifecycle.Diagnostic](c.explain(ctx, err, project, 0))
	if !ok {
		return err
	}
	d.Subject = project
	const hint = "It needs the scope api (or read_api) and the role Developer in the project: what plan jobs leave is for developers."
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		d.Summary, d.Detail, d.Hint = "GitLab shows the token no such project, or no pipelines of it",
			"Project "+project+" is not there, or the token is no member of it.", hint
	case status(err) == http.StatusForbidden:
		d.Summary, d.Hint = "the token may not read what plan jobs left", hint
	case status(err) == http.StatusTooManyRequests:
		d.Severity, d.Hint = lifecycle.SeverityError, "Retry the job later."
	case status(err) >= 500:
		d.Hint = "Retry the job. Nothing was done to the site."
	case status(err) == http.StatusUnauthorized, status(err) == 0:
	default:
		d.Summary = fmt.Sprintf("GitLab refuses to tell what was reviewed, with status %d", status(err))
	}
	return d
}
