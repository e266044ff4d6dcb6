package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// node runs a verb on one machine.
func (b *bench) node(code int, args ...string) result {
	b.t.Helper()
	return b.must(code, b.kiban(append([]string{"node"}, args...)...))
}

// certificate is what `kiban status -o json` says of one.
type certificate struct {
	Name, Renewed string
	NotAfter      time.Time
}

// nodeSeen is what `kiban node show -o json` says.
type nodeSeen struct {
	BootID      string
	Maintenance bool
	Node        *struct {
		Ready, Unschedulable bool
		Mark                 struct{ Run, Reason string }
	}
	Pods []struct{ Budget, Pod string }
}

func (b *bench) show(name string) nodeSeen {
	b.t.Helper()
	r := b.node(0, "show", "lab", name, "-o", "json")
	var n nodeSeen
	if err := json.Unmarshal([]byte(r.stdout), &n); err != nil {
		b.t.Fatalf("node show -o json: %v\n%s", err, r)
	}
	return n
}

func (b *bench) nodeExists(cs *kubernetes.Clientset, name string) bool {
	b.t.Helper()
	list, err := cs.CoreV1().Nodes().List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, n := range list.Items {
		if n.Name == name {
			return true
		}
	}
	return false
}

// An operator's cordon stays through everything until the operator ends it; maintain and reboot return what they took out.
func TestNodeMaintenance(t *testing.T) {
	t.Parallel()
	b := start(t, "127.203.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 2, 1)

	// cordon: the reason is there, apply leaves it, status names it.
	b.node(0, "cordon", "lab", "worker-1", "--reason", "noisy fan", "--yes")
	if n := b.show("worker-1"); !n.Maintenance || !n.Node.Unschedulable || n.Node.Mark.Reason != "noisy fan" {
		t.Errorf("after cordon: %+v", n)
	}
	b.emptyPlan()
	b.apply(0)
	if r := b.must(0, b.kiban("status", "lab")); !strings.Contains(r.stdout, "in maintenance: noisy fan") {
		t.Errorf("status: %s", r)
	}
	if r := b.node(0, "cordon", "lab", "worker-1", "--yes"); !strings.Contains(r.stdout, "cordoned already") {
		t.Errorf("a second cordon: %s", r)
	}
	b.node(0, "uncordon", "lab", "worker-1", "--yes")
	b.cordoned(cs)

	// An administrator's cordon is not opened by the way.
	b.cordonAsAdmin(cs, "worker-2")
	if r := b.node(3, "uncordon", "lab", "worker-2", "--yes"); !strings.Contains(r.stderr, "an administrator has cordoned it") {
		t.Errorf("an administrator's cordon: %s", r)
	}
	b.cordoned(cs, "worker-2")
	b.node(0, "uncordon", "lab", "worker-2", "--yes", "--force")
	b.cordoned(cs)

	// drain: the pods are elsewhere, and the node stays closed.
	b.node(0, "drain", "lab", "worker-1", "--yes")
	if n := b.show("worker-1"); len(n.Pods) != 0 || !n.Maintenance {
		t.Errorf("after drain: %+v", n)
	}

	// maintain with a command takes up from there; what it prints is seen, and the node is in service again.
	r := b.node(0, "maintain", "lab", "worker-1", "--yes", "--", "sh", "-c", "echo firmware is new; touch /tmp/maintained")
	if !strings.Contains(r.stderr, "firmware is new") {
		t.Errorf("the command's output is not shown: %s", r)
	}
	b.must(0, b.lab("exec", "--dir", ".lab", "worker-1", "test", "-f", "/tmp/maintained"))
	b.cordoned(cs)

	// A command that fails leaves it out; uncordon ends that.
	r = b.node(1, "maintain", "lab", "worker-1", "--yes", "--", "sh", "-c", "echo no such disk >&2; exit 7")
	if !strings.Contains(r.stderr, "status 7") || !strings.Contains(r.stderr, "no such disk") {
		t.Errorf("a failing command: %s", r)
	}
	if n := b.show("worker-1"); !n.Maintenance {
		t.Errorf("after a failed command: %+v", n)
	}
	b.emptyPlan()

	// reboot: the machine really went away, and is back.
	before := b.show("worker-1").BootID
	b.node(0, "reboot", "lab", "worker-1", "--yes")
	if after := b.show("worker-1"); after.BootID == before || before == "" || after.Maintenance {
		t.Errorf("boot id %q before, after: %+v", before, after)
	}
	b.cordoned(cs)
	b.emptyPlan()
}

// members are etcd's, and the API servers that do not serve.
func (b *bench) controlPlane() (members, silent []string) {
	b.t.Helper()
	var st struct {
		API struct {
			Servers []struct {
				Host  string
				Ready bool
			}
		}
		Etcd  struct{ Members []struct{ Name string } }
		Hosts []struct {
			Name, Unit   string
			Certificates []certificate
		}
	}
	r := b.must(0, b.kiban("status", "lab", "-o", "json"))
	if err := json.Unmarshal([]byte(r.stdout), &st); err != nil {
		b.t.Fatalf("status: %v\n%s", err, r)
	}
	for _, h := range st.Hosts {
		shown := slices.ContainsFunc(h.Certificates, func(c certificate) bool {
			return c.Name == "etcd/peer" && c.Renewed == "start" && c.NotAfter.After(time.Now())
		})
		if controller := h.Unit == "k0scontroller"; controller != shown {
			b.t.Errorf("the certificates of %s are %v", h.Name, h.Certificates)
		}
	}
	for _, e := range st.Etcd.Members {
		members = append(members, e.Name)
	}
	for _, s := range st.API.Servers {
		if !s.Ready {
			silent = append(silent, s.Host)
		}
	}
	slices.Sort(members)
	return members, silent
}

// wantControlPlane asserts who is in etcd, and that the others do not serve.
func (b *bench) wantControlPlane(members, silent []string) {
	b.t.Helper()
	if m, s := b.controlPlane(); !slices.Equal(m, members) || !slices.Equal(s, silent) {
		b.t.Errorf("etcd's members are %v, silent are %v; want %v and %v", m, s, members, silent)
	}
}

// One of three controllers is removed and leaves two healthy members; one of two is refused. It joins again, dies, and is taken out by
// another.
func TestNodeRemoveController(t *testing.T) {
	t.Parallel()
	b := start(t, "127.203.1", 3, 0)
	b.apply(0)
	two := []string{"controller-1", "controller-2"}
	r := b.node(0, "remove", "lab", "controller-3", "--yes")
	if !strings.Contains(r.stderr, "the next apply would join it again") {
		t.Errorf("the declaration is not mentioned: %s", r)
	}
	b.wantControlPlane(two, []string{"controller-3"})
	if r := b.lab("exec", "--dir", ".lab", "controller-3", "test", "-e", "/var/lib/k0s/pki"); r.code == 0 {
		t.Error("k0s is not wiped from controller-3")
	}
	b.Controllers = 2
	b.write()
	m := b.mark()
	if r := b.node(1, "remove", "lab", "controller-2", "--yes"); !strings.Contains(r.stderr, "too few controllers would stay") {
		t.Errorf("one of two: %s", r)
	}
	b.untouched(m, "a refused removal")

	b.Controllers = 3
	b.write()
	b.apply(0)
	b.wantControlPlane([]string{"controller-1", "controller-2", "controller-3"}, nil)
	b.fault("controller-3", "off")
	b.node(0, "replace", "lab", "controller-3", "--yes")
	b.wantControlPlane(two, []string{"controller-3"})
}

// A dead worker is taken out, and a new machine joins under its name; a living one is not.
func TestNodeReplaceWorker(t *testing.T) {
	t.Parallel()
	b := start(t, "127.203.2", 1, 2)
	b.apply(0)
	cs, _ := b.admin()
	m := b.mark()
	if r := b.node(1, "replace", "lab", "worker-2", "--yes"); !strings.Contains(r.stderr, "the machine answers") {
		t.Errorf("a machine that answers: %s", r)
	}
	b.untouched(m, "a refused replace")
	b.fault("worker-2", "off")
	if r := b.node(1, "replace", "lab", "worker-2", "--yes"); !strings.Contains(r.stderr, "its node is Ready") {
		t.Errorf("a node that is Ready: %s", r)
	}
	b.eventually("the dead node is NotReady", func() (bool, string) {
		n := b.show("worker-2")
		return n.Node != nil && !n.Node.Ready, "it is still Ready"
	})
	b.node(0, "replace", "lab", "worker-2", "--yes")
	if b.nodeExists(cs, "worker-2") {
		t.Error("the dead machine's node is still there")
	}
	// Another machine takes its place: the same name and key, nothing of k0s on its disk.
	b.must(0, b.lab("exec", "--dir", ".lab", "worker-2",
		"rm -rf /var/lib/k0s /etc/k0s /usr/local/bin/k0s /etc/systemd/system/k0sworker.service"))
	b.must(0, b.lab("fault", "--dir", ".lab", "worker-2", "on"))
	b.apply(0)
	b.nodesAt(cs, v135, 2)
	b.emptyPlan()
}
