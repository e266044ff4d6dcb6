package lifecycle

import (
	"fmt"
	"time"
)

// DrillFormat is the version of Drill's JSON form. Readers refuse another major.
const DrillFormat = "1.0"

// Drill is a restore of a site's backup in a lab: what was to be in it, what came back, and what would be left to do at the site.
type Drill struct {
	Format string `json:"format"`
	Site   string `json:"site"`
	// Backup is its file, Place where it was found, Taken when it was taken, in UTC, RFC 3339, as far as that is known.
	Backup  string  `json:"backup"`
	Place   string  `json:"place,omitempty"`
	Taken   string  `json:"taken,omitempty"`
	Version Version `json:"version,omitzero"`
	// Digest is that of the archive as k0s wrote it.
	Digest string `json:"digest,omitempty"`
	// Proof is what was found, and is recorded; nil: the backup is not proven, for the reasons in Findings.
	Proof *Proof `json:"proof,omitempty"`
	// Began and Took are of all of it; Proof.Took is the restore alone.
	Began time.Time     `json:"began"`
	Took  time.Duration `json:"took"`
	// Kinds are what was counted, sorted by kind.
	Kinds []DrilledKind `json:"kinds,omitempty"`
	// Read is how many objects were read whole, beside that each was decoded.
	Read int `json:"read"`
	// Left is what a plan would still have to do after such a restore at the site, a step each; "worker-1/restart: ..." of machines that are
	// not in the lab is told by kiban restore itself.
	Left []string `json:"left,omitempty"`
	// Differences are what the lab does not have as the site has it.
	Differences []TwinDifference `json:"differences,omitempty"`
	// Recorded names where the proof was put down.
	Recorded []string    `json:"recorded,omitempty"`
	Findings Diagnostics `json:"findings,omitempty"`
}

// DrilledKind is one kind of objects in a drill.
type DrilledKind struct {
	Kind string `json:"kind"`
	// Had is what the cluster had when the backup was taken, Held what the backup holds, Back what the restored API gave.
	Had  Amount `json:"had"`
	Held int64  `json:"held"`
	Back int64  `json:"back"`
	// Lost says why the two do not go together; "" where they do.
	Lost string `json:"lost,omitempty"`
}

// Unknown reports whether nothing is known of the backup: what kept it from being proven says nothing of it.
func (d Drill) Unknown() bool {
	return d.Proof == nil && d.Findings.Has(SeverityBlocked) && !d.Findings.Has(SeverityError)
}

// Sentence says what became of the drill of a backup by that name: "b.tar.gz is proven: 412 of 412 objects are back, 41s after an empty
// machine", or "It is not known whether b.tar.gz can be restored".
func (d Drill) Sentence(name string) string {
	if d.Unknown() {
		return "It is not known whether " + name + " can be restored"
	}
	return name + " is " + d.verdict()
}

// verdict counts what must be back. Of what comes and goes by itself fewer may be: beside the others that would read as a loss.
func (d Drill) verdict() string {
	held, back := int64(0), int64(0)
	for _, k := range d.Kinds {
		if k.Lost != "" || !Moving(k.Kind) {
			held, back = held+k.Held, back+min(k.Held, k.Back)
		}
	}
	switch {
	case d.Proof != nil:
		return fmt.Sprintf("proven: %d of %d objects are back, %s after an empty machine", back, held, Seconds(d.Proof.Took))
	case len(d.Kinds) > 0:
		return fmt.Sprintf("not proven: %d of %d objects are back", back, held)
	case !d.Version.IsZero(): // that of the lab that was started
		return "not proven: it does not come up"
	}
	return "not proven: it was not started"
}

// Seconds is a time to the second: "41s", "4m10s".
func Seconds(d time.Duration) string { return d.Round(time.Second).String() }

// CompareBack holds what came back against what a backup holds, kind by kind. Objects that a control plane makes when it starts may be
// more
// than there were. Of those that it makes and removes all the time, fewer may be back, but not none.
func CompareBack(had, held, back Contents) (kinds []DrilledKind) {
	for _, kind := range held.kinds(had) {
		k := DrilledKind{Kind: kind, Had: had.Objects[kind], Held: held.Objects[kind].Least, Back: back.Objects[kind].Least}
		why, unread := back.Unknown[kind]
		_, served := back.Objects[kind]
		switch {
		case unread:
			k.Lost = "they could not be read: " + why
		case k.Held == 0 || kind == "events" || kind == "leases":
		case !served && !had.has(kind) && had.Known():
			continue // etcd holds some, and the API did not serve them at the site either
		case k.Back == 0, k.Back < k.Held && !Moving(kind):
			k.Lost = fmt.Sprintf("%d of %d came back", k.Back, k.Held)
		}
		kinds = append(kinds, k)
	}
	return kinds
}

func (c Contents) has(kind string) bool {
	_, ok := c.Objects[kind]
	return ok
}
