package lifecycle

import "errors"

// ErrNoteTooLong is in the chain of the error when a forge, or a proxy before it, takes no note of that length.
var ErrNoteTooLong = errors.New("the note is too long")

// ForgeServer is the server that keeps the fleet's repository, and as whom it is spoken to.
type ForgeServer struct {
	// URL is that of its API: "https://gitlab.example.com/api/v4".
	URL string
	// CAFile holds further certificate authorities, PEM; "" has the system's alone.
	CAFile string
	// Token is a project, group or personal access token. It goes into a header and nowhere else.
	Token string
}

// MergeRequest is how a merge request stands.
type MergeRequest struct {
	// State is "opened", "locked" while it is being merged, "merged" or "closed".
	State string
	// Head is the commit that its branch is at; "" when the forge does not say.
	Head string
}

// NoteOutcome is what became of a note.
type NoteOutcome string

const (
	NoteCreated NoteOutcome = "created"
	NoteUpdated NoteOutcome = "updated"
	// NoteSame says that the note was there with the same text, and was left alone.
	NoteSame NoteOutcome = "unchanged"
)

// Telling is one message about a site, for an issue or a note.
type Telling struct {
	Site string
	// Key tells the message from every other. It is kept in the text, hidden: what was written already is not written again.
	Key, Body string
	// Amiss opens the site's issue, or opens it again. Ends closes it.
	Amiss, Ends bool
}

// MergedCommit is a commit that came into a branch, and the job that is about to carry it out.
type MergedCommit struct {
	Commit, Branch string
	// Applies is the commit that the job's pipeline is of; "" is Commit. A schedule carries out later what an earlier commit brought.
	Applies string
	// Environment is the one that the job deploys to, "" when it has none, and Pipeline the job's.
	Environment string
	Pipeline    int64
}

// ReviewedSites is what a merge request showed of its sites.
type ReviewedSites struct {
	// Where is the merge request's address; "" when the commit came without one.
	Where string
	Sites []ReviewedSite
}

// ReviewedSite is the plan that a merge request showed of a site.
type ReviewedSite struct {
	Name string
	// Plan is the file that the plan job left; nil when there is none that counts, and then Missing says why.
	Plan     []byte
	Missing  string
	Evidence ReviewEvidence
	// Rehearsal is the file that the job left which rehearsed the plan; nil when there is none.
	Rehearsal []byte
}
