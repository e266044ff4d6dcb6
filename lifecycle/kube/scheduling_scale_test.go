package kube

import (
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness"
)

// BenchmarkPodsOfALargeCluster reads 5,000 nodes and 100,000 pods from an API, page by page, and says of each node where its pods would go.
// It tells the most memory that was in use beside the time: go test -run '^$' -bench PodsOfALargeCluster -benchtime 1x ./lifecycle/kube
func BenchmarkPodsOfALargeCluster(b *testing.B) {
	const nodes, pods = 5000, 100_000
	large := largeCluster{nodes: nodes, pods: pods}
	in := readiness.Input{Site: lifecycle.Site{Name: "large"}, Now: time.Now(), Target: lifecycle.Version{Major: 1, Minor: 37}}
	in.Site.Policy.Workers.MaxUnavailable = "1"
	for i := range nodes {
		name := fmt.Sprintf("n%04d", i)
		in.Site.Cluster.Hosts = append(in.Site.Cluster.Hosts, lifecycle.Host{Name: name, Role: lifecycle.RoleWorker})
		in.State.Nodes = append(in.State.Nodes, lifecycle.NodeState{Name: name, Ready: true})
	}
	a := newAuthority(b)
	addr, _ := a.serve(b, certificateName, http.HandlerFunc(large.serve))
	c := New(given(a.kubeconfig(addr)), []Server{{Host: "controller-1", Address: addr}}, Options{})
	defer c.Close()
	if err := c.connect(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		stop := watchHeap()
		began := time.Now()
		s, err := c.Scheduling(b.Context())
		if err != nil || len(s.Pods) != pods || len(s.Nodes) != nodes {
			b.Fatalf("%d pods on %d nodes, %v", len(s.Pods), len(s.Nodes), err)
		}
		read := time.Since(began)
		in.Evidence.Scheduling = &lifecycle.Answer[lifecycle.Scheduling]{Value: s}
		got := readiness.Check(in)
		b.ReportMetric(read.Seconds(), "s-read")
		b.ReportMetric(time.Since(began).Seconds()-read.Seconds(), "s-judged")
		b.ReportMetric(float64(stop())/(1<<20), "MiB-most")
		b.ReportMetric(float64(len(s.Kinds)), "kinds")
		b.ReportMetric(float64(len(got.Findings)), "findings")
	}
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

func (l largeCluster) serve(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	kind := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	page := func(all int) (to int, meta metav1.ListMeta) {
		if to = min(from+limit, all); to < all {
			meta.Continue = strconv.Itoa(to)
		}
		return to, meta
	}
	var list kruntime.Object
	switch kind {
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
	_ = scheme.Codecs.EncoderForVersion(info.Serializer, corev1.SchemeGroupVersion).Encode(list, w)
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
