package main

import (
	"cmp"

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

// gitlabProject is a project on a GitLab server, and as whom it is spoken to.
type gitlabProject struct {
	// API is the address of GitLab's API, CAFile its certificate authorities beside the system's, Token the user's.
	API, CAFile, Token string
	// Project is a number or a path.
	Project string
}

// gitlabProject is the project that the pipeline runs in, as the environment tells; what it does not tell is empty.
func (a *app) gitlabProject() gitlabProject {
	return gitlabProject{
		API:     a.Getenv("CI_API_V4_URL"),
		CAFile:  a.Getenv("CI_SERVER_TLS_CA_FILE"),
		Token:   cmp.Or(a.Getenv("KIBAN_GITLAB_TOKEN"), a.Getenv("GITLAB_TOKEN")),
		Project: a.Getenv("CI_PROJECT_ID"),
	}
}

// mergeRequest is where a note goes, and as whom.
type mergeRequest struct {
	gitlabProject
	Number int64
	// Planned are the commits that the pipeline may be of; none: not known.
	Planned []string
}

// mergeRequestState is how a merge request stands: "opened", "locked" while it is being merged, "merged" or "closed", and the commit that its
// branch is at, "" when that is not known.
type mergeRequestState struct{ State, Head string }
