package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	headers "k8s.io/client-go/metadata"

	"kiban.dev/kiban/lifecycle"
)

// What a look at stored objects keeps and asks at a time: writes that are listed one by one, and kinds that are listed side by side.
const (
	mostWrites = 2000
	widthKinds = 4
)

// clientSideApply is the name that kubectl's client-side apply has in managed fields.
const clientSideApply = "kubectl-client-side-apply"

// APIWrites looks at the metadata of stored objects, page by page, for who wrote them by one of the APIs. An object can only have been
// written by a version of its own kind, so the kinds of those APIs are all there is to look at; of others nothing is asked.
func (c *Client) APIWrites(ctx context.Context, apis []lifecycle.API) (lifecycle.APIWrites, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.APIWrites{}, err
	}
	client, err := headers.NewForConfig(headers.ConfigFor(c.config))
	if err != nil {
		return lifecycle.APIWrites{}, fmt.Errorf("Kubernetes client: %w", err)
	}
	wanted := map[string]bool{}
	for _, a := range apis {
		wanted[a.String()] = true
	}
	mappings, err := c.servedKinds(ctx, apis, wanted)
	if err != nil {
		return lifecycle.APIWrites{}, err
	}
	var (
		out   lifecycle.APIWrites
		mu    sync.Mutex
		first error
		wg    sync.WaitGroup
		room  = make(chan struct{}, widthKinds)
	)
	out.Kinds = len(mappings)
	for _, m := range mappings {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			_, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
				list, err := client.Resource(m.Resource).List(ctx, opts)
				if err != nil {
					return nil, "", fmt.Errorf("list %s: %w", m.Resource.GroupResource(), err)
				}
				mu.Lock()
				defer mu.Unlock()
				for i := range list.Items {
					out.Objects++
					for _, w := range writesOf(&list.Items[i], m.GroupVersionKind, wanted) {
						if len(out.Writes) < mostWrites {
							out.Writes = append(out.Writes, w)
						} else {
							out.More++
						}
					}
				}
				return nil, list.Continue, nil
			})
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
			}
		})
	}
	wg.Wait()
	if first != nil {
		return lifecycle.APIWrites{}, first
	}
	slices.SortStableFunc(out.Writes, func(a, b lifecycle.APIWrite) int { return a.Object.Compare(b.Object) })
	if len(out.Writes) > 0 {
		out.Teams, err = c.teams(ctx, client)
	}
	return out, err
}

// servedKinds are the kinds of the APIs and of their successors, each once, as the API serves them in a version that stays. Of a kind
// that it
// serves in ending versions alone nothing is read: kiban would be one of those who ask for them.
func (c *Client) servedKinds(ctx context.Context, apis []lifecycle.API, ends map[string]bool) ([]*meta.RESTMapping, error) {
	seen := map[schema.GroupKind]bool{}
	var out []*meta.RESTMapping
	add := func(apiVersion, kind string) error {
		gk := schema.FromAPIVersionAndKind(apiVersion, kind).GroupKind()
		if seen[gk] {
			return nil
		}
		seen[gk] = true
		m, err := c.kinds.findStaying(ctx, gk, ends)
		if m != nil {
			out = append(out, m)
		}
		return err
	}
	for _, a := range apis {
		if err := add(a.GroupVersion(), a.Kind); err != nil {
			return nil, err
		}
		if version, kind, ok := strings.Cut(a.Replacement, " "); ok {
			if err := add(version, kind); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// writesOf are an object's writes by one of the APIs.
func writesOf(o *metav1.PartialObjectMetadata, gvk schema.GroupVersionKind, wanted map[string]bool) []lifecycle.APIWrite {
	ref := lifecycle.ObjectRef{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Namespace: o.Namespace, Name: o.Name}
	var out []lifecycle.APIWrite
	var applied time.Time
	for _, f := range o.ManagedFields {
		at := time.Time{}
		if f.Time != nil {
			at = f.Time.Time
		}
		if f.Manager == clientSideApply && at.After(applied) {
			applied = at
		}
		if !wanted[f.APIVersion+" "+gvk.Kind] || isControlPlane(f.Manager) {
			continue
		}
		out = append(out, lifecycle.APIWrite{Object: ref, API: f.APIVersion, Manager: lifecycle.Shorten(f.Manager, 80), At: at,
			Team: teamOf(o.Labels), Release: o.Annotations[releaseNamespace]})
	}
	if text := o.Annotations[corev1.LastAppliedConfigAnnotation]; text != "" {
		var last struct{ APIVersion, Kind string }
		if json.Unmarshal([]byte(text), &last) == nil && wanted[last.APIVersion+" "+last.Kind] {
			out = slices.DeleteFunc(out, func(w lifecycle.APIWrite) bool { return w.Manager == clientSideApply && w.API == last.APIVersion })
			out = append(out, lifecycle.APIWrite{Object: ref, API: last.APIVersion, Manager: clientSideApply, Applied: true, At: applied,
				Team: teamOf(o.Labels), Release: o.Annotations[releaseNamespace]})
		}
	}
	return out
}

// releaseNamespace is the annotation by which Helm notes the namespace of the release that an object is of.
const releaseNamespace = "meta.helm.sh/release-namespace"

// isControlPlane reports whether a manager comes and goes with the version itself.
func isControlPlane(manager string) bool {
	switch manager {
	case "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy":
		return true
	}
	return false
}

// teamOf is the team that labels name: `team`, or that name behind a prefix of somebody's own.
func teamOf(labels map[string]string) string {
	if t := labels["team"]; t != "" {
		return t
	}
	var keys []string
	for key := range labels {
		if strings.HasSuffix(key, "/team") {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return ""
	}
	return labels[slices.Min(keys)]
}

// teams are the teams that namespaces name.
func (c *Client) teams(ctx context.Context, client headers.Interface) (map[string]string, error) {
	out := map[string]string{}
	_, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
		list, err := client.Resource(corev1.SchemeGroupVersion.WithResource("namespaces")).List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list namespaces: %w", err)
		}
		for i := range list.Items {
			if team := teamOf(list.Items[i].Labels); team != "" {
				out[list.Items[i].Name] = team
			}
		}
		return nil, list.Continue, nil
	})
	return out, err
}
