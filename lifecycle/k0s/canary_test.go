package k0s

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/render"
)

// TestA1_CanariesOfAHost plants a secret in every file of a controller that kiban reads, and in every word of k0s that it hears, by the
// real script over real files. None is in what is shown of the site, in any form, nor in what is logged.
func TestA1_CanariesOfAHost(t *testing.T) {
	var log bytes.Buffer
	f := newFarm(t, "c1", "w1")
	f.log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 4}))
	f.spec = "    config:\n      spec: {api: {sans: [a.example]}}\n"
	planted := map[string]string{}
	canary := func(where string) string {
		planted[where] = fmt.Sprintf("c4naryC4NARY%02d", len(planted))
		return planted[where]
	}
	for name, m := range f.fakes {
		unit := "k0sworker"
		if name == "c1" {
			unit = "k0scontroller"
		}
		at := func(where string) string { return canary(name + " " + where) }
		m.write("bin/hostname", "#!/bin/sh\necho "+name+"\n", 0o755)
		m.write("running/"+unit, "v1.35.7+k0s.0", 0o644)
		m.write("bin/k0s", strings.Replace(standIn("v1.35.7+k0s.0"), "case $1 in\nversion)", "case $1 in\n"+
			`etcd) echo "Error: dial https://kiban:`+at("etcd's URL")+`@10.0.0.11" >&2; exit 1 ;;`+"\n"+
			`version) echo "Error: token: `+at("k0s version")+`" >&2; exit 1 ;;`+"\nversion)", 1), 0o755)
		m.write("unit/"+unit+".service", "[Service]\nEnvironment=LICENSE="+at("the unit's environment")+"\nExecStart="+m.root+
			"/bin/k0s "+unit[3:]+" --data-dir="+m.root+"/data --bootstrap-token="+at("an argument")+" --kubelet-extra-args=--api-token="+
			at("an argument of the kubelet")+"\\x20--v=2 --token-file=/etc/k0s/"+at("the path of the token")+"\n", 0o644)
		m.write("etc/k0stoken", at("the join token")+"\n", 0o600)
		m.write("data/kiban-restored", at("what was restored")+"\n", 0o600)
		m.write("data/kubelet.conf", "clusters:\n- cluster:\n    server: https://kubelet:"+at("the kubelet's server")+
			"@10.0.0.11:6443/?token="+at("the kubelet's query")+"\nusers:\n- user: {token: "+at("the kubelet's token")+"}\n", 0o600)
		m.write("etc/k0s.yaml", `apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
spec:
  storage: {type: etcd, kine: {dataSource: "mysql://kine:`+at("kine's data source")+`@db/kine"}}
  network: {controlPlaneLoadBalancing: {keepalived: {vrrpInstances: [{authPass: `+at("keepalived")+`}]}}}
  extensions: {helm: {repositories: [{name: a, url: "https://a:`+at("a repository's URL")+`@charts", password: `+at("a repository")+`}]}}
  api: {extraArgs: {etcd-servers-overrides: "--token=`+at("an argument of the API server")+`"}}
`, 0o600)
		m.write("app/secret.txt", at("a declared file")+"\n", 0o600)
		f.extra[name] = "    files: [{name: a, data: declared, dst: " + m.root + "/app/secret.txt, perm: \"0600\"}]\n"
	}
	broken := strings.Replace(adminConf(t), "client-key-data: ", "client-key-data: "+canary("a key that is none"), 1)
	f.fakes["c1"].write("data/pki/admin.conf", broken+"    token: "+canary("the administrator's token")+"\n", 0o600)
	texts := map[string]string{"broken": everything(t, f)}
	for _, m := range f.fakes {
		m.write("bin/k0s", strings.Replace(standIn("v1.35.7+k0s.0"), `"Workloads":true`, `"Workloads":false`, 1), 0o755)
	}
	f.fakes["c1"].write("data/pki/admin.conf", adminConf(t), 0o600)
	texts["well"] = everything(t, f)
	f.fakes["c1"].write("etc/k0s.yaml", "-----BEGIN PRIVATE KEY-----\n"+canary("a key in k0s.yaml's place")+"\n", 0o600)
	texts["another file in k0s.yaml's place"] = everything(t, f)
	texts["the log"] = log.String()
	for name, want := range map[string]string{"broken": "users[0].user.token", "well": "authPass: (masked) changes",
		"another file in k0s.yaml's place": "k0s.yaml"} {
		if len(planted) < 25 || !strings.Contains(texts[name], want) {
			t.Errorf("%d were planted; %s shows no %q:\n%s", len(planted), name, want, texts[name])
		}
	}
	for where, secret := range planted {
		for name, text := range texts {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s is in %s: …%s…", where, name, text[max(0, i-100):min(len(text), i+40)])
			}
		}
	}
	if _, key, _ := strings.Cut(adminConf(t), "client-key-data: "); strings.Contains(fmt.Sprint(texts), key[:60]) {
		t.Error("the administrator's key is shown")
	}
}

// everything asks the farm's machines, and is all that is shown of the answers.
func everything(t *testing.T, f *farm) string {
	t.Helper()
	s := f.open(v135)
	defer s.Close()
	got, err := s.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	connect := func(lifecycle.Credentials) (observe.API, error) { return wellAPI{}, nil }
	state, err := observe.Observe(t.Context(), s.site, lying{got}, connect, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, problems := plan.Make(s.site, state, lifecycle.PlanOptions{}), observe.Problems(s.site, state)
	var out bytes.Buffer
	for _, err := range []error{render.StatusText(&out, s.site, state, problems, render.Style{}),
		render.PlanText(&out, s.site, p, render.Style{}), render.PlanMarkdown(&out, s.site, p),
		render.NodesText(&out, s.site, state, render.Style{}),
		json.NewEncoder(&out).Encode(state),
		json.NewEncoder(&out).Encode(p), json.NewEncoder(&out).Encode(problems)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(&out, "%+v\n%#v\n", got.Credentials, got.Credentials)
	entries, err := filepath.Glob(filepath.Join(f.dir, "*.json*"))
	if err != nil || len(entries) > 0 {
		t.Errorf("%v was written, %v", entries, err)
	}
	return out.String()
}

// wellAPI is that of a cluster of c1 and w1 which is well.
type wellAPI struct{}

func (wellAPI) Facts(context.Context) (lifecycle.ClusterFacts, error) {
	return lifecycle.ClusterFacts{
		API:   lifecycle.APIState{ClusterUID: "u", Servers: []lifecycle.APIServer{{Host: "c1", Version: "v1.35.7+k0s", Ready: true}}},
		Nodes: []lifecycle.NodeState{{Name: "w1", Ready: true, Kubelet: "v1.35.7+k0s", InternalIP: "10.0.0.12"}},
	}, nil
}
