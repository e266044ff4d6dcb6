package kube

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// conformLock is what the lock must show on every API: a whole life of it, and no write over what was not read.
func conformLock(t *testing.T, c *Client) {
	ctx := t.Context()
	_ = c.api.CoordinationV1().Leases(lockNamespace).Delete(ctx, lockName, metav1.DeleteOptions{}) // of an earlier test; none is as well
	free, err := c.ReadLock(ctx)
	if err != nil || free.Held() || free.Version != "" {
		t.Fatalf("before anybody: %+v, %v", free, err)
	}
	now := time.Now().Truncate(time.Microsecond)
	claim := lifecycle.Lock{Holder: "run-1", Epoch: 1, Who: "alice@ws1", Doing: "apply of revision abc", Since: now, Renewed: now,
		Process: "p"}
	got, err := c.WriteLock(ctx, claim)
	if err != nil {
		t.Fatal(err)
	}
	read, err := c.ReadLock(ctx)
	if err != nil || read.Holder != "run-1" || read.Epoch != 1 || read.Who != "alice@ws1" || read.Doing != claim.Doing ||
		read.Process != "p" || !read.Since.Equal(now) || !read.Renewed.Equal(now) ||
		read.Version != got.Version || read.Where != "lease kube-system/kiban" {
		t.Fatalf("read back: %+v, %v", read, err)
	}
	if _, err := c.WriteLock(ctx, lifecycle.Lock{Holder: "run-2", Epoch: 1}); !errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("made a second time: %v", err)
	}
	got.Renewed = now.Add(5 * time.Second)
	renewed, err := c.WriteLock(ctx, got)
	if err != nil || renewed.Beat == read.Beat || !renewed.Same(read) {
		t.Fatalf("renewed: %+v, %v", renewed, err)
	}
	read.Holder, read.Epoch = "run-2", 2
	if _, err := c.WriteLock(ctx, read); !errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("taken over after a renewal that was not seen: %v", err)
	}
	over, err := c.WriteLock(ctx, lifecycle.Lock{Holder: "run-2", Epoch: 2, Since: now, Renewed: now, Version: renewed.Version})
	if err != nil || over.Holder != "run-2" || over.Doing != "" {
		t.Fatalf("taken over: %+v, %v", over, err)
	}
	renewed.Renewed = now.Add(10 * time.Second)
	if _, err := c.WriteLock(ctx, renewed); !errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("the former holder renews: %v", err)
	}
	if _, err := c.WriteLock(ctx, lifecycle.Lock{Epoch: over.Epoch, Version: over.Version}); err != nil {
		t.Fatal(err)
	}
	if read, err = c.ReadLock(ctx); err != nil || read.Held() || read.Epoch != 2 || read.Version == "" {
		t.Errorf("released, it is to be nobody's and keep its epoch: %+v, %v", read, err)
	}
}

func TestLockConformanceFake(t *testing.T) { conformLock(t, connect(t, newFakeAPI())) }

// Many at once: one gets it, whether it is new or was released.
func TestHazard_H13_LockHasOneWinner(t *testing.T) {
	c := connect(t, newFakeAPI())
	for round := range 5 {
		seen, err := c.ReadLock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var won atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				_, err := c.WriteLock(t.Context(), lifecycle.Lock{Holder: fmt.Sprintf("run-%d-%d", round, i), Epoch: seen.Epoch + 1,
					Version: seen.Version})
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, lifecycle.ErrLockMoved) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("round %d: %d winners", round, won.Load())
		}
	}
}

// An API that does not answer is an error, and not a lock that is free.
func TestLockOfASilentAPI(t *testing.T) {
	f := newFakeAPI()
	f.refuse = func(*http.Request) (int, bool) { return http.StatusInternalServerError, true }
	if l, err := connect(t, f).ReadLock(t.Context()); err == nil || errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("%+v, %v", l, err)
	}
}
