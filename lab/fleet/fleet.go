// Package fleet writes the fleet repository of a lab: one overlay, whole in itself, for tests and benchmarks that need sites of
// any size. People start from the repository's own overlays/lab.
package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Site is what the overlay "lab" says. The lab's own folder is expected at <fleet>/.lab.
type Site struct {
	// Name is the overlay's; empty: lab.
	Name string
	// Net is the lab's "127.x.y"; controllers and workers are addressed as the lab does it.
	Net                  string
	Controllers, Workers int
	// Hosts are the site's machines where they are not as Net, Controllers and Workers say.
	Hosts   []Machine
	Version string
	// Path are the versions on the way, where Version is more than one minor release ahead.
	Path []string
	// Reset names machines that are to be removed.
	Reset []string
	// User is who logs in: root or ops.
	User string
	// Canaries is how many workers go first, one by one.
	Canaries int
	// MaxUnavailable, DrainTimeout and NodeTimeout are those of the upgrade policy.
	MaxUnavailable, DrainTimeout, NodeTimeout string
	// ConnectTimeout is how long a machine may take to answer; empty: 3s.
	ConnectTimeout string
	// Reconnect is how long the k0s of an only controller runs before pods move; empty: 0s, which is not waited for.
	Reconnect string
	// FailureDomain is the node label whose values are domains; empty: none.
	FailureDomain string
	// Config is added under spec of the k0s configuration, indented by eight spaces.
	Config string
	// Spec is added under spec of the Site document, indented by two spaces.
	Spec string
	// Documents are further files of the overlay, by name; Components are kustomize components that it uses.
	Documents  map[string]string
	Components []string
	// External says that the site is reached by a kubeconfig alone, which Spec names: it has no hosts.
	External bool
	// Mirror is the folder of the release mirror, KnownHosts the file of host keys; empty: the lab's.
	Mirror, KnownHosts string
}

// Machine is one host of the site.
type Machine struct{ Name, Role, Address string }

// Machines are the site's hosts, controllers first.
func (s Site) Machines() []Machine {
	if s.Hosts != nil {
		return s.Hosts
	}
	var ms []Machine
	for i := range s.Controllers {
		ms = append(ms, Machine{fmt.Sprintf("controller-%d", i+1), "controller", fmt.Sprintf("%s.%d", s.Net, 11+i)})
	}
	for i := range s.Workers {
		ms = append(ms, Machine{fmt.Sprintf("worker-%d", i+1), "worker", s.workerAddress(i)})
	}
	return ms
}

// workerAddress follows the lab: a hundred workers from .101 on, then the third octet grows.
func (s Site) workerAddress(i int) string {
	dot := strings.LastIndexByte(s.Net, '.')
	third, err := strconv.Atoi(s.Net[dot+1:])
	if err != nil {
		panic("fleet: a lab's net is 127.x.y, not " + s.Net) // tests and benchmarks write it
	}
	return fmt.Sprintf("%s.%d.%d", s.Net[:dot], third+i/100, 101+i%100)
}

// Write puts the overlay into dir, anew.
func (s Site) Write(dir string) error {
	over := filepath.Join(dir, "overlays", s.name())
	if err := os.MkdirAll(over, 0o755); err != nil {
		return err
	}
	files := map[string]string{"site.yaml": s.site()}
	if s.External {
		files["site.yaml"] = fmt.Sprintf("apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata:\n  name: %s\nspec:\n  provider: external\n%s",
			s.name(), s.Spec)
	} else {
		files["cluster.yaml"] = s.Cluster()
	}
	maps.Copy(files, s.Documents)
	kustomization := "resources:\n"
	for _, name := range slices.Sorted(maps.Keys(files)) {
		kustomization += "- " + name + "\n"
	}
	if len(s.Components) > 0 {
		kustomization += "components:\n- " + strings.Join(s.Components, "\n- ") + "\n"
	}
	files["kustomization.yaml"] = kustomization
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(over, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (s Site) name() string { return cmp.Or(s.Name, "lab") }

// Cluster is the k0sctl document, as k0sctl itself takes it too when it runs in the overlay's folder.
func (s Site) Cluster() string {
	var w strings.Builder
	fmt.Fprintf(&w, `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata:
  name: %s
spec:
  k0s:
    version: %s
    config:
      spec:
        network:
          nodeLocalLoadBalancing:
            enabled: true
%s  hosts:
`, s.name(), s.Version, s.Config)
	for _, m := range s.Machines() {
		fmt.Fprintf(&w, `  - hostname: %s
    role: %s
    privateAddress: %s
    ssh:
      address: %s
      user: %s
      port: 2222
      keyPath: ../../.lab/ssh/id_ed25519
`, m.Name, m.Role, m.Address, m.Address, s.User)
		if slices.Contains(s.Reset, m.Name) {
			w.WriteString("    reset: true\n")
		}
	}
	return w.String()
}

func (s Site) site() string {
	path, domain := "", ""
	if s.FailureDomain != "" {
		domain = "      failureDomain: " + s.FailureDomain + "\n"
	}
	if len(s.Path) > 0 {
		path = "    path:\n    - " + strings.Join(s.Path, "\n    - ") + "\n"
	}
	return fmt.Sprintf(`apiVersion: kiban.dev/v1alpha1
kind: Site
metadata:
  name: %[7]s
spec:
  ssh:
    user: %[1]s
    port: 2222
    keyPath: ../../.lab/ssh/id_ed25519
    knownHosts: %[8]s
    connectTimeout: %[12]s
  binaries:
    url: %[2]s/{version}/k0s-{version}-{arch}
    checksums: %[2]s/{version}/sha256sums.txt
  upgrade:
%[3]s    workers:
      maxUnavailable: %[4]q
      canary: %[9]d
%[11]s    drain:
      timeout: %[5]s
      evictionRetry: 500ms
    settle:
      nodeTimeout: %[6]s
      stableFor: 2s
      timeout: 60s
      reconnect: %[13]s
%[10]s`, s.User, cmp.Or(s.Mirror, "../../.lab/mirror"), path, s.MaxUnavailable, s.DrainTimeout, s.NodeTimeout, s.name(),
		cmp.Or(s.KnownHosts, "../../.lab/ssh/known_hosts"), s.Canaries, s.Spec, domain, cmp.Or(s.ConnectTimeout, "3s"),
		cmp.Or(s.Reconnect, "0s"))
}
