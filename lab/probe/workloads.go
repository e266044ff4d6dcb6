package probe

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// workloads count the Ready pods of each workload, by the pods themselves: the status of a workload is written by the controller manager,
// which may be away.
type workloads struct {
	mu    sync.Mutex
	began bool
	all   map[workloadKey]*workload
	// pods are the Ready ones, with whose they are.
	pods map[types.UID]workloadKey
}

type workloadKey struct {
	kind string
	name
}

// workload is one Deployment, StatefulSet, DaemonSet or ReplicaSet that no Deployment has.
type workload struct {
	desired, ready int
	// known: the workload itself has been seen, so that desired holds.
	known bool
	// counting: fewest holds.
	counting bool
	fewest   int
	fewestAt time.Time
}

func newWorkloads() *workloads {
	return &workloads{all: map[workloadKey]*workload{}, pods: map[types.UID]workloadKey{}}
}

// begin starts the count with what is Ready now.
func (w *workloads) begin(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = true
	for _, v := range w.all {
		if v.known {
			v.counting, v.fewest, v.fewestAt = true, v.ready, now
		}
	}
}

// owner is whose a pod is. A Deployment's pods are its ReplicaSets', which it names after itself and the hash of their template.
func owner(pod *corev1.Pod) (workloadKey, bool) {
	ref := metav1.GetControllerOf(pod)
	if ref == nil {
		return workloadKey{}, false
	}
	switch ref.Kind {
	case "ReplicaSet":
		if hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; hash != "" && strings.HasSuffix(ref.Name, "-"+hash) {
			return workloadKey{"Deployment", name{pod.Namespace, strings.TrimSuffix(ref.Name, "-"+hash)}}, true
		}
	case "StatefulSet", "DaemonSet":
	default:
		return workloadKey{}, false
	}
	return workloadKey{ref.Kind, name{pod.Namespace, ref.Name}}, true
}

// pod takes in a pod as it is now; gone: it was deleted.
func (w *workloads) pod(pod *corev1.Pod, gone bool) {
	key, owned := owner(pod)
	is := owned && !gone && isReady(pod)
	w.mu.Lock()
	defer w.mu.Unlock()
	before, was := w.pods[pod.UID]
	if was && (!is || before != key) {
		delete(w.pods, pod.UID)
		w.change(before, -1)
		was = false
	}
	if is && !was {
		w.pods[pod.UID] = key
		w.change(key, 1)
	}
}

func (w *workloads) change(key workloadKey, by int) {
	v := w.of(key)
	v.ready += by
	w.look(v)
}

func (w *workloads) of(key workloadKey) *workload {
	v := w.all[key]
	if v == nil {
		v = &workload{}
		w.all[key] = v
	}
	return v
}

// look keeps the fewest.
func (w *workloads) look(v *workload) {
	if !w.began || !v.known {
		return
	}
	if !v.counting {
		if v.ready < v.desired || v.ready == 0 {
			return // it is on its way up
		}
		v.counting, v.fewest, v.fewestAt = true, v.ready, time.Now()
	}
	if v.ready < v.fewest {
		v.fewest, v.fewestAt = v.ready, time.Now()
	}
}

// wants notes how many pods a workload is to have; gone: it was deleted.
func (w *workloads) wants(kind, namespace, called string, desired int, gone bool) {
	key := workloadKey{kind, name{namespace, called}}
	w.mu.Lock()
	defer w.mu.Unlock()
	if gone {
		if v := w.all[key]; v != nil { // what was seen of it is told, its end is no loss
			v.known = false
		}
		return
	}
	v := w.of(key)
	v.known, v.desired = true, desired
	w.look(v)
}

func (w *workloads) report() []WorkloadReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []WorkloadReport{}
	for key, v := range w.all {
		if v.counting {
			list = append(list, WorkloadReport{Kind: key.kind, Namespace: key.namespace, Name: key.name.name, Desired: v.desired, Ready: v.ready,
				Fewest: v.fewest, FewestAt: v.fewestAt})
		}
	}
	slices.SortFunc(list, func(a, b WorkloadReport) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}
