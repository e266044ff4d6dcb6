package gitlab

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"gitlab.com/gitlab-org/api/client-go"

	"kiban.dev/kiban/lifecycle"
)

const (
	// signJob is how the jobs that have a site's plan signed begin their names; the site follows.
	signJob = "sign:"
	// signedAudience begins the audience of a token that signs a plan; the sha256 of the plan's file follows. GitLab puts it into what it
	// signs, and that is what binds the token to one plan: everything else in a token is the job's.
	signedAudience = "kiban:plan:sha256:"
	// largestToken is how many bytes of a token are read.
	largestToken = 64 << 10
)

// signed fills in who signed a plan, or takes the plan away where a signature is there and is not good. A plan without one is left to
// whoever asks for it.
func (c *Client) signed(ctx context.Context, jobs *planJobs, job planned, s lifecycle.ReviewedSite) (lifecycle.ReviewedSite, error) {
	if s.Plan == nil || job.sign == nil {
		return s, nil
	}
	sign := job
	sign.Job = job.sign
	token, err := c.artifact(ctx, sign, "signatures/"+url.PathEscape(s.Name)+".jwt", largestToken)
	switch {
	case errors.Is(err, gitlab.ErrNotFound):
		return s, nil
	case err != nil && !errors.Is(err, tooLarge{}):
		return s, err
	}
	if err == nil {
		err = c.verify(ctx, jobs, sign, strings.TrimSpace(string(token)), s.Plan)
	}
	if err != nil {
		s.Plan, s.Missing = nil, fmt.Sprintf("its signature does not count: %v (%s)", err, sign.WebURL)
		return s, nil
	}
	s.Evidence.SignedBy = c.issuer()
	return s, nil
}

// issuer is who signs the ID tokens of the server's jobs: the server itself.
func (c *Client) issuer() string {
	return strings.TrimSuffix(strings.TrimSuffix(c.url, "/"), "/api/v4")
}

// jobClaims are what GitLab says in a token of the job that asked for it. Numbers are texts there.
type jobClaims struct {
	Project  string `json:"project_id"`
	Pipeline string `json:"pipeline_id"`
	Job      string `json:"job_id"`
	Ref      string `json:"ref"`
	Commit   string `json:"sha"`
}

// verify reports why a token is no signature of a plan by a job of what was merged. It may have expired: it was good when it was signed,
// and that was before the merge.
func (c *Client) verify(ctx context.Context, jobs *planJobs, sign planned, token string, plan []byte) error {
	ctx = oidc.ClientContext(ctx, c.plain)
	provider, err := oidc.NewProvider(ctx, c.issuer())
	if err != nil {
		return fmt.Errorf("the keys of %s are not to be had: %w", c.issuer(), err)
	}
	sum := sha256.Sum256(plan)
	audience := signedAudience + hex.EncodeToString(sum[:])
	t, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: audience, SkipExpiryCheck: true,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256}}).Verify(ctx, token)
	if err != nil {
		return err
	}
	if len(t.Audience) != 1 {
		return fmt.Errorf("it is for %d audiences, and could sign as many plans", len(t.Audience))
	}
	var claims jobClaims
	if err := t.Claims(&claims); err != nil {
		return fmt.Errorf("its claims can't be read: %w", err)
	}
	return claims.misfit(jobs, sign, t)
}

// misfit says which of a token's claims is not of the job that a signature must come from.
func (j jobClaims) misfit(jobs *planJobs, sign planned, t *oidc.IDToken) error {
	mr := jobs.mr
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	for _, claim := range []struct{ name, is, want string }{
		{"project", j.Project, number(jobs.target)}, {"pipeline", j.Pipeline, number(sign.pipeline)}, {"job", j.Job, number(sign.ID)},
		{"commit", j.Commit, sign.commit},
	} {
		if claim.is != claim.want || claim.want == "" {
			return fmt.Errorf("it is of %s %q, not of %s", claim.name, claim.is, claim.want)
		}
	}
	of := fmt.Sprintf("refs/merge-requests/%d/", mr.IID)
	if refs := []string{mr.SourceBranch, of + "head", of + "merge", of + "train"}; j.Ref == "" || !slices.Contains(refs, j.Ref) {
		return fmt.Errorf("it is of ref %q, not of merge request !%d", j.Ref, mr.IID)
	}
	switch {
	case t.IssuedAt.IsZero() || !t.Expiry.After(t.IssuedAt):
		return errors.New("it was never valid")
	case mr.MergedAt == nil || t.IssuedAt.After(*mr.MergedAt):
		return fmt.Errorf("it was signed after the merge, at %s", t.IssuedAt.UTC().Format("2006-01-02T15:04:05Z"))
	}
	return nil
}
