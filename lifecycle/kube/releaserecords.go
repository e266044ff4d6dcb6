package kube

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	headers "k8s.io/client-go/metadata"

	"kiban.dev/kiban/lifecycle"
)

// widthRecords is how many of Helm's records are read side by side: each has up to a MiB, and several unpacked.
const widthRecords = 4

// record is one of Helm's records of a release, by its labels.
type record struct {
	namespace, object string
	name, status      string
	revision          int
	resource          schema.GroupVersionResource
}

// ReleaseRecords hands each the newest record of every Helm release, as Helm keeps it: what `helm upgrade` reads first. Records are found by
// their metadata, and read one by one. each is called by several goroutines.
func (c *Client) ReleaseRecords(ctx context.Context, each func(namespace, name string, revision int, payload []byte)) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	client, err := headers.NewForConfig(headers.ConfigFor(c.config))
	if err != nil {
		return fmt.Errorf("Kubernetes client: %w", err)
	}
	var all []record
	for _, resource := range []string{"secrets", "configmaps"} { // where Helm keeps them by default, and by HELM_DRIVER=configmap
		found, err := listRecords(ctx, client, corev1.SchemeGroupVersion.WithResource(resource))
		if err != nil {
			return fmt.Errorf("list Helm's records among %s: %w", resource, err)
		}
		all = append(all, found...)
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		room  = make(chan struct{}, widthRecords)
	)
	for _, r := range newestRecords(all) {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			payload, err := c.payloadOf(ctx, r)
			switch {
			case apierrors.IsNotFound(err): // Helm has tidied it away meanwhile
			case err != nil:
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = fmt.Errorf("read Helm's record of release %s/%s: %w", r.namespace, r.name, err)
				}
			default:
				each(r.namespace, r.name, r.revision, payload)
			}
		})
	}
	wg.Wait()
	return first
}

func listRecords(ctx context.Context, client headers.Interface, resource schema.GroupVersionResource) ([]record, error) {
	return pages(ctx, metav1.ListOptions{LabelSelector: "owner=helm"},
		func(ctx context.Context, opts metav1.ListOptions) ([]record, string, error) {
			list, err := client.Resource(resource).List(ctx, opts)
			if err != nil {
				return nil, "", err
			}
			var out []record
			for i := range list.Items {
				o := &list.Items[i]
				if n, err := strconv.Atoi(o.Labels["version"]); err == nil && o.Labels["name"] != "" {
					out = append(out, record{namespace: o.Namespace, object: o.Name, name: o.Labels["name"], status: o.Labels["status"],
						revision: n, resource: resource})
				}
			}
			return out, list.Continue, nil
		})
}

// newestRecords are of each release the revision that is deployed, else the newest. One that is uninstalled has only its history.
func newestRecords(all []record) []record {
	best := map[[2]string]record{}
	for _, r := range all {
		key := [2]string{r.namespace, r.name}
		b, known := best[key]
		deployed := r.status == "deployed"
		if !known || (deployed && b.status != "deployed") || (deployed == (b.status == "deployed") && r.revision > b.revision) {
			best[key] = r
		}
	}
	var out []record
	for _, r := range best {
		if r.status != "uninstalled" {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b record) int {
		return slices.Compare([]string{a.namespace, a.name}, []string{b.namespace, b.name})
	})
	return out
}

func (c *Client) payloadOf(ctx context.Context, r record) ([]byte, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	if r.resource.Resource == "secrets" {
		s, err := c.api.CoreV1().Secrets(r.namespace).Get(ctx, r.object, metav1.GetOptions{})
		if err != nil {
			return nil, err
		}
		return s.Data["release"], nil
	}
	m, err := c.api.CoreV1().ConfigMaps(r.namespace).Get(ctx, r.object, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return []byte(m.Data["release"]), nil
}
