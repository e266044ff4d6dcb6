package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// commit records what the fleet declares now and gives the revision. It does not hold the lab's keys, which lie beside it.
func (b *bench) commit(message string) string {
	b.t.Helper()
	var out []byte
	for _, args := range [][]string{{"init", "-q"}, {"add", "overlays"},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", message}, {"rev-parse", "HEAD"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = b.dir
		var err error
		if out, err = cmd.CombinedOutput(); err != nil {
			b.t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	return strings.TrimSpace(string(out))
}

// allowLocal has a fleet's owners allow its sites the files of a folder that is not in its repository.
func allowLocal(t *testing.T, fleet, folder string) {
	t.Helper()
	doc := "apiVersion: kiban.dev/v1alpha1\nkind: Fleet\nspec:\n  localFiles: [" + folder + "/]\n"
	if err := os.WriteFile(filepath.Join(fleet, "fleet.yaml"), []byte(doc), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What was applied before is brought back without touching the work tree; a version that k0s cannot go back to is refused, with the
// backup that leads there.
func TestRollback(t *testing.T) {
	t.Parallel()
	b := start(t, "127.204.4", 1, 1)
	first := b.commit("lab: begin")
	b.apply(0)
	b.Config = "        telemetry:\n          enabled: false\n"
	b.write()
	b.commit("lab: no telemetry")
	b.apply(0)

	r := b.must(0, b.kiban("rollback", "lab", "--yes"))
	if !strings.Contains(r.stderr, first) {
		t.Errorf("it does not name the revision before, %s: %s", first, r)
	}
	if ids := b.plan(); len(ids) == 0 {
		t.Errorf("the repository still declares what was taken back, but the plan is %v", ids)
	}
	b.must(0, b.kiban("rollback", "lab", "--to", "HEAD", "--yes"))
	b.emptyPlan()

	b.Version = v136
	b.write()
	b.commit("lab: upgrade")
	b.apply(0)
	m := b.mark()
	r = b.must(1, b.kiban("rollback", "lab", "--yes"))
	if !strings.Contains(r.stderr, "does not go back from "+v136+" to "+v135) || !strings.Contains(r.stderr, "kiban restore lab --from") {
		t.Errorf("it does not name the way back: %s", r)
	}
	b.untouched(m, "a refused rollback")
	b.emptyPlan()
}
