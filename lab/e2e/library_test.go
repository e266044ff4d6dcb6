package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What the command does, a Go program can: the library's example upgrades a lab, with kiban's journal and record of the run, and leaves
// nothing to do. It is run as the test of its own module, so that the lab need not depend on kiban's libraries.
func TestLibraryUpgradesTheLab(t *testing.T) {
	t.Parallel()
	b := start(t, "127.188.0", 1, 2)
	b.apply(0)
	b.Version = v136
	b.write()

	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-v", "-run", "^TestExampleUpgradesALab$",
		"./lifecycle/session")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "KIBAN_EXAMPLE_FLEET="+b.dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil || !strings.Contains(out.String(), "lab runs k0s "+v136) {
		t.Fatalf("the example: %v\n%s", err, out.String())
	}

	cs, _ := b.admin()
	b.nodesAt(cs, v136, 2)
	b.emptyPlan()
	runs := b.must(0, b.kiban("runs", "lab"))
	if !strings.Contains(runs.stdout, "here, cluster") || strings.Count(runs.stdout, " done ") != 2 {
		t.Errorf("the runs of the command and of the program: %s", runs)
	}
}
