package gitlab

import (
	"context"

	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

// MergeRequest asks for a merge request. Project is a number or a path. Errors are Diagnostics, also of one that is not there.
func (c *Client) MergeRequest(ctx context.Context, project string, number int64) (lifecycle.MergeRequest, error) {
	mr, _, err := c.api.MergeRequests.GetMergeRequest(project, number, nil, gitlab.WithContext(ctx))
	if err != nil {
		return lifecycle.MergeRequest{}, c.explain(ctx, err, project, number)
	}
	return lifecycle.MergeRequest{State: mr.State, Head: mr.SHA}, nil
}
