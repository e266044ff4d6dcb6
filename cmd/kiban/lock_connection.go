package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// siteContender takes a site's lock: the cluster's, or while the cluster's API does not answer, that of the first controller that does.
type siteContender struct {
	c     *siteConnection
	claim lock.Claim

	mu       sync.Mutex
	contests map[string]*lock.Contest // by place, so that what was watched is remembered
}

func (c *siteConnection) Contend(claim lock.Claim) contender {
	return &siteContender{c: c, claim: claim, contests: map[string]*lock.Contest{}}
}

// lockPlaces are where the lock is kept, by what was observed last. Either may be nil.
func (c *siteConnection) lockPlaces() (cluster, host lock.Place, hostName string) {
	c.mu.Lock()
	seen := c.seen
	c.mu.Unlock()
	for _, h := range c.site.Cluster.Hosts {
		if st, ok := seen.Host(h.Name); ok && st.Reached() && h.Role.IsController() {
			hostName, host = h.Name, c.session.Lock(h.Name)
			break
		}
	}
	if seen.API.Unknown == "" && !seen.API.NotYet {
		cluster = c.api
	}
	return cluster, host, hostName
}

func (s *siteContender) contest(name string, place lock.Place) *lock.Contest {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.contests[name] == nil {
		s.contests[name] = lock.NewContest(place, s.claim, name != "")
	}
	return s.contests[name]
}

// Await looks at both places. The controller's counts also where the cluster has its own: a run that is setting the cluster up may not
// have come to that one yet. A place that can't tell is in nobody's way here; it is when it is needed.
func (s *siteContender) Await(ctx context.Context) (waited bool, err error) {
	cluster, host, name := s.c.lockPlaces()
	for _, c := range []struct {
		name  string
		place lock.Place
	}{{name, host}, {"", cluster}} {
		if c.place == nil {
			continue
		}
		if now, err := c.place.ReadLock(ctx); err != nil || !now.Held() {
			continue
		}
		more, err := s.contest(c.name, c.place).Await(ctx)
		waited = waited || more
		if isLocked(err) || ctx.Err() != nil {
			return waited, err
		}
	}
	return waited, ctx.Err()
}

func (s *siteContender) Take(ctx context.Context) (release func(), err error) {
	if _, err := s.Await(ctx); err != nil {
		return nil, err
	}
	cluster, host, name := s.c.lockPlaces()
	fence := &lock.Fence{Site: s.claim.Site}
	var hold *lock.Hold
	switch {
	case cluster != nil:
		hold, err = s.contest("", cluster).Acquire(ctx)
	case host != nil:
		hold, err = s.contest(name, host).Acquire(ctx)
		fence.Adopt = s.adopt()
	default:
		return nil, lifecycle.Diagnostic{Severity: lifecycle.SeverityBlocked, Subject: s.claim.Site, Summary: "there is no place for the site's lock, so nothing was done",
			Detail: "Neither the Kubernetes API nor any controller answers.", Hint: "kiban status " + s.claim.Site}
	}
	if err != nil {
		return nil, err
	}
	fence.Add(hold)
	s.c.setFence(fence)
	return func() {
		s.c.setFence(nil)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lifecycle.LockDuration/2)
		defer cancel()
		if err := fence.Release(ctx); err != nil && s.claim.Say != nil {
			s.claim.Say(fmt.Sprintf("Warning: the lock of %s could not be given up; it lapses by itself in %s: %v", s.claim.Site, lifecycle.LockDuration, err))
		}
	}, nil
}

// adopt takes the cluster's lock as well, as soon as there is a cluster that keeps one. Until then the controller's is enough.
func (s *siteContender) adopt() func(context.Context) (*lock.Hold, error) {
	done := false
	return func(ctx context.Context) (*lock.Hold, error) {
		s.c.mu.Lock()
		api := s.c.api
		s.c.mu.Unlock()
		if done || api == nil {
			return nil, nil
		}
		if _, err := api.ReadLock(ctx); err != nil {
			return nil, nil // it does not serve yet, or not now
		}
		claim := s.claim
		claim.Wait = 0
		hold, err := lock.NewContest(api, claim, false).Acquire(ctx)
		switch {
		case isLocked(err):
			return nil, err
		case err != nil:
			return nil, nil
		}
		done = true
		return hold, nil
	}
}

func (c *siteConnection) setFence(f *lock.Fence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fence = f
}

// locked gives the fence of the lock that is held, and takes the lock for this one plan when none is.
func (c *siteConnection) locked(ctx context.Context, plan lifecycle.Plan, run applyRun) (held *lock.Fence, release func(), err error) {
	none := func() {}
	c.mu.Lock()
	fence := c.fence
	c.mu.Unlock()
	switch {
	case fence != nil:
		return fence, none, nil
	case harmless(plan) || run.Claim.Site == "":
		return nil, none, nil
	}
	claim := run.Claim
	claim.Lock.Holder, claim.Lock.Doing = run.ID, doingOf(plan)
	release, err = c.Contend(claim).Take(ctx)
	if err != nil {
		return nil, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fence, release, nil
}

func (c *siteConnection) Locks(ctx context.Context) ([]lifecycle.Lock, error) {
	cluster, host, _ := c.lockPlaces()
	var held []lifecycle.Lock
	var errs []error
	c.mu.Lock()
	if why := c.seen.API.Unknown; why != "" {
		errs = append(errs, errors.New("the Kubernetes API does not answer: "+why))
	}
	c.mu.Unlock()
	for _, place := range []lock.Place{cluster, host} {
		if place == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		l, err := place.ReadLock(ctx)
		cancel()
		if err == nil && l.Held() {
			held = append(held, l)
		}
		errs = append(errs, err)
	}
	return held, errors.Join(errs...)
}

func (c *siteConnection) BreakLock(ctx context.Context, held lifecycle.Lock) error {
	cluster, host, _ := c.lockPlaces()
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
