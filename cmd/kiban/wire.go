package main

import (
	"context"
	"errors"
	"log/slog"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/git"
	"kiban.dev/kiban/lifecycle/gitlab"
	"kiban.dev/kiban/lifecycle/helm"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/site"
	"kiban.dev/kiban/lifecycle/supply"
)

// wire names what is behind each service. It is the only place that sees every package.
func wire() services {
	return services{
		FindFleet:  site.FindFleet,
		ListSites:  site.List,
		RenderSite: site.Render,
		LoadSite:   session.Load,
		LoadStrangers: func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return site.Load(ctx, fleet, name, site.Options{Describe: k0s.Describe, Strangers: true})
		},
		LoadUnlocked: func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return site.Load(ctx, fleet, name, site.Options{Describe: k0s.Describe, Strangers: true, Unlocked: true})
		},
		Describe:      k0s.Describe,
		OpenStore:     func(opts storeOptions) supply.Charts { return helm.NewStore(helm.StoreOptions(opts)) },
		Binaries:      k0s.Releases{},
		HostKeys:      k0s.HostKeys,
		TrustHosts:    k0s.Trust,
		CheckFleet:    site.CheckFleet,
		Checkout:      git.Checkout,
		SiteInputs:    site.Inputs,
		SiteReads:     site.Reads,
		ChildPipeline: gitlab.Pipeline,
		MergeRequest: func(ctx context.Context, mr mergeRequest, log *slog.Logger) (mergeRequestState, error) {
			client, err := gitlabClient(mr.gitlabProject, log)
			if err != nil {
				return mergeRequestState{}, err
			}
			now, err := client.MergeRequest(ctx, mr.Project, mr.Number)
			return mergeRequestState(now), err
		},
		UpsertNote: func(ctx context.Context, mr mergeRequest, log *slog.Logger, marker, body string) (string, error) {
			client, err := gitlabClient(mr.gitlabProject, log)
			if err != nil {
				return "", err
			}
			outcome, err := client.UpsertNote(ctx, mr.Project, mr.Number, marker, body)
			if errors.Is(err, gitlab.ErrTooLong) {
				err = errors.Join(errNoteTooLong, err)
			}
			return string(outcome), err
		},
		tellServices: tellServices{
			SendWebhook: forge.PostWebhook,
			TellIssue: func(ctx context.Context, p gitlabProject, log *slog.Logger, t telling) (string, error) {
				client, err := gitlabClient(p, log)
				if err != nil {
					return "", err
				}
				return client.TellIssue(ctx, p.Project, gitlab.Telling(t))
			},
			TellNote: func(ctx context.Context, p gitlabProject, commit, branch string, log *slog.Logger, t telling) (string, error) {
				client, err := gitlabClient(p, log)
				if err != nil {
					return "", err
				}
				return client.TellNote(ctx, p.Project, commit, branch, gitlab.Telling(t))
			},
		},
		FetchReviewed: func(ctx context.Context, c mergedCommit, sites []string, log *slog.Logger) (string, []reviewedSite, error) {
			client, err := gitlabClient(c.gitlabProject, log)
			if err != nil {
				return "", nil, err
			}
			found, err := client.Reviewed(ctx, c.Project, c.Commit, c.Branch, sites)
			overtaken := ""
			if err == nil && c.Environment != "" {
				overtaken, err = client.Overtaken(ctx, c.Project, c.Environment, c.Commit, c.Pipeline)
			}
			var out []reviewedSite
			for _, s := range found.Sites {
				if overtaken != "" {
					s.Plan, s.Missing = nil, overtaken
				}
				out = append(out, reviewedSite(s))
			}
			return found.Where, out, err
		},
		OpenSite: session.Open,
	}
}

// gitlabClient makes ready to speak to a project's server.
func gitlabClient(p gitlabProject, log *slog.Logger) (*gitlab.Client, error) {
	return gitlab.New(gitlab.Options{URL: p.API, Token: p.Token, CAFile: p.CAFile, Log: log})
}
