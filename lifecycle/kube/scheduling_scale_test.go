package kube

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	nodev1 "k8s.io/api/node/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
)

// BenchmarkReadinessOfALargeCluster reads 5,000 nodes and 100,000 pods from an API, page by page, with what they need to be let in again,
// and judges all of readiness: pods, admission, APIs, settings, risks and what 5,000 machines are like. It tells processor time, that of
// the API in the same process included, and the most memory that was in use:
// go test -run '^$' -bench ReadinessOfALargeCluster -benchtime 1x ./lifecycle/kube
// It is to stay under 60 s and 500 MB; docs/performance.md has what it took.
func BenchmarkReadinessOfALargeCluster(b *testing.B) {
	const nodes, pods = 5000, 100_000
	large := largeCluster{nodes: nodes, pods: pods}
	in := largeSite(nodes)
	a := newAuthority(b)
	addr, _ := a.serve(b, certificateName, http.HandlerFunc(large.serve))
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "controller-1", Address: addr}}, Options{})
	defer c.Close()
	if err := c.connect(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		stop := watchHeap()
		began := processorTime(b)
		s, err := c.Scheduling(b.Context(), lifecycle.PodAdmission{})
		if err != nil || len(s.Pods) != pods || len(s.Nodes) != nodes {
			b.Fatalf("%d pods on %d nodes, %v", len(s.Pods), len(s.Nodes), err)
		}
		admission, err := c.Admission(b.Context(), s.Kinds)
		if err != nil || len(admission.Webhooks) != largeWebhooks || len(admission.ServiceAccounts) != largeAccounts ||
			len(admission.Overdrawn) != largeQuotas {
			b.Fatalf("%d webhooks, %d accounts, %d quotas, %v", len(admission.Webhooks), len(admission.ServiceAccounts),
				len(admission.Overdrawn), err)
		}
		read := processorTime(b)
		in.Evidence.Scheduling = &lifecycle.Answer[lifecycle.Scheduling]{Value: s}
		in.Evidence.Admission = &lifecycle.Answer[lifecycle.Admission]{Value: admission}
		got := readiness.Check(in)
		b.ReportMetric((read - began).Seconds(), "cpu-s-read")
		b.ReportMetric((processorTime(b) - read).Seconds(), "cpu-s-judged")
		b.ReportMetric(float64(stop())/(1<<20), "MiB-most")
		b.ReportMetric(float64(len(s.Kinds)), "kinds")
		b.ReportMetric(float64(len(got.Findings)), "findings")
	}
}

// largeSite is what is declared and was seen of such a cluster, but for its pods.
func largeSite(nodes int) readiness.Input {
	running := lifecycle.Version{Major: 1, Minor: 36, Patch: 3}
	in := readiness.Input{Site: lifecycle.Site{Name: "large"}, Now: time.Now(), Target: lifecycle.Version{Major: 1, Minor: 37, Patch: 2}}
	in.Site.Policy.Workers.MaxUnavailable = "1"
	writes := lifecycle.APIWrites{Objects: 100_000, Kinds: 30}
	for i := range nodes {
		name := fmt.Sprintf("n%04d", i)
		in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: name, Role: lifecycle.RoleWorker,
			Arguments: []string{"--kubelet-extra-args=--max-pods=110"}})
		in.State.Nodes = append(in.State.Nodes, lifecycle.NodeState{Name: name, Ready: true})
		in.State.Hosts = append(in.State.Hosts, lifecycle.HostState{Name: name, Running: running, ServiceName: "k0sworker", Kernel: "6.1.0-25",
			MemoryBytes: 128 << 30, OS: "debian 12", Arch: "amd64", Arguments: []string{"--kubelet-extra-args=--max-pods=110"}})
	}
	in.Evidence.APIs = &lifecycle.APIEvidence{}
	for i := range mostWrites {
		one := lifecycle.ObjectRef{APIVersion: "networking.k8s.io/v1beta1", Kind: "IPAddress", Name: fmt.Sprint("ip-", i)}
		by := fmt.Sprint("manager-", i%50)
		writes.Writes = append(writes.Writes, lifecycle.APIWrite{Object: one, API: one.APIVersion, Manager: by, At: in.Now})
		declared := lifecycle.DeclaredAPI{ObjectRef: one, Source: fmt.Sprintf("overlays/large/f%d.yaml:1", i%100)}
		in.Evidence.APIs.Declared = append(in.Evidence.APIs.Declared, lifecycle.From[[]lifecycle.DeclaredAPI]{Name: fmt.Sprint("addon/a", i),
			Answer: lifecycle.Answer[[]lifecycle.DeclaredAPI]{Value: []lifecycle.DeclaredAPI{declared}}})
	}
	in.Evidence.APIs.Writes.Value = writes
	return in
}

// processorTime is how much this process has used.
func processorTime(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// watchHeap notes the most memory in use until it is stopped.
func watchHeap() (stop func() uint64) {
	var most atomic.Uint64
	done, ended := make(chan struct{}), make(chan struct{})
	look := func() {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		most.Store(max(most.Load(), m.HeapInuse))
	}
	go func() {
		defer close(ended)
		for {
			look()
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(done); <-ended; look(); return most.Load() }
}

// largeCluster is an API of as many nodes and pods, made as they are asked for.
type largeCluster struct{ nodes, pods int }

// What it has beside them.
const largeAccounts, largeQuotas, largeWebhooks = 20_000, 200, 20

func (l largeCluster) serve(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil {
		limit = l.pods // all at once
	}
	kind := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	page := func(all int) (to int, meta metav1.ListMeta) {
		if to = min(from+limit, all); to < all {
			meta.Continue = strconv.Itoa(to)
		}
		return to, meta
	}
	var list kruntime.Object
	version := corev1.SchemeGroupVersion
	switch kind {
	case "serviceaccounts":
		out := &corev1.ServiceAccountList{}
		var to int
		for to, out.ListMeta = page(largeAccounts); from < to; from++ {
			out.Items = append(out.Items, corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("team-", from%200),
				Name: fmt.Sprint("app-", from)}})
		}
		list = out
	case "resourcequotas":
		out := &corev1.ResourceQuotaList{}
		var to int
		for to, out.ListMeta = page(largeQuotas); from < to; from++ {
			amount := func(n int64) corev1.ResourceList {
				return corev1.ResourceList{corev1.ResourceRequestsCPU: *resource.NewQuantity(n, resource.DecimalSI)}
			}
			out.Items = append(out.Items, corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Namespace: fmt.Sprint("team-", from), Name: "all"},
				Spec: corev1.ResourceQuotaSpec{Hard: amount(1)}, Status: corev1.ResourceQuotaStatus{Used: amount(2)}})
		}
		list = out
	case "validatingwebhookconfigurations":
		out := &admissionv1.ValidatingWebhookConfigurationList{}
		for i := range largeWebhooks {
			out.Items = append(out.Items, admissionv1.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint("policy-", i)},
				Webhooks: []admissionv1.ValidatingWebhook{{Name: fmt.Sprint("pods-", i), ClientConfig: admissionv1.WebhookClientConfig{
					Service: &admissionv1.ServiceReference{Namespace: "team-1", Name: "gate"}}, Rules: []admissionv1.RuleWithOperations{{
					Operations: []admissionv1.OperationType{admissionv1.Create}, Rule: admissionv1.Rule{APIGroups: []string{""},
						APIVersions: []string{"v1"}, Resources: []string{"pods"}}}}}}})
		}
		list, version = out, admissionv1.SchemeGroupVersion
	case "mutatingwebhookconfigurations":
		list, version = &admissionv1.MutatingWebhookConfigurationList{}, admissionv1.SchemeGroupVersion
	case "endpointslices":
		list, version = &discoveryv1.EndpointSliceList{}, discoveryv1.SchemeGroupVersion
	case "gate":
		list = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "team-1", Name: "gate"}}
	case "priorityclasses":
		list, version = &schedulingv1.PriorityClassList{}, schedulingv1.SchemeGroupVersion
	case "runtimeclasses":
		list, version = &nodev1.RuntimeClassList{}, nodev1.SchemeGroupVersion
	case "nodes":
		out := &corev1.NodeList{}
		var to int
		for to, out.ListMeta = page(l.nodes); from < to; from++ {
			out.Items = append(out.Items, l.node(from))
		}
		list = out
	case "pods":
		out := &corev1.PodList{}
		var to int
		for to, out.ListMeta = page(l.pods); from < to; from++ {
			out.Items = append(out.Items, l.pod(from))
		}
		list = out
	case "persistentvolumes":
		out := &corev1.PersistentVolumeList{}
		var to int
		for to, out.ListMeta = page(l.volumes()); from < to; from++ {
			out.Items = append(out.Items, l.volume(from))
		}
		list = out
	case "persistentvolumeclaims":
		out := &corev1.PersistentVolumeClaimList{}
		var to int
		for to, out.ListMeta = page(l.volumes()); from < to; from++ {
			out.Items = append(out.Items, corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: fmt.Sprintf("data-%d",
				from)},
				Spec: corev1.PersistentVolumeClaimSpec{VolumeName: fmt.Sprintf("pv-%d", from)}})
		}
		list = out
	case "namespaces":
		list = &corev1.NamespaceList{}
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"StorageClassList","apiVersion":"storage.k8s.io/v1","items":[]}`))
		return
	}
	info, _ := kruntime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), kruntime.ContentTypeProtobuf)
	w.Header().Set("Content-Type", kruntime.ContentTypeProtobuf)
	_ = scheme.Codecs.EncoderForVersion(info.Serializer, version).Encode(list, w)
}

func (l largeCluster) node(i int) corev1.Node {
	name := fmt.Sprintf("n%04d", i)
	return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name,
		corev1.LabelTopologyZone: fmt.Sprint("zone-", i%3), "rack": fmt.Sprint("r", i/40), "disk": []string{"ssd", "hdd"}[i%2]}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("32"),
			corev1.ResourceMemory: resource.MustParse("128Gi"), corev1.ResourcePods: resource.MustParse("110")}}}
}

// Of each 20 pods of a node five are of daemon sets, three have a volume on the node, and twelve are of deployments of eight.
const ofDaemons, withVolume, onNode = 5, 3, 20

func (l largeCluster) volumes() int { return l.pods / onNode * withVolume }

func (l largeCluster) volume(i int) corev1.PersistentVolume {
	return corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("pv-%d", i)}, Spec: corev1.PersistentVolumeSpec{
		NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn,
				Values: []string{fmt.Sprintf("n%04d", i/withVolume)}}}}}}}}}
}

func (l largeCluster) pod(i int) corev1.Pod {
	yes, node, n := true, i/onNode, i%onNode
	p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "db", Name: fmt.Sprintf("p-%06d", i),
		OwnerReferences: []metav1.OwnerReference{{Controller: &yes}}},
		Spec: corev1.PodSpec{NodeName: fmt.Sprintf("n%04d", node), Containers: []corev1.Container{{Name: "app",
			Image: "registry.example/app:1.2.3",
			Env:   []corev1.EnvVar{{Name: "A", Value: strings.Repeat("x", 200)}},
			Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
				corev1.ResourceCPU:    *resource.NewMilliQuantity(int64(100*(1+n%9)), resource.DecimalSI),
				corev1.ResourceMemory: resource.MustParse("1Gi")}}}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning}}
	owner := &p.OwnerReferences[0]
	switch {
	case n < ofDaemons:
		owner.Kind, owner.Name = "DaemonSet", fmt.Sprint("agent-", n)
		p.Labels = map[string]string{"app": owner.Name}
		return p
	case n < ofDaemons+withVolume:
		claim := node*withVolume + n - ofDaemons
		owner.Kind, owner.Name = "StatefulSet", fmt.Sprint("db-", claim/3)
		p.Labels = map[string]string{"app": owner.Name, "statefulset.kubernetes.io/pod-name": p.Name}
		p.Spec.Volumes = []corev1.Volume{{Name: "data",
			VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
				ClaimName: fmt.Sprintf("data-%d", claim)}}}}
		return p
	}
	// the eight of a deployment stand on nodes that are far from each other
	d := (node%(l.nodes/8))*(onNode-ofDaemons-withVolume) + n - ofDaemons - withVolume
	p.Namespace = fmt.Sprint("team-", d%200)
	owner.Kind, owner.Name = "ReplicaSet", fmt.Sprintf("app-%d-5f6d", d)
	p.Labels = map[string]string{"app": fmt.Sprint("app-", d), "pod-template-hash": "5f6d"}
	own := &metav1.LabelSelector{MatchLabels: map[string]string{"app": p.Labels["app"]}}
	switch d % 6 {
	case 0, 1:
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone,
			WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: own}}
	case 2:
		p.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: corev1.LabelHostname,
			WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: own}}
	case 3:
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{
				LabelSelector: own, TopologyKey: corev1.LabelHostname}}}}
	case 4:
		p.Spec.NodeSelector = map[string]string{"disk": "ssd"}
	}
	return p
}
