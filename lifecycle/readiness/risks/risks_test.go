package risks

import (
	"encoding/json"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func v(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	out, err := parseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// facts is a healthy site of one controller and two workers that goes from one version to another; change makes something of it.
func facts(t *testing.T, from, to string, change func(f *Facts)) Facts {
	t.Helper()
	f := Facts{Target: v(t, to)}
	f.Site.Name, f.Site.Provider = "tokyo", lifecycle.ProviderK0s
	for name, role := range map[string]lifecycle.Role{"controller-1": lifecycle.RoleController, "worker-1": lifecycle.RoleWorker,
		"worker-2": lifecycle.RoleWorker} {
		f.Site.Cluster.Hosts = append(f.Site.Cluster.Hosts, lifecycle.Host{Name: name, Role: role})
		f.State.Hosts = append(f.State.Hosts, lifecycle.HostState{Name: name, ServiceName: "k0sworker", Binary: v(t, from), Running: v(t, from),
			OS: "debian 12", Kernel: "6.1.0-25-amd64", Arch: "amd64"})
	}
	slices.SortFunc(f.Site.Cluster.Hosts, func(a, b lifecycle.Host) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(f.State.Hosts, func(a, b lifecycle.HostState) int { return strings.Compare(a.Name, b.Name) })
	f.State.Etcd.Members = []lifecycle.EtcdMember{{Name: "controller-1"}}
	f.State.Units = []lifecycle.UnitState{}
	if change != nil {
		change(&f)
	}
	return f
}

func dropIns(form int) func(*Facts) {
	return func(f *Facts) {
		f.State.Hosts[1].DropIns = []lifecycle.DropIn{{Path: "/etc/k0s/containerd.d/nvidia.toml", Form: form}}
	}
}

func argued(host int, argument string) func(*Facts) {
	return func(f *Facts) {
		f.Site.Cluster.Hosts[host].Arguments = append(f.Site.Cluster.Hosts[host].Arguments, argument)
	}
}

func configured(spec string) func(*Facts) {
	return func(f *Facts) { f.Site.Cluster.Hosts[0].Config = []byte(`{"spec":` + spec + `}`) }
}

func charted(name, version, values string) func(*Facts) {
	return func(f *Facts) {
		f.Site.Addons = append(f.Site.Addons, lifecycle.Addon{Name: "my-" + name, Chart: &lifecycle.Chart{Name: name, Version: version,
			Values: []byte(values)}})
	}
}

func released(name, version string) func(*Facts) {
	return func(f *Facts) {
		f.State.Units = append(f.State.Units, lifecycle.UnitState{Name: "addon/my-" + name, Release: lifecycle.Release{Name: name,
			Namespace: name, Chart: name, Version: version}})
	}
}

func declared(kind, yaml string) func(*Facts) {
	return func(f *Facts) {
		f.Site.Objects = append(f.Site.Objects, lifecycle.Document{Kind: kind, Namespace: "shop", Name: "web", YAML: []byte(yaml)})
	}
}

func together(changes ...func(*Facts)) func(*Facts) {
	return func(f *Facts) {
		for _, c := range changes {
			c(f)
		}
	}
}

// way is a site on its way from one version to another.
type way struct {
	from, to string
	site     func(*Facts)
}

// cases are, for each known risk, a site that it concerns and the nearest one that it does not.
func cases() map[string][2]way {
	const v134, v135, v136, v137 = "v1.34.7+k0s.0", "v1.35.7+k0s.0", "v1.36.3+k0s.2", "v1.37.1+k0s.0"
	peer := declared("BGPPeer", "spec: {myASN: 64512}")
	return map[string][2]way{
		"k0s-containerd-drop-ins": {{v135, v136, dropIns(2)}, {v135, v136, together(dropIns(2), func(f *Facts) {
			f.Site.Cluster.Hosts[1].Files = []lifecycle.HostFile{{Path: "/etc/k0s/containerd.d/nvidia.toml", Since: lifecycle.Version{Major: 1,
				Minor: 36}}}
		})}},
		"k0s-join-token-is-parsed": {{v134, "v1.35.1+k0s.0", nil}, {v134, "v1.35.1+k0s.1", nil}},
		"k0s-worker-config-is-disabled": {
			{v135, v136, argued(0, "--disable-components=metrics-server,worker-config")},
			{v135, v136, argued(0, "--disable-components=metrics-server")},
		},
		"k0s-calico-admin-network-policies": {
			{v135, v136, together(configured(`{"network":{"provider":"calico"}}`), declared("AdminNetworkPolicy", ""))},
			{v135, v136, declared("AdminNetworkPolicy", "")},
		},
		"etcd-zombie-members": {{"v1.33.4+k0s.0", v134, nil}, {"v1.33.13+k0s.1", v134, nil}},
		"kubernetes-cgroup-v1": {
			{v134, v135, func(f *Facts) { f.State.Hosts[1].CgroupV1 = true }},
			{v134, v135, func(f *Facts) { f.State.Hosts[0].CgroupV1 = true }},
		},
		"kubernetes-cgroup-v2-old-kernel": {
			{v134, v135, func(f *Facts) { f.State.Hosts[2].Kernel = "4.18.0-553.el8_10.x86_64" }},
			{v134, v135, func(f *Facts) { f.State.Hosts[2].Kernel = "5.10.0-32-amd64" }},
		},
		"kubernetes-ipvs-is-deprecated": {
			{v134, v135, configured(`{"network":{"kubeProxy":{"mode":"ipvs"}}}`)},
			{v134, v135, configured(`{"network":{"kubeProxy":{"mode":"nftables"}}}`)},
		},
		"kubernetes-containerd-1-of-your-own": {
			{v135, v136, argued(1, "--cri-socket=remote:unix:///run/containerd/containerd.sock")},
			{v135, v136, argued(1, "--profile=x")},
		},
		"kubernetes-git-repo-volumes": {
			{v135, v136, declared("Deployment", "spec: {template: {spec: {volumes: [{name: a, gitRepo: {repository: x}}]}}}")},
			{v135, v136, declared("Deployment", "spec: {template: {spec: {volumes: [{name: gitRepo, emptyDir: {}}]}}}")},
		},
		"kubernetes-cephfs-and-rbd-volumes": {
			{"v1.30.1+k0s.0", "v1.31.5+k0s.0", declared("PersistentVolume", "spec: {rbd: {image: x}}")},
			{"v1.30.1+k0s.0", "v1.31.5+k0s.0", declared("PersistentVolume", "spec: {csi: {driver: rbd.csi.ceph.com}}")},
		},
		"kubernetes-external-ips-are-deprecated": {
			{v135, v136, declared("Service", "spec: {externalIPs: [192.0.2.1]}")},
			{v135, v136, declared("Service", "spec: {type: LoadBalancer}")},
		},
		"kubernetes-endpoints-are-deprecated": {
			{"v1.32.5+k0s.0", "v1.33.4+k0s.0", declared("Endpoints", "")},
			{"v1.32.5+k0s.0", "v1.33.4+k0s.0", declared("EndpointSlice", "")},
		},
		"kubernetes-topology-mode-is-deprecated": {
			{"v1.32.5+k0s.0", "v1.33.4+k0s.0", declared("Service", `metadata: {annotations: {service.kubernetes.io/topology-mode: Auto}}`)},
			{"v1.32.5+k0s.0", "v1.33.4+k0s.0", declared("Service", "spec: {trafficDistribution: PreferClose}")},
		},
		"kubernetes-event-record-qps": {
			{v136, v137, configured(`{"workerProfiles":[{"name":"a","values":{"eventRecordQPS":0}}]}`)},
			{v136, v137, configured(`{"workerProfiles":[{"name":"a","values":{"eventRecordQPS":5}}]}`)},
		},
		"kubernetes-selinux-mount": {
			{v136, v137, func(f *Facts) { f.State.Hosts[2].OS = "rocky 9.4" }},
			{v136, v137, nil},
		},
		"containerd-io-uring": {
			{v135, v136, argued(1, "--kubelet-extra-args=--seccomp-default --max-pods=50")},
			{v135, v136, argued(1, "--kubelet-extra-args=--max-pods=50")},
		},
		"runc-container-escape-2025": {
			{"v1.33.4+k0s.0", "v1.34.1+k0s.1", nil},
			{"v1.33.4+k0s.0", "v1.34.2+k0s.0", nil},
		},
		"containerd-two-holes-2025": {
			{"v1.33.4+k0s.0", "v1.34.1+k0s.1", nil},
			{"v1.33.4+k0s.0", "v1.34.2+k0s.0", nil},
		},
		"metallb-as-numbers": {
			{v135, v136, together(charted("metallb", "0.15.3", ""), peer)},
			{v135, v136, together(charted("metallb", "0.16.0", ""), peer)},
		},
		"metallb-frr-k8s": {
			{v135, v136, together(released("metallb", "0.15.3"), charted("metallb", "0.16.1", `{}`), peer)},
			{v135, v136, together(released("metallb", "0.15.3"), charted("metallb", "0.16.1", `{"frrk8s":{"enabled":true}}`), peer)},
		},
		"argo-cd-before-1-34": {
			{"v1.33.4+k0s.0", v134, charted("argo-cd", "8.2.7", "")},
			{"v1.33.4+k0s.0", v134, charted("argo-cd", "8.3.0", "")},
		},
		"argo-cd-before-1-35": {
			{v134, v135, charted("argo-cd", "9.1.0", "")},
			{v134, v135, charted("argo-cd", "9.4.0", "")},
		},
		"argo-cd-csi-drivers": {
			{v136, v137, charted("argo-cd", "10.1.1", "")},
			{v135, v136, charted("argo-cd", "10.1.1", "")},
		},
		"argo-cd-3": {
			{v135, v136, together(released("argo-cd", "7.8.28"), charted("argo-cd", "9.4.0", ""))},
			{v135, v136, together(released("argo-cd", "8.0.0"), charted("argo-cd", "9.4.0", ""))},
		},
		"datadog-agent-1-33": {
			{"v1.32.5+k0s.0", "v1.33.4+k0s.0", charted("datadog", "3.117.3", `{"agents":{"image":{}}}`)},
			{"v1.32.5+k0s.0", "v1.33.4+k0s.0", charted("datadog", "3.117.3", `{"agents":{"image":{"tag":"7.70.0"}}}`)},
		},
		"datadog-operator-controllers": {
			{v135, v136, together(released("datadog", "3.160.0"), charted("datadog", "3.170.0", ""), declared("DatadogSLO", ""))},
			{v135, v136, together(released("datadog", "3.160.0"), charted("datadog", "3.170.0", ""))},
		},
	}
}

// Each known risk is told where it matters, and nowhere else; and where the site has the version already, not at all.
func TestEveryRisk(t *testing.T) {
	all, table := Known(), cases()
	if len(all) < 20 {
		t.Errorf("only %d risks", len(all))
	}
	for _, r := range all {
		c, ok := table[r.ID]
		if !ok {
			t.Errorf("%s has no case", r.ID)
			continue
		}
		delete(table, r.ID)
		t.Run(r.ID, func(t *testing.T) {
			hit := r.Judge(facts(t, c[0].from, c[0].to, c[0].site))
			if !hit.Concerns || hit.Unknown != "" {
				t.Errorf("a site that it concerns: %+v", hit)
			}
			if len(r.When) > 0 && len(hit.Seen) == 0 {
				t.Error("it names nothing that was seen")
			}
			if miss := r.Judge(facts(t, c[1].from, c[1].to, c[1].site)); miss.Concerns || miss.Unknown != "" {
				t.Errorf("a site that it does not concern: %+v", miss)
			}
			if !r.To.IsZero() && !r.To.Since.IsZero() {
				if again := r.Judge(facts(t, c[0].to, c[0].to, c[0].site)); again.Concerns {
					t.Errorf("a site that has the version already: %+v", again)
				}
			}
		})
	}
	for id := range table {
		t.Errorf("there is no risk %s", id)
	}
}

// Every file that kiban comes with can be read, and says all that people need.
func TestKnownFiles(t *testing.T) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil || len(names) != len(Known()) {
		t.Errorf("%d files, %d risks, %v", len(names), len(Known()), err)
	}
	for _, name := range names {
		text, _ := files.ReadFile(name)
		r, mistakes := Read(name, text)
		for _, m := range mistakes {
			t.Errorf("%s: %s", m.Where(), m.Text)
		}
		said := r.Text(100)
		for _, want := range append([]string{r.ID, "What to do: ", string(r.Rank)}, r.Sources...) {
			if !strings.Contains(said, want) {
				t.Errorf("%s: its text does not say %q:\n%s", name, want, said)
			}
		}
		for line := range strings.Lines(said) {
			if len(line) > 101 && !strings.Contains(line, "https://") {
				t.Errorf("%s: a line of %d: %s", name, len(line), line)
			}
		}
		if !strings.HasSuffix(r.Remedy, ".") || strings.HasSuffix(r.Title, ".") {
			t.Errorf("%s: a title is no sentence, a remedy is one", name)
		}
		list, _ := Explain("risks", 100)
		if found, ok := Explain(r.ID, 100); !ok || found != said || !strings.Contains(list, r.ID) {
			t.Errorf("%s is not found", r.ID)
		}
	}
}

func TestMistakesHaveTheirLine(t *testing.T) {
	const good = `id: our-storage
title: our storage stops
about: storage
rank: blocks
to: {since: v1.37}
when:
  - chart: {name: longhorn, before: 1.9.0}
consequence: It stops.
remedy: Upgrade it.
sources: [https://storage.example/notes]
`
	if r, mistakes := Read("risks/our-storage.yaml", []byte(good)); len(mistakes) > 0 || r.To.Since != v(t, "v1.37") ||
		r.When[0].arg("before") != "1.9.0" {
		t.Fatalf("%+v, %v", r, mistakes)
	}
	change := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for name, tt := range map[string]struct {
		text string
		line int
		says string
	}{
		"not YAML":           {change("rank: blocks", "rank: [blocks"), 0, "not YAML"},
		"nothing":            {"", 1, "one mapping"},
		"a list":             {"- a\n", 1, "one mapping"},
		"an unknown field":   {change("about:", "abuot:"), 3, `no field "abuot"`},
		"a field twice":      {change("about: storage", "id: x"), 3, "given twice"},
		"a field that lacks": {change("remedy: Upgrade it.\n", ""), 1, "remedy is missing"},
		"another name":       {change("id: our-storage", "id: our-disks"), 1, "not the file's name"},
		"no name":            {change("id: our-storage", "id: Our_Storage"), 1, "small letters"},
		"an unknown rank":    {change("rank: blocks", "rank: fatal"), 4, `rank "fatal"`},
		"no version":         {change("since: v1.37", "since: latest"), 5, "no version of k0s"},
		"an empty range":     {change("since: v1.37", "since: v1.37, before: v1.36"), 5, "no version is in this range"},
		"an unknown end":     {change("since: v1.37", "until: v1.37"), 5, `no field "until"`},
		"an unknown condition": {change("chart: {name: longhorn, before: 1.9.0}", "helm: {name: longhorn}"), 7,
			`no condition "helm"; there are any, dropIn`},
		"an unknown argument": {change("before: 1.9.0", "below: 1.9.0"), 7, `no field "below"`},
		"an argument missing": {change("name: longhorn, ", ""), 7, "chart needs name"},
		"a value of no form":  {change("before: 1.9.0", "before: soon"), 7, `before of chart can't be "soon"`},
		"no condition":        {change("- chart: {name: longhorn, before: 1.9.0}", "- chart"), 7, "one kind with its arguments"},
		"no source":           {change("[https://storage.example/notes]", "[]"), 10, "at least one source"},
		"another address":     {change("https://storage", "http://storage"), 10, "not an https address"},
		"everybody, always":   {change("to: {since: v1.37}\nwhen:\n  - chart: {name: longhorn, before: 1.9.0}\n", ""), 1, "everybody, always"},
		"deep in any": {change("- chart: {name: longhorn, before: 1.9.0}",
			"- any:\n      - arch: {is: [amd64]}\n      - arch: {is: [vax]}"), 9, `is of arch can't be "vax"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, mistakes := Read("risks/our-storage.yaml", []byte(tt.text))
			if !slices.ContainsFunc(mistakes, func(m Mistake) bool {
				return strings.Contains(m.Text, tt.says) && (tt.line == 0 || m.Line == tt.line) &&
					strings.HasPrefix(m.Where(), "risks/our-storage.yaml:")
			}) {
				t.Errorf("mistakes are %v", mistakes)
			}
		})
	}
}

// What could not be looked at is not known, unless something else decides.
func TestWhatIsNotKnown(t *testing.T) {
	silent := func(f *Facts) {
		f.State.Hosts[2] = lifecycle.HostState{Name: "worker-2", Problem: lifecycle.HostUnreachable}
	}
	for name, tt := range map[string]struct {
		risk     string
		f        Facts
		concerns bool
		why      string
	}{
		"a machine is silent": {"k0s-containerd-drop-ins", facts(t, "v1.35.7+k0s.0", "v1.36.3+k0s.2", silent), false,
			"worker-2 did not answer"},
		"another shows it": {"k0s-containerd-drop-ins", facts(t, "v1.35.7+k0s.0", "v1.36.3+k0s.2", together(silent, dropIns(2))),
			true, ""},
		"the version does not matter": {"k0s-containerd-drop-ins", facts(t, "v1.34.7+k0s.0", "v1.35.7+k0s.0", silent), false, ""},
		"a release of tomorrow, certainly later": {"containerd-io-uring", facts(t, "v1.35.7+k0s.0", "v1.39.0+k0s.0",
			argued(1, "--kubelet-extra-args=--seccomp-default")), true, ""},
		"a release of tomorrow, certainly mended": {"containerd-two-holes-2025", facts(t, "v1.35.7+k0s.0", "v1.39.0+k0s.0", nil), false, ""},
		"releases were not looked at": {"argo-cd-3", facts(t, "v1.35.7+k0s.0", "v1.36.3+k0s.2", together(charted("argo-cd", "9.4.0", ""),
			func(f *Facts) { f.State.Units = nil })), false, "not looked at"},
		"members are not known": {"etcd-zombie-members", facts(t, "v1.33.4+k0s.0", "v1.34.7+k0s.0",
			func(f *Facts) { f.State.Etcd = lifecycle.EtcdState{Unknown: "no quorum"} }), false, "no quorum"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := Find(tt.risk)
			o := r.Judge(tt.f)
			if o.Concerns != tt.concerns || !strings.Contains(o.Unknown, tt.why) || (o.Unknown == "") != (tt.why == "") {
				t.Errorf("%+v", o)
			}
		})
	}
}

// Two conditions about machines must hold of the same one; what excepts one machine does not except another.
func TestConditionsMeetOnOneMachine(t *testing.T) {
	read := func(conditions string) Risk {
		r, mistakes := Read("x.yaml", []byte("id: x\ntitle: t\nabout: a\nrank: blocks\n"+conditions+
			"consequence: c\nremedy: r\nsources: [https://a.example/]\n"))
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		return r
	}
	both := read("when:\n  - os: {is: [rocky]}\n  - kernel: {before: 5.0}\n")
	apart := facts(t, "v1.35.7+k0s.0", "v1.36.3+k0s.2", func(f *Facts) {
		f.State.Hosts[1].OS, f.State.Hosts[2].Kernel = "rocky 8", "4.18.0"
	})
	same := facts(t, "v1.35.7+k0s.0", "v1.36.3+k0s.2", func(f *Facts) {
		f.State.Hosts[1].OS, f.State.Hosts[1].Kernel = "rocky 8", "4.18.0"
	})
	if o := both.Judge(apart); o.Concerns {
		t.Errorf("one has the system, another the kernel: %+v", o)
	}
	if o := both.Judge(same); !o.Concerns || !slices.Equal(o.Machines, []string{"worker-1"}) {
		t.Errorf("one has both: %+v", o)
	}
	except := read("when:\n  - os: {is: [rocky]}\nunless:\n  - argument: {name: --lenient}\n")
	two := func(f *Facts) { f.State.Hosts[1].OS, f.State.Hosts[2].OS = "rocky 8", "rocky 8" }
	lenient := argued(1, "--lenient=true")
	if o := except.Judge(facts(t, "v1.35.7+k0s.0", "v1.36.3+k0s.2", together(two, lenient))); !o.Concerns {
		t.Error("the other machine is not excepted, and it is not told")
	}
	allLenient := together(two, lenient, argued(2, "--lenient=true"))
	if o := except.Judge(facts(t, "v1.35.7+k0s.0", "v1.36.3+k0s.2", allLenient)); o.Concerns {
		t.Errorf("both are excepted: %+v", o)
	}
}

func TestReleasesAreCompared(t *testing.T) {
	for _, tt := range [][2]string{{"1.7.9", "1.7.29"}, {"v0.16.0-rc.1", "0.16.0"}, {"0.15.3", "v0.16.0"}, {"9.4.0", "10.1.1"},
		{"5.7", "5.8.0"}, {"2.0.0-beta.1", "2.0.0"}} {
		if compareReleases(tt[0], tt[1]) >= 0 || compareReleases(tt[1], tt[0]) <= 0 {
			t.Errorf("%s is not before %s", tt[0], tt[1])
		}
	}
	if compareReleases("1.2", "v1.2.0") != 0 {
		t.Error("1.2 is not 1.2.0")
	}
}

// The data of what k0s carries is whole: every line has every component, and versions only rise within a minor release.
func TestComponents(t *testing.T) {
	text, err := files.ReadFile("components.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		release := v(t, strings.Fields(line)[0])
		for _, c := range components() {
			if got := carries(release, c); compareReleases(got.exact, "0.0.1") < 0 {
				t.Errorf("%s carries %s %q", release, c, got.exact)
			}
		}
		n++
	}
	if n < 50 || carries(v(t, "v1.36.3+k0s.2"), "containerd").exact != "2.3.3" ||
		carries(v(t, "v1.36.9+k0s.0"), "containerd").least != "2.3.3" || carries(v(t, "v1.36"), "containerd").exact == "" {
		t.Errorf("%d releases", n)
	}
}

// The schema has each field and each condition that Read knows, and no other.
func TestSchemaIsThatOfRead(t *testing.T) {
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Required   []string
		Properties map[string]any
		Defs       struct {
			Condition struct {
				OneOf []struct {
					Required   []string
					Properties map[string]struct{ Properties map[string]any }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	required, optional := fields()
	if !slices.Equal(s.Required, required) || len(s.Properties) != len(required)+len(optional) {
		t.Errorf("fields: %v, %d properties", s.Required, len(s.Properties))
	}
	have := map[string]bool{}
	for _, c := range s.Defs.Condition.OneOf {
		have[c.Required[0]] = true
		row, ok := rowOf(c.Required[0])
		if ok && len(c.Properties[row.kind].Properties) != len(row.args) {
			t.Errorf("%s has other arguments in the schema", row.kind)
		}
	}
	for _, k := range kinds() {
		if !have[k] {
			t.Errorf("%s is not in the schema", k)
		}
	}
	if len(have) != len(kinds()) {
		t.Errorf("%d conditions in the schema, %d are known", len(have), len(kinds()))
	}
}

// The page says every condition.
func TestThePageHasEveryCondition(t *testing.T) {
	page, err := os.ReadFile("../../../docs/readiness.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range kindRows() {
		if !strings.Contains(string(page), "| `"+row.kind+": {") || !strings.Contains(string(page), "| "+row.means+" |") {
			t.Errorf("docs/readiness.md does not say %s, %q", row.kind, row.means)
		}
	}
}
