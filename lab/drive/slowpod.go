package drive

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SlowPod keeps one pod on the node, whose end takes that many seconds.
func SlowPod(node string, seconds int) *corev1.ReplicationController {
	one, grace := int32(1), int64(30)
	labels := map[string]string{"app": "slow", "node": node}
	return &corev1.ReplicationController{ObjectMeta: metav1.ObjectMeta{Name: "slow-" + node},
		Spec: corev1.ReplicationControllerSpec{Replicas: &one, Selector: labels,
			Template: &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels,
				Annotations: map[string]string{"lab.kiban.dev/terminate-after": fmt.Sprintf("%ds", seconds)}},
				Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &grace, NodeSelector: map[string]string{"kubernetes.io/hostname": node},
					Containers: []corev1.Container{{Name: "slow", Image: "registry.example/slow:1"}}}}}}
}
