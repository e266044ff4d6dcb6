package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
)

// checkReview finds flags that say nothing together.
func (o *applyOptions) checkReview(cmd *cobra.Command) error {
	switch {
	case o.Reviewed != "" && o.Plan != "":
		return usage(cmd, "--reviewed makes a new plan and --plan carries out a saved one: choose")
	case o.Reviewed == "" && cmd.Flags().Changed("reviewed"):
		return usage(cmd, "which plan was reviewed? --reviewed names its file")
	case o.Reviewed == "" && o.Accept != "":
		return usage(cmd, "--accept-changes accepts what differs from a reviewed plan: name that with --reviewed")
	}
	return nil
}

// openReview reads what was reviewed; nil where no review is asked for.
func (a *app) openReview(opts *applyOptions, fleet string, conn connection) (*review.Approval, error) {
	if opts.Reviewed == "" {
		return nil, nil
	}
	plan, err := review.ReadReviewed(opts.Reviewed)
	if err != nil {
		return nil, err
	}
	return &review.Approval{
		Reviewed: plan,
		Accept:   strings.TrimSpace(opts.Accept),
		Runs:     func(ctx context.Context) []lifecycle.RunRecord { return a.knownRuns(ctx, opts.Site, fleet, conn) },
		Note:     func(text string) { a.note("%s", text) },
	}, nil
}

// knownRuns are the site's runs, as the cluster and the journals here know them, newest first. What can't be read says nothing.
func (a *app) knownRuns(ctx context.Context, site, fleet string, conn connection) []lifecycle.RunRecord {
	here, err := a.localRuns(fleet, site)
	if err != nil {
		a.note("The journals here can't be read: %v", err)
	}
	kept, err := conn.Runs(ctx)
	if err != nil {
		a.note("The cluster could not be asked for its runs: %v", err)
	}
	var out []lifecycle.RunRecord
	for _, r := range mergeRuns(here, kept) {
		out = append(out, r.RunRecord)
	}
	return out
}
