package kube

import (
	"errors"
	"net/http"
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

// Many at once: one gets it.
func TestHazard_H13_LockHasOneWinner(t *testing.T) { locktest.OneWinner(t, connect(t, newFakeAPI())) }

// An API that does not answer is an error, and not a lock that is free.
func TestLockOfASilentAPI(t *testing.T) {
	f := newFakeAPI()
	f.refuse = func(*http.Request) (int, bool) { return http.StatusInternalServerError, true }
	if l, err := connect(t, f).ReadLock(t.Context()); err == nil || errors.Is(err, lifecycle.ErrLockMoved) {
		t.Errorf("%+v, %v", l, err)
	}
}
