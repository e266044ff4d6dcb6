package git

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"kiban.dev/kiban/lifecycle"
)

var (
	fullHash = regexp.MustCompile(`^[0-9a-f]{40}$`)
	partHash = regexp.MustCompile(`^[0-9a-f]{4,39}$`)
)

// noHash is what GitLab gives for a commit that there is not.
const noHash = "0000000000000000000000000000000000000000"

// misread is a finding for a revision that go-git takes for another one, or for none, without saying so.
func misread(revision string) *lifecycle.Diagnostic {
	d := lifecycle.Errorf(revision, "%s names no commit", revision)
	switch {
	case strings.TrimSpace(revision) == "":
		d.Summary, d.Hint = "the revision is empty",
			"Name a commit, a branch or a tag. In GitLab, $CI_MERGE_REQUEST_DIFF_BASE_SHA is set in merge request pipelines only."
	case revision == noHash:
		d.Detail = "GitLab writes zeros where there is no commit before: in the first pipeline of a branch, in a schedule, " +
			"in a pipeline that was started by hand."
		d.Hint = "Name the commit that is compared with, such as HEAD~1. `kiban ci generate` takes zeros, and has a job for every site then."
	case strings.Contains(revision, ".."):
		d.Detail, d.Hint = "It is a range, and what is asked for is one commit.",
			"Name the range's first commit; the work tree is its end. For A...B that is what `git merge-base A B` prints."
	case strings.Contains(revision, ":"):
		d.Detail, d.Hint = "It is a file or a search, and what is asked for is a commit.", "git rev-parse says which commit is meant: name that."
	case strings.Contains(revision, "@{") || strings.Contains(revision, "^{/"):
		d.Detail, d.Hint = "kiban reads neither git's log of where branches have been, nor messages of commits.",
			"Name what `git rev-parse "+lifecycle.ShellWord(revision)+"` prints."
	default:
		return nil
	}
	return &d
}

// plainly writes a name as go-git reads it the way git does: a hash in lower case; and a branch or tag that could be the beginning of a
// hash in full, for it comes before the commit. A beginning that several commits have is a finding.
func (r repository) plainly(revision string) (string, error) {
	base, _ := uncounted(revision)
	rest := strings.TrimPrefix(revision, base)
	if full, to, found := r.reference(base); found {
		if partHash.MatchString(base) {
			return full.String() + rest, nil
		}
		if commit, err := r.peeled(to); err == nil && !r.has(base) { // a tag of a tag
			return commit.Hash.String() + rest, nil
		}
		return revision, nil
	}
	if lower := strings.ToLower(base); fullHash.MatchString(lower) || partHash.MatchString(lower) {
		base = lower
	}
	if !partHash.MatchString(base) {
		return base + rest, nil
	}
	if several := r.beginning(base); len(several) > 1 {
		return "", lifecycle.Errorf(revision, "%s is the beginning of several commits", base).
			Because(several...).
			Try("Name more of it.")
	}
	return base + rest, nil
}

// reference is the branch or tag of that name, and what it leads to.
func (r repository) reference(name string) (full plumbing.ReferenceName, to plumbing.Hash, found bool) {
	for _, form := range plumbing.RefRevParseRules {
		full := plumbing.ReferenceName(fmt.Sprintf(form, name))
		if ref, err := r.Reference(full, true); err == nil {
			return full, ref.Hash(), true
		}
	}
	return "", plumbing.ZeroHash, false
}

// beginning lists the commits, and tags of commits, whose hash begins so.
func (r repository) beginning(hash string) []string {
	store, can := r.Storer.(interface {
		HashesWithPrefix(prefix []byte) ([]plumbing.Hash, error)
	})
	prefix, err := hex.DecodeString(hash[:len(hash)/2*2])
	if !can || err != nil {
		return nil
	}
	all, err := store.HashesWithPrefix(prefix)
	if err != nil {
		return nil
	}
	var out []string
	for _, h := range all {
		if _, err := r.peeled(h); err == nil && strings.HasPrefix(h.String(), hash) {
			out = append(out, h.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// peeled is the commit that a hash names, or that the tag does which it names, or the tag of that tag.
func (r repository) peeled(hash plumbing.Hash) (*object.Commit, error) {
	const chain = 10
	for range chain {
		tag, err := r.TagObject(hash)
		if err != nil {
			break
		}
		hash = tag.Target
	}
	return r.CommitObject(hash)
}
