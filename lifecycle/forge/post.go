package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// PostNote puts the note about the plans on a merge request, shorter and shorter where the server takes less than GitLab does by itself.
func PostNote(
	ctx context.Context, f Forge, project string, number int64, plans []SitePlan, opts NoteOptions,
) (lifecycle.NoteOutcome, error) {
	var outcome lifecycle.NoteOutcome
	var err error
	for _, limit := range [...]int{NoteLimit, 200_000, 20_000} {
		opts.Limit = limit
		outcome, err = f.UpsertNote(ctx, project, number, NoteMarker, Note(plans, opts))
		if !errors.Is(err, lifecycle.ErrNoteTooLong) {
			break
		}
	}
	return outcome, err
}

// DeliverNote puts the note about the plans on a merge request, unless it is another pipeline's to write, and says what was done.
func DeliverNote(ctx context.Context, f Forge, mr MergeRequestAt, plans []SitePlan, opts NoteOptions) (said string, err error) {
	now, err := f.MergeRequest(ctx, mr.Name, mr.Number)
	if err != nil {
		return "", err
	}
	if why := LeaveAlone(mr.Number, now, mr.Planned); why != "" {
		return why, nil
	}
	outcome, err := PostNote(ctx, f, mr.Name, mr.Number, plans, opts)
	return fmt.Sprintf("The note on merge request !%d was %s: %s.", mr.Number, outcome, lifecycle.Count(len(plans), "site")), err
}

// LeaveAlone says why the note on a merge request is not this pipeline's to write: another pipeline plans what the branch holds by now,
// or there is nothing left to review. "" when it is. planned are the commits that the pipeline may be of; none: not known.
func LeaveAlone(number int64, now lifecycle.MergeRequest, planned []string) string {
	switch {
	case now.State == "merged" || now.State == "closed":
		return fmt.Sprintf("Merge request !%d is %s: its note is left as it is.", number, now.State)
	case now.Head != "" && len(planned) > 0 && !slices.Contains(planned, now.Head):
		return fmt.Sprintf("The branch of merge request !%d was rewritten while planning: it is at %.10s, and the plans are of %.10s. "+
			"The newer pipeline writes the note.", number, now.Head, planned[0])
	}
	return ""
}
