package session

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/site"
)

// seenSite is a site that is as declared, and the means to declare another.
type seenSite struct {
	t     *testing.T
	fleet string
	base  map[string]any
}

// declaredSite writes a fleet with one site, whose machines have what the given document says.
func declaredSite(t *testing.T, cluster string) seenSite {
	t.Helper()
	s := seenSite{t: t, fleet: t.TempDir()}
	if err := yaml.Unmarshal([]byte(cluster), &s.base); err != nil {
		t.Fatal(err)
	}
	s.file("clusters/.keep", "")
	s.file("overlays/lab/kustomization.yaml", "resources: [cluster.yaml, site.yaml]\n")
	s.file("overlays/lab/site.yaml",
		"apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata: {name: lab}\nspec: {ssh: {knownHosts: known_hosts}}\n")
	s.file("overlays/lab/known_hosts", "")
	return s
}

func (s seenSite) file(path, content string) {
	s.t.Helper()
	path = filepath.Join(s.fleet, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// load reads the site with a document.
func (s seenSite) load(doc map[string]any) (lifecycle.Site, lifecycle.Diagnostics) {
	s.t.Helper()
	b, err := yaml.Marshal(doc)
	if err != nil {
		s.t.Fatal(err)
	}
	s.file("overlays/lab/cluster.yaml", string(b))
	return site.Load(s.t.Context(), s.fleet, "lab", site.Options{Describe: k0s.Describe, UnknownHosts: true, Unpinned: true})
}

// declareMore adds fields that are picked at random, as far as the site stays valid with each: other sites than a person would think of.
// The name seeds it, so that it is the same each time.
func (s seenSite) declareMore(name string) {
	s.t.Helper()
	r := rand.New(rand.NewPCG(uint64(len(name)), uint64(name[0])))
	all := changes()
	paths := slices.Sorted(maps.Keys(all))
	for range 12 {
		path := paths[r.IntN(len(paths))]
		doc := clone(s.t, s.base)
		put(doc, path, all[path])
		_, before := s.load(s.base)
		if declared, after := s.load(doc); after.Err() == nil && len(after) == len(before) &&
			plan.Make(declared, asDeclared(declared), lifecycle.PlanOptions{}).Empty() {
			put(s.base, path, all[path])
		}
	}
}

// asDeclared is a state in which everything that is declared is there.
func asDeclared(declared lifecycle.Site) lifecycle.State {
	st := lifecycle.State{Site: declared.Name, API: lifecycle.APIState{ClusterUID: "7d0f", ClusterConfig: declared.Cluster.Config}}
	for _, h := range declared.Cluster.Hosts {
		seen := lifecycle.HostState{Name: h.Name, Hostname: h.Name, Arch: "amd64", FreeBytes: 1 << 40, Binary: declared.Cluster.Version,
			Running: declared.Cluster.Version, ServiceName: "k0sworker", Service: lifecycle.ServiceRunning, Data: true, Arguments: h.Arguments,
			Environment: h.Environment, Config: h.Config, ConfigDigest: h.ConfigDigest, K0sRole: "worker", Workloads: h.Role.RunsWorkloads()}
		if h.Role.IsController() {
			seen.ServiceName, seen.K0sRole = "k0scontroller", "controller"
			st.API.Servers = append(st.API.Servers, lifecycle.APIServer{Host: h.Name, Ready: true, Version: declared.Cluster.Version.Kubelet()})
			st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: h.Name, PeerAddress: h.ClusterAddress()})
		}
		for _, f := range h.Files {
			seen.Files = append(seen.Files, lifecycle.FileState{Path: f.Path, Digest: f.Digest, Mode: f.Mode, Owner: f.Owner, Group: f.Group})
		}
		st.Hosts = append(st.Hosts, seen)
		if h.Role.RunsWorkloads() {
			n := lifecycle.NodeState{Name: h.Name, Ready: true, Kubelet: declared.Cluster.Version.Kubelet(), InternalIP: h.ClusterAddress()}
			if h.Role == lifecycle.RoleControllerWorker {
				n.Taints = []string{"node-role.kubernetes.io/control-plane:NoSchedule"}
			}
			st.Nodes = append(st.Nodes, n)
		}
	}
	return st
}

// clone copies a document.
func clone(t *testing.T, doc map[string]any) map[string]any {
	t.Helper()
	b, err := yaml.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := yaml.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// put sets a value at a path, "spec.k0s.config.spec.workerProfiles[].name"; an item of a list is its first.
func put(doc map[string]any, path string, value any) {
	path, _, _ = strings.Cut(path, "//")
	name, rest, more := strings.Cut(path, ".")
	name, list := strings.CutSuffix(name, "[]")
	if !more && !list {
		doc[name] = value
		return
	}
	below, _ := doc[name].(map[string]any)
	items, _ := doc[name].([]any)
	if len(items) > 0 {
		below, _ = items[0].(map[string]any)
	}
	if below == nil {
		below = map[string]any{}
	}
	put(below, rest, value)
	switch {
	case !list:
		doc[name] = below
	case len(items) > 0:
		items[0] = below
	default:
		doc[name] = []any{below}
	}
}

// another is a value of a field's form that is not what k0s does anyway.
func another(f lifecycle.K0sField) any {
	switch f.Form {
	case lifecycle.K0sNumber:
		return 1234
	case lifecycle.K0sBool:
		return f.Default != "true"
	case lifecycle.K0sDuration, lifecycle.K0sTimeout:
		return "17m"
	case lifecycle.K0sTexts:
		return []any{"10.9.0.5/32"}
	case lifecycle.K0sMap:
		return map[string]any{"v": "5"}
	case lifecycle.K0sImage:
		return map[string]any{"image": "registry.example/x", "version": "v1"}
	case lifecycle.K0sPatches:
		return []any{map[string]any{"target": map[string]any{"kind": "Deployment", "name": "x"},
			"patch": map[string]any{"type": "JSON", "content": "[]"}}}
	case lifecycle.K0sKubelet:
		return map[string]any{"maxPods": 200}
	case lifecycle.K0sAddress:
		return "10.9.0.7"
	}
	for _, v := range f.Enum {
		if v != f.Default {
			return v
		}
	}
	if strings.HasSuffix(f.Path, "CIDR") {
		return "10.77.0.0/16"
	}
	return "other"
}

// Whatever single declared field changes on a site that is as declared: the plan is not empty, or it names the field, or the declaration is
// refused. "No changes" is a proof.
func TestNoDeclaredFieldIsPassedOver(t *testing.T) {
	for name, document := range documents() {
		t.Run(name, func(t *testing.T) {
			s := declaredSite(t, document)
			s.declareMore(name)
			base, ds := s.load(s.base)
			if err := ds.Err(); err != nil {
				t.Fatal(err)
			}
			state := asDeclared(base)
			before := plan.Make(base, state, lifecycle.PlanOptions{})
			if !before.Empty() || before.Diagnostics.Err() != nil {
				t.Fatalf("as declared: %v\n%v", before.Steps, before.Diagnostics)
			}
			known := fmt.Sprint(before.Diagnostics)
			tried := 0
			for path, value := range changes() {
				doc := clone(t, s.base)
				put(doc, path, value)
				if reflect.DeepEqual(doc, clone(t, s.base)) {
					continue // it is declared so
				}
				changed, found := s.load(doc)
				tried++
				if found.Err() != nil || len(found) > len(ds) {
					continue // the declaration says it
				}
				p := plan.Make(changed, state, lifecycle.PlanOptions{})
				said := fmt.Sprint(p.Diagnostics)
				_, field, argument := strings.Cut(path, "//")
				if !argument {
					field = path[strings.LastIndexByte(path, '.')+1:]
				}
				if p.Empty() && (said == known || !strings.Contains(said, field) && !strings.Contains(said, fmt.Sprint(value))) {
					t.Errorf("%s = %v: %v\n%v", path, value, p.Steps, p.Diagnostics)
				}
			}
			if tried < 200 {
				t.Errorf("only %d fields were changed", tried)
			}
		})
	}
}

// Whatever single declared field is taken out again of a site that is as declared: the plan is not empty, or it names the field, or what is
// there is what k0s does without it. What left nothing on a machine leaves nothing to see, and a file that was put stays.
func TestNoFieldThatIsTakenOutIsPassedOver(t *testing.T) {
	nothingThere := []string{"hooks", "useExistingK0s", "k0sBinaryPath", "k0sDownloadURL", "files", "version", "hostname", "reset", "noTaints"}
	// The nodes of the state have no labels to take off; an overruled name is told of where it is declared; what k0s fills in by itself
	// can't be told from what was declared.
	elsewhere := []string{"--labels", "--no-taints", "--enable-dynamic-config", "--kubelet-extra-args --node-labels",
		"--kubelet-extra-args --hostname-override",
		"spec.k0s.config.spec.images", "spec.k0s.config.spec.installConfig", "spec.k0s.config.spec.extensions.storage",
		"spec.k0s.config.spec.extensions.helm.concurrencyLevel", "spec.k0s.config.spec.network.nodeLocalLoadBalancing",
		"spec.k0s.config.spec.podSecurityPolicy"}
	for name, document := range documents() {
		t.Run(name, func(t *testing.T) {
			s := declaredSite(t, document)
			without, ds := s.load(s.base)
			if err := ds.Err(); err != nil {
				t.Fatal(err)
			}
			var known string
			for _, d := range plan.Make(without, asDeclared(without), lifecycle.PlanOptions{}).Diagnostics {
				known += d.Error() + d.Hint + "\n"
			}
			tried := 0
			for path, value := range changes() {
				field := path[strings.LastIndexByte(path, '.')+1:]
				doc := clone(t, s.base)
				put(doc, path, value)
				with, found := s.load(doc)
				if slices.Contains(nothingThere, field) || found.Err() != nil || reflect.DeepEqual(with.Cluster.Hosts, without.Cluster.Hosts) &&
					slices.Equal(with.Cluster.Config, without.Cluster.Config) {
					continue
				}
				tried++
				p := plan.Make(without, asDeclared(with), lifecycle.PlanOptions{})
				if _, argument, ok := strings.Cut(path, "//"); ok {
					field, path = argument, argument
				}
				if p.Empty() && slices.ContainsFunc(elsewhere, func(e string) bool { return strings.HasPrefix(path, e) }) {
					continue
				}
				var said string
				for _, d := range p.Diagnostics {
					said += d.Error() + d.Hint + "\n"
				}
				if p.Empty() && (said == known || !strings.Contains(said, field) && !strings.Contains(said, fmt.Sprint(value))) {
					t.Errorf("%s = %v: %v\n%v", path, value, p.Steps, p.Diagnostics)
				}
			}
			if tried < 100 {
				t.Errorf("only %d fields were taken out", tried)
			}
		})
	}
}

// changes are single fields and other values of them: each of k0s's configuration, each argument, each field of a host. What of a host
// leaves nothing on a machine is left out: how it is reached (ssh), what kiban does anyway (uploadBinary) or never (os),
// privateInterface, which privateAddress overrules, and where it is looked for (k0sInstallPath), for then it is not found.
func changes() map[string]any {
	out := map[string]any{}
	for _, f := range lifecycle.K0sFields() {
		if !strings.HasSuffix(f.Path, "[].name") {
			out["spec.k0s.config."+f.Path] = another(f)
		}
	}
	for _, row := range lifecycle.ChangeTable() {
		if !strings.HasPrefix(row.Path, "--") || slices.Contains([]string{"--force", "--start", "--env", "--token-file"}, row.Path) {
			continue // these are no part of a service
		}
		flag, inner, within := strings.Cut(row.Path, " ")
		value := flag + "=1"
		if within {
			value = flag + "=" + inner + "=1"
		}
		out["spec.hosts[].installFlags//"+row.Path] = []any{value}
	}
	for field, value := range map[string]any{
		"role": "worker", "privateAddress": "10.9.0.99", "dataDir": "/var/lib/other", "kubeletRootDir": "/var/lib/kubelet",
		"environment": map[string]any{"HTTPS_PROXY": "http://proxy:3128"}, "hostname": "another", "reset": true, "noTaints": true,
		"useExistingK0s": true, "k0sBinaryPath": "k0s", "k0sDownloadURL": "https://example.com/k0s",
		"files": []any{map[string]any{"name": "a", "data": "x", "dst": "/etc/app/a", "perm": "0644"}},
		"hooks": map[string]any{"install": map[string]any{"before": []any{"true"}}},
	} {
		out["spec.hosts[]."+field] = value
	}
	out["spec.k0s.version"] = "v1.36.4+k0s.0"
	out["spec.k0s.dynamicConfig"] = true
	return out
}

// documents are valid sites of several shapes.
func documents() map[string]string {
	hosts := func(roles ...string) string {
		var b strings.Builder
		for i, role := range roles {
			fmt.Fprintf(&b, "  - {role: %s, hostname: m%d, privateAddress: 10.9.0.%d, ssh: {address: 10.8.0.%d, user: root}}\n", role, i+1, 11+i,
				11+i)
		}
		return b.String()
	}
	head := "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nmetadata: {name: lab}\nspec:\n  hosts:\n"
	out := map[string]string{
		"three controllers": head + hosts("controller", "controller", "controller", "worker") + `  k0s:
    version: v1.36.3+k0s.2
    config: {spec: {network: {nodeLocalLoadBalancing: {enabled: true}}}}
`,
		"a controller with workloads": head + hosts("controller+worker", "worker") + `  k0s:
    version: v1.36.3+k0s.2
    config: {spec: {telemetry: {enabled: false}, api: {sans: [api.example]}, workerProfiles: [{name: default, values: {maxPods: 100}}]}}
`,
		"a worker first": head + hosts("worker", "controller") + `  k0s:
    version: v1.36.3+k0s.2
    config: {spec: {}}
`,
	}
	out["dynamic"] = strings.Replace(out["three controllers"], "  k0s:\n", "  k0s:\n    dynamicConfig: true\n", 1)
	for i := range 3 {
		out["a worker first, and at random "+strings.Repeat("again ", i)] = out["a worker first"]
	}
	return out
}
