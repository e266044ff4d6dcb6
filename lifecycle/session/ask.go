package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// Locks are what runs hold of the site, by what was observed last. Nothing is changed.
func (s *Session) Locks(ctx context.Context) ([]lifecycle.Lock, error) {
	return s.parts.Lock.Locks(ctx, s.lastSeen())
}

// RunsBehind are the runs that say how a lock which has lapsed came to be there; they are asked for only where one of these has.
func (s *Session) RunsBehind(ctx context.Context, locks []lifecycle.Lock) []lifecycle.RunRecord {
	if !slices.ContainsFunc(locks, func(l lifecycle.Lock) bool { return lock.Lapsed(l, time.Now()) }) {
		return nil
	}
	return s.Lived(ctx)
}

// Lived are the runs that the cluster and the journals here know of, newest first, by what was observed last. What can't be asked is left
// out.
func (s *Session) Lived(ctx context.Context) []lifecycle.RunRecord {
	ctx, cancel := lifecycle.Within(ctx, pastLimit, "no answer")
	defer cancel()
	api := s.lastSeen().API
	return s.pastRuns(ctx, api.Unknown == "" && !api.NotYet)
}

// BreakLock takes a lock away from its holder, whose next step is then refused. lifecycle.ErrLockMoved: it is no longer that one.
func (s *Session) BreakLock(ctx context.Context, held lifecycle.Lock) error {
	return s.parts.Lock.BreakLock(ctx, s.lastSeen(), held)
}

// Soak is how long the cluster has run its versions, by what it keeps.
func (s *Session) Soak(ctx context.Context) (lifecycle.Soak, error) {
	soak, err := s.parts.Records.Soak(ctx)
	return soak, s.unanswered("how long the cluster has run its versions is not known", err)
}

// UpdateTold has edit change what the cluster remembers of what people were told. edit may be called again.
func (s *Session) UpdateTold(ctx context.Context, edit func(map[string]lifecycle.Told)) error {
	return s.parts.Records.UpdateTold(ctx, edit)
}

// TenantUse is what tenants use of their quotas: those declared first, then those that have left the repository.
func (s *Session) TenantUse(ctx context.Context) ([]lifecycle.TenantUse, error) {
	uses, err := s.parts.Workloads.TenantUse(ctx)
	return uses, s.unanswered("what tenants use is not known", err)
}

// Verify proves what the site promises to workloads, by probes that are gone when it returns.
func (s *Session) Verify(ctx context.Context) ([]lifecycle.Promise, error) {
	promises, err := s.parts.Workloads.Verify(ctx, newRunID(time.Now()), s.opts.Hooks.say)
	return promises, s.unanswered("what the site promises could not be tried out", err)
}

// unanswered makes a finding of an error with which the cluster met a question. One that is a finding stays what it is.
func (s *Session) unanswered(what string, err error) error {
	if _, found := errors.AsType[lifecycle.Diagnostic](err); err == nil || found {
		return err
	}
	if _, found := errors.AsType[lifecycle.Diagnostics](err); found {
		return err
	}
	return lifecycle.Errorf(s.site.Name, "%s", what).From(err).Try("kiban status " + s.site.Name)
}
