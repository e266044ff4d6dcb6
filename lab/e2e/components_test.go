package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestComponents applies the repository's own components together, as the example fleet has them, with charts of the lab in place of those
// of the Internet: MetalLB's real one, and stand-ins for Argo CD's and Datadog's that take the same values.
func TestComponents(t *testing.T) {
	t.Parallel()
	componentSecrets(t)
	b := start(t, "127.248.0", 1, 3)
	charts := b.serveCharts().url
	b.shared("argocd", "datadog")
	b.components("metallb", "argocd-ha", "argocd-loadbalancer", "datadog-k0s", "tenants-shared")
	b.edit("metallb/addon.yaml", "https://metallb.github.io/metallb", charts)
	b.edit("argocd/addon.yaml", "https://argoproj.github.io/argo-helm", charts)
	b.edit("datadog/addon.yaml", "https://helm.datadoghq.com", charts)
	b.edit("datadog-k0s/addon.yaml", "      datadog:\n", "      datadog:\n        clusterName: lab\n")
	b.Version = v136
	b.Documents = map[string]string{"pools.yaml": b.example("tokyo-prod/pools.yaml")}
	b.write()
	b.must(0, b.kiban("validate", "lab", "--fetch"))
	b.apply(0)
	b.nothingLeft("lab")

	cs, _ := b.admin()
	service, err := cs.CoreV1().Services("argocd").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(service.Items) == 0 {
		t.Errorf("%d Services of Argo CD, %v", len(service.Items), err)
	}
	for _, ns := range []string{"product-a", "product-b", "product-b-batch"} {
		quota, err := cs.CoreV1().ResourceQuotas(ns).List(t.Context(), metav1.ListOptions{})
		if err != nil || len(quota.Items) != 1 {
			t.Errorf("%d quotas of %s, %v", len(quota.Items), ns, err)
		}
	}
	secret, err := cs.CoreV1().Secrets("argocd").Get(t.Context(), "argocd-oidc", metav1.GetOptions{})
	if err != nil || secret.Labels["app.kubernetes.io/part-of"] != "argocd" || string(secret.Data["clientID"]) != "of a test" {
		t.Errorf("Argo CD's secret: %v, %v", secret.Labels, err)
	}
}

// componentSecrets are the variables that the components' Secrets come from.
func componentSecrets(t *testing.T) {
	t.Helper()
	for _, name := range []string{"KIBAN_SECRET_ARGOCD_OIDC_CLIENT_ID", "KIBAN_SECRET_ARGOCD_OIDC_CLIENT_SECRET",
		"KIBAN_SECRET_DATADOG_API_KEY", "KIBAN_SECRET_DATADOG_APP_KEY",
		"KIBAN_SECRET_DATADOG_CLUSTER_AGENT_TOKEN"} {
		if err := os.Setenv(name, "of a test"); err != nil { // t.Setenv and t.Parallel exclude each other; every test wants the same
			t.Fatal(err)
		}
	}
}

// shared copies components that others include, without listing them.
func (b *bench) shared(names ...string) {
	b.t.Helper()
	b.components(names...)
	b.Components = b.Components[:len(b.Components)-len(names)]
}

// edit changes a file of a copied component.
func (b *bench) edit(name, from, to string) {
	b.t.Helper()
	path := filepath.Join(b.dir, "clusters", "components", filepath.FromSlash(name))
	content, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(content), from) {
		b.t.Fatalf("%s has no %q: %v", name, from, err)
	}
	b.file(path, strings.Replace(string(content), from, to, 1))
}

// example is a file of the example fleet's overlays.
func (b *bench) example(name string) string {
	b.t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "overlays", filepath.FromSlash(name)))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(content)
}
