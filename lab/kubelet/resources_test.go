package kubelet

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestANodeHasWhatItsMachineHas: what was said of the machine, and the lab's own figures for the rest.
func TestANodeHasWhatItsMachineHas(t *testing.T) {
	w := Worker{Name: "a", Version: "v1.36.3+k0s.2", Arch: "arm64",
		Capacity:    corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4"), "nvidia.com/gpu": resource.MustParse("2")},
		Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("3500m")}}
	n := newNode(w, &Faults{})
	s := n.status(nil)
	gpu := s.Allocatable["nvidia.com/gpu"]
	if s.Capacity.Cpu().Value() != 4 || s.Allocatable.Cpu().MilliValue() != 3500 || gpu.Value() != 2 || s.Allocatable.Pods().Value() != 110 ||
		s.Capacity.Memory().String() != "64Gi" {
		t.Errorf("capacity %v, allocatable %v", s.Capacity, s.Allocatable)
	}
	if s.NodeInfo.Architecture != "arm64" || n.object().Labels[corev1.LabelArchStable] != "arm64" {
		t.Errorf("%s, %v", s.NodeInfo.Architecture, n.object().Labels)
	}
	plain := newNode(Worker{Name: "b"}, &Faults{}).status(nil)
	if plain.NodeInfo.Architecture != "amd64" || plain.Allocatable.Cpu().Value() != 16 {
		t.Errorf("%+v", plain)
	}
}
