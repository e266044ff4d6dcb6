package drive

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
)

// Population is what runs in a cluster that is a copy of another one: pods are there first, on the nodes where they were, and are adopted
// by their workloads afterwards. Each workload has a Service.
type Population struct {
	Namespaces int
	// Deployments of Replicas pods each, StatefulSets of Members pods each; DaemonSets have a pod on every node.
	Deployments, Replicas int
	StatefulSets, Members int
	DaemonSets            int
}

// Pods is how many pods there are on so many nodes.
func (p Population) Pods(nodes int) int {
	return p.Deployments*p.Replicas + p.StatefulSets*p.Members + p.DaemonSets*nodes
}

// loader creates objects, some at a time.
type loader struct {
	client kubernetes.Interface
	nodes  []string
	next   int
	// seen are the pods as a watch tells of them, so that thousands need not be listed again and again.
	seen cache.Store
}

// inFlight is how many requests a loader has on their way at one time.
const inFlight = 32

// Load creates all of it. When it returns, every pod is Ready and has its owner.
func (p Population) Load(ctx context.Context, client kubernetes.Interface, nodes []string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.LabelSelector = "app" }))
	l := &loader{client: client, nodes: nodes, seen: factory.Core().V1().Pods().Informer().GetStore()}
	factory.Start(ctx.Done())
	var pods []*corev1.Pod
	var owners []func(context.Context) error
	for i := range p.Deployments {
		d := l.deployment(p.namespace(i), fmt.Sprintf("web-%d", i), p.Replicas)
		pods, owners = append(pods, d.pods...), append(owners, d.own)
	}
	for i := range p.StatefulSets {
		s := l.statefulSet(p.namespace(i), fmt.Sprintf("db-%d", i), p.Members)
		pods, owners = append(pods, s.pods...), append(owners, s.own)
	}
	for i := range p.DaemonSets {
		d := l.daemonSet(p.namespace(i), fmt.Sprintf("agent-%d", i))
		pods, owners = append(pods, d.pods...), append(owners, d.own)
	}
	var spaces, services, create []func(context.Context) error
	for i := range p.Namespaces {
		spaces = append(spaces, func(ctx context.Context) error {
			_, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace(i)}},
				metav1.CreateOptions{})
			return err
		})
	}
	seen := map[string]bool{}
	for _, pod := range pods {
		create = append(create, func(ctx context.Context) error { return l.pod(ctx, pod) })
		if app := pod.Namespace + "/" + pod.Labels["app"]; !seen[app] {
			seen[app] = true
			services = append(services, func(ctx context.Context) error { return l.service(ctx, pod.Namespace, pod.Labels["app"]) })
		}
	}
	for _, round := range [][]func(context.Context) error{spaces, services, create} {
		if err := together(ctx, round); err != nil {
			return err
		}
	}
	// Controllers that have not heard of every pod yet would make others in their place.
	if err := l.until(ctx, len(pods), "Ready", ready); err != nil {
		return err
	}
	if err := together(ctx, owners); err != nil {
		return err
	}
	return l.until(ctx, len(pods), "Ready and owned", func(pod *corev1.Pod) bool { return ready(pod) && metav1.GetControllerOf(pod) != nil })
}

func (p Population) namespace(i int) string { return fmt.Sprintf("team-%d", i%p.Namespaces) }

// together does all of it, so many at a time; the first error ends it.
func together(ctx context.Context, all []func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, inFlight)
	var wg sync.WaitGroup
	for _, do := range all {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := do(ctx); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}

// workload is one workload: its pods, and what makes it theirs.
type workload struct {
	pods []*corev1.Pod
	own  func(context.Context) error
}

func template(app string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}, Annotations: map[string]string{"lab.kiban.dev/serve": "true"}},
		Spec: corev1.PodSpec{TerminationGracePeriodSeconds: ptr.To[int64](10), Containers: []corev1.Container{{
			Name: "main", Image: "registry.example.com/" + app + ":1", Ports: []corev1.ContainerPort{{ContainerPort: 8080}},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m"),
				corev1.ResourceMemory: resource.MustParse("64Mi")}},
		}}},
	}
}

// podOf is a pod of a template, on the next node.
func (l *loader) podOf(t corev1.PodTemplateSpec, namespace, name string, labels map[string]string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: *t.ObjectMeta.DeepCopy(), Spec: *t.Spec.DeepCopy()}
	pod.Namespace, pod.Name = namespace, name
	for k, v := range labels {
		pod.Labels[k] = v
	}
	pod.Spec.NodeName = l.nodes[l.next%len(l.nodes)]
	l.next++
	return pod
}

// deployment: the ReplicaSet, which bears the hash that its pods bear, comes before the Deployment, which takes it for its own because
// their templates are alike.
func (l *loader) deployment(namespace, name string, replicas int) workload {
	const hash = "7d4b9c6f5"
	t, n := template(name), int32(replicas)
	var w workload
	for i := range replicas {
		w.pods = append(w.pods, l.podOf(t, namespace, fmt.Sprintf("%s-%s-%05d", name, hash, i),
			map[string]string{appsv1.DefaultDeploymentUniqueLabelKey: hash}))
	}
	w.own = func(ctx context.Context) error {
		hashed := *t.DeepCopy()
		hashed.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
		_, err := l.client.AppsV1().ReplicaSets(namespace).Create(ctx, &appsv1.ReplicaSet{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-" + hash, Labels: hashed.Labels},
			Spec:       appsv1.ReplicaSetSpec{Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: hashed.Labels}, Template: hashed},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		_, err = l.client.AppsV1().Deployments(namespace).Create(ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: appsv1.DeploymentSpec{Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, Template: t},
		}, metav1.CreateOptions{})
		return err
	}
	return w
}

// statefulSet: its pods have to bear the name of the revision that the controller makes of the template. Until they do, it must not replace
// them: it is created with OnDelete.
func (l *loader) statefulSet(namespace, name string, members int) workload {
	t, n := template(name), int32(members)
	var w workload
	for i := range members {
		pod := fmt.Sprintf("%s-%d", name, i)
		w.pods = append(w.pods, l.podOf(t, namespace, pod, map[string]string{appsv1.StatefulSetPodNameLabel: pod,
			appsv1.StatefulSetRevisionLabel: "of-the-original"}))
	}
	w.own = func(ctx context.Context) error {
		sets := l.client.AppsV1().StatefulSets(namespace)
		_, err := sets.Create(ctx, &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.StatefulSetSpec{
			Replicas: &n, ServiceName: name, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, Template: t,
			UpdateStrategy: appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}},
		}, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		var revision string
		err = poll(ctx, func() (bool, error) {
			s, err := sets.Get(ctx, name, metav1.GetOptions{})
			if err == nil {
				revision = s.Status.UpdateRevision
			}
			return revision != "", err
		})
		if err != nil {
			return err
		}
		label := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, appsv1.StatefulSetRevisionLabel, revision)
		for _, pod := range w.pods {
			if _, err := l.client.CoreV1().Pods(namespace).Patch(ctx, pod.Name, types.MergePatchType, label, metav1.PatchOptions{}); err != nil {
				return err
			}
		}
		if err := poll(ctx, func() (bool, error) { // it must have heard of that
			s, err := sets.Get(ctx, name, metav1.GetOptions{})
			return err == nil && s.Status.UpdatedReplicas == n, err
		}); err != nil {
			return err
		}
		_, err = sets.Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"updateStrategy":{"type":"RollingUpdate"}}}`), metav1.PatchOptions{})
		return err
	}
	return w
}

// daemonSet: a pod that bears the generation of the template is as good as one that bears its revision.
func (l *loader) daemonSet(namespace, name string) workload {
	t := template(name)
	var w workload
	for i, node := range l.nodes {
		pod := l.podOf(t, namespace, fmt.Sprintf("%s-%05d", name, i), map[string]string{"pod-template-generation": "1",
			appsv1.DefaultDaemonSetUniqueLabelKey: "original"})
		pod.Spec.NodeName = node
		w.pods = append(w.pods, pod)
	}
	w.own = func(ctx context.Context) error {
		_, err := l.client.AppsV1().DaemonSets(namespace).Create(ctx, &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: appsv1.DaemonSetSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}, Template: t}},
			metav1.CreateOptions{})
		return err
	}
	return w
}

// pod creates a pod. In a new namespace that is refused until the controller manager has made its service account.
func (l *loader) pod(ctx context.Context, pod *corev1.Pod) error {
	return poll(ctx, func() (bool, error) {
		_, err := l.client.CoreV1().Pods(pod.Namespace).Create(ctx, pod, metav1.CreateOptions{})
		if apierrors.IsForbidden(err) {
			return false, nil
		}
		return err == nil, err
	})
}

func (l *loader) service(ctx context.Context, namespace, app string) error {
	_, err := l.client.CoreV1().Services(namespace).Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: app},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": app},
			Ports: []corev1.ServicePort{{Port: 80, TargetPort: intstr.FromInt32(8080)}}}}, metav1.CreateOptions{})
	return err
}

// until waits until so many pods are as they are to be.
func (l *loader) until(ctx context.Context, want int, what string, is func(*corev1.Pod) bool) error {
	n := 0
	err := poll(ctx, func() (bool, error) {
		n = 0
		for _, o := range l.seen.List() {
			if pod, ok := o.(*corev1.Pod); ok && is(pod) {
				n++
			}
		}
		return n >= want, nil
	})
	if err != nil {
		return fmt.Errorf("%d of %d pods are %s: %w", n, want, what, err)
	}
	return nil
}

func ready(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// poll asks until it is so, or until ctx or an error ends it.
func poll(ctx context.Context, is func() (bool, error)) error {
	for {
		if ok, err := is(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
}
