package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// drilled is what `kiban drill -o json` says.
type drilled struct {
	Backup string
	Proof  *struct {
		At, By, Digest string
		Objects        int
	}
	Kinds []struct {
		Kind       string
		Held, Back int
		Lost       string
	}
	Read     int
	Left     []string
	Recorded []string
	Findings []struct{ Severity, Summary string }
}

func (b *bench) drill(code int, args ...string) (d drilled, r result) {
	b.t.Helper()
	r = b.must(code, b.kiban(append([]string{"drill", "lab", "-o", "json"}, args...)...))
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil {
		b.t.Fatalf("%v: %s", err, r)
	}
	return d, r
}

// A backup of a site with encryption at rest is restored in a lab: every object comes back, the site is not touched, and the proof is
// where
// it is looked for. Before it, controllers do not change; after it they may. What is no backup of the site, or damaged, proves nothing.
func TestDrillProvesABackup(t *testing.T) {
	t.Parallel()
	platformSecrets(t)
	b := start(t, "127.204.6", 1, 1)
	b.Config = "        api:\n          extraArgs: {encryption-provider-config: /etc/k0s/encryption.yaml}\n"
	b.Spec = "  backup: {recipients: [" + backupRecipient + "], proven: 24h}\n  files:\n    /etc/k0s/encryption.yaml: {on: controllers, " +
		"from: {fileEnv: KIBAN_SECRET_ENCRYPTION_CONFIG}, mode: \"0600\", owner: kube-apiserver}\n"
	b.write()
	identity := filepath.Join(t.TempDir(), "key.txt")
	b.file(identity, backupKey+"\n")
	b.apply(0)
	cs, _ := b.admin()
	b.note(cs, "before")
	b.deploy(cs, "web", 2, 1)
	taken := b.must(0, b.kiban("backup", "lab"))
	file := strings.TrimSpace(taken.stdout)

	b.Version = v136
	b.write()
	m := b.mark()
	b.says(b.must(3, b.kiban("plan", "lab")), "no backup of the site is proven", "kiban drill lab")
	b.says(b.must(3, b.kiban("apply", "lab", "--yes")), "no backup of the site is proven")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), filepath.Base(file))
	for _, at := range []int{len(whole) / 2, len(whole) - 1} {
		bad := append([]byte(nil), whole...)
		bad[at] ^= 4
		b.file(damaged, string(bad))
		if d, r := b.drill(1, "--backup", damaged, "--identity", identity); d.Proof != nil || len(d.Kinds) > 0 {
			t.Errorf("a damaged backup is started: %s", r)
		}
	}
	if d, r := b.drill(3); d.Proof != nil { // without the key: nothing is known
		t.Errorf("a backup that nobody opened is proven: %s", r)
	}

	temp := t.TempDir()
	r := b.must(0, b.run(hangs, "/usr/bin/env", "TMPDIR="+temp, binary(t, "KIBAN_BIN", "kiban"), "drill", "lab", "-o", "json",
		"--identity", identity))
	var d drilled
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil {
		t.Fatalf("%v: %s", err, r)
	}
	if d.Proof == nil || d.Proof.By == "" || d.Proof.Objects < 50 || d.Read < 20 || len(d.Recorded) < 2 || d.Backup != filepath.Base(file) {
		t.Fatalf("it is not proven: %s", r)
	}
	back := map[string]int{}
	for _, k := range d.Kinds {
		back[k.Kind] = k.Back
		if k.Lost != "" {
			t.Errorf("%s: %s", k.Kind, k.Lost)
		}
	}
	if back["secrets"] == 0 || back["deployments"] == 0 || back["pods"] < 2 || back["namespaces"] < 4 {
		t.Errorf("not all is back: %v", back)
	}
	if !strings.Contains(strings.Join(d.Left, "\n"), "controller-1/upgrade") {
		t.Errorf("what would be left to do is %q", d.Left)
	}
	b.untouched(m, "a drill")
	if leftovers, err := os.ReadDir(temp); err != nil || len(leftovers) > 0 {
		t.Errorf("left behind: %v, %v", leftovers, err)
	}
	b.says(b.must(0, b.kiban("status", "lab")), "Last proven restore: ")
	var kept []struct {
		Name   string
		Proven *struct{ By string }
	}
	listed := b.must(0, b.kiban("backup", "list", "lab", "-o", "json"))
	if err := json.Unmarshal([]byte(listed.stdout), &kept); err != nil || len(kept) != 1 || kept[0].Proven == nil {
		t.Errorf("the list does not say it: %v %s", err, listed)
	}
	b.must(0, b.kiban("plan", "lab"))
	b.apply(0)
	b.noSecrets(taken, r)
}
