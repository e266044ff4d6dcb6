package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

type ciReviewedOptions struct {
	app   *app
	Sites []string
	// Out is the folder that takes a file for each site with a reviewed plan.
	Out string
}

func newCIReviewed(a *app, runF func(context.Context, *ciReviewedOptions) error) *cobra.Command {
	opts := &ciReviewedOptions{app: a}
	cmd := &cobra.Command{
		Use:   "reviewed [SITE...] --out DIR",
		Short: "Fetch the plans that the merge request of this commit showed",
		Long: `Find the merge request that the commit of this pipeline came with, and fetch the plans that its newest pipeline made: what its jobs plan:SITE left
as plans/SITE.json. Each becomes DIR/SITE.json, for "kiban apply SITE --reviewed". Without a SITE, those of all sites that were planned.

A site without a reviewed plan gets no file and stderr says why: the commit was pushed directly, the plan failed, its artifacts have expired, or
a newer pipeline has applied another commit to the job's environment since. That is no failure here: apply decides.

GitLab says which commit in CI_API_V4_URL, CI_PROJECT_ID, CI_COMMIT_SHA and CI_COMMIT_BRANCH, and which environment, where the job has one, in
CI_ENVIRONMENT_NAME and CI_PIPELINE_ID. The token is taken from KIBAN_GITLAB_TOKEN or
GITLAB_TOKEN: a project access token with the scope api or read_api and the role Developer.`,
		Example:           "  kiban ci reviewed tokyo-prod --out reviewed",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Out == "" {
				return usage(cmd, "where to? --out names the folder")
			}
			opts.Sites = args
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return ciReviewedRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Out, "out", "", "the folder that takes the reviewed plans")
	return cmd
}

// mergedCommit is a commit of a pipeline, and as whom GitLab is asked about it.
type mergedCommit struct {
	gitlabProject
	Commit, Branch string
	// Environment is the one that the job deploys to, "" when it has none, and Pipeline the job's.
	Environment string
	Pipeline    int64
}

// reviewedSite is the file that a merge request's plan job left of a site; nil when there is none, and then Missing says why.
type reviewedSite struct {
	Name    string
	Plan    []byte
	Missing string
}

// fetchReviewed is the service behind it. where is the merge request's address; "" when the commit came without one.
type fetchReviewed func(ctx context.Context, commit mergedCommit, sites []string, log *slog.Logger) (where string, found []reviewedSite, err error)

func ciReviewedRun(ctx context.Context, opts *ciReviewedOptions) error {
	a := opts.app
	if err := os.MkdirAll(opts.Out, 0o755); err != nil {
		return noReviewed(opts.Out, err)
	}
	for _, name := range opts.Sites { // a file of an earlier attempt says nothing about this commit
		if err := os.Remove(reviewedFile(opts.Out, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return noReviewed(opts.Out, err)
		}
	}
	commit, err := a.mergedCommit()
	if err != nil {
		return err
	}
	where, found, err := a.FetchReviewed(ctx, commit, opts.Sites, a.log())
	if err != nil {
		return err
	}
	if len(found) == 0 {
		a.note("Commit %s came with no merge request that planned a site.", commit.Commit)
	}
	for _, f := range found {
		if filepath.Base(f.Name) != f.Name { // a job's name may be anything
			continue
		}
		plan := parseSitePlan(f.Plan, f.Name, f.Name+".json")
		if missing := cmp.Or(f.Missing, plan.Missing); missing != "" {
			a.note("%s has no reviewed plan: %s", f.Name, missing)
			continue
		}
		if err := writeReviewed(opts.Out, lifecycle.ReviewedPlan{Kind: lifecycle.ReviewedPlanKind, Where: where, Plan: plan.Plan}); err != nil {
			return err
		}
		a.note("%s: the plan of %s: %s", f.Name, where, reviewedFile(opts.Out, f.Name))
	}
	return nil
}

// mergedCommit finds out from the environment which commit this is about.
func (a *app) mergedCommit() (mergedCommit, error) {
	c := mergedCommit{gitlabProject: a.gitlabProject(), Commit: a.Getenv("CI_COMMIT_SHA"), Branch: a.Getenv("CI_COMMIT_BRANCH")}
	if n, err := strconv.ParseInt(a.Getenv("CI_PIPELINE_ID"), 10, 64); err == nil {
		c.Environment, c.Pipeline = a.Getenv("CI_ENVIRONMENT_NAME"), n
	}
	for _, v := range [...][2]string{{"CI_API_V4_URL", c.API}, {"CI_PROJECT_ID", c.Project}, {"CI_COMMIT_SHA", c.Commit}, {"CI_COMMIT_BRANCH", c.Branch}} {
		if v[1] == "" {
			return c, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "there is no merged commit to ask about", Detail: v[0] + " is not set: this is not a pipeline of a branch.",
				Hint: "At a terminal, kiban apply shows its plan and asks; a plan that was saved runs with apply --plan."}
		}
	}
	return c, nil
}

func reviewedFile(dir, site string) string { return filepath.Join(dir, site+".json") }

// writeReviewed puts a reviewed plan where apply looks for it, whole or not at all.
func writeReviewed(dir string, r lifecycle.ReviewedPlan) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return noReviewed(dir, err)
	}
	if err := atomicfile.Write(reviewedFile(dir, r.Plan.Site), append(b, '\n'), 0o600); err != nil {
		return noReviewed(dir, err)
	}
	return nil
}

func noReviewed(dir string, err error) error {
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the reviewed plans can't be written", Detail: err.Error(), Subject: dir, Hint: "Name a folder that may be written to.", Cause: err}
}
