package forge

import (
	"context"
	"errors"
	"os"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
)

// FetchReviewed puts the plans that the merge request of the environment's commit showed into a folder, a file a site. Without names they
// are those of all sites that were planned. brought is the commit that the merge request made, where it is another than the
// environment's. A site without a reviewed plan gets no file, and Warn says why: apply decides.
func (r Repository) FetchReviewed(
	ctx context.Context, out string, sites []string, brought string, getenv func(string) string,
	open func(lifecycle.ForgeServer) (Forge, error),
) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return review.Unwritable(out, err)
	}
	for _, name := range sites { // a file of an earlier attempt says nothing about this commit
		if err := os.Remove(review.ReviewedFile(out, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return review.Unwritable(out, err)
		}
	}
	from, commit, err := MergedCommitOf(brought, getenv)
	if err != nil {
		return err
	}
	if from.Token, err = r.reviewToken(ctx, sites, getenv); err != nil {
		return err
	}
	f, err := open(from.ForgeServer)
	if err != nil {
		return err
	}
	found, err := f.Reviewed(ctx, from.Name, commit, sites)
	if err != nil {
		return err
	}
	if len(found.Sites) == 0 {
		r.Note("Commit %s came with no merge request that planned a site.", commit.Commit)
	}
	allowed, unread := r.Allowed()
	if unread.Err() != nil {
		return unread
	}
	for _, p := range ReviewedPlans(found) {
		name := p.Site.Name
		if p.Missing == "" && allowed.SignedReviews && p.Evidence.SignedBy == "" {
			p.Missing = review.Unsigned
		}
		if p.Missing != "" {
			r.Warn(lifecycle.Diagnostics{review.NotReviewed(name, p.Missing)})
			continue
		}
		if err := review.WriteReviewed(out, lifecycle.ReviewedPlan{Kind: lifecycle.ReviewedPlanKind, Where: found.Where,
			Evidence: p.Evidence, Plan: p.Plan}); err != nil {
			return err
		}
		r.Note("%s: the plan of %s: %s", name, found.Where, review.ReviewedFile(out, name))
	}
	return nil
}

// reviewToken is as whom an apply job finds out what was reviewed: a token that only protected branches have, so that no merge request's
// job can speak as it. A production site has no other; for the rest, that of the notes will do, with a warning.
func (r Repository) reviewToken(ctx context.Context, sites []string, getenv func(string) string) (string, error) {
	const variable = "KIBAN_GITLAB_REVIEW_TOKEN"
	notes, token := ProjectOf(getenv).Token, getenv(variable)
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
	if name := r.ProductionAmong(ctx, sites); name != "" {
		return "", lifecycle.Errorf(name, "what was reviewed of a production site must be found with a token of its own").Because(why).Try(hint)
	}
	r.Warn(lifecycle.Diagnostics{lifecycle.Warnf("", "what was reviewed is found with the token that writes notes").
		Because(why).Try(hint)})
	return notes, nil
}
