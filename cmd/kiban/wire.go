package main

import (
	"context"
	"log/slog"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/git"
	"kiban.dev/kiban/lifecycle/gitlab"
	"kiban.dev/kiban/lifecycle/helm"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/site"
	"kiban.dev/kiban/lifecycle/supply"
	"kiban.dev/kiban/lifecycle/traces"
)

// wire names what is behind each service. It is the only place that sees every package.
func wire() services {
	return services{
		FindFleet:      site.FindFleet,
		ListSites:      site.List,
		RenderSite:     site.Render,
		LoadSite:       session.Load,
		Describe:       k0s.Describe,
		OpenStore:      func(opts storeOptions) supply.Charts { return helm.NewStore(helm.StoreOptions(opts)) },
		Binaries:       k0s.Releases{},
		HostKeys:       k0s.HostKeys,
		TrustHosts:     k0s.Trust,
		StockDocument:  k0s.Stock,
		SSHArguments:   k0s.SSHArguments,
		RunProgram:     runProgram,
		CheckFleet:     site.CheckFleet,
		Compared:       site.Compared,
		Checkout:       git.Checkout,
		Committed:      git.Committed,
		OpenFleet:      openFleet,
		Blob:           git.Blob,
		IsSite:         site.IsSite,
		Unkept:         git.Unkept,
		SiteInputs:     site.Inputs,
		SiteReads:      site.Reads,
		GroupsDir:      site.GroupsDir,
		SiteGroups:     site.Groups,
		ListGroups:     site.ListGroups,
		ReadFleet:      site.ReadFleet,
		Problems:       observe.Problems,
		ChildPipelines: gitlab.Pipelines,
		OpenParts: func(server lifecycle.ForgeServer, log *slog.Logger) (forge.Parts, error) {
			return gitlab.New(server, log)
		},
		OpenForge: func(server lifecycle.ForgeServer, log *slog.Logger) (forge.Forge, error) {
			return gitlab.New(server, log)
		},
		SendWebhook: forge.PostWebhook,
		OpenTraces: func(ctx context.Context, getenv func(string) string) (runTraces, error) {
			if !traces.Wanted(getenv) {
				return nil, nil
			}
			return traces.Open(ctx, getenv, supply.Built().Version)
		},
		OpenSite: session.Open,
	}
}

// openFleet is git.Open, in the words of those who compare fleets.
func openFleet(fleet string) (func(revision string) (fleets.Snapshot, error), error) {
	history, err := git.Open(fleet)
	if err != nil {
		return nil, err
	}
	return func(revision string) (fleets.Snapshot, error) {
		s, err := history.At(revision)
		if err != nil {
			return nil, err
		}
		return s, nil
	}, nil
}
