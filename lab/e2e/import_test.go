package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// k0sctlInit is what `k0sctl init` writes.
func (b *bench) k0sctlInit(args ...string) string {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KIBAN_E2E_K0SCTL_INIT="+strings.Join(args, " "))
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("k0sctl init: %v\n%s", err, out)
	}
	return string(out)
}

// A cluster that k0sctl made, from a document as its own init writes it: without hostnames. It is imported, its first plan is empty, and no
// machine was changed.
func TestImport(t *testing.T) {
	t.Parallel()
	b := start(t, "127.241.0", 1, 2)
	if err := os.RemoveAll(filepath.Join(b.dir, "overlays", "lab")); err != nil {
		t.Fatal(err)
	}
	doc := b.k0sctlInit("--k0s", "--cluster-name", "plant", "--key-path", "../../.lab/ssh/id_ed25519",
		"root@127.241.0.11:2222", "root@127.241.0.101:2222", "root@127.241.0.102:2222")
	if strings.Contains(doc, "hostname") || !strings.Contains(doc, "workerDisruptionPercent") {
		t.Fatalf("k0sctl's init has changed, and the test with it:\n%s", doc)
	}
	// the version is the lab's; k0sctl itself would take whatever is newest
	file := filepath.Join(b.dir, "before", "plant", "k0sctl.yaml")
	pin := "    version: " + v135 + "\n"
	doc = strings.NewReplacer("  k0s:\n", "  k0s:\n"+pin, "    role: controller\n",
		"    role: controller\n    files:\n    - src: notes/motd\n      dst: /etc/plant.motd\n      perm: 0640\n").Replace(doc)
	b.file(filepath.Join(filepath.Dir(file), "notes", "motd"), "mind the gap\n")
	b.file(file, doc)
	b.must(0, b.k0sctlOf(file))
	b.allRun(v135)
	b.file(file, strings.Replace(doc, pin, "", 1)) // as one who always took the newest has it

	m := b.mark()
	if r := b.must(1, b.kiban("import", file)); !strings.Contains(r.stderr, "SHA256:") || !strings.Contains(r.stderr, "not a terminal") {
		t.Errorf("nobody confirmed the host keys: %s", r)
	}
	b.must(0, b.kiban("import", file, "--yes"))
	b.must(0, b.kiban("import", file, "--site", "again", "--known-hosts", ".lab/ssh/known_hosts"))
	if r := b.must(0, b.kiban("plan", "again", "--detailed-exitcode")); !strings.Contains(r.stdout, "No changes") {
		t.Errorf("with known host keys: %s", r)
	}
	b.file(file, "") // it is not needed any more
	r := b.must(0, b.kiban("plan", "plant", "--detailed-exitcode"))
	if !strings.Contains(r.stdout, "No changes") {
		t.Errorf("the first plan is not empty: %s", r)
	}
	b.must(0, b.kiban("apply", "plant", "--yes"))
	b.untouched(m, "import, plan and apply")
	if r := b.must(0, b.kiban("render", "plant")); !strings.Contains(r.stdout, "hostname: worker-2") ||
		!strings.Contains(r.stdout, "version: "+v135) {
		t.Errorf("the nodes' names and the version were not learnt: %s", r)
	}
	if r := b.must(1, b.kiban("import", file, "--site", "plant", "--yes")); !strings.Contains(r.stderr, "k0sctl.yaml") {
		t.Errorf("an empty document: %s", r)
	}
}
