package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// siteLock is the lock of a site: the cluster's, or while the cluster's API does not answer, that of the first controller that does.
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

// places are where the lock is kept, by what was seen. Either may be nil.
func (l siteLock) places(seen lifecycle.State) (cluster, host lock.Place, hostName string) {
	for _, h := range l.site.Cluster.Hosts {
		if st, ok := seen.Host(h.Name); ok && st.Reached() && h.Role.IsController() {
			hostName, host = h.Name, l.host(h.Name)
			break
		}
	}
	if seen.API.Unknown == "" && !seen.API.NotYet {
		cluster = l.api
	}
	return cluster, host, hostName
}

func (l siteLock) Contend(claim lock.Claim) Contender {
	return &contender{siteLock: l, claim: claim, contests: map[string]*lock.Contest{}}
}

func (l siteLock) Locks(ctx context.Context, seen lifecycle.State) ([]lifecycle.Lock, error) {
	cluster, host, _ := l.places(seen)
	var held []lifecycle.Lock
	var errs []error
	if why := seen.API.Unknown; why != "" {
		errs = append(errs, errors.New("the Kubernetes API does not answer: "+why))
	}
	for _, place := range []lock.Place{cluster, host} {
		if place == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		now, err := place.ReadLock(ctx)
		cancel()
		if err == nil && now.Held() {
			held = append(held, now)
		}
		errs = append(errs, err)
	}
	return held, errors.Join(errs...)
}

func (l siteLock) BreakLock(ctx context.Context, seen lifecycle.State, held lifecycle.Lock) error {
	cluster, host, _ := l.places(seen)
	for _, place := range []lock.Place{cluster, host} {
		if place == nil {
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
	claim lock.Claim

	mu       sync.Mutex
	contests map[string]*lock.Contest // by place, so that what was watched is remembered
}

func (c *contender) contest(name string, place lock.Place) *lock.Contest {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.contests[name] == nil {
		c.contests[name] = lock.NewContest(place, c.claim, name != "")
	}
	return c.contests[name]
}

// Await looks at both places. The controller's counts also where the cluster has its own: a run that is setting the cluster up may not
// have come to that one yet. A place that can't tell is in nobody's way here; it is when it is needed.
func (c *contender) Await(ctx context.Context, seen lifecycle.State) (waited bool, err error) {
	cluster, host, name := c.places(seen)
	for _, p := range []struct {
		name string
		lock.Place
	}{{name, host}, {"", cluster}} {
		if p.Place == nil {
			continue
		}
		if now, err := p.ReadLock(ctx); err != nil || !now.Held() {
			continue
		}
		more, err := c.contest(p.name, p.Place).Await(ctx)
		waited = waited || more
		if errors.Is(err, lock.ErrHeld) || ctx.Err() != nil {
			return waited, err
		}
	}
	return waited, ctx.Err()
}

func (c *contender) Take(ctx context.Context, seen lifecycle.State) (fence *lock.Fence, release func(), err error) {
	if _, err := c.Await(ctx, seen); err != nil {
		return nil, nil, err
	}
	cluster, host, name := c.places(seen)
	fence = &lock.Fence{Site: c.claim.Site}
	var hold *lock.Hold
	switch {
	case cluster != nil:
		hold, err = c.contest("", cluster).Acquire(ctx)
	case host != nil:
		hold, err = c.contest(name, host).Acquire(ctx)
		fence.Adopt = c.adopt()
	default:
		err = lifecycle.Blockedf(c.claim.Site, "there is no place for the site's lock, so nothing was done").
			Because("Neither the Kubernetes API nor any controller answers.").Try("kiban status " + c.claim.Site)
	}
	if err != nil {
		return nil, nil, err
	}
	fence.Add(hold)
	return fence, func() { c.release(ctx, fence) }, nil
}

func (c *contender) release(ctx context.Context, fence *lock.Fence) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lifecycle.LockDuration/2)
	defer cancel()
	if err := fence.Release(ctx); err != nil && c.claim.Say != nil {
		c.claim.Say(fmt.Sprintf("Warning: the lock of %s could not be given up; it lapses by itself in %s: %v",
			c.claim.Site, lifecycle.LockDuration, err))
	}
}

// adopt takes the cluster's lock as well, as soon as there is a cluster that keeps one. Until then the controller's is enough.
func (c *contender) adopt() func(context.Context) (*lock.Hold, error) {
	done := false
	return func(ctx context.Context) (*lock.Hold, error) {
		if done || !c.api.Connected() {
			return nil, nil
		}
		if _, err := c.api.ReadLock(ctx); err != nil {
			return nil, nil // it does not serve yet, or not now
		}
		claim := c.claim
		claim.Wait = 0
		hold, err := lock.NewContest(c.api, claim, false).Acquire(ctx)
		switch {
		case errors.Is(err, lock.ErrHeld):
			return nil, err
		case err != nil:
			return nil, nil
		}
		done = true
		return hold, nil
	}
}
