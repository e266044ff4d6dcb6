package kube

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kiban.dev/kiban/lifecycle"
)

// What decides where pods can run is read from the API: thousands of pods by pages, each kind once, with what ties volumes to nodes.
func TestSchedulingIsRead(t *testing.T) {
	api := newFakeAPI()
	c := connect(t, api)
	api.put("namespaces", object{"metadata": map[string]any{"name": "shop", "labels": map[string]any{lifecycle.LabelTenant: "shop"}}})
	for _, name := range []string{"w2", "w1"} {
		api.put("nodes", object{"metadata": map[string]any{"name": name, "labels": map[string]any{corev1.LabelHostname: name}},
			"spec":   map[string]any{"unschedulable": name == "w2"},
			"status": map[string]any{"allocatable": map[string]any{"cpu": "3500m", "memory": "1Gi", "pods": "110"}}})
	}
	api.put("persistentvolumes", object{"metadata": map[string]any{"name": "pv"},
		"spec": map[string]any{"nodeAffinity": map[string]any{"required": map[string]any{
			"nodeSelectorTerms": []any{map[string]any{"matchExpressions": []any{map[string]any{"key": corev1.LabelHostname, "operator": "In",
				"values": []any{"w1"}}}}}}}}})
	api.put("persistentvolumeclaims", object{"metadata": map[string]any{"namespace": "shop", "name": "data"},
		"spec": map[string]any{"volumeName": "pv"}})
	const all = 2*podChunk + 7
	for i := range all {
		api.put("pods", object{"metadata": map[string]any{"namespace": "shop", "name": fmt.Sprintf("web-%04d", i),
			"labels": map[string]any{"pod-template-hash": "6b7d"},
			"ownerReferences": []any{map[string]any{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-6b7d", "uid": "1",
				"controller": true}}},
			"spec": map[string]any{"nodeName": "w1", "containers": []any{map[string]any{"name": "a",
				"resources": map[string]any{"requests": map[string]any{"cpu": "10m"}}}}}})
	}
	api.put("pods", object{"metadata": map[string]any{"namespace": "shop", "name": "db"},
		"spec": map[string]any{"nodeName": "w1", "containers": []any{map[string]any{"name": "a"}},
			"volumes": []any{map[string]any{"name": "v", "persistentVolumeClaim": map[string]any{"claimName": "data"}}}}})
	s, err := c.Scheduling(t.Context(), lifecycle.PodAdmission{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Pods) != all+1 || len(s.Kinds) != 2 || len(s.Nodes) != 2 || s.Nodes[0].Name != "w1" || !s.Nodes[1].Closed {
		t.Fatalf("%d pods of %d kinds on %+v", len(s.Pods), len(s.Kinds), s.Nodes)
	}
	cpu := slices.Index(s.Resources, lifecycle.ResourceCPU)
	for _, k := range s.Kinds {
		if k.Workload == "Deployment shop/web" && (k.Owner != "tenant shop" || k.Requests[cpu] != 10 || k.Requests[0] != 1) {
			t.Errorf("%+v", k)
		}
	}
	if s.Nodes[0].Allocatable[cpu] != 3500 {
		t.Errorf("%+v of %v", s.Nodes[0], s.Resources)
	}
	for _, p := range s.Pods {
		switch {
		case p.Name == "db" && (!p.Lost || p.Volumes < 0 || s.NodeSets[p.Volumes].Has.Has(1) || !s.NodeSets[p.Volumes].Has.Has(0)):
			t.Errorf("%+v among %+v", p, s.NodeSets)
		case p.Name != "db" && (p.Lost || p.Volumes >= 0):
			t.Fatalf("%+v", p)
		}
	}
	api.refuse = func(r *http.Request) (int, bool) {
		return http.StatusForbidden, strings.HasSuffix(r.URL.Path, "/persistentvolumes")
	}
	if _, err := c.Scheduling(t.Context(), lifecycle.PodAdmission{}); err == nil || !strings.Contains(err.Error(), "list volumes") {
		t.Errorf("an answer that nobody gave: %v", err)
	}
}

// What volumes ask of nodes: zones by label, several of them, and storage classes of volumes that are still to be made.
func TestReach(t *testing.T) {
	node := func(name string, labels ...string) corev1.Node {
		n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
		for i := 0; i < len(labels); i += 2 {
			n.Labels[labels[i]] = labels[i+1]
		}
		return n
	}
	around := surroundings{
		nodes: []corev1.Node{node("a", corev1.LabelTopologyZone, "a"), node("b", corev1.LabelTopologyZone, "b"), node("c"), node("d",
			corev1.LabelTopologyZone, "d")},
		volumes: map[string]volume{"zoned": {labels: map[string]string{corev1.LabelTopologyZone: "a__b"}},
			"old": {labels: map[string]string{corev1.LabelFailureDomainBetaZone: "b"}}, "free": {}},
		claims: map[string]claim{"shop/zoned": {volume: "zoned"}, "shop/old": {volume: "old"}, "shop/free": {volume: "free"},
			"shop/later": {class: "d"}},
		classes: map[string]storagev1.StorageClass{"d": {AllowedTopologies: []corev1.TopologySelectorTerm{{
			MatchLabelExpressions: []corev1.TopologySelectorLabelRequirement{{Key: corev1.LabelTopologyZone, Values: []string{"d"}}}}}}}}
	for claims, want := range map[string]string{"zoned": "a b c", "old": "b c", "free": "a b c d", "later": "d", "gone": "",
		"zoned old": "b c"} {
		c := newChart(around)
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "p"}}
		for _, name := range strings.Fields(claims) {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
		}
		set := c.reach(p)
		var got []string
		for i, n := range c.around.nodes {
			if set < 0 || c.out.NodeSets[set].Has.Has(int32(i)) {
				got = append(got, n.Name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", claims, got, want)
		}
	}
}

// Pods are of one kind when they are judged alike, whatever their names are.
func TestKinds(t *testing.T) {
	yes := true
	c := newChart(surroundings{nodes: []corev1.Node{{ObjectMeta: metav1.ObjectMeta{Name: "w1"}}}})
	pod := func(name, cpu string, edit ...func(*corev1.Pod)) {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, OwnerReferences: []metav1.OwnerReference{{Kind: "Job",
			Name:       "j",
			Controller: &yes}}}, Spec: corev1.PodSpec{NodeName: "w1", Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}}}}}
		for _, e := range edit {
			e(p)
		}
		c.pod(p)
	}
	pod("a", "1")
	pod("b", "1000m")
	pod("c", "2")
	pod("d", "1", func(p *corev1.Pod) { p.Spec.SchedulerName = "other" })
	pod("e", "1", func(p *corev1.Pod) { p.OwnerReferences[0].Kind = "DaemonSet" })
	pod("f", "1", func(p *corev1.Pod) { p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"} })
	s := c.done()
	k := func(i int) int32 { return s.Pods[i].Kind }
	if k(0) != k(1) || k(0) == k(2) || k(0) == k(3) || s.Kinds[k(3)].Unjudged == "" {
		t.Errorf("%+v", s.Kinds)
	}
	if s.Pods[3].Stays || !s.Pods[4].Stays || !s.Pods[5].Stays {
		t.Errorf("%+v", s.Pods)
	}
}
