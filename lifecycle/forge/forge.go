package forge

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// Forge keeps the fleet's repository, its merge requests and issues. A project is a number or a path. Errors are Diagnostics.
type Forge interface {
	// MergeRequest says how a merge request stands.
	MergeRequest(ctx context.Context, project string, number int64) (lifecycle.MergeRequest, error)
	// UpsertNote puts body on a merge request as the one note that begins with marker. lifecycle.ErrNoteTooLong: it takes no note of that
	// length.
	UpsertNote(ctx context.Context, project string, number int64, marker, body string) (lifecycle.NoteOutcome, error)
	// TellIssue tells the site's issue. Did is what was done, "opened https://…"; "" when there was nothing to do.
	TellIssue(ctx context.Context, project string, t lifecycle.Telling) (did string, err error)
	// TellNote tells the merge request that a commit came into a branch with. Where is that merge request; "" when the commit came with none.
	TellNote(ctx context.Context, project, commit, branch string, t lifecycle.Telling) (where string, err error)
	// Reviewed finds the plans that the merge request of a commit showed of the sites; without names, of each that it planned.
	Reviewed(ctx context.Context, project string, of lifecycle.MergedCommit, sites []string) (lifecycle.ReviewedSites, error)
}
