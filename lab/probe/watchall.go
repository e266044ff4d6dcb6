package probe

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"kiban.dev/kiban/lab/kubelet"
)

// watch keeps everything up to date until ctx ends, and returns once all that there is has been taken in. Pods come first, so that it is
// known which of them answer when their Services come.
func (a *All) watch(ctx context.Context) error {
	factory := informers.NewSharedInformerFactoryWithOptions(a.client, 0, informers.WithTransform(lean))
	apps := factory.Apps().V1()
	if err := taken(ctx, factory, on(factory.Core().V1().Pods().Informer(), func(pod *corev1.Pod, gone bool) {
		a.services.pod(pod)
		a.workloads.pod(pod, gone)
	})); err != nil {
		return err
	}
	return taken(ctx, factory,
		on(factory.Core().V1().Services().Informer(), func(s *corev1.Service, gone bool) {
			if gone {
				a.services.gone(name{s.Namespace, s.Name})
			}
		}),
		on(factory.Discovery().V1().EndpointSlices().Informer(), a.services.slice),
		on(apps.Deployments().Informer(), func(d *appsv1.Deployment, gone bool) {
			a.workloads.wants("Deployment", d.Namespace, d.Name, replicas(d.Spec.Replicas), gone)
		}),
		on(apps.StatefulSets().Informer(), func(s *appsv1.StatefulSet, gone bool) {
			a.workloads.wants("StatefulSet", s.Namespace, s.Name, replicas(s.Spec.Replicas), gone)
		}),
		on(apps.ReplicaSets().Informer(), func(r *appsv1.ReplicaSet, gone bool) {
			if metav1.GetControllerOf(r) == nil {
				a.workloads.wants("ReplicaSet", r.Namespace, r.Name, replicas(r.Spec.Replicas), gone)
			}
		}),
		on(apps.DaemonSets().Informer(), func(d *appsv1.DaemonSet, gone bool) {
			a.workloads.wants("DaemonSet", d.Namespace, d.Name, int(d.Status.DesiredNumberScheduled), gone)
		}))
}

// listener is a handler of an informer; synced says whether it has been told of all that there is.
type listener struct {
	synced cache.InformerSynced
	err    error
}

// taken starts what the listeners listen to and waits until each has been told of all that there is.
func taken(ctx context.Context, factory informers.SharedInformerFactory, listeners ...listener) error {
	factory.Start(ctx.Done())
	for _, l := range listeners {
		if l.err != nil {
			return l.err
		}
		if !cache.WaitForCacheSync(ctx.Done(), l.synced) {
			return fmt.Errorf("read what there is: %w", context.Cause(ctx))
		}
	}
	return nil
}

// on calls do for every object as it is now, and when it is gone.
func on[T any](informer cache.SharedIndexInformer, do func(o T, gone bool)) listener {
	r, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { known(o, do, false) }, UpdateFunc: func(_, o any) { known(o, do, false) },
		DeleteFunc: func(o any) {
			if last, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = last.Obj
			}
			known(o, do, true)
		},
	})
	if err != nil {
		return listener{err: err}
	}
	return listener{synced: r.HasSynced}
}

func known[T any](o any, do func(T, bool), gone bool) {
	if v, ok := o.(T); ok {
		do(v, gone)
	}
}

func replicas(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}

// lean keeps of objects what is looked at here: there may be thousands.
func lean(o any) (any, error) {
	if accessor, ok := o.(metav1.Object); ok {
		accessor.SetManagedFields(nil)
	}
	switch v := o.(type) {
	case *corev1.Pod:
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: v.Name, Namespace: v.Namespace, UID: v.UID, ResourceVersion: v.ResourceVersion,
			DeletionTimestamp: v.DeletionTimestamp, OwnerReferences: v.OwnerReferences,
			Labels:      map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: v.Labels[appsv1.DefaultDeploymentUniqueLabelKey]},
			Annotations: map[string]string{kubelet.AnnotationServe: v.Annotations[kubelet.AnnotationServe]}}}
		for _, c := range v.Spec.Containers {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Ports: c.Ports})
		}
		pod.Status.Conditions = v.Status.Conditions
		return pod, nil
	case *appsv1.Deployment:
		v.Spec.Template, v.Annotations = corev1.PodTemplateSpec{}, nil
	case *appsv1.StatefulSet:
		v.Spec.Template, v.Annotations = corev1.PodTemplateSpec{}, nil
	case *appsv1.ReplicaSet:
		v.Spec.Template, v.Annotations = corev1.PodTemplateSpec{}, nil
	case *appsv1.DaemonSet:
		v.Spec.Template, v.Annotations = corev1.PodTemplateSpec{}, nil
	case *discoveryv1.EndpointSlice:
		v.Annotations = nil
	}
	return o, nil
}
