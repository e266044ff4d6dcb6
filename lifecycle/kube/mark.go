package kube

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kiban.dev/kiban/lifecycle"
)

// The ConfigMap beside the cluster's own that says which site the cluster is.
const (
	siteName = "kiban-site"
	siteKey  = "site"
)

// manager is the field manager of all that kiban writes, as Helm's releases have it too.
const manager = lifecycle.Itself

// MarkSite writes into the cluster which site it is. Another site's plan is then refused. A mark that is there already stays: one of
// another site is an error.
func (c *Client) MarkSite(ctx context.Context, site string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.keep(ctx, siteName, func(data map[string]string) (map[string]string, error) {
		if was := data[siteKey]; was != "" && was != site {
			return nil, fmt.Errorf("%s/%s says that the cluster is site %s: it is not changed", metav1.NamespaceSystem, siteName, was)
		}
		return map[string]string{siteKey: site}, nil
	})
}

func ownLabels() map[string]string { return map[string]string{"app.kubernetes.io/managed-by": "kiban"} }

// site is the mark, "" when there is none.
func (c *Client) site(ctx context.Context) (string, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	cm, err := c.api.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, siteName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("get %s/%s: %w", metav1.NamespaceSystem, siteName, err)
	}
	return cm.Data[siteKey], nil
}

// Identity is what tells this cluster from another: the UID of its kube-system namespace, and the site whose mark it carries, "" for none.
func (c *Client) Identity(ctx context.Context) (uid, site string, err error) {
	if err := c.connect(ctx); err != nil {
		return "", "", err
	}
	if uid, err = c.clusterUID(ctx); err != nil {
		return "", "", err
	}
	site, err = c.site(ctx)
	return uid, site, err
}

// foreignCharts are the releases that k0s's own Helm controller looks after, "namespace/release", sorted. A cluster that does not
// know its Chart resources has none.
func (c *Client) foreignCharts(ctx context.Context) ([]string, error) {
	m, err := c.kinds.find(ctx, lifecycle.ObjectRef{APIVersion: "helm.k0sproject.io/v1beta1", Kind: "Chart"})
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	list, err := c.objects.Resource(m.Resource).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", schema.GroupResource{Group: m.Resource.Group, Resource: m.Resource.Resource}, err)
	}
	var out []string
	for i := range list.Items {
		namespace, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "namespace")
		release, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "releaseName")
		out = append(out, namespace+"/"+release)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
