package images

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// lookedUp is the name that a container's command asks DNS for: nslookup NAME, in a shell or without.
func lookedUp(c corev1.Container) (name string, ok bool) {
	words := strings.Fields(strings.Join(slices.Concat(c.Command, c.Args), " "))
	for i, w := range words {
		if strings.HasSuffix(w, "nslookup") {
			for _, next := range words[i+1:] {
				if !strings.HasPrefix(next, "-") {
					return strings.Trim(next, `;"'`), true
				}
			}
		}
	}
	return "", false
}

// nslookup answers as the program does: 0 when the name is that of a Service and the cluster's DNS has a pod that is ready.
func nslookup(ctx context.Context, client kubernetes.Interface, namespace, name string) (code int32, message string) {
	const silent = ";; connection timed out; no servers could be reached"
	slices, err := client.DiscoveryV1().EndpointSlices(metav1.NamespaceSystem).
		List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=kube-dns"})
	if err != nil {
		return 1, silent
	}
	if !anyReady(slices.Items) {
		return 1, silent
	}
	service, in := serviceOf(namespace, name)
	found, err := client.CoreV1().Services(in).Get(ctx, service, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return 1, fmt.Sprintf("** server can't find %s: NXDOMAIN", name)
	case err != nil:
		return 1, fmt.Sprintf("** server can't find %s: SERVFAIL", name)
	}
	return 0, fmt.Sprintf("Name:\t%s.%s.svc.cluster.local\nAddress: %s", service, in, found.Spec.ClusterIP)
}

func anyReady(list []discoveryv1.EndpointSlice) bool {
	for _, s := range list {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready != nil && *e.Conditions.Ready {
				return true
			}
		}
	}
	return false
}

// serviceOf is the Service that a name stands for, as seen from a namespace.
func serviceOf(namespace, name string) (service, in string) {
	parts := strings.Split(strings.TrimSuffix(name, "."), ".")
	if len(parts) > 1 {
		return parts[0], parts[1]
	}
	return parts[0], namespace
}
