package kubelet

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// resources are the node's capacity, and what of it pods may have.
func (w Worker) resources() (capacity, allocatable corev1.ResourceList) {
	capacity = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("16"), corev1.ResourceMemory: resource.MustParse("64Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	maps.Copy(capacity, w.Capacity)
	allocatable = maps.Clone(capacity)
	maps.Copy(allocatable, w.Allocatable)
	return capacity, allocatable
}

func (w Worker) arch() string {
	if w.Arch == "" {
		return "amd64"
	}
	return w.Arch
}
