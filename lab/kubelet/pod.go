package kubelet

import (
	"encoding/json"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"kiban.dev/kiban/lab/images"
)

// run brings a pod up, or keeps it up.
func (p *pool) run(n *node, pod *corev1.Pod) (again time.Duration, err error) {
	s, fresh := p.ensure(pod)
	if fresh && s.restarts > 0 { // it ran before and was killed with its machine
		return p.opts.StartDelay, p.report(n, pod, waitingStatus(pod, s, "ContainerCreating", ""))
	}
	if wait := time.Until(s.readyAt); wait > 0 {
		return wait, nil
	}
	if s.life.Missing != "" {
		return p.noImage(n, pod, s)
	}
	if s.life.Fails != "" {
		return p.crash(n, pod, s)
	}
	if err := s.open(pod, n.worker.Addr, p.addresses, p.authority); err != nil {
		return p.notOpened(n, pod, s, err)
	}
	s.begin(p.ctx, images.Env{Config: p.config, Client: p.client, Authority: p.authority, Pod: pod, Log: p.opts.Log})
	if s.life.Exit != nil {
		if time.Since(s.readyAt) >= s.life.EndsAfter {
			code, message := s.life.Exit(n.ctx, p.client)
			return 0, p.report(n, pod, exitedStatus(pod, code, message))
		}
		again = time.Until(s.readyAt.Add(s.life.EndsAfter))
	} else if !s.well() {
		again = time.Until(s.readyAt.Add(s.life.ReadyAfter))
	}
	if reported(pod, s) {
		return again, nil
	}
	return again, p.report(n, pod, runningStatus(pod, s, n.worker.Addr))
}

// noImage reports a pod whose image can't be had, as it is, or once.
func (p *pool) noImage(n *node, pod *corev1.Pod, s *sandbox) (again time.Duration, err error) {
	if c := pod.Status.ContainerStatuses; len(c) > 0 && c[0].State.Waiting != nil && c[0].State.Waiting.Reason == reasonNoImage {
		return 0, nil
	}
	return 0, p.report(n, pod, waitingStatus(pod, s, reasonNoImage, `Back-off pulling image "`+s.life.Missing+`": not found`))
}

// crash reports a pod whose containers exit as soon as they are started.
func (p *pool) crash(n *node, pod *corev1.Pod, s *sandbox) (again time.Duration, err error) {
	if pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
		return 0, p.report(n, pod, exitedStatus(pod, 1, s.life.Fails))
	}
	if err := s.open(pod, n.worker.Addr, p.addresses, p.authority); err != nil {
		return p.notOpened(n, pod, s, err)
	}
	if crashed(pod, s) {
		return 0, nil
	}
	return 0, p.report(n, pod, crashedStatus(pod, s, n.worker.Addr))
}

// notOpened reports a pod that could not be given an address, or ports.
func (p *pool) notOpened(n *node, pod *corev1.Pod, s *sandbox, err error) (again time.Duration, failed error) {
	if errors.Is(err, errKilled) {
		return 0, err // and once more, with another sandbox
	}
	return 2 * time.Second, p.report(n, pod, waitingStatus(pod, s, "CreateContainerError", err.Error()))
}

// ensure returns the pod's sandbox, and whether it has only just been made.
func (p *pool) ensure(pod *corev1.Pod) (s *sandbox, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.sandboxes[pod.UID]; s != nil {
		return s, false
	}
	s = &sandbox{key: pod.Namespace + "/" + pod.Name, uid: pod.UID, node: pod.Spec.NodeName, readyAt: time.Now().Add(p.opts.StartDelay),
		life:     images.Of(pod),
		restarts: p.starts[pod.UID]}
	if started(pod) { // before this lab was started, maybe
		for _, c := range pod.Status.ContainerStatuses {
			s.restarts = max(s.restarts, c.RestartCount+1)
		}
	}
	p.sandboxes[pod.UID] = s
	return s, true
}

// end takes a pod that was deleted through its grace: it serves a little, then it listens no more, then it is over and forgotten.
func (p *pool) end(n *node, pod *corev1.Pod) (again time.Duration, err error) {
	s := p.sandbox(pod.UID)
	if s == nil {
		return 0, p.forget(n, pod)
	}
	serves, lasts, err := farewell(pod, p.opts.TerminateDelay)
	if err != nil {
		p.opts.Log.Warn("pod annotation ignored", "pod", s.key, "error", err)
	}
	since := s.askToEnd(time.Now())
	if wait := time.Until(since.Add(serves)); wait > 0 {
		return wait, nil
	}
	s.deafen()
	if wait := time.Until(since.Add(lasts)); wait > 0 {
		return wait, nil
	}
	if n.faults.HoldPods.Load() || n.faults.RuntimeDown.Load() {
		return 500 * time.Millisecond, nil
	}
	if err := p.report(n, pod, endedStatus(pod)); err != nil {
		return 0, err
	}
	p.kill(func(other *sandbox) bool { return other == s })
	return 0, p.forget(n, pod)
}

// forget removes a pod that is over from the API.
func (p *pool) forget(n *node, pod *corev1.Pod) error {
	now := int64(0)
	return p.client.CoreV1().Pods(pod.Namespace).Delete(n.ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
}

func (p *pool) report(n *node, pod *corev1.Pod, status corev1.PodStatus) error {
	patch, err := statusPatch(pod.UID, status)
	if err != nil {
		return err
	}
	_, err = p.client.CoreV1().Pods(pod.Namespace).Patch(n.ctx, pod.Name, types.StrategicMergePatchType, patch, metav1.PatchOptions{},
		"status")
	return err
}

// statusPatch is a strategic merge patch, so that the conditions of others stay. The addresses are replaced: merged, a pod that was started
// again would have its old one too.
func statusPatch(uid types.UID, status corev1.PodStatus) ([]byte, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"podIPs", "hostIPs"} {
		if list, ok := fields[name].([]any); ok {
			fields[name] = append([]any{map[string]any{"$patch": "replace"}}, list...)
		}
	}
	return json.Marshal(map[string]any{"metadata": map[string]any{"uid": uid}, "status": fields})
}

// started reports whether the API has the pod's containers as having run.
func started(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning }

// crashed reports whether the API has it that the pod's containers exit whenever they are started.
func crashed(pod *corev1.Pod, s *sandbox) bool {
	if !started(pod) || len(pod.Status.ContainerStatuses) == 0 {
		return false
	}
	c := pod.Status.ContainerStatuses[0]
	return c.RestartCount == s.restartCount() && c.State.Waiting != nil && c.State.Waiting.Reason == reasonCrashes
}

// reported reports whether the API has the pod as it is.
func reported(pod *corev1.Pod, s *sandbox) bool {
	if pod.Status.Phase != corev1.PodRunning || pod.Status.PodIP != s.address() || len(pod.Status.ContainerStatuses) == 0 {
		return false
	}
	return pod.Status.ContainerStatuses[0].RestartCount == s.restartCount() && condition(pod, corev1.PodReady) == readiness(pod, s)
}

func condition(pod *corev1.Pod, t corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range pod.Status.Conditions {
		if c.Type == t {
			return c.Status
		}
	}
	return corev1.ConditionUnknown
}

// readiness is what the Ready condition of a pod that runs has to be: true when its containers and its readiness gates are.
func readiness(pod *corev1.Pod, s *sandbox) corev1.ConditionStatus {
	if !s.well() {
		return corev1.ConditionFalse
	}
	for _, g := range pod.Spec.ReadinessGates {
		if condition(pod, g.ConditionType) != corev1.ConditionTrue {
			return corev1.ConditionFalse
		}
	}
	return corev1.ConditionTrue
}
