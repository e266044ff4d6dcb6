package gitlab

import (
	"context"
	"errors"
	"slices"

	"gitlab.com/gitlab-org/api/client-go"
)

// mergedWith is the merge request that a commit came into a branch with: the one that made the commit, or else the one merged last; nil
// when it was pushed directly. Branch "" takes any.
func (c *Client) mergedWith(ctx context.Context, project, commit, branch string) (*gitlab.BasicMergeRequest, error) {
	all, _, err := c.api.Commits.ListMergeRequestsByCommit(project, commit, gitlab.WithContext(ctx))
	if errors.Is(err, gitlab.ErrNotFound) {
		// Of a commit that it does not know, too, GitLab says only that; the project itself says whether the token sees it.
		if _, _, seen := c.api.Projects.GetProject(project, nil, gitlab.WithContext(ctx)); seen == nil {
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	var last *gitlab.BasicMergeRequest
	for _, mr := range all {
		if mr.State != "merged" || branch != "" && mr.TargetBranch != branch {
			continue
		}
		if slices.Contains([]string{mr.MergeCommitSHA, mr.SquashCommitSHA, mr.SHA}, commit) {
			return mr, nil
		}
		if last == nil || mr.MergedAt != nil && (last.MergedAt == nil || mr.MergedAt.After(*last.MergedAt)) {
			last = mr
		}
	}
	return last, nil
}
