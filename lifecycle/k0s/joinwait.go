package k0s

import (
	"context"
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// joinLook is how long a join is waited for between two looks at whether k0s stays up meanwhile.
const joinLook = 5 * time.Second

// joinWait is a join that is waited for, and what k0s on the machine does meanwhile.
type joinWait struct {
	site, host string
	// down says what systemd makes of a k0s that did not stay up when it was looked at last; "" where it did.
	down string
}

// saw takes a look in, and gives what is to be told of it: that k0s does not stay up is told once.
func (w *joinWait) saw(h lifecycle.HostState) (tell string) {
	before := w.down
	w.down = ""
	if h.CrashLoops() || h.Restarts > lifecycle.CrashLoop { // it may answer between two restarts
		w.down = h.GivenUp()
	}
	if w.down == "" || before != "" {
		return ""
	}
	return fmt.Sprintf("still waiting, but k0s does not stay up on %s: %s kiban node logs %s %[1]s says why", w.host, w.down, w.site)
}

// finding is what the wait came to: a k0s that does not stay up is the reason of a join that did not come.
func (w *joinWait) finding(err error) error {
	if err == nil || w.down == "" {
		return err
	}
	return lifecycle.Errorf(w.host, "the machine has not joined: k0s does not stay up on it").
		Because(w.down, lifecycle.InWords(err)).
		Try(fmt.Sprintf("kiban node logs %s %s says why. Mend that, then run the same command again.", w.site, w.host)).
		From(err)
}

// awaitJoined waits until the machine has joined.
func (t *task) awaitJoined(ctx context.Context, what string) error {
	w := joinWait{site: t.site.Name, host: t.on.host.Name}
	looked := time.Now()
	err := until(ctx, "the machine has not joined: "+what, joinWithin, func(ctx context.Context) (bool, error) {
		ok, err := t.joined(ctx)
		if ok || time.Since(looked) < joinLook {
			return ok, err
		}
		looked = time.Now()
		if f, unseen := t.gatherFacts(ctx, t.on); unseen == nil { // of one that does not tell, what was seen last stands
			if tell := w.saw(f.host); tell != "" {
				t.progress(tell)
			}
		}
		return false, err
	})
	return w.finding(err)
}
