// Package bounded leaves what makes something of foreign data, when it takes more than it may. A library that a few lines can have make as
// much as they like can't be stopped within the process, only left: whoever began it goes on with an error, and ends the process.
package bounded

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits are what making something may take of the process.
type Limits struct {
	// Room is in bytes of heap and stacks, garbage aside; 0: DefaultRoom.
	Room uint64
	// Time is how long it may take; 0: as long as the context lasts.
	Time time.Duration
}

// DefaultRoom is for what is large: the largest build that was measured, a site of 5,000 hosts, takes an eighth of it.
const DefaultRoom = 1 << 30

// GivenUp is the error of what took more than it may, and still does.
type GivenUp struct {
	What string // "the build of overlays/tokyo"
	// Took is what was too much, in words.
	Took string
	// Beside is what else was being made, which may be what took it.
	Beside []string
}

func (e GivenUp) Error() string {
	text := e.What + " was given up: it takes " + e.Took + ", and is not done"
	if len(e.Beside) > 0 {
		text += ". What was made at the same time may be the cause: " + strings.Join(e.Beside, ", ")
	}
	return text
}

// NotBegun is the error of what was not begun, for something else was given up and still takes the process's memory and time.
type NotBegun struct{ GivenUp string }

func (e NotBegun) Error() string {
	return e.GivenUp + " was given up, and takes memory and time until it ends, or kiban does"
}

// process is package-level because the heap is: what was given up takes it from everybody.
var process making

// making is what is being made in this process.
type making struct {
	mu      sync.Mutex
	names   []string
	givenUp []string
}

func (m *making) begin(what string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.givenUp) > 0 {
		return NotBegun{m.givenUp[0]}
	}
	m.names = append(m.names, what)
	return nil
}

func (m *making) end(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.names = without(m.names, what)
	m.givenUp = without(m.givenUp, what)
}

func (m *making) giveUp(what, took string) GivenUp {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.names, what) { // else it has ended in this moment
		m.givenUp = append(m.givenUp, what)
	}
	return GivenUp{What: what, Took: took, Beside: without(slices.Clone(m.names), what)}
}

func without(names []string, name string) []string {
	if i := slices.Index(names, name); i >= 0 {
		return slices.Delete(names, i, i+1)
	}
	return names
}

// Do makes something, and leaves it when the context ends or it takes more than it may. The context that do gets ends then, too: it may
// look at it between its parts. What panics is an error: it was made of foreign data.
func Do[T any](ctx context.Context, what string, limits Limits, do func(context.Context) (T, error)) (T, error) {
	type made struct {
		it  T
		err error
	}
	var none T
	if err := process.begin(what); err != nil {
		return none, err
	}
	within, leave := context.WithCancel(ctx)
	defer leave()
	done := make(chan made, 1)
	go func() {
		defer process.end(what)
		var m made
		defer func() {
			if cause := recover(); cause != nil {
				m = made{err: fmt.Errorf("%s panicked: %v", what, cause)}
			}
			done <- m
		}()
		m.it, m.err = do(within)
	}()
	if limits.Room == 0 {
		limits.Room = DefaultRoom
	}
	grows, stop := growth(limits.Room)
	defer stop()
	var late <-chan time.Time
	if limits.Time > 0 {
		late = time.After(limits.Time)
	}
	select {
	case m := <-done:
		return m.it, m.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-grows:
		return none, process.giveUp(what, fmt.Sprintf("more than %d MiB", limits.Room>>20))
	case <-late:
		return none, process.giveUp(what, "longer than "+limits.Time.String())
	}
}

// growth tells when the process holds so many bytes more than now, garbage aside.
func growth(room uint64) (grows <-chan struct{}, stop func()) {
	told, done := make(chan struct{}), make(chan struct{})
	limit := held() + room
	go func() {
		every := time.NewTicker(10 * time.Millisecond)
		defer every.Stop()
		for {
			select {
			case <-done:
				return
			case <-every.C:
			}
			if held() <= limit {
				continue
			}
			runtime.GC() // what is over may be garbage
			if held() > limit {
				close(told)
				return
			}
		}
	}()
	return told, sync.OnceFunc(func() { close(done) })
}

// held are the bytes of the heap, with garbage that was not collected yet, and of the stacks: what calls itself grows there.
func held() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() + samples[1].Value.Uint64()
}
