package kube

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourceapi "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/resource"

	"kiban.dev/kiban/lifecycle"
)

// chart is a lifecycle.Scheduling in the making. What many pods have alike is worked out once.
type chart struct {
	around surroundings
	out    lifecycle.Scheduling
	// places of what is there already, each by all that it is made of.
	resources, topologies map[string]int32
	nodes                 map[string]int32
	sets, terms           map[string]int32
	kinds                 map[digest]int32
	domains               map[string]int32
	selectors             []termSelector // of out.Terms
	sizes                 []int32        // of the topologies, in domains
	// at are the nodes with a value of a label: key, "=", value.
	at map[string][]int32
}

type digest = [sha256.Size]byte

// digestOf tells apart what is made of different things.
func digestOf(v any) digest {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // what the API sends can be written down
	}
	return sha256.Sum256(raw)
}

func newChart(around surroundings) *chart {
	c := &chart{around: around, resources: map[string]int32{}, topologies: map[string]int32{}, nodes: map[string]int32{},
		sets: map[string]int32{}, terms: map[string]int32{}, kinds: map[digest]int32{}, domains: map[string]int32{}, at: map[string][]int32{}}
	c.resource(lifecycle.ResourcePods)
	slices.SortFunc(c.around.nodes, func(a, b corev1.Node) int { return cmp.Compare(a.Name, b.Name) })
	for i := range c.around.nodes {
		n := &c.around.nodes[i]
		c.nodes[n.Name] = int32(i)
		for k, v := range n.Labels {
			c.at[k+"="+v] = append(c.at[k+"="+v], int32(i))
		}
		c.out.Nodes = append(c.out.Nodes, lifecycle.SchedulingNode{Name: n.Name, Closed: n.Spec.Unschedulable,
			Allocatable: c.amounts(n.Status.Allocatable)})
	}
	return c
}

// resource is the place of a resource.
func (c *chart) resource(name string) int32 {
	i, there := c.resources[name]
	if !there {
		i = int32(len(c.out.Resources))
		c.resources[name] = i
		c.out.Resources = append(c.out.Resources, name)
	}
	return i
}

// amounts puts amounts in the order of the resources.
func (c *chart) amounts(list corev1.ResourceList) []int64 {
	var out []int64
	for name, quantity := range list {
		i := int(c.resource(string(name)))
		for len(out) <= i {
			out = append(out, 0)
		}
		if out[i] = quantity.Value(); name == corev1.ResourceCPU {
			out[i] = quantity.MilliValue()
		}
	}
	return out
}

// demands is all that the scheduler judges a pod by, and whom it belongs to. Pods with the same are of one kind.
type demands struct {
	Namespace, Workload, Owner     string
	Labels                         map[string]string
	Requests, Limits               corev1.ResourceList
	Selector                       map[string]string
	Affinity                       *corev1.NodeSelector
	Near, Apart                    []corev1.PodAffinityTerm
	Tolerations                    []corev1.Toleration
	Spread                         []corev1.TopologySpreadConstraint
	Ports                          []lifecycle.HostPort
	Priority                       int32
	PriorityClass                  string
	Polite                         bool
	ServiceAccount, Runtime, Doubt string
	Refused                        []lifecycle.Refusal
}

// pod takes a pod down.
func (c *chart) pod(p *corev1.Pod) {
	at, placed := c.nodes[p.Spec.NodeName]
	if !placed {
		at = -1
	}
	controller := metav1.GetControllerOf(p)
	_, mirror := p.Annotations[corev1.MirrorPodAnnotationKey]
	stays := mirror || controller != nil && controller.Kind == "DaemonSet"
	pod := lifecycle.PlacedPod{Name: p.Name, Node: at, Volumes: -1, Stays: stays, Lost: controller == nil, Ending: p.DeletionTimestamp != nil}
	j := c.judge(p, controller, stays)
	if !stays {
		pod.Volumes = c.reach(p)
	} else {
		j.Selector, j.Affinity, j.Tolerations, j.Near, j.Spread = nil, nil, nil, nil, nil // they are never placed anew
	}
	key := digestOf(j)
	kind, there := c.kinds[key]
	if !there {
		kind = int32(len(c.out.Kinds))
		c.kinds[key] = kind
		c.out.Kinds = append(c.out.Kinds, c.kind(j))
	}
	pod.Kind = kind
	c.out.Pods = append(c.out.Pods, pod)
}

func (c *chart) judge(p *corev1.Pod, controller *metav1.OwnerReference, stays bool) demands {
	j := demands{Namespace: p.Namespace, Workload: workloadOf(p, controller), Labels: p.Labels, Selector: p.Spec.NodeSelector,
		Tolerations: p.Spec.Tolerations, Ports: hostPorts(p), PriorityClass: p.Spec.PriorityClassName,
		Requests: resource.PodRequests(p, resource.PodResourcesOptions{}), Limits: resource.PodLimits(p, resource.PodResourcesOptions{}),
		ServiceAccount: p.Spec.ServiceAccountName, Doubt: doubt(p)}
	j.Owner = ownerOf(p.Labels, c.around.namespaces[p.Namespace])
	if !stays {
		j.Refused = c.around.letIn.refusals(p, controller, c.around.namespaces[p.Namespace])
	}
	if p.Spec.Priority != nil {
		j.Priority = *p.Spec.Priority
	}
	j.Polite = p.Spec.PreemptionPolicy != nil && *p.Spec.PreemptionPolicy == corev1.PreemptNever
	if p.Spec.RuntimeClassName != nil {
		j.Runtime = *p.Spec.RuntimeClassName
	}
	for _, s := range p.Spec.TopologySpreadConstraints {
		if s.WhenUnsatisfiable == corev1.DoNotSchedule {
			j.Spread = append(j.Spread, s)
		}
	}
	if a := p.Spec.Affinity; a != nil {
		if a.NodeAffinity != nil {
			j.Affinity = a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		}
		if a.PodAffinity != nil {
			j.Near = a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		}
		if a.PodAntiAffinity != nil {
			j.Apart = a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		}
	}
	return j
}

// workloadOf names what created a pod. A ReplicaSet of a Deployment has that one's name with the hash of the template behind it, which its
// pods have as a label: so no ReplicaSet need be asked for.
func workloadOf(p *corev1.Pod, controller *metav1.OwnerReference) string {
	if controller == nil {
		return "Pod " + p.Namespace + "/" + p.Name
	}
	if hash := p.Labels["pod-template-hash"]; hash != "" && controller.Kind == "ReplicaSet" {
		if name, ok := strings.CutSuffix(controller.Name, "-"+hash); ok {
			return "Deployment " + p.Namespace + "/" + name
		}
	}
	return controller.Kind + " " + p.Namespace + "/" + controller.Name
}

// ownerOf is whom pods concern: the tenant whose namespace it is, or the team that a label names; "" where neither is said.
func ownerOf(pod, namespace map[string]string) string {
	if tenant := cmp.Or(namespace[lifecycle.LabelTenant], pod[lifecycle.LabelTenant]); tenant != "" {
		return "tenant " + tenant
	}
	if team := cmp.Or(pod["team"], namespace["team"]); team != "" {
		return "team " + team
	}
	return ""
}

// doubt says why it can't be said where a pod fits; "" where it can.
func doubt(p *corev1.Pod) string {
	switch {
	case len(p.Spec.ResourceClaims) > 0:
		return "they claim devices, which kiban does not count"
	case p.Spec.SchedulerName != "" && p.Spec.SchedulerName != corev1.DefaultSchedulerName:
		return "the scheduler " + p.Spec.SchedulerName + " places them, whose rules kiban does not know"
	}
	return ""
}

// hostPorts are the ports of the node itself that a pod takes while it runs, as the scheduler counts them.
func hostPorts(p *corev1.Pod) []lifecycle.HostPort {
	var out []lifecycle.HostPort
	add := func(ports []corev1.ContainerPort) {
		for _, port := range ports {
			if port.HostPort > 0 {
				out = append(out, lifecycle.HostPort{IP: strings.TrimPrefix(port.HostIP, "0.0.0.0"),
					Protocol: string(cmp.Or(port.Protocol, corev1.ProtocolTCP)), Port: port.HostPort})
			}
		}
	}
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			add(c.Ports)
		}
	}
	for _, c := range p.Spec.Containers {
		add(c.Ports)
	}
	return out
}

// kind makes a kind of what its pods are demands by.
func (c *chart) kind(j demands) lifecycle.PodKind {
	requests := j.Requests.DeepCopy()
	if requests == nil {
		requests = corev1.ResourceList{}
	}
	requests[corev1.ResourcePods] = *resourceapi.NewQuantity(1, resourceapi.DecimalSI)
	k := lifecycle.PodKind{Namespace: j.Namespace, Workload: j.Workload, Owner: j.Owner, Labels: j.Labels, Requests: c.amounts(requests),
		Limits: c.amounts(j.Limits), Selected: c.selected(j.Selector, j.Affinity), Tolerated: c.tolerated(j.Tolerations),
		ToleratesCordon: toleratesCordon(j.Tolerations), Ports: j.Ports, Priority: j.Priority, PriorityClass: j.PriorityClass, Polite: j.Polite,
		ServiceAccount: j.ServiceAccount, RuntimeClass: j.Runtime, Unjudged: j.Doubt, Refused: j.Refused}
	for _, t := range j.Near {
		k.Affinity = append(k.Affinity, c.affinityTerm(j.Namespace, t))
	}
	for _, t := range j.Apart {
		k.Anti = append(k.Anti, c.affinityTerm(j.Namespace, t))
	}
	for _, s := range j.Spread {
		k.Spread = append(k.Spread, c.spread(j, s))
	}
	return k
}

// done finishes the chart: now that all kinds are known, which of them each term selects can be said.
func (c *chart) done() lifecycle.Scheduling {
	for i := range c.out.Nodes {
		labels := c.around.nodes[i].Labels
		domains := make([]int32, len(c.out.Topologies))
		for t, key := range c.out.Topologies {
			domains[t] = -1
			if value, there := labels[key]; there {
				domains[t] = c.domain(int32(t), value)
			}
		}
		c.out.Nodes[i].Domains = domains
	}
	c.selectKinds()
	c.out.RefusedUnknown = c.around.notAsked
	return c.out
}
