package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
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

// project is a project on a forge, and as whom the forge is spoken to.
type project struct {
	lifecycle.ForgeServer
	// Project is a number or a path.
	Project string
}

// project is the project that the pipeline runs in, as the environment tells; what it does not tell is empty.
func (a *app) project() project {
	return project{
		ForgeServer: lifecycle.ForgeServer{
			URL:    a.Getenv("CI_API_V4_URL"),
			CAFile: a.Getenv("CI_SERVER_TLS_CA_FILE"),
			Token:  cmp.Or(a.Getenv("KIBAN_GITLAB_TOKEN"), a.Getenv("GITLAB_TOKEN")),
		},
		Project: a.Getenv("CI_PROJECT_ID"),
	}
}

// unset is the first variable of those that a verb needs which the environment does not set; "" when it sets all.
func (a *app) unset(names ...string) string {
	for _, name := range names {
		if a.Getenv(name) == "" {
			return name
		}
	}
	return ""
}
