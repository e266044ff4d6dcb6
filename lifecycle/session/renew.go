package session

import (
	"context"

	"kiban.dev/kiban/lifecycle"
)

// Renew has k0s make its certificates anew, one controller after another: of those that end soon, or of all. It looks again in the end,
// and it is an error when the old ones are still there. A Result without a Run: there was nothing to do.
func (s *Session) Renew(ctx context.Context, all bool) (Result, error) {
	renewal := func(seen lifecycle.State) lifecycle.Plan { return s.parts.Plans.Renew(s.site, seen, all) }
	res, err := s.converge(ctx, goal{doing: "renewal of certificates", plan: renewal})
	if err != nil || res.Run == "" {
		return res, err
	}
	seen, err := s.Observe(ctx)
	if err != nil {
		return res, err
	}
	if left := renewal(seen); !left.Empty() {
		return res, lifecycle.Errorf(left.Steps[0].Target, "k0s has started anew, and no new certificates were seen there").
			Because(left.Steps[0].Reason).
			Try("kiban node logs " + s.site.Name + " " + left.Steps[0].Target)
	}
	return res, nil
}
