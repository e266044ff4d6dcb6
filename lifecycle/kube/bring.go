package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

// noServiceAccount is what an API server says of a pod whose service account has not been made yet.
const noServiceAccount = "error looking up service account"

// Create makes an object that is not there yet; one that is there stays as it is. Where the API is not ready for it, it waits: for a kind
// that was defined a moment ago, and for the service account of a pod. The error is the API's.
func (c *Client) Create(ctx context.Context, o lifecycle.Object) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	u := &unstructured.Unstructured{}
	if err := json.Unmarshal(o.JSON, &u.Object); err != nil {
		return err
	}
	ctx, cancel := lifecycle.Within(ctx, kindWithin, "it was not taken in time")
	defer cancel()
	for {
		err := c.createOnce(ctx, o.ObjectRef, u)
		wait := err != nil && (apierrors.IsForbidden(err) && strings.Contains(err.Error(), noServiceAccount) ||
			errors.Is(err, errNotServed) && !strings.HasSuffix(o.Group(), ".k8s.io") && strings.Contains(o.Group(), ".") ||
			apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err))
		if !wait {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(retryAfter / 2):
		}
	}
}

// errNotServed says that the API has no such kind.
var errNotServed = errors.New("the API does not serve this kind")

func (c *Client) createOnce(ctx context.Context, ref lifecycle.ObjectRef, u *unstructured.Unstructured) error {
	m, err := c.kinds.find(ctx, ref)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotServed, err)
	}
	_, err = c.resource(m, ref.Namespace).Create(ctx, u, metav1.CreateOptions{FieldManager: manager})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// Merge changes an object by a merge patch.
func (c *Client) Merge(ctx context.Context, ref lifecycle.ObjectRef, patch []byte) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	m, err := c.kinds.find(ctx, ref)
	if err != nil {
		return err
	}
	return c.persistently(ctx, func(ctx context.Context) error {
		_, err := c.resource(m, ref.Namespace).Patch(ctx, ref.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: manager})
		return err
	})
}

// PodsReady says of each pod that is to run, by "namespace/name", why it is not Ready, "" of one that is, and whether a controller owns it.
func (c *Client) PodsReady(ctx context.Context) (why map[string]string, owned map[string]bool, err error) {
	if err := c.connect(ctx); err != nil {
		return nil, nil, err
	}
	why, owned = map[string]string{}, map[string]bool{}
	_, err = pages(ctx, metav1.ListOptions{FieldSelector: unfinished}, func(ctx context.Context, opts metav1.ListOptions) ([]struct{},
		string, error) {
		list, err := c.api.CoreV1().Pods("").List(ctx, opts)
		if err != nil {
			return nil, "", fmt.Errorf("list pods: %w", err)
		}
		for i := range list.Items {
			if p := &list.Items[i]; p.DeletionTimestamp == nil {
				name := p.Namespace + "/" + p.Name
				why[name], owned[name] = notReady(p), metav1.GetControllerOf(p) != nil
			}
		}
		return nil, list.Continue, nil
	})
	return why, owned, err
}

// notReady is why a pod is not Ready, by the first of its conditions and containers that says so; "" where it is.
func notReady(p *corev1.Pod) string {
	if podReady(p) {
		return ""
	}
	for _, s := range p.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil && w.Reason != "" && w.Reason != "ContainerCreating" {
			return strings.TrimSpace(w.Reason + " " + w.Message)
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Message
		}
	}
	return "it is not Ready"
}
