package main

import (
	"context"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/backup"
	"kiban.dev/kiban/lifecycle/git"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/site"
)

// wire names what is behind each service. It is the only place that sees every package.
func wire() services {
	return services{
		FindFleet:  site.FindFleet,
		ListSites:  site.List,
		RenderSite: site.Render,
		LoadSite: func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return site.Load(ctx, fleet, name, site.Options{Describe: k0s.Describe, Recipient: backup.CheckRecipient, Revision: git.Revision})
		},
		LoadStrangers: func(ctx context.Context, fleet, name string) (lifecycle.Site, lifecycle.Diagnostics) {
			return site.Load(ctx, fleet, name, site.Options{Describe: k0s.Describe, Strangers: true})
		},
		HostKeys:    k0s.HostKeys,
		TrustHosts:  k0s.Trust,
		CheckFleet:  site.CheckFleet,
		MakePlan:    plan.Make,
		PlanNode:    plan.Node,
		PlanBackup:  plan.Backup,
		Checkout:    git.Checkout,
		PlanRestore: plan.Restore,
		Connect:     connect,
	}
}
