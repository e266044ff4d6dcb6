package kube

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kiban.dev/kiban/lifecycle"
)

// pagePause is the least time between two pages of everything: a site's API has other things to do.
const pagePause = 20 * time.Millisecond

// Everything gives each object that the API keeps, read page by page in the version that it prefers, kinds in the order of their names.
// Values of Secrets are blank, and what API servers note beside objects is left out. unread says what could not be read. Kinds of
// which nothing is kept that lasts (events, leases, what is measured) are passed over.
func (c *Client) Everything(ctx context.Context) (objects []lifecycle.Object, unread []string, err error) {
	if err := c.connect(ctx); err != nil {
		return nil, nil, err
	}
	kinds, err := c.keptKinds(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range kinds {
		found, err := c.allOf(ctx, k)
		switch {
		case ctx.Err() != nil:
			return nil, nil, lifecycle.WhyEnded(ctx)
		case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err): // gone meanwhile, or nothing is kept
		case err != nil:
			unread = append(unread, fmt.Sprintf("%s: %s", k.Resource, lifecycle.InWords(err)))
		}
		objects = append(objects, found...)
	}
	return objects, unread, nil
}

// keptKinds are the resources that can be listed, each in one version.
func (c *Client) keptKinds(ctx context.Context) ([]schema.GroupVersionResource, error) {
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	if err := c.kinds.load(ctx, kindsAge); err != nil {
		return nil, err
	}
	var out []schema.GroupVersionResource
	for _, g := range c.kinds.groups {
		if ofTheMoment(g.Group.Name) {
			continue
		}
		seen := map[string]bool{}
		versions := slices.Clone(g.Group.Versions)
		slices.SortStableFunc(versions, func(a, b metav1.GroupVersionForDiscovery) int {
			preferred := func(v metav1.GroupVersionForDiscovery) int {
				if v.Version == g.Group.PreferredVersion.Version {
					return 0
				}
				return 1
			}
			return cmp.Compare(preferred(a), preferred(b))
		})
		for _, v := range versions {
			for _, r := range g.VersionedResources[v.Version] {
				if seen[r.Name] || strings.Contains(r.Name, "/") || !slices.Contains(r.Verbs, "list") || g.Group.Name == "" && r.Name == "events" ||
					r.Name == "componentstatuses" {
					continue
				}
				seen[r.Name] = true
				out = append(out, schema.GroupVersionResource{Group: g.Group.Name, Version: v.Version, Resource: r.Name})
			}
		}
	}
	slices.SortFunc(out, func(a, b schema.GroupVersionResource) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource))
	})
	return out, nil
}

// ofTheMoment reports whether all that a group of the API has is of the moment.
func ofTheMoment(group string) bool {
	return group == "events.k8s.io" || group == "coordination.k8s.io" || group == "metrics.k8s.io" ||
		strings.HasSuffix(group, ".metrics.k8s.io")
}

func (c *Client) allOf(ctx context.Context, of schema.GroupVersionResource) ([]lifecycle.Object, error) {
	return pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]lifecycle.Object, string, error) {
		select {
		case <-ctx.Done():
			return nil, "", ctx.Err()
		case <-time.After(pagePause):
		}
		list, err := c.objects.Resource(of).List(ctx, opts)
		if err != nil {
			return nil, "", err
		}
		out := make([]lifecycle.Object, 0, len(list.Items))
		for i := range list.Items {
			o, err := harmless(&list.Items[i])
			if err != nil {
				return nil, "", err
			}
			out = append(out, o)
		}
		return out, list.GetContinue(), nil
	})
}

// harmless is an object without secrets, and without what API servers note.
func harmless(u *unstructured.Unstructured) (lifecycle.Object, error) {
	u.SetManagedFields(nil)
	if a := u.GetAnnotations(); a["kubectl.kubernetes.io/last-applied-configuration"] != "" {
		delete(a, "kubectl.kubernetes.io/last-applied-configuration") // a Secret's values, among others
		u.SetAnnotations(a)
	}
	if u.GetKind() == "Secret" && u.GetAPIVersion() == "v1" {
		blank(u)
	}
	b, err := json.Marshal(u.Object)
	return lifecycle.Object{ObjectRef: lifecycle.ObjectRef{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(),
		Name: u.GetName()}, JSON: b}, err
}

// blank takes the values out of a Secret, and leaves its keys and a form that the API accepts for its type.
func blank(u *unstructured.Unstructured) {
	delete(u.Object, "stringData")
	data, _ := u.Object["data"].(map[string]any)
	for key := range data {
		value := "blank"
		if strings.HasPrefix(key, ".dockerc") {
			value = "{}"
		}
		data[key] = base64.StdEncoding.EncodeToString([]byte(value))
	}
}
