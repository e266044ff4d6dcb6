package review

import (
	"encoding/json"
	"path/filepath"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
)

// NotReviewed says why there is no plan of a site that counts as reviewed, and how it may go all the same.
func NotReviewed(site, why string) lifecycle.Diagnostic {
	return lifecycle.Warnf(site, "%s has no reviewed plan", site).Because(why).
		Try("A plan counts that a job of this project made, of the commit that was merged, before it was merged. apply shows what it would do " +
			"now, with an id: a merge request shows that to reviewers, or --accept-changes ID carries it out and says who accepted it.")
}

// ReviewedFile is where the reviewed plan of a site is looked for in a folder of them.
func ReviewedFile(dir, site string) string { return filepath.Join(dir, site+".json") }

// WriteReviewed puts a reviewed plan where apply looks for it, whole or not at all.
func WriteReviewed(dir string, r lifecycle.ReviewedPlan) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return Unwritable(dir, err)
	}
	if err := atomicfile.Write(ReviewedFile(dir, r.Plan.Site), append(b, '\n'), 0o600); err != nil {
		return Unwritable(dir, err)
	}
	return nil
}

// Unwritable says that a folder of reviewed plans can't be written.
func Unwritable(dir string, err error) error {
	return lifecycle.Errorf(dir, "the reviewed plans can't be written").Try("Name a folder that may be written to.").From(err)
}
