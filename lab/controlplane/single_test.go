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
	s.until(10*time.Second, "replaced", func(ctx context.Context) error { return s.webReady(ctx, c, 2) })
	time.Sleep(3 * time.Second) // the evicted pod's farewell
	endProbe()
	if r := prober.Report(); r.Failures != 0 || r.Requests < 100 || r.MinReady != 1 {
		t.Errorf("a well-behaved eviction: %+v", r)
	}

	// The pod may go away so slowly on a busy machine that the controller manager is back before: then clients notice nothing, and it is
	// tried again.
	var lost, of int
	for range 3 {
		if lost, of, stop = s.restartAndLose(c, stop); lost > 0 {
			return
		}
	}
	t.Errorf("stale EndpointSlices cost no request of %d, in three restarts", of)
}

// restartAndLose restarts the controller and evicts a pod while the controller manager waits for its old lease to run out: EndpointSlices
// go stale, and clients notice. It returns how many of how many requests were lost, and what stops the controller. A drain that waits
// for the controller manager, as it should, is the one in the test above.
func (s *site) restartAndLose(c *controlplane.Controller, stop func()) (lost, of int, stopAgain func()) {
	t := s.t
	leader := s.lease(c, "kube-controller-manager")
	stop()
	if err := c.ReadyZ(t.Context()); err == nil {
		t.Error("the API server answers after Run has returned")
	}
	restarted := time.Now()
	stopAgain = s.run(c)
	if err := s.webReady(t.Context(), c, 2); err != nil {
		t.Error("pods did not outlive the restart of the control plane:", err)
	}
	prober, endProbe := s.probe(c)
	s.evictOne(c)
	s.until(15*time.Second, "a new leader", func(context.Context) error {
		if s.lease(c, "kube-controller-manager") == leader {
			return errors.New("still the old one")
		}
		return nil
	})
	if away := time.Since(restarted); away < 3*time.Second {
		t.Errorf("the controller manager was leader again after %v: the old lease of 3 s cannot have run out", away)
	}
	s.until(10*time.Second, "replaced", func(ctx context.Context) error { return s.webReady(ctx, c, 2) })
	time.Sleep(time.Second) // the EndpointSlices follow
	before := prober.Report()
	time.Sleep(time.Second)
	endProbe()
	r := prober.Report()
	if r.Failures != before.Failures {
		t.Errorf("requests still fail after the controller manager is back: %+v", r)
	}
	t.Logf("%d of %d requests lost", r.Failures, r.Requests)
	return r.Failures, r.Requests, stopAgain
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
	s.until(10*time.Second, "evicted", func(ctx context.Context) error {
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
	p, err = probe.New(probe.Options{Kubeconfig: doc, Namespace: "default", Service: "web", Deployment: "web"})
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	s.until(10*time.Second, "probing", func(context.Context) error {
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
