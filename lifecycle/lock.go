package lifecycle

import (
	"errors"
	"time"
)

// How long a lock is good for. A holder renews six times within LockDuration, so five renewals in a row may fail before anybody may think
// it dead. Half a minute is longer than an API server takes to fail over, and short enough to wait for after a crash.
const (
	LockDuration = 30 * time.Second
	LockRenewal  = 5 * time.Second
)

// Lock is the right to change a site, and who has it. One run has it at a time.
type Lock struct {
	// Holder is the run that has it; "" when none does.
	Holder string `json:"holder,omitempty"`
	// Epoch rises by one whenever the lock changes hands or is taken away. A holder whose epoch is not the lock's has lost it.
	Epoch int `json:"epoch"`
	// Who is the person or the CI job behind the run, Doing what the run is about: "apply of revision 3f2a9c1".
	Who   string `json:"who,omitempty"`
	Doing string `json:"doing,omitempty"`
	// Since is when it was taken, Renewed when its holder last said that it lives, both by the holder's clock. They are for people, and
	// decide nothing: a dead holder is told from a living one by watching (package lock).
	Since   time.Time `json:"since,omitzero"`
	Renewed time.Time `json:"renewed,omitzero"`
	// Process identifies the holder's process on its machine, for those on the same machine who can see that it has ended. May be empty.
	Process string `json:"process,omitempty"`
	// Where is the place that this was read from: "lease kube-system/kiban", or "/run/kiban on controller-1".
	Where string `json:"where,omitempty"`
	// Version is that place's own mark of this very state, for a write on the condition that nothing has changed. Beat changes with every
	// renewal.
	Version string `json:"-"`
	Beat    string `json:"-"`
}

// Held reports whether a run has the lock, alive or not.
func (l Lock) Held() bool { return l.Holder != "" }

// Same reports whether both are the same holding of the lock.
func (l Lock) Same(o Lock) bool { return l.Holder == o.Holder && l.Epoch == o.Epoch }

// ErrLockMoved says that a lock was not written because it is no longer as it was read.
var ErrLockMoved = errors.New("the lock has changed since it was read")

// ErrLockTaken says that a run has its site's lock no more: another has it, or somebody took it away.
var ErrLockTaken = errors.New("the lock was taken from this run")
