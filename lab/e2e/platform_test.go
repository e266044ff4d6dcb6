package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What addons of a site come from: the lab's chart repository, served over HTTP for as long as the test wants it.
type repository struct {
	url  string
	stop func()
}

// serveCharts writes a chart repository into charts/ of the fleet, with Argo CD's real manifests beside it, and serves it.
func (b *bench) serveCharts(args ...string) *repository {
	b.t.Helper()
	cmd := exec.Command(binary(b.t, "KIBAN_LAB_BIN", "kiban-lab"),
		append([]string{"charts", "--dir", "charts", "--argocd", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = b.dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.t.Fatal(err)
	}
	stop := func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	}
	b.t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.Contains(said.String(), "left out") {
		stop()
		b.t.Skipf("the charts cannot be had: %v\n%s", err, said.String())
	}
	return &repository{url: strings.TrimSpace(line), stop: stop}
}

// platform is what makes a site more than a cluster, in versions that tests change. repo is where its charts are.
type platform struct {
	repo                 string
	metallb, datadog     string
	datadogReplicas      int
	pool                 string
	tenants              []string
	argocd, web, storage bool
	webVersion           string
	clusterName          string
	// speakerAfter is how long MetalLB's speakers take to be Ready.
	speakerAfter string
}

func newPlatform(repo string) platform {
	return platform{repo: repo, metallb: "0.16.2", datadog: "3.150.0", datadogReplicas: 1, pool: "192.0.2.0/28",
		tenants: []string{"product-a", "product-b", "product-c"},
		argocd:  true, storage: true, clusterName: "lab"}
}

// documents are the overlay's, by file name.
func (p platform) documents() map[string]string {
	docs := map[string]string{}
	if p.metallb != "" {
		docs["metallb.yaml"] = addon("metallb", "metallb-system",
			p.chart("metallb", p.metallb, fmt.Sprintf("frrk8s: {enabled: false}\n      speaker: {frr: {enabled: false}, podAnnotations: "+
				"{lab.kiban.dev/ready-after: %q}}", cmp.Or(p.speakerAfter, "0s"))), "") +
			privileged("metallb-system", "metallb") + fmt.Sprintf(`---
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: default, namespace: metallb-system, annotations: {kiban.dev/addon: metallb}}
spec: {addresses: ["%s"]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: default, namespace: metallb-system, annotations: {kiban.dev/addon: metallb}}
spec: {ipAddressPools: [default]}
`, p.pool)
	}
	if p.argocd {
		docs["argocd.yaml"] = addon("argocd", "argocd", "  manifests: [../../charts/argocd/install.yaml]\n", "")
	}
	if p.datadog != "" {
		values := fmt.Sprintf("datadog: {clusterName: %s, apiKeyExistingSecret: datadog-keys}\n"+
			"      clusterAgent: {replicas: %d, tokenExistingSecret: datadog-keys}", p.clusterName, p.datadogReplicas)
		docs["datadog.yaml"] = addon("datadog", "datadog", p.chart("datadog", p.datadog, values),
			"  secrets:\n  - name: datadog-keys\n    keys: {api-key: {env: KIBAN_SECRET_E2E_API_KEY}, token: {env: KIBAN_SECRET_E2E_TOKEN}}\n"+
				"  ignore:\n  - {kind: ConfigMap, name: datadog-kpi-telemetry-configmap, fields: [data.install_time]}\n") +
			privileged("datadog", "datadog")
	}
	if p.web {
		docs["web.yaml"] = addon("web", "web", p.chart("web", p.webVersion, "replicas: 2"), "")
	}
	if p.storage {
		docs["storage.yaml"] = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: lab}
provisioner: lab.kiban.dev/provisioner
volumeBindingMode: WaitForFirstConsumer
`
	}
	for _, name := range p.tenants {
		docs["tenant-"+name+".yaml"] = fmt.Sprintf(`apiVersion: kiban.dev/v1alpha1
kind: Tenant
metadata: {name: %[1]s}
spec:
  groups: {edit: ["oidc:%[1]s"]}
  quota: {requests.cpu: "20", pods: "20"}
  limits: {default: {memory: 512Mi}, defaultRequest: {cpu: 100m, memory: 256Mi}}
  repositories: ["https://git.example/%[1]s/*"]
`, name)
		if p.argocd {
			docs["tenant-"+name+".yaml"] += fmt.Sprintf("  applications:\n  - {repository: \"https://git.example/%s/deploy.git\", path: "+
				"\"apps/*\"}\n", name)
		}
	}
	return docs
}

func (p platform) chart(name, version, values string) string {
	return fmt.Sprintf("  chart:\n    repo: %s\n    name: %s\n    version: %s\n    values:\n      %s\n", p.repo, name, version, values)
}

func addon(name, namespace, what, more string) string {
	timeout := "90s" // machines of CI are busy
	if name == "datadog" {
		timeout = "20s" // one of its versions never gets healthy, which is waited for
	}
	return fmt.Sprintf("apiVersion: kiban.dev/v1alpha1\nkind: Addon\nmetadata: {name: %s}\nspec:\n  namespace: %s\n  timeout: %s\n%s%s", name,
		namespace, timeout, what, more)
}

// privileged is a namespace whose pods may use the host.
func privileged(name, addon string) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: %s\n  annotations: {kiban.dev/addon: %s}\n"+
		"  labels: {pod-security.kubernetes.io/enforce: privileged}\n", name, addon)
}

// promises are what the site's platform is to have.
const promises = "  platform:\n    loadBalancer: {promised: true, annotations: {metallb.io/address-pool: default}}\n" +
	"    storage: {class: lab}\n"

// with puts the platform into the overlay.
func (b *bench) with(p platform) {
	b.t.Helper()
	for name := range b.Documents {
		if err := os.Remove(filepath.Join(b.dir, "overlays", "lab", name)); err != nil {
			b.t.Fatal(err)
		}
	}
	b.Documents = p.documents()
	b.write()
}

// platformSecrets puts secrets into the environment of every kiban that tests run. They are the same for all tests, since those that run
// side by side share it: a secret that another test changes would be a change of the site.
func platformSecrets(t *testing.T) {
	t.Helper()
	encryption := filepath.Join(os.TempDir(), "kiban-e2e-encryption.yaml")
	half := filepath.Join(t.TempDir(), "encryption.yaml") // another test may be reading
	if err := os.WriteFile(half, []byte(`apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox: {keys: [{name: a, secret: MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=}]}
  - identity: {}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(half, encryption); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{"KIBAN_SECRET_E2E_API_KEY": "api-key-of-the-tests", "KIBAN_SECRET_E2E_TOKEN": "token-of-the-tests",
		"KIBAN_SECRET_ENCRYPTION_CONFIG": encryption} {
		if err := os.Setenv(name, v); err != nil { // not t.Setenv, which tests that run side by side may not use
			t.Fatal(err)
		}
	}
}

// components copies the repository's kustomize components into the fleet.
func (b *bench) components(names ...string) {
	b.t.Helper()
	for _, name := range names {
		if err := os.CopyFS(filepath.Join(b.dir, "clusters", "components", name),
			os.DirFS(filepath.Join("..", "..", "clusters", "components", name))); err != nil {
			b.t.Fatal(err)
		}
		b.Components = append(b.Components, "../../clusters/components/"+name)
	}
}

// step is one of a plan, with what of it tests look at.
type step struct{ ID, Action, Target string }

func (b *bench) steps(site string) []step {
	b.t.Helper()
	r := b.kiban("plan", site, "-o", "json")
	var p struct{ Steps []step }
	if err := json.Unmarshal([]byte(r.stdout), &p); err != nil {
		b.t.Fatalf("plan -o json: %v\n%s", err, r)
	}
	return p.Steps
}

// nothingLeft asserts that the plan of a site is empty.
func (b *bench) nothingLeft(site string) {
	b.t.Helper()
	r := b.must(0, b.kiban("plan", site, "--detailed-exitcode"))
	if !strings.Contains(r.stdout, "No changes") {
		b.t.Errorf("the plan is not empty: %s", r)
	}
}

// says asserts that an output holds all of the texts.
func (b *bench) says(r result, texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.stdout+r.stderr, text) {
			b.t.Errorf("it does not say %q: %s", text, r)
		}
	}
}

// image waits for what the first container of a Deployment is, with all of its pods up.
func (b *bench) image(namespace, name, want string) {
	b.t.Helper()
	cs, _ := b.admin()
	b.eventually(namespace+"/"+name, func() (bool, string) {
		d, err := cs.AppsV1().Deployments(namespace).Get(b.t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return false, err.Error()
		}
		got := d.Spec.Template.Spec.Containers[0].Image
		return strings.HasSuffix(got, want) && d.Status.ReadyReplicas == *d.Spec.Replicas && d.Status.UpdatedReplicas == *d.Spec.Replicas,
			fmt.Sprintf("%s, %d ready, %d updated", got, d.Status.ReadyReplicas, d.Status.UpdatedReplicas)
	})
}
