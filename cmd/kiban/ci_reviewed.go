package main

import (
	"context"
	"regexp"

	"github.com/spf13/cobra"
)

type ciReviewedOptions struct {
	app *app
	selection
	Sites []string
	// Out is the folder that takes a file for each site with a reviewed plan.
	Out string
	// Commit is the one that brought what is applied, where it is not the pipeline's; "" is that.
	Commit string
}

// wholeCommit is a commit's full name.
var wholeCommit = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

func newCIReviewed(a *app, runF func(context.Context, *ciReviewedOptions) error) *cobra.Command {
	opts := &ciReviewedOptions{app: a}
	cmd := &cobra.Command{
		Use:   "reviewed [SITE...] --out DIR",
		Short: "Fetch the plans that the merge request of this commit showed",
		Long: `Find the merge request that the commit of this pipeline came with, and fetch the plans that its newest pipeline made: what its
jobs plan:SITE left as plans/SITE.json. Each becomes DIR/SITE.json, for "kiban apply SITE --reviewed", with the job, its commit, who merged
and who approved. Without a SITE, those of all sites that were planned.

A plan counts as reviewed when its job is one of this project, never a fork's, its pipeline is of the commit that was merged or of its
merged result, and it had ended with success when that was merged. A job that is retried later makes no review. Where the pipeline has a
job sign:SITE, its token must be GitLab's signature of this very plan; fleet.yaml may ask for one (spec.signedReviews).

A site without a reviewed plan gets no file and stderr says why: one of these does not hold, the commit was pushed directly, artifacts have
expired, or a newer pipeline has applied another commit to the job's environment since. That is no failure here: apply decides.

With --commit, the plans are those of the merge request that an earlier commit of the branch came with: the one that brought what a
schedule has done now ("kiban ci generate apply --may-go" says which). All the rest holds just so.

GitLab says which commit in CI_API_V4_URL, CI_PROJECT_ID, CI_COMMIT_SHA and CI_COMMIT_BRANCH, and which environment, where the job has
one, in CI_ENVIRONMENT_NAME and CI_PIPELINE_ID. The token is taken from KIBAN_GITLAB_REVIEW_TOKEN: a project access token with the scope
read_api and the role Developer, in a protected variable. For sites that are not production KIBAN_GITLAB_TOKEN will do, with a warning.`,
		Example:           "  kiban ci reviewed tokyo-prod --out reviewed",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Out == "" {
				return usage(cmd, "where to? --out names the folder")
			}
			if cmd.Flags().Changed("commit") && !wholeCommit.MatchString(opts.Commit) {
				return usage(cmd, "--commit is the full name of a commit of the branch")
			}
			var err error
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selection, wholeFleet); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return ciReviewedRun(cmd.Context(), opts)
		},
	}
	opts.selection.flag(cmd)
	cmd.Flags().StringVar(&opts.Out, "out", "", "the folder that takes the reviewed plans")
	cmd.Flags().StringVar(&opts.Commit, "commit", "", "the commit whose merge request is meant (default: the pipeline's)")
	return cmd
}

func ciReviewedRun(ctx context.Context, opts *ciReviewedOptions) error {
	repo, err := opts.app.repository()
	if err != nil {
		return err
	}
	return repo.FetchReviewed(ctx, opts.Out, opts.Sites, opts.Commit, opts.app.Getenv, opts.app.openForge)
}
