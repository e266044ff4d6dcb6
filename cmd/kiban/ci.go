package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/session"
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

// repository is the fleet at hand, as what pipelines ask for works on it.
func (a *app) repository() (forge.Repository, error) {
	fleet, err := a.fleetDir()
	look := new(session.Look)
	return forge.Repository{Dir: fleet, Source: a.source(), Warn: a.findings, Note: a.note,
		Load: func(ctx context.Context, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return a.LoadSite(ctx, fleet, name, session.LoadOptions{Look: look})
		},
		Allowed: func() (lifecycle.Fleet, lifecycle.Diagnostics) { return a.ReadFleet(fleet) }}, err
}

// openForge makes ready to speak to a server that keeps a repository.
func (a *app) openForge(server lifecycle.ForgeServer) (forge.Forge, error) {
	return a.OpenForge(server, a.log())
}
