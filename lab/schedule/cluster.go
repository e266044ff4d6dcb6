package schedule

import (
	"fmt"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// dice makes a cluster.
type dice struct {
	*rand.Rand
	c *Cluster
}

// Random makes the cluster of a seed. Its pods are not placed yet, but for those of daemon sets.
func Random(seed uint64) *Cluster {
	d := dice{rand.New(rand.NewPCG(seed, 0x6b6962616e)), &Cluster{Seed: seed}}
	for i, name := range []string{"shop", "bank"} {
		d.c.Namespaces = append(d.c.Namespaces, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name,
			Labels: map[string]string{"kubernetes.io/metadata.name": name, "tier": []string{"front", "back"}[i]}}})
	}
	d.c.Classes = []storagev1.StorageClass{{ObjectMeta: metav1.ObjectMeta{Name: "local"}, Provisioner: "kubernetes.io/no-provisioner",
		VolumeBindingMode: ptr.To(storagev1.VolumeBindingWaitForFirstConsumer)}}
	for i := range 3 + d.IntN(7) {
		d.node(i)
	}
	for i := range 4 + d.IntN(9) {
		d.workload(i)
	}
	if d.IntN(2) == 0 {
		d.daemons()
	}
	return d.c
}

// one in n times.
func (d dice) one(n int) bool { return d.IntN(n) == 0 }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func (d dice) zone() string { return pick(d, "a", "b", "c") }

func (d dice) node(i int) {
	name := fmt.Sprintf("n%d", i)
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name,
		"disk": pick(d, "ssd", "ssd", "hdd"), "generation": pick(d, "3", "5", "8")}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU:              *resource.NewMilliQuantity(int64(1000*(2+d.IntN(7))), resource.DecimalSI),
			corev1.ResourceMemory:           *resource.NewQuantity(int64(2+d.IntN(10))<<30, resource.BinarySI),
			corev1.ResourceEphemeralStorage: *resource.NewQuantity(int64(10+d.IntN(20))<<30, resource.BinarySI),
			corev1.ResourcePods:             *resource.NewQuantity(int64(6+d.IntN(12)), resource.DecimalSI),
		}}}
	if !d.one(6) {
		n.Labels[corev1.LabelTopologyZone] = d.zone()
	}
	if d.one(3) {
		n.Status.Allocatable["example.com/gpu"] = *resource.NewQuantity(int64(1+d.IntN(2)), resource.DecimalSI)
	}
	if d.one(5) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "dedicated", Value: pick(d, "shop", "bank"),
			Effect: pick(d, corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute)})
	}
	if d.one(12) {
		n.Spec.Unschedulable = true
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule})
	}
	n.Status.Capacity = n.Status.Allocatable
	d.c.Nodes = append(d.c.Nodes, n)
}

func (d dice) container(name string) corev1.Container {
	c := corev1.Container{Name: name, Image: "registry.example/app:1"}
	if d.one(5) {
		return c // of no requests
	}
	c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: *resource.NewMilliQuantity(int64(100*(1+d.IntN(9))), resource.DecimalSI)}
	if !d.one(3) {
		c.Resources.Requests[corev1.ResourceMemory] = *resource.NewQuantity(int64(128*(1+d.IntN(8)))<<20, resource.BinarySI)
	}
	if d.one(8) {
		c.Resources.Requests[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(int64(1+d.IntN(12))<<30, resource.BinarySI)
	}
	if d.one(25) {
		c.Resources.Requests["example.com/gpu"] = resource.MustParse("1")
		c.Resources.Limits = corev1.ResourceList{"example.com/gpu": resource.MustParse("1")}
	}
	return c
}

// workload makes the pods of one workload.
func (d dice) workload(i int) {
	app := fmt.Sprintf("app%d", i)
	namespace := pick(d, "shop", "shop", "bank")
	labels := map[string]string{"app": app, "part": pick(d, "web", "db")}
	spec := corev1.PodSpec{SchedulerName: corev1.DefaultSchedulerName, Containers: []corev1.Container{d.container("a")}}
	d.containers(&spec)
	d.nodes(&spec, namespace)
	d.neighbours(&spec, labels, i)
	d.spreading(&spec, labels)
	if d.one(6) {
		spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: int32(8080 + d.IntN(2)),
			Protocol: pick(d, corev1.ProtocolTCP, corev1.ProtocolUDP), HostIP: pick(d, "", "", "0.0.0.0", "10.0.0.1")}}
	}
	spec.Priority = ptr.To(pick[int32](d, 0, 0, 0, 100, 1000))
	if d.one(4) {
		spec.PreemptionPolicy = ptr.To(corev1.PreemptNever)
	}
	kind := pick(d, "ReplicaSet", "ReplicaSet", "StatefulSet")
	volumes := kind == "StatefulSet" && d.one(2)
	for r := range 1 + d.IntN(8) {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s-%d", app, r), Labels: map[string]string{},
			UID: types.UID(fmt.Sprintf("%s-%s-%d", namespace, app, r)), OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind,
				Name: app, UID: types.UID(app), Controller: ptr.To(true)}}}, Spec: *spec.DeepCopy(), Status: corev1.PodStatus{Phase: corev1.PodRunning}}
		for k, v := range labels {
			p.Labels[k] = v
		}
		if kind == "StatefulSet" {
			p.Labels["statefulset.kubernetes.io/pod-name"] = p.Name
		}
		if volumes {
			d.volume(&p)
		}
		if d.one(40) {
			p.OwnerReferences = nil
		}
		d.c.Pods = append(d.c.Pods, p)
	}
}

// containers adds what else counts for a pod's requests.
func (d dice) containers(spec *corev1.PodSpec) {
	if d.one(4) {
		spec.Containers = append(spec.Containers, d.container("b"))
	}
	if d.one(5) {
		spec.InitContainers = append(spec.InitContainers, d.container("first"))
	}
	if d.one(6) {
		sidecar := d.container("beside")
		sidecar.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
		spec.InitContainers = append(spec.InitContainers, sidecar)
	}
	if d.one(10) {
		spec.Overhead = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("150m"), corev1.ResourceMemory: resource.MustParse("120Mi")}
	}
	if d.one(12) {
		spec.Resources = &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1800m")}}
	}
}

// nodes says which nodes a pod may be on.
func (d dice) nodes(spec *corev1.PodSpec, namespace string) {
	if d.one(8) {
		spec.NodeSelector = map[string]string{"disk": pick(d, "ssd", "hdd")}
	}
	if d.one(8) {
		spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{d.nodeTerm()}}}}
		if d.one(3) {
			required := spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
			required.NodeSelectorTerms = append(required.NodeSelectorTerms, d.nodeTerm())
		}
	}
	switch d.IntN(8) {
	case 0:
		spec.Tolerations = []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpEqual, Value: namespace}}
	case 1:
		spec.Tolerations = []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}
	case 2:
		if d.one(5) {
			spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
		}
	}
}

func (d dice) nodeTerm() corev1.NodeSelectorTerm {
	return corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{pick(d,
		corev1.NodeSelectorRequirement{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{d.zone(), d.zone()}},
		corev1.NodeSelectorRequirement{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpNotIn, Values: []string{d.zone()}},
		corev1.NodeSelectorRequirement{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpExists},
		corev1.NodeSelectorRequirement{Key: "generation", Operator: corev1.NodeSelectorOpGt, Values: []string{"4"}},
		corev1.NodeSelectorRequirement{Key: "generation", Operator: corev1.NodeSelectorOpLt, Values: []string{"6"}})}}
}

// selector is of a pod's own workload, of another one, or of a part.
func (d dice) selector(labels map[string]string, i int) *metav1.LabelSelector {
	switch d.IntN(4) {
	case 0:
		return &metav1.LabelSelector{MatchLabels: map[string]string{"app": fmt.Sprintf("app%d", d.IntN(max(1, i)))}}
	case 1:
		return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "part", Operator: metav1.LabelSelectorOpIn,
			Values: []string{labels["part"]}}}}
	}
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": labels["app"]}}
}

// neighbours says which pods a pod wants to be near, or not.
func (d dice) neighbours(spec *corev1.PodSpec, labels map[string]string, i int) {
	term := func() corev1.PodAffinityTerm {
		t := corev1.PodAffinityTerm{LabelSelector: d.selector(labels, i), TopologyKey: pick(d, corev1.LabelHostname, corev1.LabelTopologyZone)}
		switch d.IntN(6) {
		case 0:
			t.Namespaces = []string{"shop", "bank"}
		case 1:
			t.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "back"}}
		case 2:
			t.NamespaceSelector = &metav1.LabelSelector{}
		}
		return t
	}
	affinity := func() *corev1.Affinity {
		if spec.Affinity == nil {
			spec.Affinity = &corev1.Affinity{}
		}
		return spec.Affinity
	}
	if d.one(5) {
		a := &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{term()}}
		if d.one(4) {
			a.RequiredDuringSchedulingIgnoredDuringExecution = append(a.RequiredDuringSchedulingIgnoredDuringExecution, term())
		}
		affinity().PodAntiAffinity = a
	}
	if d.one(8) {
		a := &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{term()}}
		if d.one(4) {
			a.RequiredDuringSchedulingIgnoredDuringExecution = append(a.RequiredDuringSchedulingIgnoredDuringExecution, term())
		}
		affinity().PodAffinity = a
	}
}

// spreading says how pods are to be spread.
func (d dice) spreading(spec *corev1.PodSpec, labels map[string]string) {
	n := 0
	if d.one(4) {
		n = 1 + d.IntN(2)
	}
	for range n {
		s := corev1.TopologySpreadConstraint{MaxSkew: int32(1 + d.IntN(2)), TopologyKey: pick(d, corev1.LabelHostname, corev1.LabelTopologyZone),
			WhenUnsatisfiable: pick(d, corev1.DoNotSchedule, corev1.DoNotSchedule, corev1.ScheduleAnyway),
			LabelSelector:     &metav1.LabelSelector{MatchLabels: map[string]string{"app": labels["app"]}}}
		if d.one(5) {
			s.LabelSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"part": labels["part"]}}
		}
		if d.one(8) {
			s.LabelSelector, s.MatchLabelKeys = &metav1.LabelSelector{}, []string{"app"}
		}
		if d.one(4) && s.WhenUnsatisfiable == corev1.DoNotSchedule {
			s.MinDomains = ptr.To(int32(1 + d.IntN(4)))
		}
		if d.one(3) {
			s.NodeTaintsPolicy = ptr.To(pick(d, corev1.NodeInclusionPolicyHonor, corev1.NodeInclusionPolicyIgnore))
		}
		if d.one(3) {
			s.NodeAffinityPolicy = ptr.To(pick(d, corev1.NodeInclusionPolicyHonor, corev1.NodeInclusionPolicyIgnore))
		}
		spec.TopologySpreadConstraints = append(spec.TopologySpreadConstraints, s)
	}
}

// volume gives a pod a volume that is bound: on a node, in a zone, or anywhere.
func (d dice) volume(p *corev1.Pod) {
	name := "data-" + p.Name
	v := corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: p.Namespace + "-" + name, Labels: map[string]string{}},
		Spec: corev1.PersistentVolumeSpec{StorageClassName: "local", AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Capacity: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			ClaimRef: &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: p.Namespace, Name: name,
				UID: types.UID("claim-" + string(p.UID))},
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/data"}}},
		Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeBound}}
	tie := func(key string, values ...string) {
		v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}}}}}}
	}
	switch d.IntN(5) {
	case 0:
		tie(corev1.LabelHostname, pick(d, d.c.Nodes...).Name)
	case 1:
		tie(corev1.LabelHostname, pick(d, d.c.Nodes...).Name, pick(d, d.c.Nodes...).Name, pick(d, d.c.Nodes...).Name)
	case 2:
		tie(corev1.LabelTopologyZone, d.zone(), d.zone())
	case 3:
		v.Labels[pick(d, corev1.LabelTopologyZone, corev1.LabelFailureDomainBetaZone)] = d.zone() + "__" + d.zone()
	}
	d.c.Volumes = append(d.c.Volumes, v)
	d.c.Claims = append(d.c.Claims, corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: name,
		UID: types.UID("claim-" + string(p.UID)), Annotations: map[string]string{"pv.kubernetes.io/bind-completed": "yes"}},
		Spec: corev1.PersistentVolumeClaimSpec{VolumeName: v.Name, StorageClassName: ptr.To("local"),
			AccessModes: v.Spec.AccessModes},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound}})
	p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}}
}

// daemons puts a pod of a daemon set on each node.
func (d dice) daemons() {
	spec := corev1.PodSpec{SchedulerName: corev1.DefaultSchedulerName, Containers: []corev1.Container{d.container("agent")},
		Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}, Priority: ptr.To(int32(2000))}
	if d.one(3) {
		spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: 8080, Protocol: corev1.ProtocolTCP}}
	}
	for _, n := range d.c.Nodes {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "agent-" + n.Name, Labels: map[string]string{"app": "agent",
			"part": "web"},
			UID: types.UID("agent-" + n.Name), OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: "agent",
				UID: "agent", Controller: ptr.To(true)}}}, Spec: *spec.DeepCopy(), Status: corev1.PodStatus{Phase: corev1.PodRunning}}
		p.Spec.NodeName = n.Name
		d.c.Pods = append(d.c.Pods, p)
	}
}
