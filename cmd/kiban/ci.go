package main

import (
	"github.com/spf13/cobra"
)

// newCI groups what only a pipeline asks for.
func newCI(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ci",
		Short: "What a GitLab pipeline needs beside plan and apply",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCIGenerate(a, nil), newCINote(a, nil), newCIReviewed(a, nil), newCITell(a, nil), newCISoak(a, nil), newCIGate(a, nil))
	return cmd
}

// mergeRequest is where a note goes, and as whom.
type mergeRequest struct {
	// API is the address of GitLab's API, CAFile its certificate authorities beside the system's, Token the user's.
	API, CAFile, Token string
	Project            string
	Number             int64
	// Planned are the commits that the pipeline may be of; none: not known.
	Planned []string
}

// mergeRequestState is how a merge request stands: "opened", "locked" while it is being merged, "merged" or "closed", and the commit that its
// branch is at, "" when that is not known.
type mergeRequestState struct{ State, Head string }
