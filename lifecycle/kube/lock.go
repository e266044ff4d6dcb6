package kube

import (
	"cmp"
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// The Lease that is a site's lock, beside those of the control plane. It stays when nobody holds the lock, because it keeps the epoch.
const (
	lockNamespace = metav1.NamespaceSystem
	lockName      = "kiban"
)

// Annotations on the Lease that tell people who holds it.
const (
	lockWho     = "kiban.dev/lock-who"
	lockDoing   = "kiban.dev/lock-doing"
	lockProcess = "kiban.dev/lock-process"
)

// lockCall bounds one request for the lock, so that several fit into its duration.
const lockCall = lifecycle.LockDuration / 3

// ReadLock tells who holds the cluster's lock. It is a consistent read: an API server that has lost etcd gives an error, not old news.
func (c *Client) ReadLock(ctx context.Context) (lifecycle.Lock, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Lock{}, err
	}
	ctx, cancel := lifecycle.Within(ctx, lockCall, "no answer")
	defer cancel()
	l, err := c.api.CoordinationV1().Leases(lockNamespace).Get(ctx, lockName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return lifecycle.Lock{Where: lockPlace()}, nil
	}
	if err != nil {
		return lifecycle.Lock{}, fmt.Errorf("get %s: %w", lockPlace(), err)
	}
	return fromLease(l), nil
}

// WriteLock puts the lock as given in place of the one that it was read as (its Version; "" is none). lifecycle.ErrLockMoved: it is no
// longer that one. After any other error it may have been written all the same: read it.
func (c *Client) WriteLock(ctx context.Context, lock lifecycle.Lock) (lifecycle.Lock, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Lock{}, err
	}
	ctx, cancel := lifecycle.Within(ctx, lockCall, "no answer")
	defer cancel()
	leases := c.api.CoordinationV1().Leases(lockNamespace)
	var l *coordinationv1.Lease
	var err error
	if lock.Version == "" {
		l, err = leases.Create(ctx, toLease(lock), metav1.CreateOptions{FieldManager: "kiban"})
	} else {
		l, err = leases.Update(ctx, toLease(lock), metav1.UpdateOptions{FieldManager: "kiban"})
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err), apierrors.IsNotFound(err):
		return lifecycle.Lock{}, fmt.Errorf("%w: %w", lifecycle.ErrLockMoved, err)
	case err != nil:
		return lifecycle.Lock{}, fmt.Errorf("write %s: %w", lockPlace(), err)
	}
	return fromLease(l), nil
}

func lockPlace() string { return "lease " + lockNamespace + "/" + lockName }

// toLease is the lock as an object. Nobody's lock keeps its epoch and says nothing else.
func toLease(lock lifecycle.Lock) *coordinationv1.Lease {
	epoch := int32(lock.Epoch)
	l := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: lockNamespace, Name: lockName, ResourceVersion: lock.Version},
		Spec: coordinationv1.LeaseSpec{LeaseTransitions: &epoch}}
	if !lock.Held() {
		return l
	}
	seconds := int32(lifecycle.LockDuration / time.Second)
	l.Spec.HolderIdentity, l.Spec.LeaseDurationSeconds = &lock.Holder, &seconds
	l.Spec.AcquireTime, l.Spec.RenewTime = &metav1.MicroTime{Time: lock.Since}, &metav1.MicroTime{Time: lock.Renewed}
	l.Annotations = map[string]string{lockWho: lock.Who, lockDoing: lock.Doing}
	if lock.Process != "" {
		l.Annotations[lockProcess] = lock.Process
	}
	return l
}

func fromLease(l *coordinationv1.Lease) lifecycle.Lock {
	lock := lifecycle.Lock{Who: l.Annotations[lockWho], Doing: l.Annotations[lockDoing], Process: l.Annotations[lockProcess],
		Where: lockPlace(), Version: l.ResourceVersion, Renewed: renewTime(l)}
	if l.Spec.LeaseTransitions != nil {
		lock.Epoch = int(*l.Spec.LeaseTransitions)
	}
	if l.Spec.HolderIdentity != nil {
		lock.Holder = *l.Spec.HolderIdentity
		lock.Who = cmp.Or(lock.Who, lock.Holder)
	}
	if l.Spec.AcquireTime != nil {
		lock.Since = l.Spec.AcquireTime.Time
	}
	lock.Beat = lock.Renewed.Format(time.RFC3339Nano)
	return lock
}
