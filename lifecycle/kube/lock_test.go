package kube

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock/locktest"
)

// conformLock is what the lock must show on every API.
func conformLock(t *testing.T, c *Client) {
	_ = c.api.CoordinationV1().Leases(lockNamespace).Delete(t.Context(), lockName,
		metav1.DeleteOptions{}) // of an earlier test; none is as well
	locktest.Conform(t, c, "lease kube-system/kiban")
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
