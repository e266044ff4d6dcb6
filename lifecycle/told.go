package lifecycle

import (
	"errors"
	"time"
)

// ErrMayBeTold is in the chain of an error after which nobody knows whether a message arrived.
var ErrMayBeTold = errors.New("the message may have arrived all the same")

// Told is a message that people were told, or that somebody is about to tell them: what keeps a job that is retried from telling it again.
// It is kept in the site's cluster by the message's key.
type Told struct {
	// Claim names the process that is about to tell it, or told it. By says the same for people: a job's address, or a person and a machine.
	Claim string `json:"claim"`
	By    string `json:"by,omitempty"`
	// At is when it was told, or when somebody set about telling it where it is not Done.
	At   time.Time `json:"at"`
	Done bool      `json:"done,omitempty"`
}
