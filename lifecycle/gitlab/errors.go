package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

const tokenHint = "Make a project access token (Settings > Access tokens) with the scope api and the role Reporter for what writes " +
	"notes, as the masked variable KIBAN_GITLAB_TOKEN; and one with the scope read_api and the role Developer for what finds reviews, " +
	"as the masked and protected variable KIBAN_GITLAB_REVIEW_TOKEN. " +
	"A job's own CI_JOB_TOKEN may neither write notes nor look up merge requests."

func noToken() error {
	return lifecycle.Errorf("", "there is no token for GitLab").Try(tokenHint)
}

// postError is the failure of a request that makes something, of which nobody may know whether it was made.
type postError struct{ error }

func (e postError) Unwrap() error { return e.error }

// unanswered reports whether a request that makes something failed so that it may have been carried out.
func unanswered(err error) bool {
	post, ok := errors.AsType[postError](err)
	if !ok || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	code := status(post.error)
	return code == 0 && !errors.Is(err, gitlab.ErrNotFound) || code >= 500
}

// repeatable reports whether a request that got no answer may be sent again: it never reached the server, or it is one that may be carried
// out twice.
func repeatable(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return true
	}
	request, ok := errors.AsType[*url.Error](err)
	return ok && !strings.EqualFold(request.Op, http.MethodPost)
}

// status is the HTTP status of an error that the server answered with; 0 when it did not, and for 404, which the client tells otherwise.
func status(err error) int {
	if answer, ok := errors.AsType[*gitlab.ErrorResponse](err); ok && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// explain says what an operator can do about an error of the API.
func (c *Client) explain(ctx context.Context, err error, project string, number int64) error {
	d := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: fmt.Sprintf("merge request !%d of project %s", number, project),
		Cause: err}
	var detail string
	if answer, ok := errors.AsType[*gitlab.ErrorResponse](err); ok {
		detail = strings.TrimSpace(answer.Message)
	}
	code := status(err)
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		return c.explainMissing(ctx, d, project, number)
	case code == http.StatusUnauthorized:
		d.Summary, d.Detail, d.Hint = "GitLab does not know the token", detail,
			"It has expired, was revoked, or is of another server than "+c.url+". "+tokenHint
	case code == http.StatusForbidden && strings.Contains(detail, "insufficient_scope"):
		d.Summary, d.Detail, d.Hint = "the token lacks the scope api", detail, tokenHint
	case code == http.StatusForbidden:
		d.Summary, d.Detail = "the token's role may not write notes on this merge request", detail
		d.Hint = "Give it at least the role Reporter in the project. On a locked discussion only members may write."
	case code == http.StatusTooManyRequests:
		d.Severity = lifecycle.SeverityBlocked
		d.Summary, d.Detail, d.Hint = "GitLab limits the rate of requests", "It did so six times in a row.",
			"Retry the job later, or ask an administrator to raise the limit for notes."
	case code == http.StatusRequestEntityTooLarge || code < 500 && strings.Contains(detail, "too long"):
		d.Summary, d.Detail, d.Cause = "the note is longer than GitLab takes", detail, errors.Join(lifecycle.ErrNoteTooLong, err)
		d.Hint = "A proxy before it may have a limit of its own, such as nginx's client_max_body_size. The plans are artifacts of the pipeline."
	case code >= 500:
		d.Summary, d.Detail, d.Hint = fmt.Sprintf("GitLab fails with status %d", code), detail,
			"Retry the job. The plans are artifacts of the pipeline meanwhile."
	case code != 0:
		d.Summary, d.Detail, d.Hint = fmt.Sprintf("GitLab refuses the note with status %d", code), detail, "What it says is the reason."
	default:
		d.Summary, d.Detail, d.Hint = "GitLab could not be reached", err.Error(),
			"Check "+c.url+" from the runner; a server with a certificate of its own needs CI_SERVER_TLS_CA_FILE."
	}
	return d
}

// explainMissing finds out what is not there: the project, or the merge request in it.
func (c *Client) explainMissing(ctx context.Context, d lifecycle.Diagnostic, project string, number int64) error {
	_, _, err := c.api.Projects.GetProject(project, nil, gitlab.WithContext(ctx))
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		d.Summary = "GitLab shows the token no such project"
		d.Detail = "Project " + project + " is not there, or the token is no member of it."
		d.Hint = tokenHint
	default:
		d.Summary = fmt.Sprintf("project %s has no merge request !%d", project, number)
		d.Detail = "It was deleted, or the pipeline is not a merge request's."
		d.Hint = "CI_MERGE_REQUEST_IID is set in pipelines of merge requests only; restrict the job to them with rules."
	}
	return d
}
