package gitlab

import (
	"context"
	"errors"
	"net/http"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// explainIssue says what an operator can do about an error of the API that concerns a project's issues or commits.
func (c *Client) explainIssue(ctx context.Context, err error, project string) error {
	d, ok := errors.AsType[lifecycle.Diagnostic](c.explain(ctx, err, project, 0))
	if !ok {
		return err
	}
	d.Subject = project
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		d.Summary, d.Detail = "GitLab shows the token no such project, or it has no issues",
			"Project "+project+" is not there, the token is no member of it, or its issues are switched off."
		d.Hint = "Settings > General > Visibility switches issues on. " + tokenHint
	case status(err) == http.StatusForbidden && d.Summary != "the token lacks the scope api":
		d.Summary = "the token's role may not write to the project"
		d.Hint = "Give it at least the role Reporter in the project: it opens, comments on and closes issues."
	}
	return d
}
