package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lifecycle"
)

// writeTries is how often a write is repeated when the node changed under it or an API server went away.
const writeTries = 8

// Cordon closes a node for scheduling and notes in the same write who did it and why. A cordon of an earlier run is taken
// over; a cordon without a mark is an administrator's, and refused unless the mark may take it over: kiban could not tell later that it
// was not its own. So is that of a node in maintenance, by any run that is none.
func (c *Client) Cordon(ctx context.Context, node string, mark lifecycle.Mark) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	if mark.Run == "" {
		return fmt.Errorf("cordon %s: the mark names no run", node)
	}
	return c.patchNode(ctx, node, func(n *corev1.Node) (map[string]any, error) {
		by := n.Annotations[lifecycle.AnnotationCordonedBy]
		if n.Spec.Unschedulable && (lifecycle.Mark{Run: by}).Maintenance() && !mark.Maintenance() {
			return nil, lifecycle.Blockedf(node, "the node is in maintenance").
				Because(n.Annotations[lifecycle.AnnotationCordonedFor]).
				Try("Plan again: the node then stays cordoned; or return it: `kiban node uncordon`")
		}
		if n.Spec.Unschedulable && by == "" && !mark.TakeOver {
			return nil, lifecycle.Blockedf(node, "the node is cordoned already, and not by kiban").
				Because("An administrator's cordon stays as it is.").
				Try("Plan again: the node is then left cordoned; or `kubectl uncordon " + node + "`")
		}
		if n.Spec.Unschedulable && by == mark.Run && n.Annotations[lifecycle.AnnotationCordonedFor] == mark.Reason {
			return nil, nil
		}
		return closing(true, mark.Run, mark.Reason), nil
	})
}

// Uncordon opens a node for scheduling and removes kiban's mark in the same write. A node without the mark is left as it is.
func (c *Client) Uncordon(ctx context.Context, node string) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.patchNode(ctx, node, func(n *corev1.Node) (map[string]any, error) {
		if n.Annotations[lifecycle.AnnotationCordonedBy] == "" {
			return nil, nil
		}
		return closing(false, nil, nil), nil
	})
}

// closing is the change that a cordon and its end make; nil removes an annotation.
func closing(unschedulable bool, by, why any) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{lifecycle.AnnotationCordonedBy: by, lifecycle.AnnotationCordonedFor: why}},
		"spec":     map[string]any{"unschedulable": unschedulable},
	}
}

// patchNode reads a node, asks what to change, and writes that on the condition that the node is still as it was read.
// A change of nil leaves the node alone.
func (c *Client) patchNode(ctx context.Context, name string, change func(*corev1.Node) (map[string]any, error)) error {
	return c.insist(ctx, "node "+name, func() error { return c.patchOnce(ctx, name, change) })
}

// insist repeats a write that was refused because something else had written meanwhile, or that no API server took.
func (c *Client) insist(ctx context.Context, what string, write func() error) error {
	var err error
	for range writeTries {
		if err = write(); err == nil || !worthRepeating(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w: %w", what, lifecycle.WhyEnded(ctx), err)
		case <-time.After(c.pause):
		}
	}
	return err
}

func (c *Client) patchOnce(ctx context.Context, name string, change func(*corev1.Node) (map[string]any, error)) error {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	n, err := c.api.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return notRegistered(name, err)
	}
	if err != nil {
		return fmt.Errorf("get node %s: %w", name, err)
	}
	patch, err := change(n)
	if err != nil || patch == nil {
		return err
	}
	patch["metadata"].(map[string]any)["resourceVersion"] = n.ResourceVersion
	body, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	if _, err := c.api.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: "kiban"}); err != nil {
		return fmt.Errorf("patch node %s: %w", name, err)
	}
	return nil
}
