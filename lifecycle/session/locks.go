package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// siteLock is the lock of a site: the cluster's and that of its controllers. While the cluster's API does not answer, or its etcd
// takes no writes, the controllers' alone.
type siteLock struct {
	site lifecycle.Site
	host func(name string) lock.Place
	api  ClusterPlace
}

// ClusterPlace is where a cluster keeps its site's lock, once there is a cluster.
type ClusterPlace interface {
	lock.Place
	// Connected reports whether it is known how to reach the cluster's API.
	Connected() bool
}

func (w *world) locks() siteLock { return siteLock{site: w.site, host: w.machines.lock, api: w.api} }

// LockIn is the lock of a site in other places than the real ones; host is where a controller keeps it.
func LockIn(site lifecycle.Site, host func(name string) lock.Place, cluster ClusterPlace) Locker {
	return siteLock{site: site, host: host, api: cluster}
}

// cluster is where the cluster keeps the lock, by what was seen; of no seats while its API does not answer, or takes no writes.
func (l siteLock) cluster(seen lifecycle.State) lock.Group {
	if seen.API.Unknown != "" || seen.API.NotYet || seen.Raised(lifecycle.EtcdNoSpace) {
		return lock.Group{}
	}
	return l.lease()
}

func (l siteLock) lease() lock.Group {
	return lock.Group{Seats: []lock.Seat{{Name: "the cluster", Place: l.api}}}
}

// controllers are where the controllers keep it: all that are declared, so that those of two runs overlap, whatever each of them can reach.
func (l siteLock) controllers(seen lifecycle.State) lock.Group {
	g := lock.Group{Fleeting: true}
	for _, h := range l.site.Cluster.Hosts {
		if !h.Role.IsController() {
			continue
		}
		seat := lock.Seat{Name: h.Name, Place: l.host(h.Name)}
		if st, ok := seen.Host(h.Name); !ok || !st.Reached() {
			seat.Away = cmp.Or(st.Why, "it did not answer")
		}
		g.Seats = append(g.Seats, seat)
	}
	return g
}

// newest is the greatest epoch that a machine was seen to know of: an older one is refused there. A worker may say what it likes, and must
// not use up the numbers that all machines can tell from each other: above half of them a controller's word counts alone.
func (l siteLock) newest(seen lifecycle.State) int {
	const half = 1_000_000_000
	epoch := 0
	for _, h := range seen.Hosts {
		declared, _ := l.site.Cluster.Host(h.Name)
		if h.Epoch <= half || declared.Role.IsController() {
			epoch = max(epoch, h.Epoch)
		}
	}
	return epoch
}

func (l siteLock) Contend(claim lock.Claim) Contender {
	return &contender{siteLock: l, claim: claim, contest: lock.NewContest(claim)}
}

func (l siteLock) Locks(ctx context.Context, seen lifecycle.State) ([]lifecycle.Lock, error) {
	seats := append(l.cluster(seen).Seats, l.controllers(seen).Seats...)
	found, errs := make([]lifecycle.Lock, len(seats)), make([]error, len(seats)+1)
	var wg sync.WaitGroup
	for i, s := range seats {
		if s.Away != "" {
			continue // status says so of the machine
		}
		wg.Go(func() {
			ctx, cancel := lifecycle.Within(ctx, 10*time.Second, "no answer")
			defer cancel()
			found[i], errs[i] = s.ReadLock(ctx)
		})
	}
	wg.Wait()
	switch {
	case seen.ShutOut(l.site): // status says so of the controllers
	case seen.API.Unknown != "":
		errs[len(seats)] = errors.New("the Kubernetes API did not answer")
	}
	errs = append(errs, tooFew(l.controllers(seen).Seats))
	return slices.DeleteFunc(found, func(l lifecycle.Lock) bool { return !l.Held() }), errors.Join(errs...)
}

// tooFew says that the controllers which answer are no majority: a run may have the lock on the others. Whoever has it has a majority, of
// which any other majority sees one.
func tooFew(controllers []lock.Seat) error {
	var away []string
	for _, s := range controllers {
		if s.Away != "" {
			away = append(away, s.Name)
		}
	}
	if answer := len(controllers) - len(away); len(away) == 0 || answer > len(controllers)/2 {
		return nil
	}
	return fmt.Errorf("%d of %s could be asked, and a run may have it on %s", len(controllers)-len(away),
		lifecycle.Count(len(controllers), "controller"), strings.Join(away, ", "))
}

func (l siteLock) BreakLock(ctx context.Context, seen lifecycle.State, held lifecycle.Lock) error {
	for _, place := range append(l.cluster(seen).Seats, l.controllers(seen).Seats...) {
		if place.Away != "" {
			continue
		}
		for range 5 { // its holder may renew it between our reading and our writing
			now, err := place.ReadLock(ctx)
			if err != nil {
				return err
			}
			if !now.Same(held) || now.Where != held.Where {
				break
			}
			_, err = place.WriteLock(ctx, lifecycle.Lock{Epoch: now.Epoch + 1, Version: now.Version})
			if !errors.Is(err, lifecycle.ErrLockMoved) {
				return err
			}
		}
	}
	return lifecycle.ErrLockMoved
}

// contender is a run that wants the site's lock.
type contender struct {
	siteLock
	claim   lock.Claim
	contest *lock.Contest
	// readOnly: the cluster's etcd took no writes when the lock was taken, so there is no use in asking it to keep the lock.
	readOnly bool
}

// Await looks at all places. The controllers' count also where the cluster has its own: a run that is setting the cluster up, or that can't
// reach its API, may have only those. A place that can't tell is in nobody's way here; it is when it is needed.
func (c *contender) Await(ctx context.Context, seen lifecycle.State) (waited bool, err error) {
	return c.contest.Await(ctx, c.cluster(seen), c.controllers(seen))
}

// Take takes the cluster's lock, and beside it the controllers', where enough of them answer: whoever has no API sees only those. Without
// an API theirs is the lock.
func (c *contender) Take(ctx context.Context, seen lifecycle.State) (*lock.Fence, func(), error) {
	if _, err := c.Await(ctx, seen); err != nil {
		return nil, nil, err
	}
	cluster, controllers := c.cluster(seen), c.controllers(seen)
	c.readOnly = seen.Raised(lifecycle.EtcdNoSpace)
	fence := &lock.Fence{Site: c.claim.Site}
	fence.Adopt = c.adopt(fence)
	release := func() { c.release(ctx, fence) }
	epoch := c.newest(seen) + 1
	if len(cluster.Seats) == 0 && len(controllers.Seats) == 0 {
		return nil, nil, lifecycle.Blockedf(c.claim.Site, "there is no place for the site's lock, so nothing was done").
			Because("The Kubernetes API does not answer, and there are no controllers.").Try("kiban status " + c.claim.Site)
	}
	if len(cluster.Seats) > 0 {
		hold, err := c.contest.Acquire(ctx, cluster, epoch)
		if err != nil {
			return nil, nil, err
		}
		fence.Add(hold)
		epoch = fence.Epoch()
	}
	if len(cluster.Seats) > 0 && !controllers.Answers() {
		return fence, release, nil // what needs them is refused when it comes to that
	}
	hold, err := c.contest.Acquire(ctx, controllers, epoch)
	switch {
	case err == nil:
		fence.Add(hold)
	case len(cluster.Seats) == 0 || errors.Is(err, lock.ErrHeld) || ctx.Err() != nil:
		release()
		return nil, nil, err
	}
	return fence, release, nil
}

func (c *contender) release(ctx context.Context, fence *lock.Fence) {
	ctx, cancel := lifecycle.Within(context.WithoutCancel(ctx), lifecycle.LockDuration/2, "no answer")
	defer cancel()
	if err := fence.Release(ctx); err != nil && c.claim.Say != nil {
		c.claim.Say(fmt.Sprintf("Warning: the lock of %s could not be given up; it lapses by itself in %s: %v",
			c.claim.Site, lifecycle.LockDuration, err))
	}
}

// adoptWait is how long another's lock of the cluster is watched by a run that has the controllers': long enough to tell a dead holder
// from a living one.
const adoptWait = lifecycle.LockDuration + 10*time.Second

// adopt takes what of the lock is still missing: the cluster's, as soon as there is a cluster that keeps one; the controllers', before
// a machine or a node is touched.
func (c *contender) adopt(fence *lock.Fence) func(context.Context, lifecycle.Step) ([]*lock.Hold, error) {
	return func(ctx context.Context, step lifecycle.Step) (holds []*lock.Hold, err error) {
		if !fence.Holds(false) && c.served(ctx) {
			claim := c.claim
			claim.Wait = adoptWait
			hold, err := lock.NewContest(claim).Acquire(ctx, c.lease(), fence.Epoch())
			switch {
			case err == nil:
				holds = append(holds, hold)
			case errors.Is(err, lock.ErrHeld), ctx.Err() != nil:
				return holds, err
			} // it does not serve after all: the controllers' is enough
		}
		if fence.Holds(true) || !c.touches(step) {
			return holds, nil
		}
		controllers := c.declared()
		controllers.Serve = c.served(ctx)
		hold, err := lock.NewContest(c.claim).Acquire(ctx, controllers, fence.Epoch())
		if err == nil {
			holds = append(holds, hold)
		}
		return holds, err
	}
}

// served reports whether there is a cluster that keeps a lock now.
func (c *contender) served(ctx context.Context) bool {
	if c.readOnly || !c.api.Connected() {
		return false
	}
	_, err := c.api.ReadLock(ctx)
	return err == nil
}

// touches reports whether a step needs the controllers' lock: each that acts on a machine or a node. With the cluster's alone two could act
// on the same worker, of which one has only the cluster's lock, and the other, whose way to the API is cut, only the controllers'. Units
// are acted on through the API alone, so its lock is enough. A site without controllers has no other.
func (c *contender) touches(step lifecycle.Step) bool {
	controllers := slices.ContainsFunc(c.site.Cluster.Hosts, func(h lifecycle.Host) bool { return h.Role.IsController() })
	return controllers && step.Action.Doer() != lifecycle.DoerUnits
}

// declared are all controllers, each of which is asked.
func (l siteLock) declared() lock.Group {
	g := l.controllers(lifecycle.State{})
	for i := range g.Seats {
		g.Seats[i].Away = ""
	}
	return g
}
