package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// forK0sctl is the document that `kiban render --for k0sctl` prints, in a file.
func (b *bench) forK0sctl() string {
	b.t.Helper()
	file := filepath.Join(b.dir, "overlays", "lab", "for-k0sctl.yaml")
	b.file(file, b.must(0, b.kiban("render", "lab", "--for", "k0sctl")).stdout)
	return file
}

// TestRenderForK0sctlLeavesASiteAsItIs: nobody is locked in. The stock k0sctl takes over a site that kiban set up, and changes nothing.
func TestRenderForK0sctlLeavesASiteAsItIs(t *testing.T) {
	t.Parallel()
	b := start(t, "127.189.0", 1, 2)
	b.apply(0)
	m := b.mark()
	b.must(0, b.run(6*time.Minute, "/usr/bin/env", "KIBAN_E2E_K0SCTL_AS_IT_IS=1", "KIBAN_E2E_K0SCTL_APPLY="+b.forK0sctl(), os.Args[0]))
	if c := outsideTmp(b.changes(m)); c != "" {
		t.Errorf("k0sctl changed machines that kiban set up:\n%s", c)
	}
	b.emptyPlan()
}

// TestRenderForK0sctlSetsUpASite: what the stock k0sctl makes of bare machines is what kiban declares.
func TestRenderForK0sctlSetsUpASite(t *testing.T) {
	t.Parallel()
	b := start(t, "127.189.1", 1, 2)
	b.must(0, b.k0sctlOf(b.forK0sctl()))
	b.allRun(v135)
	b.emptyPlan()
}
