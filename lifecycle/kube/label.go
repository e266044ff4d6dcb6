package kube

import (
	"context"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"kiban.dev/kiban/lifecycle"
)

// Label sets and takes away labels and taints of a node, in one write. What is so already is not written again, and what others have put on
// the node stays.
func (c *Client) Label(ctx context.Context, node string, change lifecycle.NodeChange) error {
	if err := c.connect(ctx); err != nil {
		return err
	}
	return c.patchNode(ctx, node, func(n *corev1.Node) (map[string]any, error) {
		labels := map[string]any{}
		for key, value := range change.Labels {
			if have, there := n.Labels[key]; !there || have != value {
				labels[key] = value
			}
		}
		for _, key := range change.Unlabel {
			if _, there := n.Labels[key]; there {
				labels[key] = nil
			}
		}
		annotations := map[string]any{}
		for name, own := range map[string][]string{
			lifecycle.AnnotationLabelled: owned(n.Annotations[lifecycle.AnnotationLabelled], slices.Sorted(maps.Keys(change.Labels)),
				change.Unlabel),
			lifecycle.AnnotationTainted: owned(n.Annotations[lifecycle.AnnotationTainted], change.Taints, change.Untaint),
		} {
			annotations[name] = strings.Join(own, ",")
			if len(own) == 0 {
				annotations[name] = nil
			}
		}
		patch := map[string]any{"metadata": map[string]any{"labels": labels, "annotations": annotations}}
		taints := tainted(n.Spec.Taints, change)
		if !slices.EqualFunc(taints, n.Spec.Taints, sameTaint) {
			patch["spec"] = map[string]any{"taints": taints}
		} else if len(labels) == 0 {
			return nil, nil
		}
		return patch, nil
	})
}

// owned is what kiban has put on a node, after a change.
func owned(before string, on, off []string) []string {
	out := slices.DeleteFunc(slices.Concat(listed(before), on), func(s string) bool { return slices.Contains(off, s) })
	slices.Sort(out)
	return slices.Compact(out)
}

// listed reads such a list.
func listed(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// tainted are a node's taints after a change. A taint that is put on replaces another value of its key and effect.
func tainted(have []corev1.Taint, change lifecycle.NodeChange) []corev1.Taint {
	out := slices.Clone(have)
	for _, s := range change.Untaint {
		off := taintOf(s)
		out = slices.DeleteFunc(out, func(t corev1.Taint) bool { return sameTaint(t, off) })
	}
	for _, s := range change.Taints {
		on := taintOf(s)
		if i := slices.IndexFunc(out, func(t corev1.Taint) bool { return t.Key == on.Key && t.Effect == on.Effect }); i >= 0 {
			if out[i].Value != on.Value {
				out[i] = on
			}
			continue
		}
		out = append(out, on)
	}
	return out
}

func sameTaint(a, b corev1.Taint) bool {
	return a.Key == b.Key && a.Value == b.Value && a.Effect == b.Effect
}

func taintOf(s string) corev1.Taint {
	key, value, effect := lifecycle.ParseTaint(s)
	return corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)}
}
