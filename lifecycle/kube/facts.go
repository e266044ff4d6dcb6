package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// Facts is what the API says of the cluster: its identity, servers, nodes, budgets and stuck pods. With an error the facts
// hold the API servers only, and API.Unknown says why.
func (c *Client) Facts(ctx context.Context) (lifecycle.ClusterFacts, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.ClusterFacts{}, err
	}
	var (
		facts   lifecycle.ClusterFacts
		servers []lifecycle.APIServer
		budgets []policyv1.PodDisruptionBudget
		pods    []pod
	)
	asked := make(chan struct{})
	go func() { defer close(asked); servers = c.Servers(ctx) }() // the only part that cannot fail the others
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { facts.API.ClusterUID, err = c.clusterUID(gctx); return })
	g.Go(func() (err error) { facts.API.Site, err = c.site(gctx); return })
	g.Go(func() (err error) { facts.API.Proven, err = c.proven(gctx); return })
	g.Go(func() (err error) { facts.API.Capabilities, err = c.Capabilities(gctx); return })
	g.Go(func() (err error) { facts.API.ClusterConfig, err = c.clusterConfig(gctx); return })
	g.Go(func() (err error) { facts.API.ForeignCharts, err = c.foreignCharts(gctx); return })
	g.Go(func() (err error) { facts.Nodes, err = c.Nodes(gctx); return })
	g.Go(func() (err error) { budgets, err = c.listBudgets(gctx, ""); return })
	g.Go(func() (err error) { pods, err = c.listPods(gctx, "", ""); return })
	g.Go(func() (err error) {
		if facts.System, err = c.SystemWorkloads(gctx); apierrors.IsForbidden(err) {
			err = nil // a credential of an external site may be for less: nothing of such a site's plan rests on it
		}
		return
	})
	err := g.Wait()
	<-asked
	if err != nil {
		err = notAsked(err, servers)
		return lifecycle.ClusterFacts{API: lifecycle.APIState{Unknown: err.Error(), Servers: servers}}, err
	}
	facts.API.Servers = servers
	facts.Budgets = c.describeBudgets(ctx, budgets, pods)
	facts.Stuck = stuck(pods)
	return facts, nil
}

// clusterUID tells one cluster from another: the kube-system namespace lives as long as its cluster.
func (c *Client) clusterUID(ctx context.Context) (string, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	ns, err := c.api.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("get namespace %s: %w", metav1.NamespaceSystem, err)
	}
	return string(ns.UID), nil
}

// stuck are the pods that `kubectl drain` refuses to move unless it is told otherwise. Pods of daemon sets, static pods and
// finished pods never are in its way.
func stuck(pods []pod) []lifecycle.StuckPod {
	var out []lifecycle.StuckPod
	for _, p := range pods {
		if p.node == "" || p.mirror || p.finished() || p.ofDaemonSet() || (p.owner != nil && !p.emptyDir) {
			continue
		}
		out = append(out, lifecycle.StuckPod{Namespace: p.namespace, Name: p.name, Node: p.node, Bare: p.owner == nil, EmptyDir: p.emptyDir})
	}
	slices.SortFunc(out, func(a, b lifecycle.StuckPod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out
}
