package scaffold

import (
	"reflect"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

const document = `# our first cluster
apiVersion: k0sctl.k0sproject.io/v1beta1
kind: cluster
metadata:
  name: plant
spec:
  hosts:
  # the one in the cellar
  - role: controller
    noTaints: yes
    ssh: &way
      address: 10.0.0.11
      keyPath: keys/id
      bastion: {address: 10.0.0.1, keyPath: ~/.ssh/bastion}
    files:
    - src: files/audit.yaml
      perm: 0600
  - role: worker
    ssh:
      <<: *way
      address: 10.0.0.21
    privateAddress: 192.168.0.21
  k0s:
    version: 1.35.7+k0s.0
  options:
    concurrency:
      workerDisruptionPercent: 20
`

func read(t *testing.T, doc string) *Cluster {
	t.Helper()
	c, ds := Read("k0sctl.yaml", []byte(doc))
	if ds.Err() != nil {
		t.Fatal(ds)
	}
	return c
}

// What a document says stays said; what kustomize would read in another way than k0sctl is written so that both agree.
func TestDocument(t *testing.T) {
	c := read(t, document)
	if c.Name != "plant" || c.Version != "v1.35.7+k0s.0" || c.MaxUnavailable != "20%" {
		t.Errorf("read %+v", c)
	}
	got, origin, err := c.Document(Learnt{Hosts: []LearntHost{{Name: "cellar", PrivateAddress: "192.168.0.11"}, {Name: "attic"}}},
		Paths{From: "/home/me/plant", To: "/fleet/overlays/plant"})
	if err != nil {
		t.Fatal(err)
	}
	const want = `# our first cluster
apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
metadata:
  name: plant
spec:
  hosts:
    # the one in the cellar
    - hostname: cellar
      privateAddress: 192.168.0.11
      role: controller
      noTaints: true
      ssh:
        address: 10.0.0.11
        keyPath: ../../../home/me/plant/keys/id
        bastion: {address: 10.0.0.1, keyPath: ~/.ssh/bastion}
      files:
        - src: ../../../home/me/plant/files/audit.yaml
          perm: 0600
    - hostname: attic
      role: worker
      ssh:
        keyPath: ../../../home/me/plant/keys/id
        bastion: {address: 10.0.0.1, keyPath: ~/.ssh/bastion}
        address: 10.0.0.21
      privateAddress: 192.168.0.21
  k0s:
    version: v1.35.7+k0s.0
  options:
    concurrency: {}
`
	if string(got) != want {
		t.Errorf("got:\n%s", got)
	}
	for printed, written := range map[int]int{5: 5, 9: 9, 12: 10, 17: 15, 18: 16, 21: 18, 28: 24} {
		if origin[printed] != written {
			t.Errorf("line %d is from line %d, want %d: %q", printed, origin[printed], written, strings.Split(want, "\n")[printed-1])
		}
	}
	if out := c.Outside("/fleet", Paths{From: "/home/me/plant"}); !reflect.DeepEqual(out, []string{"/home/me/plant/files/audit.yaml"}) {
		t.Errorf("outside: %q", out)
	}
	if out := c.Outside("/home/me", Paths{From: "/home/me/plant"}); out != nil {
		t.Errorf("inside, but told as outside: %q", out)
	}
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ doc, want string }{
		"nothing":      {"", "k0sctl.yaml:1: this is not a k0sctl cluster document"},
		"no YAML":      {"a:\n  b: c\n d: e\n", "k0sctl.yaml:2: this is not YAML"},
		"another kind": {"apiVersion: v1\nkind: Config\n", "this is not a k0sctl cluster document"},
		"two clusters": {document + "---\n" + document, "k0sctl.yaml:30: a second cluster"},
		"an object beside it": {document + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
			"k0sctl.yaml:29: a Namespace is no part of a cluster"},
		"k0s's configuration alone": {"apiVersion: k0s.k0sproject.io/v1beta1\nkind: ClusterConfig\n", "this is not a k0sctl cluster document"},
		"another version": {"apiVersion: k0sctl.k0sproject.io/v1alpha1\nkind: Cluster\n",
			"k0sctl.yaml:1: the document is a cluster of k0sctl.k0sproject.io/v1alpha1"},
		"a kind of k0s's that is none": {document + "---\napiVersion: k0s.k0sproject.io/v1beta1\nkind: ClusterConfg\n",
			"k0s has no ClusterConfg"},
		"a variable in a mapping": {"spec:\n  hosts:\n  - {role: worker, ssh: {address: ${ADDRESS}}}\n",
			"k0sctl.yaml:2: this is not YAML"},
		"no kind":  {document + "---\na: b\n", "k0sctl.yaml:29: a document without apiVersion or kind"},
		"no hosts": {"apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec: {}\n", "the document has no hosts"},
		"a host as a word": {"apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nspec:\n  hosts:\n  - worker-1\n",
			"k0sctl.yaml:5: a host must be a mapping"},
		"a bomb of aliases": {"apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\n" + bomb(), "aliases unfold"},
	} {
		_, ds := Read("k0sctl.yaml", []byte(c.doc))
		if ds.Err() == nil || !strings.Contains(ds.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, ds, c.want)
		}
		if strings.Contains(c.doc, "${") && !strings.Contains(ds[0].Hint, "in place of ${...}") {
			t.Errorf("%s: %s", name, ds[0].Hint)
		}
	}
}

func bomb() string {
	doc := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 8 {
		this, former := string(rune('1'+i)), string(rune('0'+i))
		doc += "a" + this + ": &a" + this + " [" + strings.TrimSuffix(strings.Repeat("*a"+former+", ", 10), ", ") + "]\n"
	}
	return doc
}

func TestLearn(t *testing.T) {
	v135, v136 := version(t, "v1.35.7+k0s.0"), version(t, "v1.36.3+k0s.2")
	controller := func(edit func(*lifecycle.HostState)) lifecycle.HostState {
		s := lifecycle.HostState{Name: "kiban-import-1", Hostname: "cellar", ServiceName: "k0scontroller", Running: v135}
		if edit != nil {
			edit(&s)
		}
		return s
	}
	worker := func(edit func(*lifecycle.HostState)) lifecycle.HostState {
		s := lifecycle.HostState{Name: "kiban-import-2", Hostname: "attic", ServiceName: "k0sworker", Running: v135}
		if edit != nil {
			edit(&s)
		}
		return s
	}
	nodes := func(names ...string) (out []lifecycle.NodeState) {
		for _, n := range names {
			out = append(out, lifecycle.NodeState{Name: n})
		}
		return out
	}
	unpinned := strings.Replace(strings.Replace(document, "  k0s:\n    version: 1.35.7+k0s.0\n", "", 1), "    privateAddress: 192.168.0.21\n",
		"", 1)
	for name, c := range map[string]struct {
		doc   string
		state lifecycle.State
		want  Learnt
		says  string // "" is nothing
		fails bool
	}{
		"the machines' own names": {document, lifecycle.State{Hosts: []lifecycle.HostState{controller(nil), worker(nil)}, Nodes: nodes("attic")},
			Learnt{Hosts: []LearntHost{{Name: "cellar"}, {Name: "attic"}}}, "", false},
		"k0s where k0sctl puts it on Flatcar": {document, lifecycle.State{Nodes: nodes("attic"), Hosts: []lifecycle.HostState{
			controller(func(s *lifecycle.HostState) { s.Program = "/opt/bin/k0s" }),
			worker(func(s *lifecycle.HostState) { s.ServiceName, s.OS = "", "flatcar 4081.2.0" })}},
			Learnt{Hosts: []LearntHost{{Name: "cellar", Program: "/opt/bin/k0s"}, {Name: "attic", Program: "/opt/bin/k0s"}}}, "runs no k0s", false},
		"k0s where it always is": {document, lifecycle.State{Nodes: nodes("attic"), Hosts: []lifecycle.HostState{
			controller(func(s *lifecycle.HostState) { s.Program = "/usr/local/bin/k0s" }), worker(nil)}},
			Learnt{Hosts: []LearntHost{{Name: "cellar"}, {Name: "attic"}}}, "", false},
		"no version, and addresses that k0sctl found": {unpinned, lifecycle.State{Nodes: nodes("attic"), Hosts: []lifecycle.HostState{
			controller(func(s *lifecycle.HostState) {
				s.Config = []byte(`{"spec":{"storage":{"etcd":{"peerAddress":"192.168.0.11"}}}}`)
			}),
			worker(func(s *lifecycle.HostState) {
				s.Arguments = []string{"--data-dir=/var/lib/k0s", "--kubelet-extra-args=--node-ip=192.168.0.21 --v=2"}
			})}}, Learnt{"v1.35.7+k0s.0", []LearntHost{{Name: "cellar", PrivateAddress: "192.168.0.11"}, {Name: "attic",
			PrivateAddress: "192.168.0.21"}}}, "", false},
		"etcd at the address that is declared": {unpinned, lifecycle.State{Nodes: nodes("attic"), Hosts: []lifecycle.HostState{
			controller(func(s *lifecycle.HostState) {
				s.Config = []byte(`{"spec":{"storage":{"etcd":{"peerAddress":"10.0.0.11"}}}}`)
			}), worker(nil)}}, Learnt{"v1.35.7+k0s.0", []LearntHost{{Name: "cellar"}, {Name: "attic"}}}, "", false},
		"a kubelet that is told the address of ssh": {unpinned, lifecycle.State{Nodes: nodes("attic"), Hosts: []lifecycle.HostState{
			controller(nil), worker(func(s *lifecycle.HostState) { s.Arguments = []string{"--kubelet-extra-args=--node-ip=10.0.0.21"} })}},
			Learnt{"v1.35.7+k0s.0", []LearntHost{{Name: "cellar"}, {Name: "attic", PrivateAddress: "10.0.0.21"}}}, "", false},
		"a node under another name than its machine": {document,
			lifecycle.State{Nodes: nodes("roof"), Hosts: []lifecycle.HostState{controller(nil), worker(func(s *lifecycle.HostState) {
				s.Arguments = []string{"--kubelet-extra-args=--hostname-override=roof"}
			})}}, Learnt{Hosts: []LearntHost{{Name: "cellar"}, {Name: "roof"}}},
			"k0sctl.yaml:18: the machine calls itself attic, and its node is roof",
			false},
		"no such node": {document, lifecycle.State{Hosts: []lifecycle.HostState{controller(nil), worker(nil)}, Nodes: nodes("roof")}, Learnt{},
			"no node of the cluster is called attic", true},
		"an API that does not answer": {document, lifecycle.State{Hosts: []lifecycle.HostState{controller(nil), worker(nil)},
			API: lifecycle.APIState{Unknown: "timeout"}},
			Learnt{Hosts: []LearntHost{{Name: "cellar"}, {Name: "attic"}}}, "", false},
		"a machine that is off": {document, lifecycle.State{Hosts: []lifecycle.HostState{controller(nil), worker(func(s *lifecycle.HostState) {
			s.Problem, s.Why = lifecycle.HostUnreachable, "connection refused"
		})}}, Learnt{}, "k0sctl.yaml:18: 10.0.0.21 does not tell what it is: connection refused", true},
		"another version than declared": {document, lifecycle.State{Nodes: nodes("attic"),
			Hosts: []lifecycle.HostState{controller(nil), worker(func(s *lifecycle.HostState) { s.Running = v136 })}},
			Learnt{Hosts: []LearntHost{{Name: "cellar"}, {Name: "attic"}}}, "the machines do not all run v1.35.7+k0s.0", false},
		"two versions, none declared": {unpinned, lifecycle.State{Nodes: nodes("attic"),
			Hosts: []lifecycle.HostState{controller(nil), worker(func(s *lifecycle.HostState) { s.Running = v136 })}},
			Learnt{}, "which k0s version the cluster is to have is not known", true},
		"a machine without k0s": {document, lifecycle.State{Hosts: []lifecycle.HostState{controller(nil),
			worker(func(s *lifecycle.HostState) { s.ServiceName, s.Running = "", lifecycle.Version{} })}},
			Learnt{Hosts: []LearntHost{{Name: "cellar"}, {Name: "attic"}}}, "10.0.0.21 runs no k0s", false},
	} {
		got, ds := read(t, c.doc).Learn(c.state)
		switch {
		case (ds.Err() != nil) != c.fails, c.says == "" && len(ds) > 0, !strings.Contains(ds.Error(), c.says):
			t.Errorf("%s: it says %v, want %q", name, ds, c.says)
		case !c.fails && !reflect.DeepEqual(got, c.want):
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// What no machine may be asked must be in the document.
func TestDeclared(t *testing.T) {
	_, ds := read(t, strings.Replace(document, "version: 1.35.7+k0s.0", "dynamicConfig: false", 1)).Declared()
	for _, want := range []string{"k0sctl.yaml: the document does not say which k0s version", "k0sctl.yaml:9: the host has no hostname",
		"k0sctl.yaml:18: the host has no hostname"} {
		if ds.Err() == nil || !strings.Contains(ds.Error(), want) {
			t.Errorf("does not say %q: %v", want, ds)
		}
	}
	got, ds := read(t, strings.NewReplacer("- role: controller", "- hostname: cellar\n    role: controller", "- role: worker",
		"- hostname: attic\n    role: worker").Replace(document)).Declared()
	if ds.Err() != nil || !reflect.DeepEqual(got, Learnt{Hosts: []LearntHost{{Name: "cellar"}, {Name: "attic"}}}) {
		t.Errorf("%+v %v", got, ds)
	}
}

func version(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// k0s's own configuration in documents of its own is merged as k0sctl merges it: what the cluster says wins, also over lists, and a null
// says nothing. The order of the documents does not matter.
func TestConfigurationInADocumentOfItsOwn(t *testing.T) {
	const cluster = `apiVersion: k0sctl.k0sproject.io/v1beta1
kind: Cluster
spec:
  k0s:
    version: v1.36.3+k0s.2
    config: {spec: {api: {sans: [a.example]}}}
  hosts:
  - {hostname: c1, role: controller, ssh: {address: 10.0.0.11}}
`
	const config = `apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
metadata: {name: k0s}
spec:
  api: {sans: [b.example], port: 6443}
  telemetry: {enabled: no}
  network: null
`
	const want = `spec:
            api:
                sans: [a.example]
                port: 6443
            telemetry: {enabled: false}
`
	for _, doc := range []string{cluster + "---\n" + config, config + "---\n" + cluster} {
		c, ds := Read("k0sctl.yaml", []byte(doc))
		if ds.Err() != nil || len(ds) != 1 || !strings.Contains(ds[0].Summary, "spec.api.sans has no effect here") {
			t.Fatal(ds)
		}
		got, origin, err := c.Document(Learnt{Hosts: []LearntHost{{Name: "c1"}}}, Paths{})
		if err != nil {
			t.Fatal(err)
		}
		if s := strings.Join(strings.Fields(string(got)), " "); !strings.Contains(s, strings.Join(strings.Fields(want), " ")) ||
			!strings.Contains(s, "kind: ClusterConfig") || strings.Contains(s, "network") {
			t.Errorf("printed:\n%s", got)
		}
		for i, line := range strings.Split(string(got), "\n") {
			if strings.Contains(line, "telemetry") && !strings.Contains(strings.Split(doc, "\n")[origin[i+1]-1], "telemetry") {
				t.Errorf("telemetry is said to be from line %d", origin[i+1])
			}
		}
	}
}
