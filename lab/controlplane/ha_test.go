package controlplane_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lab/controlplane"
)

func TestThreeControllers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three control planes")
	}
	s := newSite(t, "127.66.2")
	first := s.controller(1, "")
	stopFirst := s.run(first)
	s.refuseWrongTokens(first)
	second, stopSecond := s.joinController(first, 2)
	third, stopThird := s.joinController(first, 3)
	s.members(second, "controller-1 controller-2 controller-3")
	s.join(first, 1)

	// Two of three go on, and the kubelet with them.
	stopFirst()
	mark := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "mark", Namespace: "default"}}
	if _, err := s.client(second).CoreV1().ConfigMaps("default").Create(t.Context(), mark, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	s.until("node lease renewed through another API server", func(ctx context.Context) error {
		return s.leaseRenewedAfter(ctx, second, "worker-1", stopped)
	})

	// The first comes back and has what was written meanwhile.
	stopFirst = s.run(first)
	s.marked(first)
	var backup bytes.Buffer
	if err := first.Backup(t.Context(), &backup); err != nil {
		t.Fatal(err)
	}

	stopThird()
	if err := first.EtcdLeave(t.Context(), "127.66.2.99"); err == nil {
		t.Error("a member that is none left")
	}
	if err := second.EtcdLeave(t.Context(), third.Addr); err != nil {
		t.Fatal(err)
	}
	s.members(first, "controller-1 controller-2")

	stopSecond()
	stopFirst()
	s.restore(first, &backup)
}

// joinController starts another controller with a token of the first, and waits until it serves.
func (s *site) joinController(first *controlplane.Controller, i int) (c *controlplane.Controller, stop func()) {
	s.t.Helper()
	token, err := first.CreateToken(s.t.Context(), "controller", time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	c = s.controller(i, token)
	return c, s.run(c)
}

func (s *site) refuseWrongTokens(first *controlplane.Controller) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), hangs)
	defer cancel()
	forWorkers, err := first.CreateToken(ctx, "worker", time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	withdrawn, err := first.CreateToken(ctx, "controller", time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	t, err := controlplane.ParseToken(withdrawn)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := first.InvalidateToken(ctx, t.ID); err != nil {
		s.t.Fatal(err)
	}
	for name, token := range map[string]string{"a worker's token": forWorkers, "a withdrawn token": withdrawn} {
		if err := s.controller(2, token).Run(ctx); err == nil || ctx.Err() != nil {
			s.t.Errorf("%s let a controller in (%v)", name, err)
		}
	}
	if err := s.fleet.Join(ctx, s.worker(9, withdrawn)); err == nil {
		s.t.Error("a controller's token let a worker in")
	}
}

func (s *site) members(c *controlplane.Controller, want string) {
	s.t.Helper()
	s.until("etcd members "+want, func(ctx context.Context) error {
		list, err := c.EtcdMembers(ctx)
		var names []string
		for _, m := range list {
			if m.Learner {
				err = errors.New("a learner still")
			}
			names = append(names, m.Name)
		}
		if got := strings.Join(names, " "); err == nil && got != want {
			err = fmt.Errorf("got %q", got)
		}
		return err
	})
}

func (s *site) marked(c *controlplane.Controller) {
	s.t.Helper()
	if _, err := s.client(c).CoreV1().ConfigMaps("default").Get(s.t.Context(), "mark", metav1.GetOptions{}); err != nil {
		s.t.Error(err)
	}
}

func (s *site) leaseRenewedAfter(ctx context.Context, c *controlplane.Controller, node string, after time.Time) error {
	l, err := s.client(c).CoordinationV1().Leases("kube-node-lease").Get(ctx, node, metav1.GetOptions{})
	if err == nil && l.Spec.RenewTime.Time.Before(after) {
		err = fmt.Errorf("last renewed %v", l.Spec.RenewTime.Time)
	}
	return err
}

// restore makes a cluster of one from a backup, on the same machine after a reset, and finds its data there.
func (s *site) restore(c *controlplane.Controller, backup *bytes.Buffer) {
	s.t.Helper()
	if err := c.Restore(bytes.NewReader(backup.Bytes())); err == nil {
		s.t.Fatal("restored over a cluster that is there")
	}
	if err := os.RemoveAll(c.DataDir); err != nil {
		s.t.Fatal(err)
	}
	if err := c.Restore(backup); err != nil {
		s.t.Fatal(err)
	}
	s.run(c)
	s.marked(c)
	s.members(c, c.Name)
}
