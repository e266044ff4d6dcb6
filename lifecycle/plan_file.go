package lifecycle

import (
	"strings"
	"time"
)

// The kinds mark a file as a plan that was saved, or as one that was reviewed.
const (
	SavedPlanKind    = "kiban.dev/plan"
	ReviewedPlanKind = "kiban.dev/reviewed"
)

// SavedPlan is the envelope of a plan on disk. Everything that apply rests on is in the plan itself; the rest is for people.
type SavedPlan struct {
	Kind    string    `json:"kind"`
	Kiban   string    `json:"kiban"`
	SavedAt time.Time `json:"savedAt"`
	Plan    Plan      `json:"plan"`
}

// ReviewedPlan is a plan that a merge request showed, the merge request's address, and what stands behind it. The zero ReviewedPlan: nobody
// has reviewed one.
type ReviewedPlan struct {
	Kind     string         `json:"kind"`
	Where    string         `json:"where"`
	Evidence ReviewEvidence `json:"evidence,omitzero"`
	Plan     Plan           `json:"plan"`
}

// SameMajor reports whether a document of one format, such as "1.4", can be read as the other: minors only add fields.
func SameMajor(a, b string) bool {
	x, _, _ := strings.Cut(a, ".")
	y, _, _ := strings.Cut(b, ".")
	return x == y
}
