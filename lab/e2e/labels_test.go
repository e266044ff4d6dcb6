package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestLabelsOfNodes declares labels and a taint for nodes that are there, and takes them back: Kubernetes is told, no machine is
// touched, and what others have put on the nodes stays.
func TestLabelsOfNodes(t *testing.T) {
	t.Parallel()
	b := start(t, "127.241.1", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	worker := func() (map[string]string, string) {
		n, err := cs.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var taints []string
		for _, taint := range n.Spec.Taints {
			taints = append(taints, taint.ToString())
		}
		return n.Labels, strings.Join(taints, " ")
	}
	cluster := filepath.Join(b.dir, "overlays", "lab", "cluster.yaml")
	doc, err := os.ReadFile(cluster)
	if err != nil {
		t.Fatal(err)
	}
	before := string(doc)
	b.file(cluster, strings.ReplaceAll(before, "    role: worker\n",
		"    role: worker\n    installFlags: ['--labels=rack=a,tier=gold', '--taints=gpu=yes:NoSchedule']\n"))
	if got := b.plan(); !slices.Equal(got, []string{"worker-1/label", "worker-2/label"}) {
		t.Fatalf("the plan is %v", got)
	}
	m := b.mark()
	b.apply(0)
	if labels, taints := worker(); labels["rack"] != "a" || labels["tier"] != "gold" || taints != "gpu=yes:NoSchedule" {
		t.Errorf("the node has %v %s", labels, taints)
	}
	for _, host := range []string{"worker-1", "worker-2"} {
		if said := b.commandsOf(m, host); strings.Contains(said, "systemctl stop") {
			t.Errorf("%s was stopped for a label:\n%s", host, said)
		}
	}
	b.emptyPlan()
	b.file(cluster, before)
	b.apply(0)
	if labels, taints := worker(); labels["rack"] != "" || labels["tier"] != "" || taints != "" ||
		labels["kubernetes.io/hostname"] != "worker-1" {
		t.Errorf("the node keeps %v %s", labels, taints)
	}
	b.emptyPlan()
}
