package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	headers "k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/util/flowcontrol"

	"kiban.dev/kiban/lifecycle"
)

// countsPerSecond bounds how many questions a count asks: it is made while the cluster is at work.
const countsPerSecond = 40

// Contents counts the objects of every kind that the API keeps in etcd, by their metadata alone: one of each kind is asked for, and the API
// says how many follow. Kinds that can't be counted are said; the error is of what there is to count.
func (c *Client) Contents(ctx context.Context) (lifecycle.Contents, error) {
	pace := flowcontrol.NewTokenBucketRateLimiter(countsPerSecond, widthKinds)
	return c.census(ctx, func(ctx context.Context, of headers.ResourceInterface, _ schema.GroupVersionResource) (int64, error) {
		if err := pace.Wait(ctx); err != nil {
			return 0, lifecycle.WhyEnded(ctx)
		}
		return count(ctx, of)
	})
}

// census has each kind counted, some of them side by side.
func (c *Client) census(ctx context.Context,
	count func(ctx context.Context, of headers.ResourceInterface, kind schema.GroupVersionResource) (int64, error),
) (lifecycle.Contents, error) {
	if err := c.connect(ctx); err != nil {
		return lifecycle.Contents{}, err
	}
	uid, err := c.clusterUID(ctx)
	if err != nil {
		return lifecycle.Contents{}, err
	}
	stored, err := c.storedKinds(ctx)
	if err != nil {
		return lifecycle.Contents{}, err
	}
	client, err := headers.NewForConfig(headers.ConfigFor(c.config))
	if err != nil {
		return lifecycle.Contents{}, fmt.Errorf("Kubernetes client: %w", err)
	}
	out := lifecycle.Contents{Cluster: uid, Objects: map[string]lifecycle.Amount{}, Unknown: map[string]string{}}
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		room = make(chan struct{}, widthKinds)
	)
	for name, resource := range stored {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			n, err := count(ctx, client.Resource(resource), resource)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				out.Unknown[name] = lifecycle.OneLine(err.Error())
			case n > 0:
				out.Objects[name] = lifecycle.Amount{Least: n, Most: n}
			}
		})
	}
	wg.Wait()
	return out, lifecycle.WhyEnded(ctx)
}

// count is how many objects a resource has. An API that does not say how many follow is asked page by page.
func count(ctx context.Context, of headers.ResourceInterface) (int64, error) {
	var n int64
	first := func() (more string, err error) {
		ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
		defer cancel()
		list, err := of.List(ctx, metav1.ListOptions{Limit: 1})
		if err != nil {
			return "", err
		}
		n = int64(len(list.Items))
		if list.RemainingItemCount != nil {
			n += *list.RemainingItemCount
			return "", nil
		}
		return list.Continue, nil
	}
	if more, err := first(); err != nil || more == "" {
		return n, err
	}
	all, err := pages(ctx, metav1.ListOptions{}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{}, string, error) {
		list, err := of.List(ctx, opts)
		if err != nil {
			return nil, "", err
		}
		return make([]struct{}, len(list.Items)), list.Continue, nil
	})
	return int64(len(all)), err
}

// storedKinds are the resources that the API keeps in its own etcd, by the name of their kind there. Those of other API servers are not
// among them, nor what is only asked and never written.
func (c *Client) storedKinds(ctx context.Context) (map[string]schema.GroupVersionResource, error) {
	elsewhere, err := c.servedElsewhere(ctx)
	if err != nil {
		return nil, err
	}
	c.kinds.mu.Lock()
	defer c.kinds.mu.Unlock()
	if err := c.kinds.load(ctx, kindsAge); err != nil {
		return nil, err
	}
	own := kubernetesOwn()
	out := map[string]schema.GroupVersionResource{}
	for _, g := range c.kinds.groups {
		for name, resource := range storedOf(g, elsewhere, own) {
			if _, twice := out[name]; !twice || resource.Group == "" { // events are in two groups, and the same
				out[name] = resource
			}
		}
	}
	return out, nil
}

// storedOf are the resources of one group, each in the version that the API prefers of those that have it.
func storedOf(g *restmapper.APIGroupResources, elsewhere map[schema.GroupVersion]bool,
	own *runtime.Scheme) map[string]schema.GroupVersionResource {
	versions := []string{g.Group.PreferredVersion.Version}
	for _, v := range g.Group.Versions {
		versions = append(versions, v.Version)
	}
	out := map[string]schema.GroupVersionResource{}
	for _, version := range versions {
		gv := schema.GroupVersion{Group: g.Group.Name, Version: version}
		if elsewhere[gv] {
			continue
		}
		for _, r := range g.VersionedResources[version] {
			name := storedName(schema.GroupResource{Group: gv.Group, Resource: r.Name}, own)
			kept := slices.Contains(r.Verbs, "list") && (slices.Contains(r.Verbs, "create") || slices.Contains(r.Verbs, "delete"))
			if _, known := out[name]; kept && !known && !strings.Contains(r.Name, "/") {
				out[name] = gv.WithResource(r.Name)
			}
		}
	}
	return out
}

// storedName is a kind's name in etcd's keys, as package backup reads them: with its group where that is none of Kubernetes' own.
func storedName(r schema.GroupResource, own *runtime.Scheme) string {
	if own.IsGroupRegistered(r.Group) {
		return r.Resource
	}
	return r.Resource + "." + r.Group
}

// kubernetesOwn knows the groups whose objects lie in etcd without their group's name. client-go's own scheme would not do: Helm adds
// those of definitions to it, for the whole process.
func kubernetesOwn() *runtime.Scheme {
	own := runtime.NewScheme()
	utilruntime.Must(scheme.AddToScheme(own)) // it can't fail: these are the types that client-go is built with
	return own
}

// servedElsewhere are the API versions that another server answers for, which keeps its objects itself.
func (c *Client) servedElsewhere(ctx context.Context) (map[schema.GroupVersion]bool, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	list, err := c.objects.Resource(schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}).
		List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list apiservices: %w", err)
	}
	out := map[schema.GroupVersion]bool{}
	for i := range list.Items {
		if service, _, _ := unstructured.NestedMap(list.Items[i].Object, "spec", "service"); service != nil {
			group, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "group")
			version, _, _ := unstructured.NestedString(list.Items[i].Object, "spec", "version")
			out[schema.GroupVersion{Group: group, Version: version}] = true
		}
	}
	return out, nil
}
