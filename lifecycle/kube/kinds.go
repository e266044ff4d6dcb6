package kube

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"kiban.dev/kiban/lifecycle"
)

// kindsAge is how old the list of kinds may be when a kind is not found in it, before it is asked for again.
const kindsAge = time.Second

// kinds knows which kinds the API serves and where. The API is asked when it is needed first, and again when a kind is not among them.
type kinds struct {
	ask discovery.DiscoveryInterfaceWithContext

	mu     sync.Mutex
	groups []*restmapper.APIGroupResources
	mapper meta.RESTMapper
	asked  time.Time
}

// load asks the API for its kinds, if they are not known or older than that. The caller holds the lock.
func (k *kinds) load(ctx context.Context, age time.Duration) error {
	if k.mapper != nil && time.Since(k.asked) < age {
		return nil
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	asked := time.Now()
	groups, err := restmapper.GetAPIGroupResourcesWithContext(ctx, k.ask) // groups that do not answer are left out
	if err != nil {
		return fmt.Errorf("list the API's kinds: %w", err)
	}
	k.groups, k.mapper, k.asked = groups, restmapper.NewDiscoveryRESTMapper(groups), asked
	return nil
}

// reset makes the next question ask the API.
func (k *kinds) reset() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mapper = nil
}

// find is how the API serves an object's kind. meta.IsNoMatchError: not at all, or not in that version.
func (k *kinds) find(ctx context.Context, r lifecycle.ObjectRef) (*meta.RESTMapping, error) {
	gvk := schema.FromAPIVersionAndKind(r.APIVersion, r.Kind)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx, 24*time.Hour); err != nil {
		return nil, err
	}
	m, err := k.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if !meta.IsNoMatchError(err) || time.Since(k.asked) < kindsAge {
		return m, err
	}
	if err := k.load(ctx, kindsAge); err != nil {
		return nil, err
	}
	return k.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
}

// findAny is how the API serves an object's kind, in another version when it no longer serves the object's: it is the same object.
func (k *kinds) findAny(ctx context.Context, r lifecycle.ObjectRef) (*meta.RESTMapping, error) {
	m, err := k.find(ctx, r)
	if !meta.IsNoMatchError(err) {
		return m, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx, 24*time.Hour); err != nil {
		return nil, err
	}
	return k.mapper.RESTMapping(schema.GroupKind{Group: r.Group(), Kind: r.Kind})
}

// findStaying is how the API serves a kind in a version that does not end: asking in one that does would be counted as a request for it,
// and found as such. nil where there is none.
func (k *kinds) findStaying(ctx context.Context, kind schema.GroupKind, ends map[string]bool) (*meta.RESTMapping, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx, kindsAge); err != nil {
		return nil, err
	}
	all, err := k.mapper.RESTMappings(kind)
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	for _, m := range all {
		if !ends[m.GroupVersionKind.GroupVersion().String()+" "+kind.Kind] {
			return m, nil
		}
	}
	return nil, err
}

// resource is the client for one object's kind, in its namespace when it has one.
func (c *Client) resource(m *meta.RESTMapping, namespace string) dynamic.ResourceInterface {
	c.own.ask(m.Resource)
	if m.Scope.Name() == meta.RESTScopeNameNamespace {
		return c.objects.Resource(m.Resource).Namespace(namespace)
	}
	return c.objects.Resource(m.Resource)
}

// Capabilities are what a chart may ask of the cluster: its version, and the versions and kinds that it serves.
func (c *Client) Capabilities(ctx context.Context) (lifecycle.Capabilities, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Capabilities{}, err
	}
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	version, err := c.kinds.ask.ServerVersionWithContext(ctx)
	if err != nil {
		return lifecycle.Capabilities{}, fmt.Errorf("get the API's version: %w", err)
	}
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	if err := c.kinds.load(ctx, kindsAge); err != nil {
		return lifecycle.Capabilities{}, err
	}
	return lifecycle.Capabilities{Kubernetes: version.GitVersion, APIs: served(c.kinds.groups)}, nil
}

// served are the versions and kinds in Helm's words: "apps/v1" and "apps/v1/Deployment", sorted.
func served(groups []*restmapper.APIGroupResources) []string {
	var out []string
	for _, g := range groups {
		for version, resources := range g.VersionedResources {
			gv := schema.GroupVersion{Group: g.Group.Name, Version: version}.String()
			out = append(out, gv)
			for i := range resources {
				out = append(out, gv+"/"+resources[i].Kind)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ref names an object of the API.
func ref(u *unstructured.Unstructured) lifecycle.ObjectRef {
	return lifecycle.ObjectRef{APIVersion: u.GetAPIVersion(), Kind: u.GetKind(), Namespace: u.GetNamespace(), Name: u.GetName()}
}
