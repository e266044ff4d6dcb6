package session

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the form of hashed known_hosts
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/k0s"
	"kiban.dev/kiban/lifecycle/plan"
	"kiban.dev/kiban/lifecycle/site"
)

// What teams have written for k0sctl for years is taken as it stands, and on machines that are so nothing is to be done.
func TestNothingThatWorksIsRefused(t *testing.T) {
	const head = "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nmetadata: {name: lab}\nspec:\n"
	one := func(role, storage string) string {
		return head + "  hosts:\n  - {role: " + role + ", hostname: m1, privateAddress: 10.9.0.11, ssh: {address: 10.8.0.11, user: root}}\n" +
			"  k0s:\n    version: v1.36.3+k0s.2\n    config: {spec: {storage: " + storage + "}}\n"
	}
	flags := func(role string, entries ...string) string {
		return head + "  hosts:\n" +
			"  - {role: controller, hostname: m1, privateAddress: 10.9.0.11, ssh: {address: 10.8.0.11, user: root}}\n" +
			"  - role: " + role + "\n    hostname: m2\n    privateAddress: 10.9.0.12\n    ssh: {address: 10.8.0.12, user: root}\n" +
			"    installFlags:\n    - " + strings.Join(entries, "\n    - ") +
			"\n  k0s: {version: v1.36.3+k0s.2, config: {spec: {workerProfiles: [{name: gpu, values: {}}]}}}\n"
	}
	for name, document := range map[string]string{
		"a single node with its own database":          one("single", "{type: kine}"),
		"a single node with a server":                  one("single", `{type: kine, kine: {dataSource: "postgres://db.example.com/k0s?sslmode=disable"}}`),
		"a single node with etcd":                      one("single", "{type: etcd, etcd: {peerAddress: 10.9.0.11}}"),
		"a controller with workloads and its own kine": one("controller+worker", "{type: kine}"),
		"an etcd elsewhere": one("controller", `{type: etcd, etcd: {externalCluster: {`+
			`endpoints: ["https://10.7.0.1:2379"], etcdPrefix: k0s, caFile: /etc/ca.pem, clientCertFile: /etc/c.pem, clientKeyFile: /etc/c.key}}}`),
		"flags with a blank":   flags("worker", "--profile gpu", "--labels a=b"),
		"flags in quotes":      flags("worker", `'--labels="a=b,c=d"'`, `"--kubelet-extra-args='--max-pods=200 --v=2'"`),
		"flags in two entries": flags("worker", "--profile", "gpu", "--labels", "a=b"),
		"lists in several entries": flags("worker", "--labels=a=b", "--labels=c=d",
			"--taints=a=b:NoSchedule", "--taints=c:NoExecute"),
		"a flag given twice":                    flags("worker", "--profile=default", "--profile=gpu"),
		"switches that are off":                 flags("worker", "--debug=false", "--ignore-pre-flight-checks=false"),
		"--enable-worker on a controller":       flags("controller", "--enable-worker"),
		"--enable-worker=true, without a taint": flags("controller", "--enable-worker=true", "--no-taints"),
		"components and gates": flags("controller", "--disable-components=metrics-server, helm",
			"--feature-gates=A=true"),
		"anchors": head + `  hosts:
  - &first
    role: controller
    hostname: m1
    privateAddress: 10.9.0.11
    ssh: {address: 10.8.0.11, user: root}
    environment: &proxy {HTTPS_PROXY: "http://proxy:3128", NO_PROXY: "10.0.0.0/8,.svc,.cluster.local"}
    files: &files
    - {name: audit, src: files, dstDir: /etc/k0s/audit, perm: "0600"}
    - {name: some, src: "files/*.yaml", dstDir: /etc/k0s/some, perm: "0644"}
  - <<: *first
    role: worker
    hostname: m2
    privateAddress: 10.9.0.12
    ssh: {address: 10.8.0.12, user: root}
  - {role: worker, hostname: m3, privateAddress: 10.9.0.13, ssh: {address: 10.8.0.13, user: root}, environment: *proxy, files: *files}
  k0s: {version: v1.36.3+k0s.2}
`,
	} {
		t.Run(name, func(t *testing.T) {
			s := declaredSite(t, document)
			s.file("overlays/lab/cluster.yaml", document)
			s.file("overlays/lab/files/policy.yaml", "a: b\n")
			s.file("overlays/lab/files/deeper/more.yaml", "c: d\n")
			s.file("overlays/lab/known_hosts", hashedHosts("[10.8.0.11]:22", "10.8.0.11", "10.8.0.12", "10.8.0.13"))
			declared, ds := site.Load(t.Context(), s.fleet, "lab", site.Options{Describe: k0s.Describe, Unpinned: true})
			if err := ds.Err(); err != nil {
				t.Fatal(err)
			}
			for _, d := range ds {
				if strings.Contains(d.Error(), "known_hosts") || strings.Contains(d.Error(), "host key") {
					t.Errorf("hashed known_hosts: %v", d)
				}
			}
			state := asDeclared(declared)
			if declared.Cluster.Hosts[0].Role == lifecycle.RoleSingle || strings.Contains(name, "elsewhere") || strings.Contains(name, "kine") {
				state.Etcd = lifecycle.EtcdState{}
			}
			p := plan.Make(declared, state, lifecycle.PlanOptions{})
			if p.Diagnostics.Err() != nil {
				t.Error(p.Diagnostics)
			}
			for _, step := range p.Steps {
				if step.Action != lifecycle.ActionLabel { // the nodes of this state have none
					t.Errorf("on machines that are so: %v", step)
				}
			}
		})
	}
}

// hashedHosts are lines of a known_hosts file whose names nobody can read, as Debian's ssh writes them.
func hashedHosts(names ...string) string {
	const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFh1ZGl2Y3F3ZXJ0eXVpb3Bhc2RmZ2hqa2x6eGN2Ym5t"
	var b strings.Builder
	for i, name := range names {
		salt := []byte(fmt.Sprintf("salt of twenty b %03d", i))
		mac := hmac.New(sha1.New, salt)
		mac.Write([]byte(name))
		fmt.Fprintf(&b, "|1|%s|%s %s\n", base64.StdEncoding.EncodeToString(salt), base64.StdEncoding.EncodeToString(mac.Sum(nil)), key)
	}
	return b.String()
}
