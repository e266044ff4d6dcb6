package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// process is one kiban that somebody runs: it reaches the world by calls that take time, are lost, or find nobody there. Once it is killed
// nothing that it does has an effect, but for what it had sent before.
type process struct {
	sim  *sim
	who  string // the operator, whose network it is
	name string // "alice.3"
	site lifecycle.Site
	kill context.CancelFunc

	// Guarded by sim.mu.
	dead    bool
	until   time.Time // stopped (SIGSTOP) until then
	resumed time.Time
	// over: its run has ended. What it had sent before may still arrive.
	over bool
	// connected: it knows how to reach the cluster's API.
	connected bool
	// era is the number of its take of the lock; 0: it has none. took is when it took it, fence is the lock's.
	era   int
	took  time.Time
	fence *lock.Fence
	// out is how many nodes carried kiban's mark when its run began.
	out int
}

var (
	errKilled = errors.New("killed")
	errCut    = errors.New("no route to host")
	errLost   = errors.New("connection lost")
)

// hold waits while the process is stopped. Calls go on one after another then, each by its key, so that it is not chance which is first.
func (p *process) hold(key string) (stopped bool, err error) {
	for {
		var left time.Duration
		p.sim.with(func() {
			left = time.Until(p.until)
			err = nil
			if p.dead {
				err = errKilled
			}
		})
		if left <= 0 || err != nil {
			return stopped, err
		}
		stopped = true
		time.Sleep(left)
		time.Sleep(p.sim.between(p.name+" goes on with "+key, 0, 20*time.Millisecond))
	}
}

// reach says whether a target is there for the process. It is called with sim.mu held.
func (p *process) reach(target string) error {
	if p.sim.net[p.who+" "+target] {
		return fmt.Errorf("%s: %w", target, errCut)
	}
	if target == "api" {
		if !p.sim.w.apiUp() {
			return errors.New("no API server answers")
		}
		p.connected = true
		return nil
	}
	if m := p.sim.w.machines[target]; m == nil || !m.on {
		return fmt.Errorf("%s: %w", target, errCut)
	}
	return nil
}

// patience is how long one call waits for an answer.
const patience = 10 * time.Second

// ask is a call that changes nothing. look is called when the answer is made; reached says whether the target is there, unless it is "".
func (p *process) ask(ctx context.Context, key, target string, look func()) error {
	if _, err := p.hold(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r := p.sim.at(p.name + " asks " + key)
	if !p.sim.sleep(ctx, within(r, 2*time.Millisecond, 250*time.Millisecond)) {
		return p.ended(ctx, key)
	}
	var err error
	p.sim.with(func() {
		if target != "" {
			err = p.reach(target)
		}
		if err == nil && p.sim.loses(r) {
			err = errLost
		}
		if err == nil {
			look()
		}
	})
	if err != nil {
		if !p.sim.sleep(ctx, within(r, time.Second, patience)) {
			return p.ended(ctx, key)
		}
	}
	if _, held := p.hold(key); held != nil {
		return held
	}
	return err
}

// ended is why a call was given up.
func (p *process) ended(ctx context.Context, key string) error {
	if _, err := p.hold(key); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// loses reports whether something on the way is lost.
func (s *sim) loses(r *rand.Rand) bool { return s.faulty && s.rules.lost && r.IntN(60) == 0 }

// send is a call that changes something. What was sent arrives, whatever becomes of the sender meanwhile; that may take long.
func (p *process) send(ctx context.Context, key, target string, change func() error) error {
	boots := p.boots(target)
	stopped, err := p.hold(key)
	if err != nil {
		return err
	}
	if boots != p.boots(target) { // its connection is of before; a new one looks at the context first
		stopped = false
	}
	r := p.sim.at(p.name + " sends " + key)
	// One that was stopped on the way into the call goes on with it: whoever wrote to a socket does not look at its context again.
	if err := ctx.Err(); err != nil && !(stopped && r.IntN(2) == 0) {
		return err
	}
	way := within(r, 2*time.Millisecond, 150*time.Millisecond)
	if p.sim.rules.late && r.IntN(40) == 0 {
		way = within(r, time.Second, 90*time.Second)
	}
	lost, answerLost := p.sim.loses(r), p.sim.loses(r)
	answered := make(chan error, 1)
	go func() { answered <- p.deliver(r, way, target, lost, answerLost, change) }()
	select {
	case err = <-answered:
	case <-ctx.Done():
		return p.ended(ctx, key)
	}
	if _, held := p.hold(key); held != nil {
		return held
	}
	return err
}

// deliver carries a call to its target and gives its answer.
func (p *process) deliver(r *rand.Rand, way time.Duration, target string, lost, answerLost bool, change func() error) error {
	if !p.sim.faulty {
		way = min(way, time.Second)
	}
	boots := p.boots(target)
	time.Sleep(way)
	var err error
	reached := false
	p.sim.with(func() {
		if err = p.reach(target); err != nil || lost {
			return
		}
		if m := p.sim.w.machines[target]; m != nil && m.boots != boots {
			err = errLost // no connection lasts over a boot
			return
		}
		reached = true
		p.sim.effects++
		err = change()
	})
	switch {
	case !reached || answerLost:
		time.Sleep(within(r, time.Second, patience))
		return errors.Join(errLost, err)
	default:
		time.Sleep(within(r, time.Millisecond, 100*time.Millisecond))
		return err
	}
}

// boots is how often a machine has booted.
func (p *process) boots(target string) (n int) {
	p.sim.with(func() {
		if m := p.sim.w.machines[target]; m != nil {
			n = m.boots
		}
	})
	return n
}

// acts notes an effect of the process on a machine or a node, and holds that no other run's came before it that had the lock later. It is
// called with sim.mu held.
func (p *process) acts(on string, last *int) {
	if p.era == 0 {
		p.sim.fail("%s acts on %s without the lock", p.name, on)
	}
	if p.era < *last {
		p.sim.fail("%s acts on %s after a run that has taken the lock over from it", p.name, on)
	}
	*last = max(*last, p.era)
}

// settledFor reports whether what the process saw of the world a while ago still must be what it acts on.
func (p *process) settledFor(since time.Time, d time.Duration) bool {
	if since.IsZero() {
		return false
	}
	if p.resumed.After(since) {
		since = p.resumed
	}
	return time.Since(since) > d
}

// epoch is what the process's commands are sent with.
func (p *process) epoch() int {
	if p.fence == nil {
		return 0
	}
	return p.fence.Epoch()
}

// sees reports whether a process is known to have ended: on the operator's own machine that can be seen.
func (p *process) sees(process string) (gone bool) {
	p.sim.with(func() {
		for _, o := range p.sim.processes {
			gone = gone || o.name == process && o.who == p.who && o.dead
		}
	})
	return gone
}

// queue asks a fence for one step at a time, and of those that come at the same moment in the order of their names. A lock.Fence holds a
// mutex while it asks: a goroutine that waits for a mutex keeps the bubble's clock from going on, and which one gets it is chance.
type queue struct {
	*lock.Fence
	mu   sync.Mutex
	last *batch
}

type batch struct {
	at    time.Time
	asked []*question
	done  chan struct{}
}

type question struct {
	ctx      context.Context
	step     lifecycle.Step
	answered chan error
}

func (q *queue) Check(ctx context.Context, step lifecycle.Step) error {
	mine := &question{ctx, step, make(chan error, 1)}
	q.mu.Lock()
	before := q.last
	if before == nil || !before.at.Equal(time.Now()) {
		b := &batch{at: time.Now(), done: make(chan struct{})}
		q.last = b
		go q.answer(b, before)
	}
	q.last.asked = append(q.last.asked, mine)
	q.mu.Unlock()
	return <-mine.answered
}

func (q *queue) answer(b, before *batch) {
	defer close(b.done)
	time.Sleep(time.Nanosecond) // who comes at this moment has come
	if before != nil {
		<-before.done
	}
	q.mu.Lock()
	asked := b.asked
	q.mu.Unlock()
	slices.SortStableFunc(asked, func(x, y *question) int { return strings.Compare(x.step.ID, y.step.ID) })
	for _, one := range asked {
		one.answered <- q.Fence.Check(one.ctx, one.step)
	}
}
