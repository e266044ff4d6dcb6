package gitlab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// largestPlan is how many bytes of a plan are read.
const largestPlan = 32 << 20

// Reviewed finds what was reviewed of the sites when a commit came into a branch: the plans that a pipeline of its merge request made in
// the project itself, of what was merged, before it was merged. Without names, those of every site that it planned. What is not there, or
// does not count, is no error; errors are Diagnostics.
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
	jobs, err := c.planJobs(ctx, project, mr, sites)
	if err != nil {
		return lifecycle.ReviewedSites{}, c.explainReading(ctx, err, project)
	}
	said := c.evidence(ctx, project, mr)
	out := lifecycle.ReviewedSites{Where: mr.WebURL}
	if len(sites) == 0 {
		sites = jobs.sites()
	}
	for _, name := range sites {
		s := lifecycle.ReviewedSite{Name: name, Missing: jobs.missing(name)}
		if job, planned := jobs.found[name]; planned {
			if s, err = c.planOf(ctx, job, name); err != nil {
				return lifecycle.ReviewedSites{}, c.explainReading(ctx, err, project)
			}
			s.Evidence = said
			s.Evidence.Job, s.Evidence.Commit = job.WebURL, job.commit
			if s, err = c.signed(ctx, jobs, job, s); err == nil {
				s.Rehearsal, err = c.rehearsalOf(ctx, job, name)
			}
			if err != nil {
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

// evidence is who merged and who approved, as far as the token may see it: a review counts by its plan, and this is for the record.
func (c *Client) evidence(ctx context.Context, project string, mr *gitlab.BasicMergeRequest) (e lifecycle.ReviewEvidence) {
	if mr.MergeUser != nil {
		e.MergedBy = mr.MergeUser.Username
	}
	approvals, _, err := c.api.MergeRequestApprovals.GetConfiguration(project, mr.IID, gitlab.WithContext(ctx))
	if err != nil {
		e.Unknown = "who approved is not known: GitLab did not tell"
		if code := status(err); code != 0 {
			e.Unknown += fmt.Sprintf(" (status %d)", code)
		}
		c.log.Debug("GitLab does not tell who approved", "merge request", mr.IID, "error", err)
		return e
	}
	for _, a := range approvals.ApprovedBy {
		if a != nil && a.User != nil {
			e.ApprovedBy = append(e.ApprovedBy, a.User.Username)
		}
	}
	slices.Sort(e.ApprovedBy)
	return e
}

// planOf gets the file that a plan job left. A job that warned has one too: it said that a gate was in the way then.
func (c *Client) planOf(ctx context.Context, job planned, site string) (lifecycle.ReviewedSite, error) {
	s := lifecycle.ReviewedSite{Name: site}
	if job.Status != "success" && !(job.Status == "failed" && job.AllowFailure) {
		s.Missing = fmt.Sprintf("its plan was not made: job %d is %s (%s)", job.ID, job.Status, job.WebURL)
		return s, nil
	}
	file, err := c.artifact(ctx, job, "plans/"+url.PathEscape(site)+".json", largestPlan)
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		s.Missing = fmt.Sprintf("its plan is no longer kept: the artifacts of job %d have expired or were deleted (%s)", job.ID, job.WebURL)
	case errors.Is(err, tooLarge{}):
		s.Missing = fmt.Sprintf("its plan has more than %d MiB (%s)", largestPlan>>20, job.WebURL)
	case err != nil:
		return s, err
	case len(bytes.TrimSpace(file)) == 0:
		s.Missing = fmt.Sprintf("its plan was not made: job %d left an empty file (%s)", job.ID, job.WebURL)
	default:
		s.Plan = file
	}
	return s, nil
}

// rehearsalOf gets the file that the job left which rehearsed a plan; nil when there is none that can be read, and then the plan counts as
// one that nobody rehearsed.
func (c *Client) rehearsalOf(ctx context.Context, of planned, site string) ([]byte, error) {
	if of.rehearse == nil {
		return nil, nil
	}
	of.Job = of.rehearse
	file, err := c.artifact(ctx, of, "rehearsals/"+url.PathEscape(site)+".json", largestPlan)
	if errors.Is(err, gitlab.ErrNotFound) || errors.Is(err, tooLarge{}) {
		return nil, nil
	}
	return file, err
}

// artifact is one file of what a job left. escaped is its path, with what is no slash between folders escaped.
func (c *Client) artifact(ctx context.Context, job planned, escaped string, largest int) ([]byte, error) {
	path := fmt.Sprintf("projects/%s/jobs/%d/artifacts/%s", gitlab.PathEscape(job.project), job.ID, escaped)
	req, err := c.api.NewRequest(http.MethodGet, path, nil, []gitlab.RequestOptionFunc{gitlab.WithContext(ctx)})
	if err != nil {
		return nil, err
	}
	file := limited{left: largest}
	_, err = c.api.Do(req, &file)
	return file.kept.Bytes(), err
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
