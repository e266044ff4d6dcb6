package scaffold

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
)

var tool = Tool{Image: "registry.example.com:5050/infra/kiban", Version: "1.4.0"}

// The pipeline of a new fleet takes templates that this repository has, in the version of the kiban that made it, and gives them what they
// ask for.
func TestPipelineTakesWhatTemplatesOffer(t *testing.T) {
	files, err := Fleet(Example("tokyo"), tool)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for _, f := range files {
		have[f.Path] = string(f.Content)
		if strings.Contains(string(f.Content), "KIBAN_IMAGE") || strings.Contains(string(f.Content), "KIBAN_PROJECT") ||
			strings.Contains(string(f.Content), "KIBAN_VERSION") {
			t.Errorf("%s has a blank that nobody filled in:\n%s", f.Path, f.Content)
		}
	}
	var pipeline struct {
		Include []struct {
			Component string
			Inputs    map[string]string
		}
	}
	if err := yaml.Unmarshal([]byte(have[".gitlab-ci.yml"]), &pipeline); err != nil {
		t.Fatal(err)
	}
	taken := map[string]string{}
	for _, include := range pipeline.Include {
		name, found := strings.CutPrefix(include.Component, "$CI_SERVER_FQDN/infra/kiban/")
		name, atVersion := strings.CutSuffix(name, "@v1.4.0")
		if !found || !atVersion {
			t.Errorf("%s is no component of this version", include.Component)
		}
		taken[name] = include.Inputs["image"]
		b, err := os.ReadFile(filepath.Join("..", "..", "templates", name, "template.yml"))
		if err != nil {
			t.Fatal(err)
		}
		var template struct {
			Spec struct {
				Inputs map[string]struct{ Default *string }
			}
		}
		head, _, _ := strings.Cut(string(b), "\n---\n")
		if err := yaml.Unmarshal([]byte(head), &template); err != nil {
			t.Fatal(err)
		}
		for input, asked := range template.Spec.Inputs {
			if _, given := include.Inputs[input]; !given && asked.Default == nil {
				t.Errorf("%s asks for %s, and is not given it", name, input)
			}
		}
		for input, value := range include.Inputs {
			if _, asked := template.Spec.Inputs[input]; !asked {
				t.Errorf("%s does not take %s", name, input)
			}
			if path, local := strings.CutPrefix(value, "/"); local && have[path] == "" {
				t.Errorf("%s is to include %s, which a new fleet does not have", name, value)
			}
		}
	}
	want := map[string]string{"fleet": "registry.example.com:5050/infra/kiban:1.4.0",
		"renovate": "registry.example.com:5050/infra/kiban:1.4.0-renovate"}
	if !maps.Equal(taken, want) {
		t.Errorf("the pipeline takes %v, not %v", taken, want)
	}
}

func TestToolIsAnImage(t *testing.T) {
	for _, wrong := range []string{"", "kiban", "registry.example.com/kiban:1.0.0", "registry.example.com/kiban@sha256:00",
		"https://registry.example.com/kiban", "registry.example.com/Kiban",
		"registry.example.com/kiban\ninclude: x"} {
		if _, err := Fleet(Example("tokyo"), Tool{Image: wrong, Version: "1.0.0"}); err == nil {
			t.Errorf("%q was taken for a repository of images", wrong)
		}
	}
}

// A new fleet has this repository's clusters/base: every file of it, and none that it lacks.
func TestTheBaseIsThisRepositorysOwn(t *testing.T) {
	files, err := Fleet(Example("first"), tool)
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join("..", "..", "clusters", "base")
	entries, err := os.ReadDir(base)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(base, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		want["clusters/base/"+e.Name()] = string(b)
	}
	found := 0
	for _, f := range files {
		if !strings.HasPrefix(f.Path, "clusters/") {
			continue
		}
		if found++; string(f.Content) != want[f.Path] {
			t.Errorf("%s is not the repository's", f.Path)
		}
	}
	if found != len(want) || found < 4 {
		t.Errorf("%d files of %d", found, len(want))
	}
}

func TestMachines(t *testing.T) {
	got, err := Machines("tyo", lifecycle.RoleWorker, []string{"10.0.0.1", " w2=10.0.0.2", "fd00::3", "w4=box.example"})
	want := []Machine{{"tyo-worker-1", "10.0.0.1", lifecycle.RoleWorker}, {"w2", "10.0.0.2", lifecycle.RoleWorker},
		{"tyo-worker-3", "fd00::3", lifecycle.RoleWorker}, {"w4", "box.example", lifecycle.RoleWorker}}
	if err != nil || len(got) != len(want) {
		t.Fatal(got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	for _, wrong := range []string{"", "=10.0.0.1", "w=", "ops@10.0.0.1", "10.0.0.1:22", "[fd00::1]"} {
		if _, err := Machines("tyo", lifecycle.RoleWorker, []string{wrong}); err == nil {
			t.Errorf("%q was taken for a machine", wrong)
		}
	}
}

// A copy has the new site's name, machines and version, keeps how machines are reached, and everything else as it is.
func TestCopy(t *testing.T) {
	const pools = "# by hand\nkind:   IPAddressPool\nspec: {addresses: [10.0.9.1-10.0.9.9]}\n"
	from := []File{
		{"known_hosts", []byte("10.0.0.1 key")},
		{"kiban.lock", []byte("charts: []")},
		{"pools.yaml", []byte(pools)},
		{"kustomization.yaml", []byte(overlayKustomization)},
		{"site.yaml", []byte("apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata:\n  name: old\n  labels: {tier: staging}\n")},
		{"cluster.yaml", []byte(`# ours
apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata:
  name: old
spec:
  hosts:
    - hostname: old-1
      role: worker
      installFlags: [--labels=rack=a]
      ssh: {address: 10.0.0.1, port: 2222}
  k0s:
    version: v1.35.7+k0s.0
`)},
	}
	site := Site{Name: "new", Version: "v1.36.3+k0s.2",
		Machines: []Machine{{"new-1", "10.0.1.1", lifecycle.RoleController}, {"new-2", "box.example", lifecycle.RoleWorker}}}
	got, err := site.Copy("old", from)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range got {
		files[f.Path] = string(f.Content)
	}
	want := map[string]string{
		"pools.yaml": pools, "kustomization.yaml": overlayKustomization,
		"site.yaml": "apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata:\n  name: new\n  labels: {tier: staging}\n",
		"cluster.yaml": `# ours
apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata:
  name: new
spec:
  hosts:
    - hostname: new-1
      role: controller
      privateAddress: 10.0.1.1
      ssh:
        address: 10.0.1.1
    - hostname: new-2
      role: worker
      ssh: {address: box.example, port: 2222}
  k0s:
    version: v1.36.3+k0s.2
`}
	for path, text := range want {
		if files[path] != text {
			t.Errorf("%s:\n%s", path, files[path])
		}
	}
	if len(files) != len(want) {
		t.Errorf("%d files: %v", len(files), files)
	}
	if ds := Leftovers("new", got, site.Machines); len(ds) != 2 ||
		!strings.Contains(ds.Error(), "overlays/new/pools.yaml:3: 10.0.9.9 is the other site's") {
		t.Errorf("leftovers: %v", ds)
	}
	if _, err := site.Copy("old", from[:3]); err == nil || !strings.Contains(err.Error(), "lists no machines") {
		t.Errorf("a site without machines of its own: %v", err)
	}
	if _, err := site.Copy("old", []File{{"cluster.yaml", []byte("a: [")}}); err == nil {
		t.Error("a file that is not YAML was copied")
	}
}
