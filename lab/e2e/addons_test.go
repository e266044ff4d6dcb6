package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// TestPlatform brings a site up that product teams could use, from bare machines: MetalLB's real chart with its pool, Argo CD's real
// manifests, Datadog's stand-in, the baseline and three tenants. Then it bumps a chart, bumps one that fails, undoes what somebody did by
// hand, and asks whether the platform holds what it promises.
func TestPlatform(t *testing.T) {
	t.Parallel()
	platformSecrets(t)
	b := start(t, "127.234.0", 1, 3)
	p := newPlatform(b.serveCharts().url)
	b.components("baseline")
	b.Spec = promises
	b.with(p)

	b.must(0, b.kiban("validate", "lab"))
	r := b.apply(0)
	if secret := os.Getenv("KIBAN_SECRET_E2E_API_KEY"); strings.Contains(r.stdout+r.stderr, secret) {
		t.Error("apply prints a secret")
	}
	b.nothingLeft("lab")
	cs, _ := b.admin()
	ctx := t.Context()
	for _, ns := range p.tenants {
		if _, err := cs.CoreV1().ResourceQuotas(ns).List(ctx, metav1.ListOptions{}); err != nil {
			t.Error(err)
		}
	}
	if log, err := os.ReadFile(filepath.Join(b.dir, ".lab/machines/controller-1/root/var/log/kube-apiserver/audit.log")); err != nil ||
		len(log) == 0 {
		t.Errorf("the audit log: %d bytes, %v", len(log), err)
	}
	broken := b.verifyBroken()

	t.Run("one chart is bumped", func(t *testing.T) {
		b := b.of(t)
		p.datadog = "3.150.1"
		b.with(p)
		if s := b.steps("lab"); len(s) != 1 || s[0].ID != "addon/datadog/apply" {
			t.Fatalf("steps: %+v", s)
		}
		b.says(b.kiban("plan", "lab"), "datadog", "3.150.0", "3.150.1", "7.73.1")
		b.apply(0)
		b.nothingLeft("lab")
		b.image("datadog", "datadog-cluster-agent", ":7.73.1")
	})
	t.Run("an upgrade that fails goes back", func(t *testing.T) {
		b := b.of(t)
		good := p
		p.datadog = "3.151.0"
		b.with(p)
		b.says(b.apply(1), "datadog", "3.150.1", "flag provided but not defined: -leader-lease")
		b.image("datadog", "datadog-cluster-agent", ":7.73.1")
		p = good
		b.with(p)
		b.nothingLeft("lab")
	})
	t.Run("what somebody did by hand is undone", func(t *testing.T) {
		b := b.of(t)
		hand := metav1.PatchOptions{FieldManager: "kubectl-edit"}
		image := []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"argocd-server","image":"quay.io/argoproj/argocd:debug"}]}}}}`)
		if _, err := cs.AppsV1().Deployments("argocd").Patch(ctx, "argocd-server", types.StrategicMergePatchType, image, hand); err != nil {
			t.Fatal(err)
		}
		quota := []byte(`{"spec":{"hard":{"pods":"500"}}}`)
		list, err := cs.CoreV1().ResourceQuotas("product-a").List(ctx, metav1.ListOptions{})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%d quotas, %v", len(list.Items), err)
		}
		if _, err := cs.CoreV1().ResourceQuotas("product-a").Patch(ctx, list.Items[0].Name, types.MergePatchType, quota, hand); err != nil {
			t.Fatal(err)
		}
		svc := []byte(`{"spec":{"addresses":["198.51.100.0/28"]}}`)
		b.must(0, b.lab("kubectl", "--", "-n", "metallb-system", "patch", "ipaddresspools.metallb.io", "default", "--type=merge",
			"--field-manager=kubectl-edit", "-p", string(svc)))
		b.says(b.kiban("plan", "lab"), "changed by kubectl-edit", "argocd-server", "argocd:debug", "198.51.100.0/28", `"500" -> "20"`)
		b.apply(0)
		b.nothingLeft("lab")
		b.image("argocd", "argocd-server", ":v3.5.7")
	})
	t.Run("promises are kept, and broken ones are named", func(t *testing.T) {
		b := b.of(t)
		b.must(0, b.kiban("verify", "lab"))
		b.says(b.must(1, broken(nil)), "storage", "fast", "type=storage")
		list, err := cs.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, pod := range list.Items {
			if strings.Contains(pod.Spec.Containers[0].Image, "agnhost") && pod.DeletionTimestamp == nil {
				t.Errorf("verify left the pod %s/%s behind", pod.Namespace, pod.Name)
			}
		}
	})
	t.Run("what left the repository is pruned, and data stays", func(t *testing.T) {
		b := b.of(t)
		p.datadog, p.tenants = "", p.tenants[:2]
		b.with(p)
		b.apply(0)
		if list, err := cs.AppsV1().Deployments("datadog").List(ctx, metav1.ListOptions{}); err != nil || len(list.Items) != 0 {
			t.Errorf("datadog's Deployments: %d, %v", len(list.Items), err)
		}
		for _, ns := range []string{"datadog", "product-c"} {
			if n, err := cs.CoreV1().Namespaces().Get(ctx, ns, metav1.GetOptions{}); err != nil || n.DeletionTimestamp != nil {
				t.Errorf("the namespace %s went: %v", ns, err)
			}
		}
	})
}

// verifyBroken starts verify, which takes its time, on a copy of the fleet whose site promises more than it has.
func (b *bench) verifyBroken() (result func(os.Signal) result) {
	b.t.Helper()
	other := b.of(b.t)
	other.dir = b.t.TempDir()
	for _, own := range []string{".lab/ssh", "charts", "clusters"} { // a link would lead out of that fleet
		if err := os.CopyFS(filepath.Join(other.dir, own), os.DirFS(filepath.Join(b.dir, own))); err != nil {
			b.t.Fatal(err)
		}
	}
	other.Spec = strings.Replace(promises, "class: lab", "class: fast", 1) + "    nodeLabels: {type: storage}\n"
	other.write()
	_, result = other.background(binary(b.t, "KIBAN_BIN", "kiban"), "verify", "lab")
	return result
}

// of is the bench for a part of its test.
func (b *bench) of(t *testing.T) *bench {
	part := *b
	part.t = t
	return &part
}

// TestExternalSite applies the same addons and tenants to a cluster of which only a kubeconfig is known. Then it pins what they are made
// of, and does without the network.
func TestExternalSite(t *testing.T) {
	t.Parallel()
	platformSecrets(t)
	b := start(t, "127.235.0", 1, 2)
	b.apply(0)
	kubeconfig := filepath.Join(b.dir, ".kiban", "cluster.kubeconfig")
	b.file(kubeconfig, b.must(0, b.lab("kubeconfig")).stdout)
	charts := b.serveCharts()
	p := newPlatform(charts.url)
	m := b.mark()
	b.Site.Name, b.External, b.Spec = "lab", true, "  api:\n    kubeconfig: {file: ../../.kiban/cluster.kubeconfig}\n"+promises
	if err := os.RemoveAll(filepath.Join(b.dir, "overlays", "lab")); err != nil {
		t.Fatal(err)
	}
	b.with(p)
	b.apply(0)
	b.nothingLeft("lab")
	b.must(0, b.kiban("status", "lab"))
	b.must(0, b.kiban("verify", "lab"))
	if r := b.must(0, b.kiban("ci", "soak", "lab")); !strings.Contains(r.stdout, "lab is healthy") ||
		!strings.Contains(r.stdout, "chart datadog") || strings.Contains(r.stdout, "  runs  -") {
		t.Errorf("what its charts are promoted by: %s", r)
	}
	b.untouched(m, "a site without hosts")

	t.Run("another cluster is refused", func(t *testing.T) {
		b, spec := b.of(t), b.Spec
		b.Spec = strings.Replace(spec, "  api:\n", "  api:\n    clusterUID: 6f4ac2f4-1a0e-4b7e-9f3b-0d6f1c1b2a3d\n", 1)
		b.write()
		b.says(b.must(1, b.kiban("apply", "lab", "--yes")), "6f4ac2f4-1a0e-4b7e-9f3b-0d6f1c1b2a3d")
		b.Spec = spec
		b.write()
	})
	t.Run("a chart that is not the locked one is refused", func(t *testing.T) {
		b := b.of(t)
		b.must(0, b.kiban("pin", "lab"))
		b.nothingLeft("lab")
		verbs := [][]string{{"validate", "lab"}, {"plan", "lab"}, {"apply", "lab", "--yes"}}
		// One that was changed on this machine.
		spoilCache(t, b.dir)
		for _, verb := range verbs {
			b.says(b.must(1, b.kiban(verb...)), "not what it was when it was fetched", "sha256:")
		}
		// One that was published again under its version.
		b.must(0, b.lab("charts", "--dir", "charts", "--altered", "datadog-3.150.0"))
		b.withoutCache()
		verbs[0] = []string{"validate", "lab", "--fetch"} // of itself it asks nobody
		for _, verb := range append(verbs, []string{"pin", "lab"}) {
			b.says(b.must(1, b.kiban(verb...)), "datadog", "sha256:")
		}
		b.must(0, b.lab("charts", "--dir", "charts"))
		b.must(0, b.kiban("validate", "lab", "--fetch"))
	})
	t.Run("a bundle carries all of it", func(t *testing.T) {
		b := b.of(t)
		bundle := filepath.Join(b.dir, "site.bundle")
		b.must(0, b.kiban("bundle", "lab", "-o", bundle))
		charts.stop()
		b.withoutCache()
		p.datadogReplicas = 2
		b.with(p)
		b.must(1, b.kiban("apply", "lab", "--yes"))
		b.must(0, b.kiban("apply", "lab", "--yes", "--bundle", bundle))
		b.must(0, b.lab("kubectl", "--", "-n", "datadog", "rollout", "status", "deployment/datadog-cluster-agent", "--timeout=10s"))
	})
}

// withoutCache takes away what kiban keeps of charts, so that it has to ask where they come from.
func (b *bench) withoutCache() {
	b.t.Helper()
	if err := os.RemoveAll(filepath.Join(b.dir, ".kiban", "cache")); err != nil {
		b.t.Fatal(err)
	}
}

// spoilCache changes every file of the cache.
func spoilCache(t *testing.T, dir string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(dir, ".kiban", "cache"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		return os.WriteFile(path, []byte("not what it was"), 0o644)
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files of the cache were changed: %v", n, err)
	}
}

// TestKilledAddonApply kills kiban in the midst of an addon and applies again.
func TestKilledAddonApply(t *testing.T) {
	t.Parallel()
	platformSecrets(t)
	b := start(t, "127.236.0", 1, 2)
	p := newPlatform(b.serveCharts().url)
	p.argocd, p.datadog, p.storage, p.tenants = false, "", false, nil
	p.web, p.webVersion = true, "1.0.0"
	b.with(p)
	b.apply(0)
	p.webVersion, p.metallb = "1.1.0", "0.16.3"
	b.with(p)
	killed := 0
	for _, after := range []time.Duration{700 * time.Millisecond, 1500 * time.Millisecond, 2500 * time.Millisecond} {
		cmd, stop := b.background(binary(t, "KIBAN_BIN", "kiban"), "apply", "lab", "--yes")
		time.Sleep(after)
		_ = cmd.Process.Kill() // it may be done
		if r := stop(nil); r.code == -1 {
			killed++
		}
	}
	if killed == 0 {
		t.Error("no run was killed: all were done before")
	}
	b.eventually("the lock runs out", func() (bool, string) {
		r := b.kiban("apply", "lab", "--yes")
		return r.code == 0, r.String()
	})
	b.nothingLeft("lab")
	b.image("web", "web", ":2")
	b.image("metallb-system", "metallb-controller", ":v0.16.3")
}

// TestUpgradeWaitsForAddons holds that no machine is disturbed while MetalLB's speaker is not up on every node.
func TestUpgradeWaitsForAddons(t *testing.T) {
	t.Parallel()
	b := start(t, "127.253.4", 1, 2)
	p := newPlatform(b.serveCharts().url)
	p.argocd, p.datadog, p.storage, p.tenants = false, "", false, nil
	p.speakerAfter = "10s"
	b.with(p)
	b.apply(0)
	cs, _ := b.admin()
	b.Version = v136
	b.write()
	_, result := b.background(binary(t, "KIBAN_BIN", "kiban"), "apply", "lab", "--yes")
	b.eventually("worker-1 is cordoned", func() (bool, string) {
		n, err := cs.CoreV1().Nodes().Get(t.Context(), "worker-1", metav1.GetOptions{})
		return err == nil && n.Spec.Unschedulable, fmt.Sprint(err)
	})
	// The other one's speaker is replaced meanwhile, again and again, until the run has come to it: a speaker takes 10 s to be Ready.
	b.eventually("the run waits for the speaker", func() (bool, string) {
		said := b.kiban("show", "latest").stdout
		if strings.Contains(said, "waits until addons are healthy") {
			return true, ""
		}
		b.replaceSpeaker(cs, "worker-2")
		return false, said
	})
	r := b.must(0, result(nil))
	wait, next := strings.Index(r.stderr, "waits until addons are healthy"), strings.Index(r.stderr, "worker-2/cordon: begins")
	if wait < 0 || next < 0 || wait > next || !strings.Contains(r.stderr, "DaemonSet metallb-system/metallb-speaker") {
		t.Errorf("it does not wait for the speaker before worker-2: %s", r)
	}
	b.nothingLeft("lab")
	list, err := cs.CoreV1().Pods("metallb-system").List(t.Context(), speakers())
	if err != nil {
		t.Fatal(err)
	}
	for _, pod := range list.Items {
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status != corev1.ConditionTrue {
				t.Errorf("%s is not Ready", pod.Name)
			}
		}
	}
}

// speakers are MetalLB's pods, one on every node.
func speakers() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: "app.kubernetes.io/component=speaker"}
}

// replaceSpeaker deletes the speaker of a node, unless that is on its way already.
func (b *bench) replaceSpeaker(cs kubernetes.Interface, node string) {
	b.t.Helper()
	pods := cs.CoreV1().Pods("metallb-system")
	list, err := pods.List(b.t.Context(), speakers())
	if err != nil {
		return // the API server may be away; the caller comes again
	}
	for _, pod := range list.Items {
		if pod.Spec.NodeName == node && pod.DeletionTimestamp == nil {
			if err := pods.Delete(b.t.Context(), pod.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
				b.t.Logf("%s: %v", pod.Name, err)
			}
		}
	}
}
