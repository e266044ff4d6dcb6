package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Nodes are drained of workloads of every shape, once by kiban and once by kubectl's own library: whatever kubectl finishes, kiban
// finishes, with no more evictions and not slower. The table that is printed stands in docs/drains.md. The drains are run as a test of
// kiban's own module, so that the lab need not depend on kiban's libraries.
func TestDrainTable(t *testing.T) {
	t.Parallel()
	b := start(t, "127.187.0", 1, 7)
	b.apply(0)
	kubeconfig := filepath.Join(b.dir, "kubeconfig")
	b.file(kubeconfig, b.must(0, b.kiban("kubeconfig", "lab")).stdout)

	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-v", "-run", "^TestDrainTable$", "./lifecycle/kube")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "KIBAN_DRAIN_KUBECONFIG="+kubeconfig)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("the table: %v\n%s", err, out.String())
	}
	t.Log("\n" + out.String())
}
