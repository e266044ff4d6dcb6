package controlplane_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lab/controlplane"
	"kiban.dev/kiban/lab/fleet"
)

// played are the versions that the lab's API server plays.
func played() []string { return []string{"1.34", "1.35", "1.36", "1.37"} }

// TestRemovedAPIsAsServersJudge holds what `kiban ready` says of some hundred manifests against what real API servers of each version make
// of the same objects by a dry run. An object that a version does not know, and that a former one knew or none that was played, is one of a
// removed API.
func TestRemovedAPIsAsServersJudge(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane four times")
	}
	kiban := os.Getenv("KIBAN_BIN")
	if kiban == "" {
		kiban = filepath.Join("..", "..", "bin", "kiban")
	}
	kiban, err := filepath.Abs(kiban)
	if _, missing := os.Stat(kiban); err != nil || missing != nil {
		t.Fatalf("there is no %s: build it first, with `make build`, or set KIBAN_BIN", kiban)
	}
	s := newSite(t, "127.66.9")
	all := manifests(t)
	served := map[string]map[string]bool{} // by version, by name
	said := map[string]map[string]bool{}
	accepted := 0
	for i, version := range played() {
		c := s.controller(1, "")
		c.Version = "v" + version + ".1+k0s.0"
		c.Config.APIArgs = map[string]string{"runtime-config": "api/all=true"}
		stop := s.run(c)
		var taken map[string]bool
		served[version], taken = judged(t, s, c, all)
		accepted += len(taken)
		if i == 0 {
			for _, target := range played() {
				said[target] = ready(t, s, c, kiban, target, all)
			}
		}
		if i == len(played())-1 {
			rewritten(t, s, c, kiban, version, all, served[version], taken)
		}
		stop()
	}
	compare(t, all, served, said, accepted)
}

// judged asks the API server for each object by a dry run, and tells which it serves; taken are those that it would have taken as
// they are.
func judged(t *testing.T, s *site, c *controlplane.Controller, all []written) (served, taken map[string]bool) {
	t.Helper()
	doc, err := c.AdminKubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(doc)
	if err != nil {
		t.Fatal(err)
	}
	cfg.QPS, cfg.Burst, cfg.WarningHandler = 1000, 1000, rest.NoWarnings{}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	clients, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.until("service account", func(ctx context.Context) error {
		_, err := clients.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	_, lists, err := clients.Discovery().ServerGroupsAndResources()
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		resource   schema.GroupVersionResource
		namespaced bool
	}
	places := map[string]place{}
	for _, l := range lists {
		gv, err := schema.ParseGroupVersion(l.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range l.APIResources {
			if !strings.Contains(r.Name, "/") && strings.Contains(fmt.Sprint(r.Verbs), "create") {
				places[l.GroupVersion+" "+r.Kind] = place{gv.WithResource(r.Name), r.Namespaced}
			}
		}
	}
	served, taken = map[string]bool{}, map[string]bool{}
	for _, m := range all {
		p, known := places[m.apiVersion+" "+m.kind]
		if !known {
			continue
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(m.object), &o.Object); err != nil {
			t.Fatalf("%s: %v", m.object, err)
		}
		namespace := ""
		if p.namespaced {
			namespace = "default"
		}
		dry := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
		_, err := client.Resource(p.resource).Namespace(namespace).Create(t.Context(), o, dry)
		switch {
		case err == nil:
			taken[m.name], served[m.name] = true, true
		case apierrors.IsNotFound(err), apierrors.IsMethodNotSupported(err):
		default:
			if status := apierrors.APIStatus(nil); !errors.As(err, &status) {
				t.Fatalf("%s %s: %v", m.apiVersion, m.kind, err) // no answer
			}
			served[m.name] = true // it knows the kind, and finds fault with the values
		}
	}
	return served, taken
}

// rewritten has `kiban ready --fix` change the files, and holds each that it says to have changed against the API server: it serves the
// object, and takes it where it takes the sample of the same kind in the version that has stayed.
func rewritten(t *testing.T, s *site, c *controlplane.Controller, kiban, target string, all []written, served, taken map[string]bool) {
	t.Helper()
	sensible := map[string]bool{}
	for _, m := range all {
		sensible[m.kind] = sensible[m.kind] || taken[m.name] && !m.junk
	}
	dir := filepath.Join(s.dir, "fleet")
	doc, err := c.AdminKubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "admin.conf"), doc, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), kiban, "ready", "lab", "--to", target, "--brief", "--fix")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "KUBECONFIG_ORACLE="+filepath.Join(dir, "admin.conf"))
	said, _ := cmd.CombinedOutput() // what is left alone is in the way still
	var changed []written
	for _, m := range all {
		if !strings.Contains(string(said), "apps/web/"+m.name+".yaml:") || served[m.name] ||
			!regexp.MustCompile(`apps/web/`+m.name+`\.yaml:\d+: [^\n]* is of `).Match(said) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "apps/web", m.name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if m.apiVersion, m.object = objectNamed(t, text, m.name); m.object != "" {
			changed = append(changed, m)
		}
	}
	now, accepted := judged(t, s, c, changed)
	for _, m := range changed {
		if !now[m.name] || sensible[m.kind] && !m.junk && !accepted[m.name] {
			t.Errorf("%s is not served, or not taken, after it was written anew:\n%s", m.name, m.object)
		}
	}
	if len(changed) < 150 || len(accepted) < 150 {
		t.Errorf("%d objects were written anew, %d of them are taken:\n%s", len(changed), len(accepted), said)
	}
	t.Logf("%d manifests, written anew by --fix: all served by %s, %d taken as they are", len(changed), target, len(accepted))
}

// objectNamed is the object of that name in a file of documents, and of its lists.
func objectNamed(t *testing.T, text []byte, name string) (apiVersion, object string) {
	t.Helper()
	for _, doc := range strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n---\n") {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		all := []any{o}
		if items, ok := o["items"].([]any); ok {
			all = items
		}
		for _, one := range all {
			m, _ := one.(map[string]any)
			meta, _ := m["metadata"].(map[string]any)
			if meta["name"] != name {
				continue
			}
			b, err := yaml.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			apiVersion, _ = m["apiVersion"].(string)
			return apiVersion, string(b)
		}
	}
	return "", ""
}

// ready is what kiban says of the manifests, which lie in a tenant's folder of a fleet: the names of those whose API the target does not
// serve.
func ready(t *testing.T, s *site, c *controlplane.Controller, kiban, target string, all []written) map[string]bool {
	t.Helper()
	dir := filepath.Join(s.dir, "fleet")
	doc, err := c.AdminKubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"admin.conf": string(doc)}
	for _, m := range all {
		files["apps/web/"+m.name+".yaml"] = m.text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site := fleet.Site{External: true, Spec: "  api: {kubeconfig: {fileEnv: KUBECONFIG_ORACLE}}\n", Documents: map[string]string{"tenant.yaml": `
apiVersion: kiban.dev/v1alpha1
kind: Tenant
metadata: {name: shop}
spec:
  groups: {admin: ["shop-admins"]}
  repositories: ["https://git.example/fleet.git"]
  applications: [{repository: "https://git.example/fleet.git", path: "apps/*"}]
`}}
	if err := site.Write(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), kiban, "ready", "lab", "--to", target, "-o", "json")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "KUBECONFIG_ORACLE="+filepath.Join(dir, "admin.conf"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // what is in the way is told by the exit code, too
	var found []struct {
		Findings []struct {
			Rule string
			Seen []string
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &found); err != nil || len(found) != 1 {
		t.Fatalf("kiban ready --to %s: %v\n%s\n%s", target, err, stdout.String(), stderr.String())
	}
	file := regexp.MustCompile(`apps/web/(m-\d+)\.yaml:\d+`)
	said := map[string]bool{}
	for _, f := range found[0].Findings {
		for _, line := range f.Seen {
			if m := file.FindStringSubmatch(line); m != nil && f.Rule == "removed-api" {
				said[m[1]] = true
			}
		}
	}
	return said
}

// compare counts where kiban and the servers agree, and fails for each manifest of which they do not.
func compare(t *testing.T, all []written, served, said map[string]map[string]bool, accepted int) {
	t.Helper()
	var manifests, judgements, both, onlyServer, onlyKiban, neither int
	for _, m := range all {
		ever, later := false, false
		for _, v := range played() {
			ever = ever || served[v][m.name]
		}
		if m.junk && !ever {
			continue // no resource, or one that only an alpha feature brings
		}
		manifests++
		before := false
		for i, v := range played() {
			later = false
			for _, next := range played()[i:] {
				later = later || served[next][m.name]
			}
			before = before || served[v][m.name]
			if !served[v][m.name] && later && !before {
				continue // it came with a later version: nothing was removed
			}
			judgements++
			gone := !served[v][m.name]
			switch {
			case gone && said[v][m.name]:
				both++
			case gone:
				onlyServer++
				t.Errorf("%s does not serve %s %s (%s, %s), and kiban does not say so", v, m.apiVersion, m.kind, m.name, m.form)
			case said[v][m.name]:
				onlyKiban++
				t.Errorf("%s serves %s %s (%s, %s), and kiban says that it does not", v, m.apiVersion, m.kind, m.name, m.form)
			default:
				neither++
			}
		}
	}
	if manifests < 500 || both < 300 || neither < 300 {
		t.Errorf("%d manifests, %d judgements of removal and %d of none are too few", manifests, both, neither)
	}
	t.Logf("%d manifests, %d judgements by API servers of %s (%d objects taken as they are): %d removed, %d served; "+
		"kiban: precision %s, recall %s", manifests, judgements, strings.Join(played(), ", "), accepted, both+onlyServer, neither+onlyKiban,
		share(both, both+onlyKiban), share(both, both+onlyServer))
}

func share(part, whole int) string {
	return fmt.Sprintf("%.1f %% (%d of %d)", 100*float64(part)/float64(whole), part, whole)
}
