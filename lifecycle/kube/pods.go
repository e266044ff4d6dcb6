package kube

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

// podChunk is how many pods one request asks for: few enough that memory holds one chunk of whole pods at a time.
const podChunk = 500

// pod is what kiban needs to know of a pod. Thousands of them are held at once; the API's own pods are ten times the size.
type pod struct {
	namespace, name, node string
	uid                   types.UID
	labels                map[string]string
	owner                 *metav1.OwnerReference // its controller; nil for a bare pod
	ip                    string
	hostNetwork           bool
	phase                 corev1.PodPhase
	ready, terminating    bool
	emptyDir, mirror      bool
}

func trim(p *corev1.Pod) pod {
	t := pod{
		namespace: p.Namespace, name: p.Name, node: p.Spec.NodeName, uid: p.UID, labels: p.Labels, owner: metav1.GetControllerOf(p),
		ip: p.Status.PodIP, hostNetwork: p.Spec.HostNetwork, phase: p.Status.Phase, ready: podReady(p), terminating: p.DeletionTimestamp != nil,
	}
	_, t.mirror = p.Annotations[corev1.MirrorPodAnnotationKey]
	for _, v := range p.Spec.Volumes {
		t.emptyDir = t.emptyDir || v.EmptyDir != nil
	}
	return t
}

func podReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func (p pod) String() string { return p.namespace + "/" + p.name }

func (p pod) finished() bool { return p.phase == corev1.PodSucceeded || p.phase == corev1.PodFailed }

// free reports whether no budget is asked about the pod in a drain: the eviction API lets pods go that are Pending or ending, and a drain
// evicts no pods of daemon sets and no static ones.
func (p pod) free() bool {
	return p.phase == corev1.PodPending || p.terminating || p.mirror || p.ofDaemonSet()
}

func (p pod) ofDaemonSet() bool { return p.owner != nil && p.owner.Kind == "DaemonSet" }

// unfinished leaves out pods that have ended: they guard nothing, serve nothing and stand in no drain's way.
const unfinished = "status.phase!=Succeeded,status.phase!=Failed"

// listPods reads the pods of a namespace ("" for all) that have not ended, page by page. node narrows it to one node, where those that have
// ended are there too.
func (c *Client) listPods(ctx context.Context, namespace, node string) ([]pod, error) {
	opts := metav1.ListOptions{FieldSelector: unfinished}
	if node != "" {
		opts.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
	}
	return pages(ctx, opts, func(ctx context.Context, opts metav1.ListOptions) ([]pod, string, error) {
		list, err := c.api.CoreV1().Pods(namespace).List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list pods: %w", err)
		}
		out := make([]pod, len(list.Items))
		for i := range list.Items {
			out[i] = trim(&list.Items[i])
		}
		return out, list.Continue, nil
	})
}

// reader reads one page of a list, and says where the next one begins; "" behind the last.
type reader[T any] func(context.Context, metav1.ListOptions) (page []T, next string, err error)

// pages reads a list to its end, page by page. Each page has its time; how long the whole takes is for ctx to say. A page that came too
// late for its revision is followed by one more try from the start.
func pages[T any](ctx context.Context, opts metav1.ListOptions, read reader[T]) ([]T, error) {
	all, err := pagesOnce(ctx, opts, read)
	if apierrors.IsResourceExpired(err) {
		all, err = pagesOnce(ctx, opts, read)
	}
	return all, err
}

func pagesOnce[T any](ctx context.Context, opts metav1.ListOptions, read reader[T]) ([]T, error) {
	opts.Limit = podChunk
	var all []T
	for {
		page, next, err := onePage(ctx, opts, read)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if opts.Continue = next; next == "" {
			return all, nil
		}
	}
}

func onePage[T any](ctx context.Context, opts metav1.ListOptions, read reader[T]) ([]T, string, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	return read(ctx, opts)
}
