package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"

	"kiban.dev/kiban/lifecycle"
)

// explain says why an object is not up: what its first failing pod says, or else the last warning that the API has of it. "" when nothing
// is known.
func (c *Client) explain(ctx context.Context, u *unstructured.Unstructured) (string, error) {
	ctx, cancel := lifecycle.Within(ctx, callTimeout, "no answer")
	defer cancel()
	if selector := podSelector(u); selector != "" {
		pods, err := c.api.CoreV1().Pods(u.GetNamespace()).List(ctx, metav1.ListOptions{LabelSelector: selector, Limit: podChunk})
		if err != nil {
			return "", fmt.Errorf("list the pods of %s: %w", ref(u), err)
		}
		if why := firstFailing(pods.Items); why != "" {
			return why, nil
		}
	}
	if why := conditionMessage(u, "ReplicaFailure"); why != "" { // its pods are refused: a quota, a policy
		return why, nil
	}
	return c.lastWarning(ctx, ref(u))
}

// podSelector is how a workload finds its pods; "" for what has none.
func podSelector(u *unstructured.Unstructured) string {
	switch u.GetKind() {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job":
	default:
		return ""
	}
	m, _, _ := unstructured.NestedMap(u.Object, "spec", "selector")
	var s metav1.LabelSelector
	if m == nil || runtime.DefaultUnstructuredConverter.FromUnstructured(m, &s) != nil {
		return ""
	}
	return metav1.FormatLabelSelector(&s)
}

// firstFailing is what the pod says that has been failing for longest: its name, and why.
func firstFailing(pods []corev1.Pod) string {
	slices.SortFunc(pods, func(a, b corev1.Pod) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	var waiting string
	for i := range pods {
		why, bad := podTrouble(&pods[i])
		if bad {
			return "pod " + pods[i].Name + ": " + why
		}
		if why != "" && waiting == "" {
			waiting = "pod " + pods[i].Name + ": " + why
		}
	}
	return waiting
}

// podTrouble says why a pod is not Ready, and whether it will not be by waiting alone.
func podTrouble(p *corev1.Pod) (why string, bad bool) {
	if p.DeletionTimestamp != nil || podReady(p) || p.Status.Phase == corev1.PodSucceeded {
		return "", false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return joined(c.Reason, c.Message), true
		}
	}
	for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
		if why := containerTrouble(&s); why != "" {
			return why, true
		}
	}
	if p.Status.Phase == corev1.PodFailed {
		return joined(p.Status.Reason, p.Status.Message), true
	}
	if p.Status.Phase == corev1.PodRunning {
		return "it runs and is not Ready", false
	}
	return "it is " + string(cmp.Or(p.Status.Phase, corev1.PodPending)), false
}

// containerTrouble says why a container does not run; "" when it runs, or is only being started.
func containerTrouble(s *corev1.ContainerStatus) string {
	state := s.State
	switch {
	case state.Waiting != nil && !slices.Contains([]string{"", "ContainerCreating", "PodInitializing"}, state.Waiting.Reason):
		why := joined(state.Waiting.Reason, state.Waiting.Message)
		if t := s.LastTerminationState.Terminated; t != nil {
			why += "; " + exited(t)
		}
		return "container " + s.Name + ": " + why
	case state.Terminated != nil && state.Terminated.ExitCode != 0:
		return "container " + s.Name + ": " + exited(state.Terminated)
	}
	return ""
}

func exited(t *corev1.ContainerStateTerminated) string {
	return strings.TrimSuffix(fmt.Sprintf("it ended with code %d: %s", t.ExitCode, strings.TrimSpace(cmp.Or(t.Message, t.Reason))), ": ")
}

func joined(reason, message string) string {
	return strings.Trim(reason+": "+strings.TrimSpace(message), ": ")
}

// lastWarning is the newest warning event of an object.
func (c *Client) lastWarning(ctx context.Context, r lifecycle.ObjectRef) (string, error) {
	selector := fields.SelectorFromSet(fields.Set{"involvedObject.kind": r.Kind, "involvedObject.name": r.Name,
		"type": corev1.EventTypeWarning}).String()
	list, err := c.api.CoreV1().Events(cmp.Or(r.Namespace, metav1.NamespaceDefault)).
		List(ctx, metav1.ListOptions{FieldSelector: selector, Limit: podChunk})
	if err != nil {
		return "", fmt.Errorf("list the events of %s: %w", r, err)
	}
	var last *corev1.Event
	for i := range list.Items {
		if e := &list.Items[i]; last == nil || seen(last).Before(seen(e)) {
			last = e
		}
	}
	if last == nil {
		return "", nil
	}
	return joined(last.Reason, last.Message), nil
}

// seen is when an event happened last, in whichever field its source keeps it.
func seen(e *corev1.Event) *metav1.Time {
	switch {
	case !e.LastTimestamp.IsZero():
		return &e.LastTimestamp
	case e.Series != nil:
		return &metav1.Time{Time: e.Series.LastObservedTime.Time}
	case !e.EventTime.IsZero():
		return &metav1.Time{Time: e.EventTime.Time}
	}
	return &e.CreationTimestamp
}
