package gitlab

import (
	"context"

	"gitlab.com/gitlab-org/api/client-go"
)

// MergeRequest is how a merge request stands.
type MergeRequest struct {
	// State is "opened", "locked" while it is being merged, "merged" or "closed".
	State string
	// Head is the commit that its branch is at; "" when GitLab does not say.
	Head string
}

// MergeRequest asks for a merge request. Project is a number or a path. Errors are Diagnostics, also of one that is not there.
func (c *Client) MergeRequest(ctx context.Context, project string, number int64) (MergeRequest, error) {
	mr, _, err := c.api.MergeRequests.GetMergeRequest(project, number, nil, gitlab.WithContext(ctx))
	if err != nil {
		return MergeRequest{}, c.explain(ctx, err, project, number)
	}
	return MergeRequest{State: mr.State, Head: mr.SHA}, nil
}
