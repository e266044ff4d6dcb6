package lifecycle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Review is what people said yes to before a run: the plan that a merge request showed, and what they accepted beyond it.
type Review struct {
	// Plan is the Meaning of the plan that was reviewed; "" when nobody has reviewed one.
	Plan string `json:"plan,omitempty"`
	// Where it was reviewed: the address of the merge request.
	Where string `json:"where,omitempty"`
	ReviewEvidence
	// Accepted are the differences between what was reviewed and what ran, which the run's Who accepted in so many words.
	Accepted []string `json:"accepted,omitempty"`
	// AcceptedID is what they named when they accepted: the beginning of the Meaning of the plan that had these differences.
	AcceptedID string `json:"acceptedID,omitempty"`
}

// ReviewEvidence is what stands behind a reviewed plan: where it was made, and who said yes to it. A field that is empty is not known.
type ReviewEvidence struct {
	// Job made the plan, its address; Commit is what the job's pipeline was of.
	Job    string `json:"job,omitempty"`
	Commit string `json:"commit,omitempty"`
	// MergedBy and ApprovedBy are users of the forge by name.
	MergedBy   string   `json:"mergedBy,omitempty"`
	ApprovedBy []string `json:"approvedBy,omitempty"`
	// Unknown says what the forge did not tell, and why: who approved, where the token may not see it.
	Unknown string `json:"unknown,omitempty"`
	// SignedBy is the issuer whose signature binds the plan's meaning to its commit and job; "" when nobody signed it.
	SignedBy string `json:"signedBy,omitempty"`
	// Rehearsed is how the plan went through in a rehearsal, in a sentence; NotRehearsed says why there is none of it that did.
	Rehearsed    string `json:"rehearsed,omitempty"`
	NotRehearsed string `json:"notRehearsed,omitempty"`
}

// text says "merged by ann, approved by bob, planned by https://... at 3f2a9c1d5e"; "" when nothing is known.
func (e ReviewEvidence) text() string {
	var parts []string
	if e.MergedBy != "" {
		parts = append(parts, "merged by "+e.MergedBy)
	}
	switch {
	case len(e.ApprovedBy) > 0:
		parts = append(parts, "approved by "+Enumerate(e.ApprovedBy))
	case e.Unknown != "":
		parts = append(parts, e.Unknown)
	case e.MergedBy != "":
		parts = append(parts, "approved by nobody")
	}
	if e.Job != "" {
		parts = append(parts, strings.TrimSuffix(fmt.Sprintf("planned by %s at %s", e.Job, ShortRevision(e.Commit)), " at "))
	}
	if e.SignedBy != "" {
		parts = append(parts, "signed by "+e.SignedBy)
	}
	if e.Rehearsed != "" {
		parts = append(parts, e.Rehearsed)
	}
	return strings.Join(parts, ", ")
}

// Describe says what a run went by: "reviewed in https://...", who merged and approved that and which job planned it, and how much beyond
// it was accepted.
func (r Review) Describe() string {
	said := "nobody reviewed"
	if r.Plan != "" {
		said = strings.TrimSuffix("reviewed in "+r.Where, " in ")
		if e := r.text(); e != "" {
			said += " (" + e + ")"
		}
	}
	if n := len(r.Accepted); n > 0 {
		said += fmt.Sprintf(", with %s accepted (%s)", Count(n, "difference"), r.AcceptedID)
	}
	return said
}

// Meaning identifies what a plan would do, "sha256:<hex>": the same for plans that do the same to the same machines and objects in the same
// order, at the same pace and behind the same gates, with the same guards, whatever they were made from, whenever, and however they say
// why. Two plans that differ in how long something may take mean the same.
func (p Plan) Meaning() string {
	meant := struct {
		Site       string
		Target     Version
		Hops       []Version
		Unfinished bool
		Stages     []Stage
		Steps      []Step
		Guards     map[string]string `json:",omitempty"`
	}{Site: p.Site, Target: p.Target, Hops: p.Hops, Unfinished: p.Unfinished != "", Guards: p.Guards}
	for _, s := range p.Stages {
		s.Title = ""
		meant.Stages = append(meant.Stages, s)
	}
	for _, s := range p.Steps {
		meant.Steps = append(meant.Steps, s.Meant())
	}
	b, err := json.Marshal(meant)
	if err != nil {
		return "" // words are strings and numbers: they can always be written
	}
	return Digest(b)
}

// Meant is the step without what does not change what it does: why, for how long, who wrote the values that are put back, and which fields
// are left alone as they are now. Two steps do the same when these are equal.
func (s Step) Meant() Step {
	s.Reason, s.Timeout, s.Unchanged, s.Ignored = "", 0, 0, nil
	s.Before, s.After = meantGates(s.Before), meantGates(s.After)
	s.Objects = slices.Clone(s.Objects)
	for i, o := range s.Objects {
		o.Fields = slices.Clone(o.Fields)
		for j := range o.Fields {
			o.Fields[j].By, o.Fields[j].At = "", FieldChange{}.At
		}
		s.Objects[i] = ObjectChange{ObjectRef: o.ObjectRef, Change: o.Change, Fields: o.Fields}
	}
	s.OnFailure = slices.Clone(s.OnFailure)
	for i := range s.OnFailure {
		s.OnFailure[i] = s.OnFailure[i].Meant()
	}
	return s
}

func meantGates(gates []Gate) []Gate {
	var out []Gate
	for _, g := range gates {
		g.Timeout, g.Was = 0, ""
		out = append(out, g)
	}
	return out
}
