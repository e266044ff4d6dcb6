// Package schedule makes small clusters by chance, and lets the scheduler that Kubernetes has say where their pods go when nodes are out of
// service: its own code and plugins, run in this process without an API server. What kiban says of the same clusters is held against that.
package schedule

import corev1 "k8s.io/api/core/v1"
import storagev1 "k8s.io/api/storage/v1"

// Cluster is a cluster as its API would tell it.
type Cluster struct {
	Seed       uint64                         `json:"seed"`
	Namespaces []corev1.Namespace             `json:"namespaces"`
	Nodes      []corev1.Node                  `json:"nodes"`
	Pods       []corev1.Pod                   `json:"pods"`
	Volumes    []corev1.PersistentVolume      `json:"volumes"`
	Claims     []corev1.PersistentVolumeClaim `json:"claims"`
	Classes    []storagev1.StorageClass       `json:"classes"`
	Turns      []Turn                         `json:"turns"`
}

// Turn is what the scheduler did while nodes were out of service together.
type Turn struct {
	Out []string `json:"out"`
	// Orders are the orders in which the pods came back, each with those that found no place: "namespace/name".
	Orders [][]string `json:"orders"`
	// Why are the scheduler's own words for those that found no place.
	Why map[string]string `json:"why"`
}
