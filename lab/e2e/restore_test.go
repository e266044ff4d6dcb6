package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// A key pair for these tests alone; it opens nothing else.
const (
	backupKey       = "AGE-SECRET-KEY-1KAZEWKD22MCJA7W0KG5SX6F5MWGMAGUW0GCST22AEXWP2GL2D78STMSHSX"
	backupRecipient = "age1zk4vufppvd9n0gqq8cvy2xxnc3najsrv5ucth4aqgdm2j5zphe3qsznjrj"
	plantedSecret   = "hunter2-planted-in-a-secret"
)

// encrypted declares the recipient of the site's backups, and gives the file with the private key.
func (b *bench) encrypted() (identity string) {
	b.t.Helper()
	path := filepath.Join(b.dir, "overlays", "lab", "site.yaml")
	doc, err := os.ReadFile(path)
	if err != nil {
		b.t.Fatal(err)
	}
	b.file(path, strings.Replace(string(doc), "spec:\n", "spec:\n  backup: {recipients: ["+backupRecipient+"]}\n", 1))
	identity = filepath.Join(b.t.TempDir(), "key.txt")
	b.file(identity, backupKey+"\n")
	return identity
}

// destroy wipes controllers as `k0s reset` does.
func (b *bench) destroy(controllers ...string) {
	b.t.Helper()
	for _, c := range controllers {
		b.must(0, b.lab("exec", "--dir", ".lab", c, "systemctl stop k0scontroller && k0s reset && rm -f /etc/k0s/k0s.yaml /usr/local/bin/k0s"))
	}
}

// note creates a ConfigMap and a Secret of that name.
func (b *bench) note(cs kubernetes.Interface, name string) {
	b.t.Helper()
	ctx := context.Background()
	meta := metav1.ObjectMeta{Name: name}
	_, err := cs.CoreV1().ConfigMaps("default").Create(ctx, &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"written": name}},
		metav1.CreateOptions{})
	if err == nil {
		_, err = cs.CoreV1().Secrets("default").Create(ctx,
			&corev1.Secret{ObjectMeta: meta, StringData: map[string]string{"password": plantedSecret}}, metav1.CreateOptions{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// noted reports whether those objects are there, as they were written.
func (b *bench) noted(cs kubernetes.Interface, name string) bool {
	b.t.Helper()
	ctx := context.Background()
	c, err := cs.CoreV1().ConfigMaps("default").Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return false
	}
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := cs.CoreV1().Secrets("default").Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	return c.Data["written"] == name && string(s.Data["password"]) == plantedSecret
}

// allReady waits until every worker's node is Ready at that version.
func (b *bench) allReady(cs kubernetes.Interface, version string) {
	b.t.Helper()
	b.eventually("the workers are Ready", func() (bool, string) {
		nodes, err := cs.CoreV1().Nodes().List(context.Background(), metav1.ListOptions{})
		if err != nil {
			return false, err.Error()
		}
		ready := 0
		for _, n := range nodes.Items {
			for _, c := range n.Status.Conditions {
				if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && strings.HasPrefix(version, n.Status.NodeInfo.KubeletVersion) {
					ready++
				}
			}
		}
		return ready == b.Workers && len(nodes.Items) == b.Workers, fmt.Sprintf("%d of %d, %d nodes", ready, b.Workers, len(nodes.Items))
	})
}

// noSecrets asserts that neither the private key nor what a backup holds is in what was printed, journaled, or sent as a command.
func (b *bench) noSecrets(printed ...result) {
	b.t.Helper()
	texts := map[string]string{"the machines' commands": b.must(0, b.lab("commands", "--dir", ".lab")).stdout}
	for _, r := range printed {
		texts["the output of "+strings.Join(r.argv[1:3], " ")] = r.stdout + r.stderr
	}
	err := filepath.WalkDir(filepath.Join(b.dir, ".kiban"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.Contains(path, "/cache/") {
			return err
		}
		doc, err := os.ReadFile(path)
		texts[path] = string(doc)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	for where, text := range texts {
		for _, secret := range []string{backupKey, plantedSecret, "PRIVATE KEY"} {
			if strings.Contains(text, secret) {
				b.t.Errorf("%q is in %s", secret, where)
			}
		}
	}
}

// Backup, destroy the control plane, restore: what was written before is there, workers are Ready, and the plan is empty.
func TestBackupDestroyRestore(t *testing.T) {
	t.Parallel()
	b := start(t, "127.204.1", 1, 2)
	identity := b.encrypted()
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	b.deploy(cs, "web", 4, 1)
	taken := b.must(0, b.kiban("backup", "lab"))
	file := strings.TrimSpace(taken.stdout)
	if st, err := os.Stat(file); err != nil || !strings.HasSuffix(file, ".tar.gz.age") || st.Mode().Perm() != 0o600 {
		t.Fatalf("the backup is %q: %v", file, err)
	}
	b.note(cs, "after")

	m := b.mark()
	refused := b.must(3, b.kiban("restore", "lab", "--from", file, "--identity", identity, "--yes"))
	if !strings.Contains(refused.stderr, "a controller runs") {
		t.Errorf("it does not say why: %s", refused)
	}
	b.untouched(m, "a refused restore")

	b.destroy("controller-1")
	m = b.mark()
	for _, wrong := range [][]string{{"restore", "lab", "--from", file, "--yes"}, {"restore", "lab", "--from", file, "--identity", identity}} {
		b.must(1, b.kiban(wrong...)) // no key; nobody to confirm
	}
	b.untouched(m, "a restore that was not begun")

	began := time.Now()
	restored := b.must(0, b.kiban("restore", "lab", "--from", file, "--identity", identity, "--yes"))
	t.Logf("restored in %s", time.Since(began).Round(time.Second))
	cs, _ = b.admin()
	if !b.noted(cs, "before") {
		t.Error("what was written before the backup is lost")
	}
	if b.noted(cs, "after") {
		t.Error("what was written after the backup is there: nothing was restored")
	}
	b.allReady(cs, v135)
	b.eventually("web is Ready again", func() (bool, string) {
		d, err := cs.AppsV1().Deployments("default").Get(context.Background(), "web", metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		return d.Status.ReadyReplicas == 4, fmt.Sprint(d.Status.ReadyReplicas)
	})
	b.note(cs, "now") // it takes writes
	b.emptyPlan()
	b.noSecrets(taken, refused, restored)
}

// Three controllers are rebuilt from one backup, and are members of one etcd again.
func TestRestoreOfThreeControllers(t *testing.T) {
	t.Parallel()
	b := start(t, "127.204.2", 3, 2)
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	file := strings.TrimSpace(b.must(0, b.kiban("backup", "lab", "--out", b.t.TempDir())).stdout)

	b.destroy("controller-1", "controller-3")
	r := b.must(3, b.kiban("restore", "lab", "--from", file, "--yes"))
	if !strings.Contains(r.stderr, "controller-2") || !strings.Contains(r.stderr, "a controller runs") {
		t.Errorf("one controller that still runs is not named: %s", r)
	}
	b.fault("controller-2", "off")
	if r := b.must(3, b.kiban("restore", "lab", "--from", file, "--yes")); !strings.Contains(r.stderr, "It may still run") {
		t.Errorf("one controller that nobody can see is not waited for: %s", r)
	}
	b.mend("controller-2")
	b.destroy("controller-2")

	b.must(0, b.kiban("restore", "lab", "--from", file, "--yes"))
	cs, _ = b.admin()
	if !b.noted(cs, "before") {
		t.Error("what was written before the backup is lost")
	}
	members := b.must(0, b.lab("exec", "--dir", ".lab", "controller-1", "k0s etcd member-list")).stdout
	for _, c := range []string{"controller-1", "controller-2", "controller-3"} {
		if !strings.Contains(members, c) {
			t.Errorf("%s is not in etcd: %s", c, members)
		}
	}
	b.allReady(cs, v135)
	b.emptyPlan()
}

// The way back from an upgrade is the backup that the upgrade took: the control plane is rebuilt at the version before, and workers that
// are newer than it are set up anew.
func TestRestoreTakesAnUpgradeBack(t *testing.T) {
	t.Parallel()
	b := start(t, "127.204.3", 1, 1)
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	b.Version = v136
	b.write()
	b.apply(0)
	files, err := filepath.Glob(filepath.Join(b.dir, ".kiban", "backups", "lab", "lab-"+v135+"-*.tar.gz"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the upgrade left the backups %v, %v", files, err)
	}
	b.destroy("controller-1")
	if r := b.must(1, b.kiban("restore", "lab", "--from", files[0], "--yes")); !strings.Contains(r.stderr, "Declare spec.k0s.version: "+v135) {
		t.Errorf("it does not say which version to declare: %s", r)
	}
	b.Version = v135
	b.write()
	b.must(0, b.kiban("restore", "lab", "--from", files[0], "--yes"))
	cs, _ = b.admin()
	if !b.noted(cs, "before") {
		t.Error("what was written before the upgrade is lost")
	}
	b.allReady(cs, v135)
	b.emptyPlan()
}
