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

// reviewToken is as whom an apply job finds out what was reviewed: a token that only protected branches have, so that no merge request's
// job can speak as it. A production site has no other; for the rest, that of the notes will do, with a warning.
func (a *app) reviewToken(ctx context.Context, sites []string) (string, error) {
	const variable = "KIBAN_GITLAB_REVIEW_TOKEN"
	notes, token := forge.ProjectOf(a.Getenv).Token, a.Getenv(variable)
	const hint = "Make a project access token with the scope read_api and the role Developer, and store it as the variable " + variable +
		", masked and protected. `kiban explain docs/gitlab.md` says which token may what."
	why := variable + " is not set in this job"
	switch {
	case token != "" && token != notes:
		return token, nil
	case notes == "":
		return token, nil // whoever asks with none says so
	case token != "":
		why = variable + " and KIBAN_GITLAB_TOKEN hold the same token"
	}
	why += ". KIBAN_GITLAB_TOKEN is there for merge requests too: whoever may push a branch can have it."
	if name := a.productionAmong(ctx, sites); name != "" {
		return "", lifecycle.Errorf(name, "what was reviewed of a production site must be found with a token of its own").Because(why).Try(hint)
	}
	a.findings(lifecycle.Diagnostics{lifecycle.Warnf("", "what was reviewed is found with the token that writes notes").
		Because(why).Try(hint)})
	return notes, nil
}

// productionAmong is one of the sites that is production, or can't be read; "" when none is. No names: of all sites.
func (a *app) productionAmong(ctx context.Context, sites []string) string {
	fleet, err := a.fleetDir()
	if err == nil && len(sites) == 0 {
		sites, err = a.ListSites(fleet)
	}
	if err != nil {
		return "the fleet" // what can't be read is held to the strictest
	}
	for _, name := range sites {
		site, ds := a.LoadSite(ctx, fleet, name, session.LoadOptions{UnknownHosts: true, Unpinned: true})
		if ds.Err() != nil || site.Production() {
			return name
		}
	}
	return ""
}
