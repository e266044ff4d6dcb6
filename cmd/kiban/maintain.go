package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/session"
)

func newMaintain(a *app, runF func(context.Context, *renewOptions) error) *cobra.Command {
	opts := &renewOptions{app: a}
	cmd := &cobra.Command{Use: "maintain WHAT SITE", Short: "Look after what the site stands on: etcd",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	etcd := &cobra.Command{
		Use:   "etcd SITE",
		Short: "Give back room that etcd's files hold nothing in, and end its alarm NOSPACE",
		Long: `etcd's file only grows: what is deleted leaves room within it, which counts against its quota. Defragment those members that it is
worth it for, the leader last, while the others serve: for 45 % of at least 100 MiB, and 10 % of a file that has used up 80 % of its quota.
An etcd that has reached its quota takes no writes: old revisions go first, and the alarm is taken back when every member has room.`,
		Example:           "  kiban maintain etcd tokyo-prod\n  kiban maintain etcd tokyo-prod --yes",
		ValidArgsFunction: a.completeSites,
		RunE:              forSite(a, opts, &opts.Site, runF, maintainEtcdRun),
	}
	a.runFlags(etcd, &opts.Yes, &opts.LockTimeout)
	cmd.AddCommand(etcd)
	return cmd
}

func maintainEtcdRun(ctx context.Context, opts *renewOptions) error {
	return upkeep(ctx, opts, "kiban maintain etcd "+opts.Site, "No member of etcd of "+opts.Site+" has room to give back that is worth it.",
		"etcd has room", func(s *session.Session) (session.Result, error) { return s.MaintainEtcd(ctx) })
}
