package lock

import (
	"strconv"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// watchGap is the longest pause between two looks at a lock that still count as watching it.
const watchGap = lifecycle.LockDuration / 3

// Watch tells a dead holder from a living one by watching: one that has not renewed for the whole lifecycle.LockDuration, by the watcher's
// own clock, has no right to the lock any more. Nobody's clocks are compared. The zero value has seen nothing.
type Watch struct {
	holding, beat string
	since, last   time.Time
	alive         bool
}

// Silent notes a look at the lock, asked for and answered at these times, and reports whether its holder has been silent for all of
// lifecycle.LockDuration. A pause between looks, or a look that failed, begins the watch anew: what happened meanwhile is not known. While
// an API server is away its holder could not renew either.
func (w *Watch) Silent(l lifecycle.Lock, asked, answered time.Time) bool {
	holding := l.Holder + " " + strconv.Itoa(l.Epoch)
	switch {
	case w.holding != holding || answered.Sub(w.last) > watchGap:
		w.holding, w.beat, w.since, w.alive = holding, l.Beat, answered, false
	case w.beat != l.Beat:
		w.beat, w.since, w.alive = l.Beat, answered, true
	}
	w.last = answered
	return l.Held() && asked.Sub(w.since) >= lifecycle.LockDuration
}

// Alive reports whether the holder was seen to renew during the watch.
func (w *Watch) Alive() bool { return w.alive }

// Forget begins the watch anew.
func (w *Watch) Forget() { *w = Watch{} }
