package readiness

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// plant is one trouble at a site that is healthy otherwise, and the finding that has to name it.
type plant struct {
	name string
	put  func(in *Input)
	// rule and subject are the finding's; said is a part of its summary, evidence or remedy.
	rule, subject, said string
}

// host is a machine's state.
func (in *Input) host(name string) *lifecycle.HostState {
	for i := range in.State.Hosts {
		if in.State.Hosts[i].Name == name {
			return &in.State.Hosts[i]
		}
	}
	panic("no host " + name)
}

// parts are pieces of k0s's configuration, by where they stand in it.
type parts map[string]string

// configure gives every controller pieces of k0s's configuration, beside those that it has.
func (in *Input) configure(add parts) {
	for i := range in.Site.Cluster.Hosts {
		h := &in.Site.Cluster.Hosts[i]
		if !h.Role.IsController() {
			continue
		}
		doc := map[string]map[string]any{}
		if len(h.Config) > 0 {
			must(json.Unmarshal(h.Config, &doc))
		}
		if doc["spec"] == nil {
			doc["spec"] = map[string]any{}
		}
		for key, text := range add {
			var value any
			must(json.Unmarshal([]byte(text), &value))
			doc["spec"][key] = beside(doc["spec"][key], value)
		}
		b, err := json.Marshal(doc)
		must(err)
		h.Config, h.ConfigDigest = b, "sha256:1"
		in.host(h.Name).Config = b
	}
}

// beside puts a value of a configuration beside one that is there: mappings are merged, lists are joined, and so are flags that take many.
func beside(had, add any) any {
	switch had := had.(type) {
	case map[string]any:
		for k, v := range add.(map[string]any) {
			had[k] = beside(had[k], v)
		}
		return had
	case []any:
		return append(had, add.([]any)...)
	case string:
		return had + "," + add.(string)
	}
	return add
}

func must(err error) {
	if err != nil {
		panic(err) // the tests' own text
	}
}

// alarm is raised in all of etcd, and last is the last controller.
func (in *Input) alarm(name string) {
	e := in.host("c1").Etcd
	e.Alarms = append(e.Alarms, name)
}

func (in *Input) last() *lifecycle.HostState {
	return in.host(in.State.API.Servers[len(in.State.API.Servers)-1].Host)
}

func (in *Input) argument(host, argument string) {
	for i := range in.Site.Cluster.Hosts {
		if h := &in.Site.Cluster.Hosts[i]; h.Name == host {
			h.Arguments = append(h.Arguments, argument)
			in.host(host).Arguments = h.Arguments
		}
	}
}

func (in *Input) asked(group, version, resource string, ago time.Duration) {
	e := &in.Evidence.APIs.Requests[0]
	e.Value = append(e.Value, lifecycle.APIRequest{Group: group, Version: version, Resource: resource, Server: e.Name, Count: 3,
		Since: now.Add(-ago - time.Hour), Until: now.Add(-ago)})
}

func (in *Input) called(group, version, resource, user string) {
	e := in.Evidence.APIs
	e.Calls = append(e.Calls, lifecycle.From[[]lifecycle.APICall]{Name: "c1", Answer: lifecycle.Answer[[]lifecycle.APICall]{
		Value: []lifecycle.APICall{{Group: group, Version: version, Resource: resource, User: user, Agent: "operator/2.1", Verb: "list",
			Last: now.Add(-time.Hour), Count: 2}}}})
}

func ref(api, kind, namespace, name string) lifecycle.ObjectRef {
	return lifecycle.ObjectRef{APIVersion: api, Kind: kind, Namespace: namespace, Name: name}
}

func (in *Input) wrote(api, kind, name, manager string, ago time.Duration) {
	w := &in.Evidence.APIs.Writes.Value
	w.Writes = append(w.Writes, lifecycle.APIWrite{Object: ref(api, kind, "", name), API: api, Manager: manager, At: now.Add(-ago),
		Team: "net"})
}

func (in *Input) release(namespace, name, api, kind string) {
	e := &in.Evidence.APIs.Releases.Value
	e.Releases = append(e.Releases, lifecycle.ReleaseAPI{Namespace: namespace, Name: name, Revision: 4, Chart: "web-1.2.0",
		Objects: []lifecycle.ObjectRef{ref(api, kind, namespace, name)}})
}

func (in *Input) declares(api, kind, name string) {
	in.Evidence.APIs.Declared[0].Value = append(in.Evidence.APIs.Declared[0].Value, lifecycle.DeclaredAPI{ObjectRef: ref(api, kind, "", name),
		Source: "overlays/site/objects.yaml:7"})
}

// pod puts a workload there: its pods, each on a node by number.
func (in *Input) pods(workload string, cpu int64, edit func(*lifecycle.PodKind), volumes int32, nodes ...int32) {
	s := &in.Evidence.Scheduling.Value
	k := lifecycle.PodKind{Namespace: "shop", Workload: "Deployment shop/" + workload, Owner: "tenant shop", Requests: []int64{1, cpu},
		Selected: -1, Tolerated: -1}
	if edit != nil {
		edit(&k)
	}
	s.Kinds = append(s.Kinds, k)
	for i, n := range nodes {
		s.Pods = append(s.Pods, lifecycle.PlacedPod{Name: fmt.Sprintf("%s-%d", workload, i), Kind: int32(len(s.Kinds) - 1), Node: n,
			Volumes: volumes})
	}
}

// only is a set of one node.
func (in *Input) only(node int32, why string) int32 {
	s := &in.Evidence.Scheduling.Value
	set := lifecycle.NewBits(len(s.Nodes))
	set.Add(node)
	s.NodeSets = append(s.NodeSets, lifecycle.NodeSet{Why: why, Has: set})
	return int32(len(s.NodeSets) - 1)
}

// chart installs a chart at one version and declares it at another, each made for some versions of Kubernetes.
func (in *Input) chart(addon, name, version, runsFor, declared, madeFor string) {
	in.Site.Addons = append(in.Site.Addons, lifecycle.Addon{Name: addon, Namespace: addon, Chart: &lifecycle.Chart{Name: name,
		Version: declared}})
	in.State.Units = append(in.State.Units, lifecycle.UnitState{Name: "addon/" + addon, Declared: true, Installed: true, Chart: name,
		Version:     declared,
		KubeVersion: madeFor, AppVersion: "1.0", Release: lifecycle.Release{Name: addon, Namespace: addon, Chart: name, Version: version,
			KubeVersion: runsFor}})
}

func (in *Input) ends(host, name string, by lifecycle.Renewal, days int) {
	h := in.host(host)
	h.Certificates = append(h.Certificates, lifecycle.Certificate{Name: name, Renewed: by, NotBefore: now.AddDate(-1, 0, 0),
		NotAfter: now.AddDate(0, 0, days)})
}

// refusedAs has the API refuse such pods.
func refusedAs(by lifecycle.RefusedBy, name string, since int) func(*lifecycle.PodKind) {
	return func(k *lifecycle.PodKind) {
		k.Refused = append(k.Refused, lifecycle.Refusal{By: by, Name: name, Why: "as the API server says it", Since: since})
	}
}

func (in *Input) webhook(name string, backends ...lifecycle.Backend) {
	a := &in.Evidence.Admission.Value
	kinds := make([]int32, len(in.Evidence.Scheduling.Value.Kinds))
	for i := range kinds {
		kinds[i] = int32(i)
	}
	a.Webhooks = append(a.Webhooks, lifecycle.Webhook{Name: name, Configuration: "ValidatingWebhookConfiguration " + name,
		Service: "policy/" + name, Kinds: kinds, Backends: backends})
}

// TestPlantedTroublesAreFound plants one trouble after another at sites that are healthy otherwise: each is found and named, and nothing
// else is.
func TestPlantedTroublesAreFound(t *testing.T) {
	for i, p := range plants() {
		t.Run(p.name, func(t *testing.T) {
			in := healthy(uint64(1000 + i))
			p.put(&in)
			got := Check(in)
			if f := findingOf(got, p); f == nil {
				t.Errorf("it is not found; found is:\n%s", strings.Join(brief(got), "\n"))
			} else if f.Remedy == "" || len(f.Seen) == 0 {
				t.Errorf("it is not whole: %+v", f)
			}
			for _, f := range got.Findings {
				if f.Rule != p.rule {
					t.Errorf("found as well, and is not there: %s %s: %s", f.Rule, f.Subject, f.Summary)
				}
			}
		})
	}
}

func findingOf(r lifecycle.Readiness, p plant) *lifecycle.ReadinessFinding {
	for _, f := range r.Findings {
		all := f.Summary + "\n" + strings.Join(f.Seen, "\n") + "\n" + f.Remedy
		if f.Rule == p.rule && strings.Contains(f.Subject, p.subject) && strings.Contains(all, p.said) {
			return &f
		}
	}
	return nil
}

func brief(r lifecycle.Readiness) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("  %s | %s | %s | %s | %s", f.Rule, f.Rank, f.Subject, f.Summary, strings.Join(f.Seen, " / ")))
	}
	for _, u := range r.Unseen {
		out = append(out, "  not seen: "+u.What+": "+u.Why)
	}
	return out
}

var update = flag.Bool("update", false, "write testdata/planted.json anew")

// TestAllTroublesAtOnce: a site that has every trouble gets each of them named, those for somebody with their owner. What is found there is
// kept for those who show it.
func TestAllTroublesAtOnce(t *testing.T) {
	in := healthy(12)
	for i := 13; len(in.State.API.Servers) < 3 || len(in.Site.Tenants) < 2; i++ {
		in = healthy(uint64(i))
	}
	in.Site.Name = "troubled"
	together := slices.DeleteFunc(plants(), func(p plant) bool { return p.name == "etcd is nearly full" }) // the alarm says more
	for _, p := range together {
		p.put(&in)
	}
	got := Check(in)
	owned := 0
	for _, p := range together {
		if f := findingOf(got, p); f == nil {
			t.Errorf("%s: it is not found; found is:\n%s", p.name, strings.Join(brief(got), "\n"))
		} else if f.Owner != "" {
			owned++
		}
	}
	if n := len(together); n < 40 || owned < 15 {
		t.Errorf("%d troubles are planted, and %d of them have an owner", n, owned)
	}
	b, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join("testdata", "planted.json")
	if *update {
		must(os.MkdirAll("testdata", 0o755))
		must(os.WriteFile(kept, append(b, '\n'), 0o644))
	}
	want, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if string(b)+"\n" != string(want) {
		t.Errorf("%s is not what is found; run `go test -update` here and look at the difference", kept)
	}
}
