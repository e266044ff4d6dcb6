package kube

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// sliceController is what marks an EndpointSlice that Kubernetes derives from a Service's selector.
const sliceController = discoveryv1.LabelManagedBy + "=endpointslice-controller.k8s.io"

// LeaderLeases are those of controller manager and scheduler. One that does not exist (yet) is not in the answer.
func (c *Client) LeaderLeases(ctx context.Context) ([]lifecycle.Lease, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	return c.leases(ctx, "kube-controller-manager", "kube-scheduler")
}

// StaleEndpoints names endpoints that EndpointSlices still call ready though their pod is gone or not Ready, and Ready pods that they lack:
// "shop/web-x7k2p: 10.244.1.7 is gone". It lists pods, Services and EndpointSlices, each in pages.
func (c *Client) StaleEndpoints(ctx context.Context) ([]string, error) {
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	var (
		pods     []pod
		services []corev1.Service
		slices   []discoveryv1.EndpointSlice
	)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { pods, err = c.listPods(gctx, "", ""); return })
	g.Go(func() (err error) {
		services, err = pages(gctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]corev1.Service, string, error) {
			list, err := c.api.CoreV1().Services("").List(ctx, opts)
			if err != nil {
				return nil, "", fmt.Errorf("list services: %w", err)
			}
			return list.Items, list.Continue, nil
		})
		return
	})
	g.Go(func() (err error) {
		slices, err = pages(gctx, metav1.ListOptions{LabelSelector: sliceController},
			func(ctx context.Context, opts metav1.ListOptions) ([]discoveryv1.EndpointSlice, string, error) {
				list, err := c.api.DiscoveryV1().EndpointSlices("").List(ctx, opts)
				if err != nil {
					return nil, "", fmt.Errorf("list endpoint slices: %w", err)
				}
				return list.Items, list.Continue, nil
			})
		return
	})
	if err := g.Wait(); err != nil {
		return nil, fmt.Errorf("control plane: %w", err)
	}
	return staleEndpoints(services, slices, pods), nil
}

// leases reads leader election leases by name.
func (c *Client) leases(ctx context.Context, names ...string) ([]lifecycle.Lease, error) {
	var out []lifecycle.Lease
	for _, name := range names {
		ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
		l, err := c.api.CoordinationV1().Leases(metav1.NamespaceSystem).Get(ctx, name, metav1.GetOptions{})
		cancel()
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("get lease %s: %w", name, err)
		}
		lease := lifecycle.Lease{Name: name, Renewed: renewTime(l)}
		if l.Spec.HolderIdentity != nil {
			lease.Holder = *l.Spec.HolderIdentity
		}
		out = append(out, lease)
	}
	return out, nil
}
