package plan

import (
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// living is what is seen of a site whose controllers have a configuration; "" for none.
func living(t *testing.T, site lifecycle.Site, have string) lifecycle.State {
	t.Helper()
	st := seen(t, site)
	for i := range st.Hosts {
		if h := &st.Hosts[i]; h.ServiceName == "k0scontroller" {
			h.Config, h.ConfigDigest = []byte(clusterConfig(have)), "sha256:have"
			if have == "" {
				h.Config, h.ConfigDigest = nil, ""
			}
		}
	}
	return st
}

func refusal(p lifecycle.Plan, summary string) (lifecycle.Diagnostic, bool) {
	for _, d := range p.Diagnostics {
		if d.Severity == lifecycle.SeverityError && strings.Contains(d.Summary, summary) {
			return d, true
		}
	}
	return lifecycle.Diagnostic{}, false
}

// What a living cluster cannot change is refused, with the way that there is; what only looks like it is not.
func TestConfigurationThatALivingClusterCannotChange(t *testing.T) {
	spec := func(s string) string { return `{"spec":{` + s + `}}` }
	for name, c := range map[string]struct {
		have, want string
		refused    string // in the error's detail; "" for none
	}{
		"from etcd to a database": {spec(`"storage":{"type":"etcd"}`),
			spec(`"storage":{"type":"kine","kine":{"dataSource":"postgres://a"}}`), "spec.storage.type: etcd -> kine"},
		"from no word to a database": {spec(``), spec(`"storage":{"type":"kine"}`), "spec.storage.type: etcd -> kine"},
		"a database, and no word of it": {spec(`"storage":{"type":"kine"}`), spec(``),
			"spec.storage.type: kine -> etcd"},
		"another database": {spec(`"storage":{"type":"kine","kine":{"dataSource":"postgres://u:p@one/k0s"}}`),
			spec(`"storage":{"type":"kine","kine":{"dataSource":"postgres://u:p@two/k0s"}}`), "spec.storage.kine.dataSource: (masked) changes"},
		"another password of a database": {spec(`"storage":{"type":"kine","kine":{"dataSource":"postgres://u:p@one/k0s"}}`),
			spec(`"storage":{"type":"kine","kine":{"dataSource":"postgres://u:q@one/k0s"}}`), ""},
		"another password of a database, in MySQL's form": {spec(`"storage":{"type":"kine","kine":{"dataSource":"mysql://u:p@tcp(db:3306)/k"}}`),
			spec(`"storage":{"type":"kine","kine":{"dataSource":"mysql://u:p@q@tcp(db:3306)/k"}}`), ""},
		"the database that k0s makes, spelled out": {spec(`"storage":{"type":"kine"}`),
			spec(`"storage":{"type":"kine","kine":{"dataSource":"sqlite:///var/lib/k0s/db/state.db?mode=rwc&_journal=WAL"}}`), ""},
		"a database that is not in use": {spec(`"storage":{"type":"etcd","kine":{"dataSource":"a"}}`),
			spec(`"storage":{"type":"etcd","kine":{"dataSource":"b"}}`), ""},
		"to an etcd elsewhere": {spec(``), spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1:2379"]}}}`),
			"spec.storage.etcd.externalCluster.endpoints"},
		"another etcd elsewhere": {spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1:2379"]}}}`),
			spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://f1:2379"]}}}`), "externalCluster.endpoints"},
		"one more endpoint of the etcd elsewhere": {spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1:2379"]}}}`),
			spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1:2379","https://e2:2379"]}}}`), ""},
		"another prefix": {spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1"],"etcdPrefix":"a"}}}`),
			spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1"],"etcdPrefix":"b"}}}`), "etcdPrefix: a -> b"},
		"another certificate of the etcd elsewhere": {spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1"],"caFile":"a"}}}`),
			spec(`"storage":{"etcd":{"externalCluster":{"endpoints":["https://e1"],"caFile":"b"}}}`), ""},
		"another port":                {spec(``), spec(`"api":{"port":7443}`), "spec.api.port: 6443 -> 7443"},
		"the port, spelled out":       {spec(``), spec(`"api":{"port":6443}`), ""},
		"the port, no longer spelled": {spec(`"api":{"port":6443}`), spec(``), ""},
		"another domain": {spec(``), spec(`"network":{"clusterDomain":"corp"}`),
			"spec.network.clusterDomain: cluster.local -> corp"},
		"another pod network": {spec(``), spec(`"network":{"podCIDR":"10.1.0.0/16"}`),
			"spec.network.podCIDR: 10.244.0.0/16 -> 10.1.0.0/16"},
		"another service network":  {spec(``), spec(`"network":{"serviceCIDR":"10.1.0.0/16"}`), "spec.network.serviceCIDR"},
		"another network provider": {spec(``), spec(`"network":{"provider":"custom"}`), "spec.network.provider: kuberouter -> custom"},
		"another address family":   {spec(`"network":{"primaryAddressFamily":"IPv6"}`), spec(``), "primaryAddressFamily: IPv6 -> IPv4"},
		"two stacks": {spec(``), spec(`"network":{"dualStack":{"enabled":true,"IPv6podCIDR":"fd00::/64"}}`),
			"dualStack.enabled: false -> true"},
		"a network of no second stack": {spec(``), spec(`"network":{"dualStack":{"enabled":false,"IPv6podCIDR":"fd00::/64"}}`), ""},
		"another network of the second": {spec(`"network":{"dualStack":{"enabled":true,"IPv6podCIDR":"fd01::/64"}}`),
			spec(`"network":{"dualStack":{"enabled":true,"IPv6podCIDR":"fd00::/64"}}`), "IPv6podCIDR"},
		"services by an argument": {spec(``), spec(`"api":{"extraArgs":{"service-cluster-ip-range":"10.1.0.0/16"}}`),
			"service-cluster-ip-range: 10.96.0.0/12 -> 10.1.0.0/16"},
		"the same services, by argument": {spec(``), spec(`"api":{"extraArgs":{"service-cluster-ip-range":"10.96.0.0/12"}}`), ""},
		"pods by an argument":            {spec(``), spec(`"controllerManager":{"extraArgs":{"cluster-cidr":"10.1.0.0/16"}}`), "cluster-cidr"},
		"services by a raw argument": {spec(``), spec(`"api":{"rawArgs":["--v=2","--service-cluster-ip-range=10.1.0.0/16"]}`),
			"spec.api.rawArgs"},
		"a raw argument":                 {spec(``), spec(`"api":{"rawArgs":["--v=2"]}`), ""},
		"etcd's name":                    {spec(``), spec(`"storage":{"etcd":{"extraArgs":{"name":"x"}}}`), "extraArgs.name"},
		"etcd's quota":                   {spec(``), spec(`"storage":{"etcd":{"extraArgs":{"quota-backend-bytes":"1"}}}`), ""},
		"no file there, and all default": {"", spec(`"network":{"provider":"kuberouter"}`), ""},
		"no file there, and another":     {"", spec(`"network":{"provider":"calico"}`), "spec.network.provider: kuberouter -> calico"},
		"telemetry":                      {spec(``), spec(`"telemetry":{"enabled":false}`), ""},
		"an unheard-of field":            {spec(``), spec(`"unheard":1`), ""},
	} {
		site := newSite(v136, 3, 1, eachHost(lifecycle.RoleController, config(c.want)))
		p := makePlan(site, living(t, site, c.have))
		d, refused := refusal(p, "what a living cluster cannot change")
		switch {
		case refused != (c.refused != ""), !strings.Contains(d.Detail, c.refused):
			t.Errorf("%s: refused is %v, %q; want %q\n%v", name, refused, d.Detail, c.refused, p.Diagnostics)
		case refused && (d.Hint == "" || strings.Contains(d.Hint, "SITE")):
			t.Errorf("%s: the way is %q", name, d.Hint)
		}
		fresh := freshWorld(site)
		if d, refused := refusal(makePlan(site, fresh.observe()), "cannot change"); refused {
			t.Errorf("%s: a new cluster is refused it: %v", name, d)
		}
	}
}

func TestASingleNodeKeepsTheDatastoreThatItHas(t *testing.T) {
	single := func(h *lifecycle.Host) {
		h.Role, h.Arguments = lifecycle.RoleSingle, append(h.Arguments, "--single=true")
	}
	for name, c := range map[string]struct {
		etcd    bool
		want    string
		refused bool
	}{
		"its own, spelled out": {false, "kine", false},
		"its own to etcd":      {false, "etcd", true},
		"etcd, spelled out":    {true, "etcd", false},
		"etcd to a database":   {true, "kine", true},
	} {
		site := newSite(v136, 1, 0, host("controller-1", single), host("controller-1", config(`{"spec":{"storage":{"type":"`+c.want+`"}}}`)))
		st := living(t, site, `{"spec":{}}`)
		if !c.etcd {
			st.Etcd = lifecycle.EtcdState{}
		}
		if d, refused := refusal(makePlan(site, st), "cannot change"); refused != c.refused {
			t.Errorf("%s: refused is %v: %v", name, refused, d)
		}
	}
}

// An argument that a member cannot change is refused, one error a machine; what acts only when a node registers restarts nobody.
func TestArgumentsThatAMemberCannotChange(t *testing.T) {
	for name, c := range map[string]struct {
		role       lifecycle.Role
		have, want []string // instead of the declared ones
		refused    string
		told       string // of a warning
		steps      bool
	}{
		"another data folder": {role: lifecycle.RoleWorker, want: []string{"--data-dir=/data/k0s"},
			refused: "--data-dir: /var/lib/k0s -> /data/k0s", steps: true},
		"another data folder, of controllers": {role: lifecycle.RoleController, want: []string{"--config=/etc/k0s/k0s.yaml",
			"--data-dir=/data/k0s"},
			refused: "--data-dir: /var/lib/k0s -> /data/k0s", steps: true},
		"another kubelet folder": {role: lifecycle.RoleWorker, want: []string{"--data-dir=/var/lib/k0s", "--kubelet-root-dir=/data/kubelet"},
			refused: "--kubelet-root-dir: (none) -> /data/kubelet", steps: true},
		"another root of the kubelet": {role: lifecycle.RoleWorker, want: []string{"--data-dir=/var/lib/k0s",
			"--kubelet-extra-args=--root-dir=/x"},
			refused: "--kubelet-extra-args --root-dir: (none) -> /x", steps: true},
		"the only controller": {role: lifecycle.RoleController,
			want: []string{"--config=/etc/k0s/k0s.yaml", "--data-dir=/var/lib/k0s", "--single=true"}, refused: "--single: (none) -> true",
			steps: true},
		"no longer the only controller": {role: lifecycle.RoleController,
			have:    []string{"--config=/etc/k0s/k0s.yaml", "--data-dir=/var/lib/k0s", "--single=true"},
			refused: "--single: true -> (none)", steps: true},
		"a kubelet on a controller": {role: lifecycle.RoleController,
			want: []string{"--config=/etc/k0s/k0s.yaml", "--data-dir=/var/lib/k0s", "--enable-worker=true"}, steps: true},
		"a profile": {role: lifecycle.RoleWorker, want: []string{"--data-dir=/var/lib/k0s", "--profile=gpu"}, steps: true},
		"labels":    {role: lifecycle.RoleWorker, want: []string{"--data-dir=/var/lib/k0s", "--labels=rack=a"}, steps: true},
		"labels that are there": {role: lifecycle.RoleWorker,
			want: []string{"--data-dir=/var/lib/k0s", "--labels=zone=a"}},
		"no taints": {role: lifecycle.RoleController,
			want: []string{"--config=/etc/k0s/k0s.yaml", "--data-dir=/var/lib/k0s", "--no-taints=true"}, told: "--no-taints acts only"},
		"a taint that moves pods": {role: lifecycle.RoleWorker,
			want: []string{"--data-dir=/var/lib/k0s", "--taints=a=b:NoExecute"}, told: "--taints acts only"},
		"a taint": {role: lifecycle.RoleWorker, want: []string{"--data-dir=/var/lib/k0s", "--taints=a=b:NoSchedule"}, steps: true},
		"labels through the kubelet": {role: lifecycle.RoleWorker,
			want: []string{"--data-dir=/var/lib/k0s", "--kubelet-extra-args=--node-labels=rack=a"}, steps: true},
		"labels through the kubelet, and something else": {role: lifecycle.RoleWorker, steps: true,
			want: []string{"--data-dir=/var/lib/k0s", "--kubelet-extra-args=--max-pods=200 --node-labels=rack=a"}},
		"an unheard-of argument": {role: lifecycle.RoleWorker, want: []string{"--data-dir=/var/lib/k0s", "--unheard-of=1"},
			told: "what a change of --unheard-of does", steps: true},
		"the provider of a cloud": {role: lifecycle.RoleWorker, want: []string{"--data-dir=/var/lib/k0s", "--enable-cloud-provider=true"},
			told: "--enable-cloud-provider does not act at once", steps: true},
	} {
		site := newSite(v136, 1, 1)
		st := seen(t, site)
		for i := range st.Nodes {
			st.Nodes[i].Labels = map[string]string{"zone": "a"}
		}
		for i := range site.Cluster.Hosts {
			if site.Cluster.Hosts[i].Role != c.role {
				continue
			}
			if c.want != nil {
				site.Cluster.Hosts[i].Arguments = c.want
			}
			if c.have != nil {
				st.Hosts[i].Arguments = c.have
			}
		}
		p := makePlan(site, st)
		d, refused := refusal(p, "its service cannot change so")
		if refused != (c.refused != "") || !strings.Contains(d.Detail, c.refused) || (refused && d.Hint == "") {
			t.Errorf("%s: refused is %v, %v; want %q", name, refused, d, c.refused)
		}
		if told := strings.Contains(fmt.Sprint(p.Diagnostics), c.told); c.told != "" && !told {
			t.Errorf("%s: %q is not told: %v", name, c.told, p.Diagnostics)
		}
		if p.Empty() == c.steps {
			t.Errorf("%s: the plan's steps are %v", name, p.Steps)
		}
		if c.told == "" && c.refused == "" && len(p.Diagnostics) > 0 {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
	}
}

// A certificate authority has its dates from its first day: k0s is not restarted for another wish.
func TestWhatActsOnlyOnANewClusterRestartsNobody(t *testing.T) {
	site := newSite(v136, 3, 0, eachHost(lifecycle.RoleController, config(`{"spec":{"api":{"ca":{"expiresAfter":"1h"}}}}`)))
	p := makePlan(site, living(t, site, `{"spec":{}}`))
	if !p.Empty() || !strings.Contains(fmt.Sprint(p.Diagnostics), "spec.api.ca.expiresAfter acts only when") {
		t.Errorf("%v\n%v", p.Steps, p.Diagnostics)
	}
}

// What a cluster keeps may be spelled out, or left out again: it is as it was, and nothing is restarted for it.
func TestDefaultsThatAreSpelledOutRestartNobody(t *testing.T) {
	const spelled = `{"spec":{"api":{"port":6443},"storage":{"type":"etcd"},"network":{"provider":"kuberouter","podCIDR":"10.244.0.0/16",` +
		`"serviceCIDR":"10.96.0.0/12","clusterDomain":"cluster.local","dualStack":{"enabled":false}}}}`
	for name, c := range map[string]struct {
		have, want string
		steps      bool
	}{
		"spelled out":              {`{"spec":{}}`, spelled, false},
		"left out again":           {spelled, `{"spec":{}}`, false},
		"spelled out and a change": {`{"spec":{}}`, strings.Replace(spelled, `{"spec":{`, `{"spec":{"telemetry":{"enabled":true},`, 1), true},
		"another default":          {`{"spec":{}}`, `{"spec":{"konnectivity":{"agentPort":9132}}}`, true},
	} {
		site := newSite(v136, 3, 0, eachHost(lifecycle.RoleController, config(c.want)))
		p := makePlan(site, living(t, site, c.have))
		if p.Empty() == c.steps || p.Diagnostics.Err() != nil {
			t.Errorf("%s: %v\n%v", name, p.Steps, p.Diagnostics)
		}
	}
}

// What is changed in k0s's configuration and acts on nodes names no controller as the node to see to.
func TestAWayForNodesNamesNoController(t *testing.T) {
	site := newSite(v136, 1, 2, eachHost(lifecycle.RoleController, config(`{"spec":{"konnectivity":{"agentPort":9132},`+
		`"featureGates":[{"name":"A","enabled":true}],`+
		`"images":{"pause":{"version":"3.11"}},"workerProfiles":[{"name":"default","values":{"maxPods":50}}]}}`)))
	told := 0
	for _, d := range makePlan(site, living(t, site, `{"spec":{}}`)).Diagnostics {
		if strings.Contains(d.Hint, "kiban node reboot") {
			told++
			if !strings.Contains(d.Hint, "kiban node reboot lab NODE") || strings.Contains(d.Hint, "controller-1") {
				t.Errorf("%s: %s", d.Summary, d.Hint)
			}
		}
	}
	if told != 4 {
		t.Errorf("%d of 4 are told of", told)
	}
}

// k0sctl before v0.20 wrote the machine's own address into each controller's k0s.yaml, and the loopback's among the names of its
// certificate.
func TestAFileOfAnOlderK0sctlRestartsNobody(t *testing.T) {
	const want = `{"spec":{"api":{"sans":["10.0.0.11","10.0.0.12","10.0.0.13","api.example"]}}}`
	for name, c := range map[string]struct {
		have  string
		steps bool
	}{
		"its own address and the loopback's": {`{"spec":{"api":{"address":"OWN","sans":["127.0.0.1","api.example","10.0.0.11","10.0.0.12","10.0.0.13"]}}}`, false},
		"another's address":                  {`{"spec":{"api":{"address":"10.7.0.1","sans":["10.0.0.11","10.0.0.12","10.0.0.13","api.example"]}}}`, true},
		"a name less":                        {`{"spec":{"api":{"sans":["10.0.0.11","10.0.0.12","10.0.0.13"]}}}`, true},
		"its own address, and a change": {`{"spec":{"api":{"address":"OWN","sans":["10.0.0.11","10.0.0.12","10.0.0.13","api.example"]},` +
			`"telemetry":{"enabled":true}}}`, true},
	} {
		site := newSite(v136, 3, 0, eachHost(lifecycle.RoleController, config(want)))
		st := living(t, site, c.have)
		for i := range st.Hosts {
			c.have = strings.Replace(c.have, `{"spec"`, `{"apiVersion":"k0s.k0sproject.io/v1beta1","kind":"ClusterConfig","spec"`, 1)
			st.Hosts[i].Config = []byte(strings.ReplaceAll(c.have, "OWN", site.Cluster.Hosts[i].Address))
		}
		p := makePlan(site, st)
		if p.Empty() == c.steps || !c.steps && len(p.Diagnostics) > 0 {
			t.Errorf("%s: %v\n%v", name, p.Steps, p.Diagnostics)
		}
	}
}

// What stood in spec.k0s.config and is taken out again stays on the machines, and the plan names it.
func TestAConfigurationThatNobodyDeclaresIsNamed(t *testing.T) {
	for name, c := range map[string]struct{ have, told string }{
		"declared once": {`{"apiVersion":"x","spec":{"network":{"nodeLocalLoadBalancing":{"enabled":true}}}}`,
			"spec.network.nodeLocalLoadBalancing.enabled: true"},
		"a secret": {`{"spec":{"storage":{"type":"kine","kine":{"dataSource":"mysql://u:hunter2@h/d"}}}}`, "(masked)"},
		"as k0s generates it": {`{"apiVersion":"x","kind":"ClusterConfig","metadata":{"name":"k0s"},"spec":{"api":{"address":"10.0.0.11","port":6443},` +
			`"network":{"podCIDR":"10.244.0.0/16","provider":"kuberouter","dualStack":{"enabled":false},"kubeProxy":{"mode":"iptables"}},"scheduler":{}}}`, ""},
	} {
		site := newSite(v136, 3, 0, eachHost(lifecycle.RoleController, func(h *lifecycle.Host) { h.Config, h.ConfigDigest = nil, "" }))
		p := makePlan(site, living(t, site, c.have))
		all := fmt.Sprint(p.Diagnostics)
		if !p.Empty() || c.told == "" && len(p.Diagnostics) > 0 || !strings.Contains(all, c.told) || strings.Contains(all, "hunter2") {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
	}
}

// A port that is declared and not the cluster's is where kiban asks: that nobody answers there is no reason to bring anything back.
func TestTheAPIIsAskedAtTheDeclaredPort(t *testing.T) {
	for name, c := range map[string]struct {
		have string
		told bool
	}{
		"another port":   {`{"spec":{}}`, true},
		"the same port":  {`{"spec":{"api":{"port":7443}}}`, false},
		"nobody can say": {"", true}, // without a k0s.yaml it is k0s's default
	} {
		site := newSite(v136, 3, 1, eachHost(lifecycle.RoleController, config(`{"spec":{"api":{"port":7443}}}`)))
		st := living(t, site, c.have)
		st.API, st.Nodes = lifecycle.APIState{Unknown: "dial tcp 10.0.0.11:7443: connection refused"}, nil
		p := makePlan(site, st)
		all := fmt.Sprint(p.Diagnostics)
		if told := strings.Contains(all, "asked at a port where it does not listen"); told != c.told ||
			c.told == strings.Contains(all, "only brings it back") && c.told {
			t.Errorf("%s: %v", name, p.Diagnostics)
		}
		if _, refused := refusal(p, "cannot change"); refused != c.told {
			t.Errorf("%s: refused is %v", name, refused)
		}
	}
}
