package forge

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// sendTime is how long sending one message to one receiver may take.
const sendTime = 25 * time.Second

// Teller tells messages of a site, each once to each receiver.
type Teller struct {
	Memory  *Memory
	Wording Template
	// By is who tells, for others to read: a job's address, or a person and a machine.
	By string
	// Note says what was done, or why nothing was.
	Note func(format string, args ...any)
}

// Tell claims the message, sends it, and writes down that it was told. What could not be sent may be told by the next that tries; but
// what may have arrived is left claimed, so that only one who tries much later sends it again.
func (t Teller) Tell(ctx context.Context, r Receiver, m Message) error {
	if r.passes != nil {
		if why := r.passes(m.Kind); why != "" {
			t.Note("Not told to %s: %s.", r.title, why)
			return nil
		}
	}
	mine := lifecycle.Told{Claim: rand.Text(), By: t.By, At: moment()}
	var claimed Claimed
	var why string
	t.Memory.update(ctx, func(b Book) { claimed, why = b.Claim(m, r.name, mine) })
	if why != "" {
		t.Note("Not told to %s: %s.", r.title, why)
		return nil
	}
	sending, cancel := lifecycle.Within(ctx, sendTime, "no answer")
	defer cancel()
	did, err := r.send(sending, t.Wording, claimed)
	after := context.WithoutCancel(ctx) // a moment more, so that a retry knows
	if err != nil {
		if !errors.Is(err, lifecycle.ErrMayBeTold) {
			t.Memory.update(after, func(b Book) { b.Release(claimed, mine) })
		}
		return err
	}
	mine.At = moment()
	t.Memory.update(after, func(b Book) { b.Confirm(claimed, mine) })
	if did == "" {
		t.Note("Nothing to tell to %s: %s.", r.title, r.idle)
		return nil
	}
	t.Note("%s: %s (%s).", strings.ToUpper(r.title[:1])+r.title[1:], did, m.Kind)
	return nil
}

func moment() time.Time { return time.Now().UTC().Truncate(time.Second) }
