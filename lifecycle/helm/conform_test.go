package helm

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	rcommon "helm.sh/helm/v4/pkg/release/common"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"kiban.dev/kiban/lifecycle"
)

// TestReleaseReal goes through a release's life in the cluster of KIBAN_TEST_KUBECONFIG, in the namespace kiban-helm-test, which it makes
// and deletes.
func TestReleaseReal(t *testing.T) {
	file := os.Getenv("KIBAN_TEST_KUBECONFIG")
	if file == "" {
		t.Skip("KIBAN_TEST_KUBECONFIG names no cluster")
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(raw)
	if err != nil {
		t.Fatal(err)
	}
	api, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	const ns, name = "kiban-helm-test", "state"
	if _, err := api.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}},
		metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { api.CoreV1().Namespaces().Delete(context.Background(), ns, metav1.DeleteOptions{}) })

	dir, a := gateAddon(t, "", func(f map[string]string) {
		f["templates/deployment.yaml"], f["templates/webhook.yaml"] = "", ""
		f["templates/claim.yaml"] = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n" +
			"spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n"
		f["templates/hooks.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-install}}\n"
		f["templates/config.yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: state}\ndata: {replicas: \"{{ .Values.replicas }}\"}\n"
	})
	a.Namespace = ns
	client := Releases(Cluster{Config: reached(cfg), Log: slog.New(slog.DiscardHandler)}, testStore(StoreOptions{}))
	var said []string
	deploy := func() {
		t.Helper()
		if err := client.Deploy(ctx, site(dir), a, lifecycle.Capabilities{Kubernetes: "v1.36.3"},
			func(s string) { said = append(said, s) }); err != nil {
			t.Fatal(err)
		}
	}
	state := func() *metav1.ObjectMeta {
		t.Helper()
		m, err := api.CoreV1().ConfigMaps(ns).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m.ObjectMeta.Labels["replicas"] = m.Data["replicas"]
		return &m.ObjectMeta
	}
	release := func() lifecycle.Release {
		t.Helper()
		r, err := client.Release(ctx, ns, a.Name)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}

	by := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"replicas": "9"}}
	if _, err := api.CoreV1().ConfigMaps(ns).Create(ctx, by, metav1.CreateOptions{FieldManager: "by-hand"}); err != nil {
		t.Fatal(err)
	}
	deploy()
	if r := release(); r.Status != "deployed" || r.Revision != 1 || len(r.Objects) != 2 {
		t.Fatalf("%+v", r)
	}
	m := state()
	if m.Labels["replicas"] != "1" || m.Annotations["meta.helm.sh/release-name"] != a.Name {
		t.Errorf("it was not adopted: %+v", m)
	}
	if !slices.ContainsFunc(m.ManagedFields,
		func(f metav1.ManagedFieldsEntry) bool { return f.Manager == Manager && f.Operation == "Apply" }) {
		t.Errorf("managers: %+v", m.ManagedFields)
	}
	if _, err := api.CoreV1().ConfigMaps(ns).Get(ctx, "hook", metav1.GetOptions{}); err != nil {
		t.Errorf("the hook did not run: %v", err)
	}

	// A run that was killed in the middle of an upgrade.
	sdk, err := client.open(ctx, ns)
	if err != nil {
		t.Fatal(err)
	}
	all, err := revisions(sdk, a.Name)
	if err != nil {
		t.Fatal(err)
	}
	pending := *all[0]
	info := *pending.Info
	info.Status = rcommon.StatusPendingUpgrade
	pending.Info, pending.Version = &info, 2
	if err := sdk.Releases.Create(&pending); err != nil {
		t.Fatal(err)
	}
	up := action.NewUpgrade(sdk)
	up.WaitStrategy = kube.HookOnlyStrategy
	if _, err := up.RunWithContext(ctx, a.Name, all[0].Chart, nil); err == nil || !strings.Contains(err.Error(), "in progress") {
		t.Errorf("Helm by itself: %v", err)
	}
	a.Chart.Values = []byte(`{"replicas":2}`)
	deploy()
	if r := release(); r.Revision != 3 || r.Former != 1 || r.Status != "deployed" || state().Labels["replicas"] != "2" {
		t.Errorf("%+v", r)
	}
	wants(t, strings.Join(said, "\n"), "was cut off")

	// What the API server does not take, and the way back.
	write(t, filepath.Join(dir, "gate", "templates", "config.yaml"),
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: state}\ndata: {replicas: [7]}\n")
	err = client.Deploy(ctx, site(dir), a, lifecycle.Capabilities{Kubernetes: "v1.36.3"}, func(string) {})
	if text := diagnostic(t, err).Error(); !strings.Contains(text, "expected string, got another type") {
		t.Error(text)
	}
	if r := release(); r.Status != "failed" || r.Former != 3 {
		t.Errorf("%+v", r)
	}
	if err := client.Rollback(ctx, ns, a.Name, 1, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if r := release(); r.Status != "deployed" || state().Labels["replicas"] != "1" {
		t.Errorf("%+v", r)
	}

	if err := client.Uninstall(ctx, ns, a.Name); err != nil {
		t.Fatal(err)
	}
	if r := release(); r.Revision != 0 {
		t.Errorf("%+v", r)
	}
	if _, err := api.CoreV1().ConfigMaps(ns).Get(ctx, name, metav1.GetOptions{}); err == nil {
		t.Error("the uninstallation left its objects")
	}
	if _, err := api.CoreV1().PersistentVolumeClaims(ns).Get(ctx, "data", metav1.GetOptions{}); err != nil {
		t.Errorf("the claim is gone, and its data: %v", err)
	}
}
