package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// auditLevel is a Site's audit policy, which logs everything at a level, and a file of the workers that k0s does not read.
func auditLevel(level, motd string) string {
	return `  files:
    /etc/k0s/audit-policy.yaml:
      on: controllers
      mode: "0440"
      owner: kube-apiserver
      group: root
      content: |
        apiVersion: audit.k8s.io/v1
        kind: Policy
        rules:
        - level: ` + level + `
    /etc/motd:
      on: workers
      content: ` + motd + "\n"
}

// TestFilesOfHosts changes a file that API servers read while a workload is served: they restart one by one, for the file alone and for the
// file together with the argument that names it; what somebody changes by hand is found; and a file that nothing reads disturbs nobody.
func TestFilesOfHosts(t *testing.T) {
	t.Parallel()
	b := start(t, "127.233.1", 3, 2)
	b.apply(0)
	cs, cfg := b.admin()
	b.deploy(cs, "web", 4, 1)
	probe, quorum := b.probe("web"), b.watchQuorum(cfg)

	b.Config = "        api:\n          extraArgs:\n            audit-policy-file: /etc/k0s/audit-policy.yaml\n" +
		"            audit-log-path: /var/log/audit.log\n"
	b.Spec = auditLevel("None", "hello")
	b.write()
	var want []string
	for _, c := range []string{"controller-1", "controller-2", "controller-3"} {
		want = append(want, c+"/files", c+"/configure", c+"/forget-settings")
	}
	want = append(want, "worker-1/files", "worker-2/files")
	if got := b.plan(); !slices.Equal(got, want) {
		t.Fatalf("the plan is %v, want %v", got, want)
	}
	m := b.mark()
	b.apply(0)
	for _, host := range []string{"controller-1", "controller-2", "controller-3"} {
		if n := strings.Count(b.commandsOf(m, host), "systemctl stop k0scontroller"); n != 1 {
			t.Errorf("%s was stopped %d times", host, n)
		}
	}
	for _, host := range []string{"worker-1", "worker-2"} {
		if said := b.commandsOf(m, host); strings.Contains(said, "systemctl stop") {
			t.Errorf("%s was stopped for a file that k0s does not read:\n%s", host, said)
		}
	}
	b.emptyPlan()

	b.Spec = auditLevel("Metadata", "hello")
	b.write()
	if got := b.plan(); !slices.Equal(got, []string{"controller-1/files", "controller-1/forget-settings", "controller-2/files",
		"controller-2/forget-settings", "controller-3/files", "controller-3/forget-settings"}) {
		t.Fatalf("for a changed policy the plan is %v", got)
	}
	b.apply(0)
	b.emptyPlan()
	for i := range 3 {
		log := filepath.Join(b.dir, fmt.Sprintf(".lab/machines/controller-%d/root/var/log/audit.log", i+1))
		if text, err := os.ReadFile(log); err != nil || len(text) == 0 {
			t.Errorf("%s: %d bytes, %v", log, len(text), err)
		}
	}

	b.must(0, b.lab("exec", "--dir", ".lab", "controller-2",
		"chmod 0644 /etc/k0s/audit-policy.yaml && chown root:root /etc/k0s/audit-policy.yaml"))
	r := b.must(0, b.kiban("plan", "lab"))
	if !strings.Contains(r.stdout, "~ /etc/k0s/audit-policy.yaml (mode 0644 -> 0440, owner root -> kube-apiserver)") ||
		strings.Contains(r.stdout, "controller-1") {
		t.Errorf("what was changed by hand is not told: %s", r)
	}
	m = b.mark()
	b.apply(0)
	if said := b.commandsOf(m, "controller-2"); strings.Contains(said, "systemctl stop") {
		t.Errorf("it was stopped for a mode:\n%s", said)
	}
	b.emptyPlan()
	if sent, failed := probe(); sent == 0 || failed != 0 {
		t.Errorf("%d of %d requests failed", failed, sent)
	}
	quorum.verdict(t)
}

// commandsOf are the commands that a machine was sent since the mark, whole: what is shown to people ends after some hundred characters.
func (b *bench) commandsOf(since, host string) string {
	b.t.Helper()
	var all strings.Builder
	for line := range strings.Lines(b.must(0, b.lab("commands", "--dir", ".lab", "--since", since, "--machine", host, "-o", "json")).stdout) {
		var r struct{ Kind, Command string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			b.t.Fatalf("%q: %v", line, err)
		}
		if r.Kind == "command" {
			all.WriteString(r.Command + "\n")
		}
	}
	return all.String()
}
