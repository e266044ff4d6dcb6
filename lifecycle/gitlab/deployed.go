package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// deploymentsAsked is how many of an environment's deployments are looked through: those that retries of older jobs have added since.
const deploymentsAsked = 20

// overtaken says what was deployed to an environment, with success, by a newer pipeline than this one and from another commit: what this
// one would do was reviewed before that. What counts is the commit that the pipeline applies. It is "" when nothing was, and where GitLab
// tells of no deployments. Errors are Diagnostics.
func (c *Client) overtaken(ctx context.Context, project string, of lifecycle.MergedCommit) (by string, err error) {
	opts := gitlab.ListProjectDeploymentsOptions{ListOptions: gitlab.ListOptions{PerPage: deploymentsAsked}, OrderBy: new("id"),
		Sort:        new("desc"),
		Environment: &of.Environment, Status: new("success")}
	all, _, err := c.api.Deployments.ListProjectDeployments(project, &opts, gitlab.WithContext(ctx))
	if errors.Is(err, gitlab.ErrNotFound) || status(err) == http.StatusForbidden {
		c.log.Debug("GitLab tells of no deployments", "project", project, "environment", of.Environment)
		return "", nil
	}
	if err != nil {
		return "", c.explainReading(ctx, err, project)
	}
	for _, d := range all {
		if d.Deployable.Pipeline.ID > of.Pipeline && d.SHA != cmp.Or(of.Applies, of.Commit) {
			return fmt.Sprintf("commit %s was applied since, by the newer pipeline %d", short(d.SHA), d.Deployable.Pipeline.ID), nil
		}
	}
	return "", nil
}
