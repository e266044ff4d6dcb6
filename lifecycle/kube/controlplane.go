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

// ControlPlane tells how controller manager and scheduler are doing: their leases, and whether endpoints follow the pods.
// A lease that does not exist (yet) is not in the answer.
func (c *Client) ControlPlane(ctx context.Context) (lifecycle.ControlPlane, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.ControlPlane{}, err
	}
	var (
		cp       lifecycle.ControlPlane
		pods     []pod
		services *corev1.ServiceList
		slices   *discoveryv1.EndpointSliceList
	)
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		cp.Leases, err = c.leases(gctx, "kube-controller-manager", "kube-scheduler")
		return
	})
	g.Go(func() (err error) { pods, err = c.listPods(gctx, "", ""); return })
	g.Go(func() (err error) {
		ctx, cancel := context.WithTimeout(gctx, callTimeout)
		defer cancel()
		services, err = c.api.CoreV1().Services("").List(ctx, metav1.ListOptions{})
		return
	})
	g.Go(func() (err error) {
		ctx, cancel := context.WithTimeout(gctx, callTimeout)
		defer cancel()
		slices, err = c.api.DiscoveryV1().EndpointSlices("").List(ctx, metav1.ListOptions{LabelSelector: sliceController})
		return
	})
	if err := g.Wait(); err != nil {
		return lifecycle.ControlPlane{}, fmt.Errorf("control plane: %w", err)
	}
	cp.StaleEndpoints = staleEndpoints(services.Items, slices.Items, pods)
	return cp, nil
}

// leases reads leader election leases by name.
func (c *Client) leases(ctx context.Context, names ...string) ([]lifecycle.Lease, error) {
	var out []lifecycle.Lease
	for _, name := range names {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
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
