package kube

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// shape is a workload that a node is drained of.
type shape struct {
	name string
	// objects of the workload; the pods among them and in their templates are placed by the table.
	objects func() []runtime.Object
	// pods is how many pods of it are on the node before the drain begins, all in that phase; ready is how many of them are Ready.
	pods, ready int
	phase       corev1.PodPhase
	// nowhere: no other node takes its pods.
	nowhere bool
	// meanwhile is done to its pods just before the drain.
	deleted bool
}

const (
	imageMissing = "lab.kiban.dev/missing:1"
	appLabel     = "app"
)

func template(edit ...func(*corev1.PodTemplateSpec)) corev1.PodTemplateSpec {
	grace := int64(10)
	t := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{appLabel: "web"}},
		Spec: corev1.PodSpec{TerminationGracePeriodSeconds: &grace, Containers: []corev1.Container{{Name: "a", Image: "registry.example/web:1"}}}}
	for _, e := range edit {
		e(&t)
	}
	return t
}

func byLabel() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{appLabel: "web"}}
}

func deployment(n int32, edit ...func(*corev1.PodTemplateSpec)) runtime.Object {
	return &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{Replicas: &n, Selector: byLabel(), Template: template(edit...)}}
}

func statefulSet(n int32) runtime.Object {
	return &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec: appsv1.StatefulSetSpec{Replicas: &n, Selector: byLabel(), Template: template(), PodManagementPolicy: appsv1.ParallelPodManagement}}
}

func daemonSet() runtime.Object {
	return &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "agent"},
		Spec: appsv1.DaemonSetSpec{Selector: byLabel(), Template: template()}}
}

func barePod(edit ...func(*corev1.PodTemplateSpec)) runtime.Object {
	t := template(edit...)
	t.Name = "bare"
	return &corev1.Pod{ObjectMeta: t.ObjectMeta, Spec: t.Spec}
}

func job() runtime.Object {
	at, all := int32(2), int32(12)
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job"}, Spec: batchv1.JobSpec{Parallelism: &at, Completions: &all,
		Template: template(func(t *corev1.PodTemplateSpec) { t.Spec.RestartPolicy = corev1.RestartPolicyNever })}}
}

func budgetOf(edit func(*policyv1.PodDisruptionBudgetSpec)) runtime.Object {
	b := &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: policyv1.PodDisruptionBudgetSpec{Selector: byLabel()}}
	edit(&b.Spec)
	return b
}

func atLeast(n string) func(*policyv1.PodDisruptionBudgetSpec) {
	return func(s *policyv1.PodDisruptionBudgetSpec) { v := intstr.Parse(n); s.MinAvailable = &v }
}

func atMost(n string) func(*policyv1.PodDisruptionBudgetSpec) {
	return func(s *policyv1.PodDisruptionBudgetSpec) { v := intstr.Parse(n); s.MaxUnavailable = &v }
}

func alwaysAllow(s *policyv1.PodDisruptionBudgetSpec) {
	how := policyv1.AlwaysAllow
	s.UnhealthyPodEvictionPolicy = &how
}

func annotated(key, value string) func(*corev1.PodTemplateSpec) {
	return func(t *corev1.PodTemplateSpec) {
		if t.Annotations == nil {
			t.Annotations = map[string]string{}
		}
		t.Annotations[key] = value
	}
}

func image(name string) func(*corev1.PodTemplateSpec) {
	return func(t *corev1.PodTemplateSpec) { t.Spec.Containers[0].Image = name }
}

func tolerating(t *corev1.PodTemplateSpec) {
	t.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
}

func scratchSpace(t *corev1.PodTemplateSpec) {
	t.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
}

func crashing(t *corev1.PodTemplateSpec) { annotated("lab.kiban.dev/fails", "it crashes")(t) }

func of(objects ...runtime.Object) func() []runtime.Object {
	return func() []runtime.Object {
		var out []runtime.Object
		for _, o := range objects {
			out = append(out, o.DeepCopyObject())
		}
		return out
	}
}

// shapes are those of docs/drains.md.
func shapes() []shape {
	secondBudget := budgetOf(atLeast("0")).(*policyv1.PodDisruptionBudget)
	secondBudget.Name = "web-too"
	everything := budgetOf(atMost("1")).(*policyv1.PodDisruptionBudget)
	everything.Spec.Selector = &metav1.LabelSelector{}
	foreign := barePod().(*corev1.Pod)
	yes := true
	foreign.OwnerReferences = []metav1.OwnerReference{{APIVersion: "example.com/v1", Kind: "Machine", Name: "m", UID: "1", Controller: &yes}}
	mirror := barePod(annotated(corev1.MirrorPodAnnotationKey, "x")).(*corev1.Pod)
	running := corev1.PodRunning
	return []shape{
		{name: "Deployment, no budget", objects: of(deployment(3)), pods: 3, ready: 3, phase: running},
		{name: "Deployment of 2, minAvailable 1", objects: of(deployment(2), budgetOf(atLeast("1"))), pods: 2, ready: 2, phase: running},
		{name: "Deployment of 3, maxUnavailable 1", objects: of(deployment(3), budgetOf(atMost("1"))), pods: 3, ready: 3, phase: running},
		{name: "Deployment of 4, minAvailable 50%", objects: of(deployment(4), budgetOf(atLeast("50%"))), pods: 4, ready: 4, phase: running},
		{name: "Deployment of 20, maxUnavailable 10%", objects: of(deployment(20), budgetOf(atMost("10%"))), pods: 20, ready: 20, phase: running},
		{name: "a budget over all of the namespace", objects: of(deployment(2), everything), pods: 2, ready: 2, phase: running},
		{name: "maxUnavailable 0", objects: of(deployment(2), budgetOf(atMost("0"))), pods: 2, ready: 2, phase: running},
		{name: "one replica, minAvailable 1", objects: of(deployment(1), budgetOf(atLeast("1"))), pods: 1, ready: 1, phase: running},
		{name: "two budgets over a pod", objects: of(deployment(1), budgetOf(atLeast("0")), secondBudget), pods: 1, ready: 1, phase: running},
		{name: "Pending (no image), minAvailable 1", objects: of(deployment(1, image(imageMissing)), budgetOf(atLeast("1"))), pods: 1,
			phase: corev1.PodPending},
		{name: "crash-looping, minAvailable 1", objects: of(deployment(1, crashing), budgetOf(atLeast("1"))), pods: 1, phase: running},
		{name: "crash-looping, minAvailable 1, AlwaysAllow", objects: of(deployment(1, crashing),
			budgetOf(func(s *policyv1.PodDisruptionBudgetSpec) { atLeast("1")(s); alwaysAllow(s) })), pods: 1, phase: running},
		{name: "not Ready for long, maxUnavailable 1", objects: of(deployment(2, annotated("lab.kiban.dev/ready-after", "300s")),
			budgetOf(atMost("1"))), pods: 2, phase: running},
		{name: "completed pod without an owner", objects: of(barePod(func(t *corev1.PodTemplateSpec) {
			t.Spec.RestartPolicy = corev1.RestartPolicyNever
		})), pods: 1, phase: corev1.PodSucceeded},
		{name: "failed pod without an owner", objects: of(barePod(crashing, func(t *corev1.PodTemplateSpec) {
			t.Spec.RestartPolicy = corev1.RestartPolicyNever
		})), pods: 1, phase: corev1.PodFailed},
		{name: "pod without an owner", objects: of(barePod()), pods: 1, ready: 1, phase: running},
		{name: "pod of an unknown controller", objects: of(foreign), pods: 1, ready: 1, phase: running},
		{name: "static pod", objects: of(mirror), pods: 1, ready: 1, phase: running},
		{name: "emptyDir", objects: of(deployment(2, scratchSpace)), pods: 2, ready: 2, phase: running},
		{name: "a finalizer that nobody takes away", objects: of(deployment(1, func(t *corev1.PodTemplateSpec) {
			t.Finalizers = []string{"example.com/detach"}
		})), pods: 1, ready: 1, phase: running},
		{name: "tolerates every taint", objects: of(deployment(2, tolerating)), pods: 2, ready: 2, phase: running},
		{name: "bound to the node by its template", objects: of(deployment(2, annotated(bindHere, "true"))), pods: 2, ready: 2, phase: running},
		{name: "takes 8 s of 10 s grace to end", objects: of(deployment(2, annotated("lab.kiban.dev/terminate-after", "8s"))), pods: 2, ready: 2,
			phase: running},
		{name: "is ending when the drain begins", objects: of(deployment(1, annotated("lab.kiban.dev/terminate-after", "4s"))), pods: 1, ready: 1,
			phase: running, deleted: true},
		{name: "Job", objects: of(job()), pods: 2, phase: running},
		{name: "StatefulSet of 1", objects: of(statefulSet(1)), pods: 1, ready: 1, phase: running},
		{name: "StatefulSet of 1, minAvailable 1", objects: of(statefulSet(1), budgetOf(atLeast("1"))), pods: 1, ready: 1, phase: running},
		{name: "StatefulSet of 3, maxUnavailable 1", objects: of(statefulSet(3), budgetOf(atMost("1"))), pods: 3, ready: 3, phase: running},
		{name: "DaemonSet with a budget", objects: of(daemonSet(), budgetOf(atLeast("1"))), pods: 1, ready: 1, phase: running, nowhere: true},
		{name: "no other node, no budget", objects: of(deployment(2)), pods: 2, ready: 2, phase: running, nowhere: true},
		{name: "no other node, minAvailable 1 of 2", objects: of(deployment(2), budgetOf(atLeast("1"))), pods: 2, ready: 2, phase: running,
			nowhere: true},
	}
}

// bindHere is on templates that are to name the node themselves.
const bindHere = "kiban.test/bind"

// place lets pods of the template run on the node, best there, and on another one that takes them from it.
func place(t *corev1.PodTemplateSpec, node, other string, nowhere bool) {
	if t.Annotations[bindHere] != "" {
		t.Spec.NodeName = node
		return
	}
	hosts := []string{node}
	if !nowhere {
		hosts = append(hosts, other)
	}
	in := func(names ...string) corev1.NodeSelectorTerm {
		return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname,
			Operator: corev1.NodeSelectorOpIn, Values: names}}}
	}
	t.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution:  &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{in(hosts...)}},
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 100, Preference: in(node)}},
	}}
}

// placed is the object with its pods placed.
func placed(o runtime.Object, node, other string, nowhere bool) (runtime.Object, error) {
	switch o := o.(type) {
	case *appsv1.Deployment:
		place(&o.Spec.Template, node, other, nowhere)
	case *appsv1.StatefulSet:
		place(&o.Spec.Template, node, other, nowhere)
	case *appsv1.DaemonSet:
		place(&o.Spec.Template, node, other, nowhere)
	case *batchv1.Job:
		place(&o.Spec.Template, node, other, nowhere)
	case *corev1.Pod:
		o.Spec.NodeName = node
	case *policyv1.PodDisruptionBudget:
	default:
		return nil, fmt.Errorf("%T is placed nowhere", o)
	}
	return o, nil
}
