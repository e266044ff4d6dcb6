package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kiban.dev/kiban/lifecycle"
)

// unanswered says which service of an object's webhooks has no ready endpoint; "" when each has, or it has none.
func (c *Client) unanswered(ctx context.Context, u *unstructured.Unstructured) (string, error) {
	for _, s := range webhookServices(u) {
		ready, err := c.hasEndpoint(ctx, s[0], s[1])
		if err != nil {
			return "", err
		}
		if !ready {
			return fmt.Sprintf("service %s/%s, which the API asks, has no ready endpoint", s[0], s[1]), nil
		}
	}
	return "", nil
}

// webhookServices are the services that the API asks for an object's sake: namespace and name.
func webhookServices(u *unstructured.Unstructured) [][2]string {
	var out [][2]string
	known := map[[2]string]bool{}
	clients := hookClients(u)
	for _, path := range slices.Sorted(maps.Keys(clients)) {
		client := clients[path]
		namespace, _, _ := unstructured.NestedString(client, "service", "namespace")
		name, _, _ := unstructured.NestedString(client, "service", "name")
		if s := [2]string{namespace, name}; name != "" && !known[s] {
			known[s] = true
			out = append(out, s)
		}
	}
	return out
}

// hasEndpoint reports whether a service has an endpoint that is ready.
func (c *Client) hasEndpoint(ctx context.Context, namespace, service string) (bool, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	list, err := c.api.DiscoveryV1().EndpointSlices(namespace).
		List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + service})
	if err != nil {
		return false, fmt.Errorf("list the endpoints of service %s/%s: %w", namespace, service, err)
	}
	for i := range list.Items {
		for j := range list.Items[i].Endpoints {
			if readyEndpoint(&list.Items[i].Endpoints[j]) {
				return true, nil
			}
		}
	}
	return false, nil
}

// waitsForConsumer reports whether an object is a claim that is bound once a pod uses it, and not before.
func (c *Client) waitsForConsumer(ctx context.Context, u *unstructured.Unstructured) (bool, error) {
	class, _, _ := unstructured.NestedString(u.Object, "spec", "storageClassName")
	if u.GetKind() != "PersistentVolumeClaim" || class == "" || u.GetDeletionTimestamp() != nil {
		return false, nil
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	sc, err := c.api.StorageV1().StorageClasses().Get(ctx, class, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get StorageClass %s: %w", class, err)
	}
	return sc.VolumeBindingMode != nil && *sc.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer, nil
}
