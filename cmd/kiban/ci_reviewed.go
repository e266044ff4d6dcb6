package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/review"
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
		Long: `Find the merge request that the commit of this pipeline came with, and fetch the plans that its newest pipeline made: what its
jobs plan:SITE left as plans/SITE.json. Each becomes DIR/SITE.json, for "kiban apply SITE --reviewed", with the job, its commit, who merged
and who approved. Without a SITE, those of all sites that were planned.

A plan counts as reviewed when its job is one of this project, never a fork's, its pipeline is of the commit that was merged or of its
merged result, and it had ended with success when that was merged. A job that is retried later makes no review. Where the pipeline has a
job sign:SITE, its token must be GitLab's signature of this very plan; fleet.yaml may ask for one (spec.signedReviews).

A site without a reviewed plan gets no file and stderr says why: one of these does not hold, the commit was pushed directly, artifacts have
expired, or a newer pipeline has applied another commit to the job's environment since. That is no failure here: apply decides.

GitLab says which commit in CI_API_V4_URL, CI_PROJECT_ID, CI_COMMIT_SHA and CI_COMMIT_BRANCH, and which environment, where the job has
one, in CI_ENVIRONMENT_NAME and CI_PIPELINE_ID. The token is taken from KIBAN_GITLAB_REVIEW_TOKEN: a project access token with the scope
read_api and the role Developer, in a protected variable. For sites that are not production KIBAN_GITLAB_TOKEN will do, with a warning.`,
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

func ciReviewedRun(ctx context.Context, opts *ciReviewedOptions) error {
	a := opts.app
	if err := os.MkdirAll(opts.Out, 0o755); err != nil {
		return review.Unwritable(opts.Out, err)
	}
	for _, name := range opts.Sites { // a file of an earlier attempt says nothing about this commit
		if err := os.Remove(review.ReviewedFile(opts.Out, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return review.Unwritable(opts.Out, err)
		}
	}
	from, commit, err := forge.MergedCommitOf(a.Getenv)
	if err != nil {
		return err
	}
	if from.Token, err = a.reviewToken(ctx, opts.Sites); err != nil {
		return err
	}
	f, err := a.OpenForge(from.ForgeServer, a.log())
	if err != nil {
		return err
	}
	found, err := f.Reviewed(ctx, from.Name, commit, opts.Sites)
	if err != nil {
		return err
	}
	if len(found.Sites) == 0 {
		a.note("Commit %s came with no merge request that planned a site.", commit.Commit)
	}
	demanded, err := a.signaturesDemanded()
	if err != nil {
		return err
	}
	for _, p := range forge.ReviewedPlans(found) {
		name := p.Site.Name
		if p.Missing == "" && demanded && p.Evidence.SignedBy == "" {
			p.Missing = review.Unsigned
		}
		if p.Missing != "" {
			a.findings(lifecycle.Diagnostics{review.NotReviewed(name, p.Missing)})
			continue
		}
		if err := review.WriteReviewed(opts.Out, lifecycle.ReviewedPlan{Kind: lifecycle.ReviewedPlanKind, Where: found.Where,
			Evidence: p.Evidence, Plan: p.Plan}); err != nil {
			return err
		}
		a.note("%s: the plan of %s: %s", name, found.Where, review.ReviewedFile(opts.Out, name))
	}
	return nil
}

// signaturesDemanded reports whether the fleet takes no reviewed plan without a signature.
func (a *app) signaturesDemanded() (bool, error) {
	fleet, err := a.fleetDir()
	if err != nil {
		return false, err
	}
	allowed, found := a.ReadFleet(fleet)
	if found.Err() != nil {
		return false, found
	}
	return allowed.SignedReviews, nil
}
