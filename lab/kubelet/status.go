package kubelet

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func runningStatus(pod *corev1.Pod, s *sandbox, hostIP string) corev1.PodStatus {
	now, yes, containers := metav1.Now(), true, corev1.ConditionTrue
	if !s.well() {
		containers = corev1.ConditionFalse
	}
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: hostIP, HostIPs: []corev1.HostIP{{IP: hostIP}},
		PodIP: s.address(), PodIPs: []corev1.PodIP{{IP: s.address()}}, StartTime: &now,
		Conditions: conditions(now, containers, readiness(pod, s), ""),
	}
	for _, c := range pod.Spec.InitContainers {
		status.InitContainerStatuses = append(status.InitContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, ImageID: c.Image, Ready: true, ContainerID: "lab://" + string(pod.UID) + "/" + c.Name,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}},
		})
	}
	for _, c := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, ImageID: c.Image, Ready: s.well(), Started: &yes, RestartCount: s.restartCount(),
			ContainerID: fmt.Sprintf("lab://%s/%s/%d", pod.UID, c.Name, s.restartCount()),
			State:       corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	return status
}

// waitingStatus is of a pod whose containers do not run (again) yet.
func waitingStatus(pod *corev1.Pod, s *sandbox, reason, message string) corev1.PodStatus {
	status := corev1.PodStatus{Phase: pod.Status.Phase,
		Conditions: conditions(metav1.Now(), corev1.ConditionFalse, corev1.ConditionFalse, "ContainersNotReady")}
	if s.restarts > 0 {
		status.Phase = corev1.PodRunning
	}
	no := false
	for _, c := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Started: &no, RestartCount: s.restarts,
			State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		})
	}
	return status
}

// endedStatus is of a pod whose containers have all ended as they were asked to.
func endedStatus(pod *corev1.Pod) corev1.PodStatus {
	now, no := metav1.Now(), false
	status := corev1.PodStatus{Phase: corev1.PodSucceeded,
		Conditions: conditions(now, corev1.ConditionFalse, corev1.ConditionFalse, "PodCompleted")}
	for _, c := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Started: &no,
			State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", FinishedAt: now}},
		})
	}
	return status
}

func conditions(now metav1.Time, containers, ready corev1.ConditionStatus, reason string) []corev1.PodCondition {
	list := []corev1.PodCondition{
		{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue},
		{Type: corev1.ContainersReady, Status: containers, Reason: reason},
		{Type: corev1.PodReady, Status: ready, Reason: reason},
	}
	for i := range list {
		list[i].LastTransitionTime = now
	}
	return list
}

// exitedStatus is of a pod whose containers have ended by themselves.
func exitedStatus(pod *corev1.Pod, code int32, message string) corev1.PodStatus {
	status := endedStatus(pod)
	reason := "Completed"
	if code != 0 {
		status.Phase, reason = corev1.PodFailed, "Error"
	}
	for i := range status.ContainerStatuses {
		t := status.ContainerStatuses[i].State.Terminated
		t.ExitCode, t.Reason, t.Message = code, reason, message
	}
	return status
}

// reasonNoImage is why a container waits whose image can't be had.
const reasonNoImage = "ImagePullBackOff"

// reasonCrashes is why a container waits that exits whenever it is started.
const reasonCrashes = "CrashLoopBackOff"

// crashedStatus is of a pod whose containers exit whenever they are started, some times already.
func crashedStatus(pod *corev1.Pod, s *sandbox, hostIP string) corev1.PodStatus {
	status := runningStatus(pod, s, hostIP)
	now, no := metav1.Now(), false
	status.Conditions = conditions(now, corev1.ConditionFalse, corev1.ConditionFalse, "ContainersNotReady")
	for i := range status.ContainerStatuses {
		c := &status.ContainerStatuses[i]
		c.Ready, c.Started, c.RestartCount = false, &no, s.restartCount()
		c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: s.life.Fails, StartedAt: now,
			FinishedAt: now}
		c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reasonCrashes,
			Message: fmt.Sprintf("back-off 40s restarting failed container=%s pod=%s_%s(%s)", c.Name, pod.Name, pod.Namespace, pod.UID)}}
	}
	return status
}
