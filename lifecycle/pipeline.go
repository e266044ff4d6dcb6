package lifecycle

import (
	"crypto/sha256"
	"fmt"
)

// PipelineKind is what a child pipeline does to its sites.
type PipelineKind string

const (
	// PipelinePlan plans each site and writes the note: for merge requests.
	PipelinePlan PipelineKind = "plan"
	// PipelineApply applies each site, wave after wave, production behind a manual gate: for the main branch.
	PipelineApply PipelineKind = "apply"
	// PipelineDrift plans each site and fails where it is not what the repository declares: for schedules.
	PipelineDrift PipelineKind = "drift"
	// PipelineBackup takes a backup of each site that has a place for it: for schedules.
	PipelineBackup PipelineKind = "backup"
)

// Pipeline is a child pipeline with a job a site. It inherits nothing from the one that starts it.
type Pipeline struct {
	Kind  PipelineKind
	Sites []PipelineSite
	// Image is what the jobs run in; "" leaves it to the runner or to Include.
	Image string
	// LabImage is that of the jobs that rehearse: it has the lab beside kiban. "" is Image.
	LabImage string
	// Include is a file of the repository that the child pipeline includes: for tags, keys, and what else its jobs need.
	Include string
	// Again are the words of the command that writes this pipeline again: one that comes in parts has them made by a job of its own.
	Again []string
	// Since is where the sites' changes were counted from, for people.
	Since string
	// Base is the full name of the revision of the target branch that a merge request is compared with; "" where none is known.
	Base string
	// Later: the sites are those that may go now, whose change an earlier pipeline had to leave. A schedule has it done, and again where
	// one may not go after all.
	Later bool
	// Signed: each plan is signed with an ID token of GitLab's, in a job of its own (Fleet.SignedReviews).
	Signed bool
	// Gone are the sites whose overlay was there then: the note tells what becomes of them, which is nothing.
	Gone []string
}

// PipelinePart is a file of a pipeline that is too large for one.
type PipelinePart struct{ File, Content string }

// PartsDigest identifies the parts of a pipeline.
func PartsDigest(parts []PipelinePart) string {
	h := sha256.New()
	for _, one := range parts {
		fmt.Fprintf(h, "%s %d\n%s", one.File, len(one.Content), one.Content)
	}
	return DigestOf(h)
}

// PipelineSite is a site that gets a job.
type PipelineSite struct {
	Name string
	Wave int
	// Tier is the site's label of that name, as the branch says it that the pipeline's change goes into: it decides whose variables a job
	// gets.
	Tier string
	// New: a merge request brings the site in, so nobody has said yet what tier it is of. Its jobs get no tier's variables.
	New bool
	// Manual sites wait for somebody to start them: production, before the change or after it, and what is new.
	Manual bool
	// Drill: a schedule restores the site's newest backup in a lab (spec.backup.proven).
	Drill bool
	// From are the sites that must have run a version before this one takes it (spec.promotion). Each gets a job that looks at it, with its
	// own environment: no job has the keys of two sites.
	From []PipelineSite
	// Brought is the commit that the site's last change came with, where that is not the pipeline's own.
	Brought string
	// Rehearse: its plan is rehearsed, where the site asks for that.
	Rehearse bool
}
