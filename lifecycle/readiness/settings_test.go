package readiness

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func v1(minor int) lifecycle.Version { return lifecycle.Version{Major: 1, Minor: minor} }

// siteWith is a site of one controller and two workers with a k0s configuration and arguments for worker w1.
func siteWith(spec string, arguments ...string) lifecycle.Site {
	config := []byte(`{"spec":{` + spec + `}}`)
	return lifecycle.Site{Name: "lab", Cluster: lifecycle.Cluster{Hosts: []lifecycle.Host{
		{Name: "c1", Role: lifecycle.RoleController, Config: config, ConfigDigest: "sha256:1"},
		{Name: "w1", Role: lifecycle.RoleWorker, Arguments: arguments},
		{Name: "w2", Role: lifecycle.RoleWorker},
	}}}
}

// running is the state of that site at a version, as declared.
func running(site lifecycle.Site, minor int) lifecycle.State {
	s := lifecycle.State{Site: site.Name}
	for _, h := range site.Cluster.Hosts {
		s.Hosts = append(s.Hosts, lifecycle.HostState{Name: h.Name, Binary: v1(minor), Running: v1(minor), Service: lifecycle.ServiceRunning,
			Arguments: h.Arguments, Config: h.Config})
	}
	return s
}

func judgeSettings(site lifecycle.Site, state lifecycle.State, from, to int) lifecycle.Readiness {
	r := &report{}
	r.Site, r.To = site.Name, v1(to)
	if from > 0 {
		r.From = v1(from)
	}
	setForVersion(Input{Site: site, State: state, Target: v1(to)}, r)
	r.Sort()
	return r.Readiness
}

func told(r lifecycle.Readiness) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s: %s %s", f.Rank, f.Summary, f.Breaks)))
	}
	return out
}

// TestSettings holds what is set against the versions on the way, by what Kubernetes' own sources say of them.
func TestSettings(t *testing.T) {
	for name, tt := range map[string]struct {
		spec      string
		arguments []string
		from, to  int
		want      []string
	}{
		"nothing is set": {from: 34, to: 37},
		"what every version knows": {spec: `"api":{"extraArgs":{"audit-log-path":"/var/log/a","enable-admission-plugins":"NodeRestriction,AlwaysPullImages"}},
			"controllerManager":{"extraArgs":{"controllers":"*,bootstrapsigner,-ttl-controller"}},"scheduler":{"extraArgs":{"profiling":"false"}},
			"featureGates":[{"name":"AllAlpha","enabled":false}]`, from: 34, to: 37},
		"a kubelet's flag that went on the way": {arguments: []string{"--kubelet-extra-args=--pod-infra-container-image=pause:3.9 --v=4"},
			from: 34, to: 37,
			want: []string{"blocks: kubelet of v1.35 has no flag --pod-infra-container-image and does not start with it v1.35"}},
		"the same before it goes": {arguments: []string{"--kubelet-extra-args=--pod-infra-container-image=pause:3.9"}, from: 33, to: 34,
			want: []string{"needs attention: kubelet loses the flag --pod-infra-container-image in v1.35 v1.35"}},
		"cAdvisor's, in two words": {arguments: []string{"--kubelet-extra-args=--containerd-namespace k8s.io", "--profile=default"},
			from: 36, to: 37,
			want: []string{"blocks: kubelet of v1.37 has no flag --containerd-namespace and does not start with it v1.37"}},
		"cAdvisor's, as cAdvisor writes it": {arguments: []string{"--kubelet-extra-args=--containerd_namespace=k8s.io"},
			from: 36, to: 37,
			want: []string{"blocks: kubelet of v1.37 has no flag --containerd-namespace and does not start with it v1.37"}},
		"register-schedulable": {arguments: []string{"--kubelet-extra-args=--register-schedulable=false"}, from: 33, to: 35,
			want: []string{"blocks: kubelet of v1.34 has no flag --register-schedulable and does not start with it v1.34"}},
		"a kubelet's cloud provider stays, its configuration goes": {
			arguments: []string{"--kubelet-extra-args=--cloud-provider=external --cloud-config=/etc/c"}, from: 33, to: 34,
			want: []string{"blocks: kubelet of v1.34 has no flag --cloud-config and does not start with it v1.34"}},
		"the API server's cloud provider": {spec: `"api":{"extraArgs":{"cloud-provider":"external"}}`, from: 32, to: 33,
			want: []string{"blocks: kube-apiserver of v1.33 has no flag --cloud-provider and does not start with it v1.33"}},
		"a built-in cloud provider": {spec: `"controllerManager":{"extraArgs":{"cloud-provider":"gce"}}`, from: 33, to: 34,
			want: []string{"blocks: kube-controller-manager of v1.34 has no cloud provider gce and does not start with it v1.34"}},
		"the controller manager's arguments": {
			arguments: []string{"--kube-controller-manager-extra-args=--volume-host-cidr-denylist=10.0.0.0/8"}, from: 30, to: 31, want: []string{
				"blocks: kube-controller-manager of v1.31 has no flag --volume-host-cidr-denylist and does not start with it v1.31"}},
		"raw arguments": {spec: `"api":{"rawArgs":["--cloud-config","/etc/c","--feature-gates=Nonsense=true"]}`,
			from: 34, to: 35, want: []string{
				"blocks: kube-apiserver of v1.35 has no flag --cloud-config and does not start with it v1.35",
				"blocks: kube-apiserver of v1.35 has no feature gate Nonsense=true and does not start with it v1.35"}},
		"a gate that went": {spec: `"api":{"extraArgs":{"feature-gates":"SidecarContainers=true"}}`, from: 36, to: 37,
			want: []string{"blocks: kube-apiserver of v1.37 has no feature gate SidecarContainers=true and does not start with it v1.37"}},
		"a gate that is locked to another value": {spec: `"workerProfiles":[{"name":"default","values":{"featureGates":{"UserNamespacesSupport":false}}}]`, from: 35, to: 37,
			want: []string{"blocks: kubelet of v1.36 locks the feature gate UserNamespacesSupport to true and does not start with false v1.36"}},
		"a gate that is locked to that value and goes soon": {spec: `"featureGates":[{"name":"UserNamespacesSupport","enabled":true,"components":["kubelet"]}]`, from: 36, to: 37,
			want: []string{"needs attention: Kubernetes removes the feature gate UserNamespacesSupport in v1.39 v1.39"}},
		"a gate that the next version does not have": {spec: `"scheduler":{"extraArgs":{"feature-gates":"DynamicResourceAllocation=true"}}`,
			from: 36, to: 37,
			want: []string{"needs attention: kube-scheduler loses the feature gate DynamicResourceAllocation=true in v1.38 v1.38"}},
		"a gate that another needs": {spec: `"api":{"extraArgs":{"feature-gates":"WatchList=true,PodLevelResources=false"}}`,
			from: 34, to: 36,
			want: []string{"blocks: kube-apiserver of v1.36 does not start: the feature gate InPlacePodLevelResourcesVerticalScaling " +
				"is on and needs PodLevelResources, which is off v1.36"}},
		"a profile that no machine has": {spec: `"workerProfiles":[{"name":"gpu","values":{"featureGates":{"AppArmor":true}}}]`,
			from: 34, to: 35,
			want: []string{"good to know: kubelet of v1.35 has no feature gate AppArmor=true and does not start with it v1.35"}},
		"a profile of one machine": {spec: `"workerProfiles":[{"name":"gpu","values":{"featureGates":{"AppArmor":true}}}]`,
			arguments: []string{"--profile=gpu"}, from: 32, to: 35,
			want: []string{"blocks: kubelet of v1.33 has no feature gate AppArmor=true and does not start with it v1.33"}},
		"a gate that is too new for a hop": {spec: `"api":{"extraArgs":{"feature-gates":"CompositePodGroup=true"}}`,
			from: 35, to: 37, want: []string{
				"blocks: kube-apiserver of v1.36 has no feature gate CompositePodGroup=true and does not start with it v1.36"}},
		"an admission plugin that went": {spec: `"api":{"extraArgs":{"enable-admission-plugins":"NodeRestriction,PersistentVolumeLabel"}}`,
			from: 30, to: 32,
			want: []string{"blocks: kube-apiserver of v1.31 has no admission plugin PersistentVolumeLabel and does not start with it v1.31"}},
		"one that is switched off": {spec: `"api":{"extraArgs":{"disable-admission-plugins":"PodSecurityPolicy"}}`, from: 36, to: 37,
			want: []string{"blocks: kube-apiserver of v1.37 has no admission plugin PodSecurityPolicy and does not start with it v1.37"}},
		"a controller's old name": {spec: `"controllerManager":{"extraArgs":{"controllers":"*,-route"}}`, from: 36, to: 37,
			want: []string{"blocks: kube-controller-manager of v1.37 has no controller route and does not start with it v1.37"}},
		"a deprecated flag": {arguments: []string{"--kubelet-extra-args=--max-pods=200"}, from: 36, to: 37,
			want: []string{"good to know: --max-pods of kubelet is deprecated"}},
		"k0s's field is too new for a hop": {spec: `"api":{"rawArgs":["--v=2"]}`, from: 32, to: 34,
			want: []string{"blocks: k0s of v1.33 has no field spec.api.rawArgs and does not start with it v1.33"}},
		"a kubelet's field is too new for a hop": {spec: `"workerProfiles":[{"name":"default","values":{"tlsCurvePreferences":["X25519"]}}]`, from: 34, to: 36,
			want: []string{"needs attention: k0s of v1.35 has no kubelet's field tlsCurvePreferences and drops it without a word v1.35"}},
		"k0s's flag is too new for a hop": {arguments: []string{"--api-server-stop-timeout=30s", "--data-dir=/var/lib/k0s"},
			from: 34, to: 36,
			want: []string{"blocks: k0s of v1.35 has no flag --api-server-stop-timeout and does not start with it v1.35"}},
		"a version that is not out": {arguments: []string{"--kubelet-extra-args=--containerd=/run/x"}, from: 37, to: 38,
			want: []string{"needs attention: kubelet of v1.38 has no flag --containerd and does not start with it v1.38"}},
		"several programs": {spec: `"featureGates":[{"name":"KMSv1","enabled":true,"components":["kube-apiserver","kube-scheduler"]},{"name":"Nonsense","enabled":true}]`,
			from: 36, to: 37, want: []string{"good to know: the feature gate KMSv1 is deprecated: a later version takes it away",
				"blocks: kube-apiserver, kube-controller-manager, kubelet, kube-scheduler and kube-proxy of v1.37 " +
					"have no feature gate Nonsense=true and do not start with it v1.37"}},
	} {
		t.Run(name, func(t *testing.T) {
			site := siteWith(tt.spec, tt.arguments...)
			var valid any
			if err := json.Unmarshal(site.Cluster.Hosts[0].Config, &valid); err != nil {
				t.Fatal(err)
			}
			got := judgeSettings(site, running(site, tt.from), tt.from, tt.to)
			slices.Sort(tt.want)
			said := told(got)
			slices.Sort(said)
			if !slices.Equal(said, tt.want) {
				t.Errorf("said\n\t%s\nwant\n\t%s", strings.Join(said, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
			if len(got.Unseen) > 0 {
				t.Errorf("unseen: %+v", got.Unseen)
			}
			for _, f := range got.Findings {
				if f.Remedy == "" || len(f.Seen) == 0 || f.Rule == "" || strings.HasSuffix(f.Remedy, "..") {
					t.Errorf("without evidence or remedy: %+v", f)
				}
			}
		})
	}
}

// TestSettingsWhereTheyAre: what only a machine has goes with the declaration, unless that leaves the machine's file as it is.
func TestSettingsWhereTheyAre(t *testing.T) {
	gone := []string{"--kubelet-extra-args=--pod-infra-container-image=pause:3.9"}
	spec := `"api":{"extraArgs":{"cloud-config":"/etc/c"}}`
	bare := siteWith("")
	drifted := running(bare, 34)
	drifted.Hosts[1].Arguments = gone
	left := siteWith("")
	left.Cluster.Hosts[0].Config = nil
	machine := running(left, 34)
	machine.Hosts[0].Config = []byte(`{"spec":{` + spec + `}}`)
	dynamic := siteWith("")
	dynamic.Cluster.DynamicConfig, dynamic.Cluster.Hosts[0].Config = true, nil
	inCluster := running(dynamic, 34)
	inCluster.API.ClusterConfig = []byte(`{"spec":{` + spec + `}}`)
	file := siteWith("")
	file.Cluster.Hosts[1].Files = []lifecycle.HostFile{{Path: "/etc/k0s/kubelet.d/10-gates.conf", Content: []byte(
		"apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nfeatureGates:\n  SidecarContainers: true\n")}}
	later := siteWith("")
	later.Cluster.Hosts[1].Files = []lifecycle.HostFile{file.Cluster.Hosts[1].Files[0]}
	later.Cluster.Hosts[1].Files[0].Until = v1(37)
	many := siteWith("", gone...)
	many.Cluster.Hosts[2].Arguments = gone

	for name, tt := range map[string]struct {
		site  lifecycle.Site
		state lifecycle.State
		to    int
		want  string
		seen  string
	}{
		"only on a machine": {bare, drifted, 35,
			"needs attention: kubelet of v1.35 has no flag --pod-infra-container-image and does not start with it v1.35",
			"seen on w1"},
		"a file that is left as it is": {left, machine, 35,
			"blocks: kube-apiserver of v1.35 has no flag --cloud-config and does not start with it v1.35",
			"declared: spec.api.extraArgs, in k0s.yaml of c1, which the declaration leaves as it is"},
		"in the cluster's own configuration": {dynamic, inCluster, 35,
			"blocks: kube-apiserver of v1.35 has no flag --cloud-config and does not start with it v1.35",
			"declared: spec.api.extraArgs, in the cluster's own configuration, which the declaration leaves as it is"},
		"in a file of a kubelet": {file, running(file, 34), 37,
			"blocks: kubelet of v1.37 has no feature gate SidecarContainers=true and does not start with it v1.37",
			"declared: the file /etc/k0s/kubelet.d/10-gates.conf of w1"},
		"in a file that is for versions before": {later, running(later, 34), 37,
			"good to know: the feature gate SidecarContainers does nothing any more: it is locked to true", ""},
		"on two machines": {many, running(many, 34), 35,
			"blocks: kubelet of v1.35 has no flag --pod-infra-container-image and does not start with it v1.35",
			"declared: --kubelet-extra-args of w1, w2\nseen on w1, w2\nkubelet says: will be removed in 1.35."},
	} {
		got := judgeSettings(tt.site, tt.state, 34, tt.to)
		seen := ""
		for _, f := range got.Findings {
			seen += strings.Join(f.Seen, "\n")
		}
		if said := strings.Join(told(got), "; "); said != tt.want || !strings.Contains(seen, tt.seen) {
			t.Errorf("%s: said %q with\n%s", name, said, seen)
		}
	}
}

// TestSettingsBeyondTheData: of a version that no sources were read of it is said that nothing is known, not that nothing breaks.
func TestSettingsBeyondTheData(t *testing.T) {
	last := readKnown().last()
	site := siteWith("", "--kubelet-extra-args=--containerd=/run/x")
	for _, to := range []int{last + 1, readKnown().first() - 1} {
		got := judgeSettings(site, running(site, to-1), to-1, to)
		if len(got.Unseen) != 1 || got.IsReady() || !strings.Contains(got.Unseen[0].What, fmt.Sprintf("v1.%d", to)) {
			t.Errorf("v1.%d: %+v", to, got)
		}
	}
	if got := judgeSettings(site, running(site, last-1), last-1, last+1); len(got.Unseen) != 1 || len(got.Findings) != 1 {
		t.Errorf("what is known of the hop before is not told: %+v", got)
	}
}

// TestSettingsOfStrangers: a machine's configuration is its word. What is no configuration breaks nothing, and what is too much is cut.
func TestSettingsOfStrangers(t *testing.T) {
	site := siteWith("")
	state := running(site, 34)
	for _, config := range []string{"", "null", "[]", `{"spec":null}`, `{"spec":{"api":[],"featureGates":{},"workerProfiles":[1,{"values":3}],"scheduler":{"extraArgs":7}}}`,
		`{"spec":{"featureGates":[{"name":1,"enabled":"x","components":[2]}],"network":{"kubeProxy":null}}}`, "{"} {
		state.Hosts[0].Config = []byte(config)
		if got := judgeSettings(site, state, 34, 35); len(got.Findings) > 0 {
			t.Errorf("%s: %v", config, told(got))
		}
	}
	var gates []string
	for i := range 20000 {
		gates = append(gates, fmt.Sprintf("G%d%s=true", i, strings.Repeat("x", 1000)))
	}
	state.Hosts[1].Arguments = []string{"--kubelet-extra-args=--feature-gates=" + strings.Join(gates, ",")}
	got := judgeSettings(site, state, 34, 35)
	if n := len(got.Findings); n == 0 || n > mostSettings {
		t.Errorf("%d findings", n)
	}
	for _, f := range got.Findings {
		if len(f.Summary) > 500 {
			t.Fatalf("a summary of %d bytes", len(f.Summary))
		}
	}
}

// TestKnownIsWhole: the data that is part of the program can be read, and is of a row of minors without a hole.
func TestKnownIsWhole(t *testing.T) {
	k := readKnown()
	for i, m := range k.Modules {
		if minorNumber(m.Minor) != k.first()+i || k.release(minorNumber(m.Minor)) == "" {
			t.Errorf("minors: %+v", k.Modules)
		}
	}
	for _, program := range []string{apiServer, controllerManager, scheduler, kubelet, kubeProxy} {
		if len(k.Flags[program]) < 50 {
			t.Errorf("%s has %d flags", program, len(k.Flags[program]))
		}
	}
	if len(k.Gates) < 300 || len(k.Plugins) < 30 || len(k.Controllers) < 40 || k.last() < 37 {
		t.Errorf("%d gates, %d plugins, %d controllers", len(k.Gates), len(k.Plugins), len(k.Controllers))
	}
}

// TestSettingsNameTheirLines: what is set is told with the file and line that declares it.
func TestSettingsNameTheirLines(t *testing.T) {
	site := siteWith(`"api":{"extraArgs":{"cloud-config":"/etc/c"}},"featureGates":[{"name":"SidecarContainers","enabled":true}],`+
		`"workerProfiles":[{"name":"default","values":{"featureGates":{"NodeSwap":false}}}]`,
		"--kubelet-extra-args=--pod-infra-container-image=pause:3.9")
	site.Cluster.Lines = lifecycle.Lines{"spec.api.extraArgs": "base.yaml:3", "spec.api.extraArgs.cloud-config": "base.yaml:4",
		"spec.featureGates[0]": "base.yaml:7", "spec.workerProfiles[0].values.featureGates.NodeSwap": "tokyo.yaml:9"}
	site.Cluster.Hosts[1].Source = "tokyo.yaml:2"
	want := map[string]string{"kube-apiserver --cloud-config": "base.yaml:4", "feature gate SidecarContainers": "base.yaml:7",
		"kubelet --pod-infra-container-image": "tokyo.yaml:2", "feature gate NodeSwap": "tokyo.yaml:9"}
	for _, f := range judgeSettings(site, running(site, 34), 34, 37).Findings {
		at, known := want[f.Subject]
		if !known || f.Source != at || !strings.Contains(strings.Join(f.Seen, "\n"), "("+at+")") {
			t.Errorf("%s: want %q: %+v", f.Subject, at, f)
		}
		delete(want, f.Subject)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
}
