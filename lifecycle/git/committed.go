package git

import (
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// Committed is when commits were made, in UTC, by the clock of whoever made them: revisions are full names. Of one that is not here the
// map has nothing: the clone is shallow, its branch was rewritten, or the work tree was another ("-dirty"). The error is that of the
// repository.
func Committed(fleet string, revisions []string) (map[string]time.Time, error) {
	r, err := open(fleet)
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	for _, revision := range revisions {
		if !fullHash.MatchString(revision) {
			continue
		}
		if commit, err := r.CommitObject(plumbing.NewHash(revision)); err == nil {
			out[revision] = commit.Committer.When.UTC()
		}
	}
	return out, nil
}
