package controlplane_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/probe"
)

func TestOneController(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	s := newSite(t, "127.66.1")
	c := s.controller(1, "")
	stop := s.run(c)
	s.join(c, 1)
	s.join(c, 2)
	client := s.client(c)
	s.deploy(client, nil)

	node, err := client.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := node.Status.NodeInfo.KubeletVersion; got != "v1.36.3+k0s" {
		t.Errorf("kubelet reports %s", got)
	}
	if _, role := node.Labels["node-role.kubernetes.io/worker"]; !role || node.Labels["zone"] != "z1" {
		t.Errorf("the node is labelled %v", node.Labels)
	}
	if version, err := client.Discovery().ServerVersion(); err != nil || version.GitVersion != "v1.36.3+k0s" {
		t.Errorf("the API server reports %v, %v", version, err)
	}

	prober, endProbe := s.probe(c)
	s.evictOne(c)
	s.until("replaced", func(ctx context.Context) error { return s.webReady(ctx, c, 2) })
	s.until("the evicted pod is gone", func(ctx context.Context) error { return s.webPods(ctx, c, 2) })
	s.until("a hundred requests", func(context.Context) error {
		if n := prober.Report().Requests; n < 100 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	endProbe()
	if r := prober.Report(); r.Failures != 0 || r.MinReady != 1 {
		t.Errorf("a well-behaved eviction: %+v", r)
	}
	s.evictWithoutController(c, stop)
}

// evictWithoutController restarts the controller and evicts a pod while the controller manager waits for another's lease: EndpointSlices go
// stale, and clients notice, until it leads again. A drain that waits for the controller manager, as it should, is the one in the test
// above.
func (s *site) evictWithoutController(c *controlplane.Controller, stop func()) {
	t := s.t
	s.holdLease(c, "somebody-else", time.Hour)
	stop() // and with it the controller manager that led until now
	if err := c.ReadyZ(t.Context()); err == nil {
		t.Error("the API server answers after Run has returned")
	}
	s.run(c)
	if err := s.webReady(t.Context(), c, 2); err != nil {
		t.Error("pods did not outlive the restart of the control plane:", err)
	}
	prober, endProbe := s.probe(c)
	s.evictOne(c)
	s.until("a request is lost", func(context.Context) error {
		if prober.Report().Failures == 0 {
			return errors.New("none yet")
		}
		return nil
	})
	if holder := s.lease(c, "kube-controller-manager"); holder != "somebody-else" {
		t.Errorf("%q leads while the lease is another's", holder)
	}

	s.holdLease(c, "", time.Second)
	s.until("replaced", func(ctx context.Context) error { return s.webReady(ctx, c, 2) })
	s.until("no request is lost any more", func(context.Context) error {
		before := prober.Report()
		time.Sleep(time.Second)
		if after := prober.Report(); after.Failures != before.Failures || after.Requests == before.Requests {
			return fmt.Errorf("%d of %d", after.Failures-before.Failures, after.Requests-before.Requests)
		}
		return nil
	})
	endProbe()
	r := prober.Report()
	t.Logf("%d of %d requests lost", r.Failures, r.Requests)
}

// holdLease gives the controller manager's lease to a holder, who keeps it for d; "" frees it.
func (s *site) holdLease(c *controlplane.Controller, holder string, d time.Duration) {
	s.t.Helper()
	leases := s.client(c).CoordinationV1().Leases("kube-system")
	s.until(fmt.Sprintf("the lease is held by %q", holder), func(ctx context.Context) error {
		l, err := leases.Get(ctx, "kube-controller-manager", metav1.GetOptions{})
		if err != nil {
			return err
		}
		now, seconds := metav1.NowMicro(), int32(d.Seconds())
		l.Spec.HolderIdentity, l.Spec.LeaseDurationSeconds, l.Spec.RenewTime = &holder, &seconds, &now
		_, err = leases.Update(ctx, l, metav1.UpdateOptions{})
		return err
	})
}

// webPods has an error unless there are n pods of the Deployment, those that are ending among them.
func (s *site) webPods(ctx context.Context, c *controlplane.Controller, n int) error {
	list, err := s.client(c).CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	if err == nil && len(list.Items) != n {
		err = fmt.Errorf("%d pods", len(list.Items))
	}
	return err
}

// webReady has an error unless n pods of the Deployment are Ready.
func (s *site) webReady(ctx context.Context, c *controlplane.Controller, n int) error {
	list, err := s.client(c).CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
	if err != nil {
		return err
	}
	ready := 0
	for _, pod := range list.Items {
		for _, cond := range pod.Status.Conditions {
			if cond.Type == "Ready" && cond.Status == "True" && pod.DeletionTimestamp == nil {
				ready++
			}
		}
	}
	if ready != n {
		return fmt.Errorf("%d of %d pods are ready", ready, n)
	}
	return nil
}

// evictOne evicts the first pod that its budget lets go.
func (s *site) evictOne(c *controlplane.Controller) {
	s.t.Helper()
	client := s.client(c)
	s.until("evicted", func(ctx context.Context) error {
		list, err := client.CoreV1().Pods("default").List(ctx, metav1.ListOptions{LabelSelector: "app=web"})
		if err != nil {
			return err
		}
		pod := list.Items[0]
		return client.PolicyV1().Evictions("default").Evict(ctx,
			&policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace}})
	})
}

// probe begins to probe the Service; end ends it.
func (s *site) probe(c *controlplane.Controller) (p *probe.Prober, end func()) {
	s.t.Helper()
	doc, err := c.AdminKubeconfig()
	if err != nil {
		s.t.Fatal(err)
	}
	p, err = probe.New(probe.Options{Kubeconfig: doc, Namespace: "default", Service: "web", Deployment: "web", Timeout: hangs})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	s.until("probing", func(context.Context) error {
		if p.Report().Requests == 0 {
			return errors.New("no request yet")
		}
		return nil
	})
	return p, func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	}
}

// lease names the holder of a leader election.
func (s *site) lease(c *controlplane.Controller, name string) string {
	l, err := s.client(c).CoordinationV1().Leases("kube-system").Get(s.t.Context(), name, metav1.GetOptions{})
	if err != nil || l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}
