package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// TestEtcdIsDefragmented: what is deleted leaves etcd's files hollow. status says so; a run that is killed in the middle and the same
// command again defragment each member once, the leader last, under load; then there is nothing to do.
func TestEtcdIsDefragmented(t *testing.T) {
	t.Parallel()
	b := start(t, "127.249.4", 3, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.deploy(cs, "web", 1, 0)
	well := b.must(0, b.kiban("status", "lab"))
	b.says(well, "PART", "leader", "follower", "of 2.0 GiB")
	b.says(b.must(0, b.kiban("maintain", "etcd", "lab", "--yes")), "No member of etcd of lab has room to give back")

	b.fill(cs, 130)
	b.empty(cs)
	b.compact("controller-1")
	b.eventually("the files are hollow", func() (bool, string) {
		r := b.must(0, b.kiban("status", "lab"))
		return strings.Contains(r.stdout, "etcd's file is hollow for a good part") && strings.Contains(r.stdout, "on 3 machines"), r.stdout
	})
	b.says(b.must(0, b.kiban("status", "lab")), "Try: kiban maintain etcd lab")
	b.emptyPlan()

	// Killed when the first member has its new file and kiban does not know yet.
	m, probe := b.mark(), b.probe("web")
	leader := b.leader()
	first := "controller-1"
	if first == leader {
		first = "controller-2"
	}
	b.fault(first, "hold-after", "maintenance/defragment")
	cmd, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), "maintain", "etcd", "lab", "--yes")
	b.eventually("the first member is defragmented", func() (bool, string) {
		said := b.must(0, b.kiban("status", "lab")).stdout
		return strings.Contains(said, "on 2 machines"), said
	})
	_ = cmd.Process.Signal(syscall.SIGKILL)
	stop(os.Kill)
	b.mend(first)
	r := b.must(0, b.kiban("maintain", "etcd", "lab", "--yes"))
	b.says(r, "etcd has room: 2 of 2 steps done")
	if last := r.stderr[strings.LastIndex(r.stderr, "/defragment")-len(leader):]; !strings.HasPrefix(last, leader) {
		t.Errorf("the leader %s is not the last: %s", leader, r.stderr)
	}
	if sent, failed := probe(); sent == 0 || failed != 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	for _, host := range []string{"controller-1", "controller-2", "controller-3"} {
		said := b.commandsOf(m, host)
		if n := strings.Count(said, "/v3/maintenance/defragment"); n != 1 {
			t.Errorf("%s was defragmented %d times", host, n)
		}
		if strings.Contains(said, "systemctl stop") {
			t.Errorf("%s was restarted", host)
		}
	}
	if r := b.must(0, b.kiban("status", "lab")); strings.Contains(r.stdout, "hollow") {
		t.Errorf("it is hollow still: %s", r)
	}
	b.says(b.must(0, b.kiban("maintain", "etcd", "lab", "--yes")), "No member of etcd of lab has room to give back")
	b.emptyPlan()
}

// TestEtcdOutOfSpace: etcd reaches its quota and takes no writes. Status and readiness say so, no controller is changed; kiban maintain
// etcd refuses to take the alarm back while there is no room, and brings etcd back when there is.
func TestEtcdOutOfSpace(t *testing.T) {
	t.Parallel()
	b := start(t, "127.249.5", 3, 1)
	b.Config = "        storage:\n          type: etcd\n          etcd:\n            extraArgs:\n" +
		"              quota-backend-bytes: \"33554432\"\n"
	b.write()
	b.apply(0)
	cs, _ := b.admin()
	n := b.fill(cs, 60)
	if n == 60 {
		t.Fatal("etcd took more than its quota")
	}
	const full = "etcd is out of space and takes no writes (alarm NOSPACE)"
	b.eventually("the alarm is told", func() (bool, string) {
		r := b.must(0, b.kiban("status", "lab"))
		return strings.Contains(r.stdout, full), r.stdout
	})
	b.says(b.kiban("ready", "lab", "--to", v136), full, "kiban maintain etcd lab")
	b.Config += "        telemetry:\n          enabled: false\n"
	b.write()
	m := b.mark()
	b.says(b.must(3, b.kiban("apply", "lab", "--yes")), full)
	b.untouched(m, "an apply with etcd out of space")
	b.Config = strings.TrimSuffix(b.Config, "        telemetry:\n          enabled: false\n")
	b.write()

	// Old revisions and hollow pages go, and there is room again, until what is stored is too much by itself.
	r := b.must(0, b.kiban("maintain", "etcd", "lab", "--yes"))
	for round := 0; r.code == 0 && round < 10; round++ {
		b.says(r, "etcd has room:")
		b.fill(cs, 60)
		b.eventually("the alarm is told again", func() (bool, string) {
			r := b.must(0, b.kiban("status", "lab"))
			return strings.Contains(r.stdout, full), r.stdout
		})
		r = b.kiban("maintain", "etcd", "lab", "--yes")
	}
	if r.code == 0 {
		t.Errorf("the alarm was taken back without room: %s", r)
	}
	// Where a little room is left, the cluster's own writes may use it up before kiban has looked again.
	if !strings.Contains(r.stderr, "etcd is out of space again (alarm NOSPACE)") {
		b.says(r, "etcd has no room yet, so its alarm NOSPACE stays")
	}
	b.says(r, "kubectl delete", "quota-backend-bytes")

	b.empty(cs)
	b.says(b.must(0, b.kiban("maintain", "etcd", "lab", "--yes")), "etcd has room:")
	if _, err := cs.CoreV1().ConfigMaps("default").Create(context.Background(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "after"}},
		metav1.CreateOptions{}); err != nil {
		t.Errorf("etcd takes no writes: %v", err)
	}
	if r := b.must(0, b.kiban("status", "lab")); strings.Contains(r.stdout, "NOSPACE") {
		t.Errorf("the alarm is there still: %s", r)
	}
	b.eventually("the site is well", func() (bool, string) {
		r := b.kiban("plan", "lab", "--detailed-exitcode")
		return r.code == 0, r.String()
	})
}

// fill stores up to so many objects of nearly a megabyte, until the API takes no more, and says how many there are.
func (b *bench) fill(cs kubernetes.Interface, objects int) int {
	b.t.Helper()
	data := bytes.Repeat([]byte("x"), 900<<10)
	for i := range objects {
		_, err := cs.CoreV1().ConfigMaps("default").Create(context.Background(),
			&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: fmt.Sprintf("ballast-%03d-", i),
				Labels: map[string]string{"ballast": "yes"}},
				BinaryData: map[string][]byte{"x": data}}, metav1.CreateOptions{})
		switch {
		case err != nil && strings.Contains(err.Error(), "database space exceeded"):
			return i
		case err != nil:
			b.t.Fatal(err)
		}
	}
	return objects
}

// empty deletes what fill has stored.
func (b *bench) empty(cs kubernetes.Interface) {
	b.t.Helper()
	if err := cs.CoreV1().ConfigMaps("default").DeleteCollection(context.Background(), metav1.DeleteOptions{},
		metav1.ListOptions{LabelSelector: "ballast=yes"}); err != nil {
		b.t.Fatal(err)
	}
}

// compact has etcd forget old revisions, as the API server does every five minutes.
func (b *bench) compact(host string) {
	b.t.Helper()
	const call = "curl -sS --cacert /var/lib/k0s/pki/etcd/ca.crt --cert /var/lib/k0s/pki/apiserver-etcd-client.crt " +
		"--key /var/lib/k0s/pki/apiserver-etcd-client.key -d '%s' https://127.0.0.1:2379/v3/%s"
	status := b.must(0, b.lab("exec", "--dir", ".lab", host, fmt.Sprintf(call, "{}", "maintenance/status"))).stdout
	_, rest, _ := strings.Cut(status, `"revision":"`)
	revision, _, _ := strings.Cut(rest, `"`)
	b.says(b.must(0, b.lab("exec", "--dir", ".lab", host, fmt.Sprintf(call, `{"revision":"`+revision+`","physical":true}`, "kv/compaction"))),
		"header")
}

// leader is the controller whose etcd leads.
func (b *bench) leader() string {
	b.t.Helper()
	for line := range strings.Lines(b.must(0, b.kiban("status", "lab")).stdout) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "leader" {
			return fields[0]
		}
	}
	b.t.Fatal("no member of etcd leads")
	return ""
}
