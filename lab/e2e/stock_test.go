package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lab/drive"
	"kiban.dev/kiban/lab/stock"
)

// TestMain lets the test binary run k0sctl in a process of its own: its library is made for one run a process. The tests
// themselves are as at a terminal, also where they run in a job; one that is about a job says so.
func TestMain(m *testing.M) {
	if doc := os.Getenv("KIBAN_E2E_K0SCTL_APPLY"); doc != "" {
		apply := stock.Apply
		if os.Getenv("KIBAN_E2E_K0SCTL_AS_IT_IS") != "" {
			apply = stock.ApplyAsItIs
		}
		if err := apply(context.Background(), doc); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	if args := os.Getenv("KIBAN_E2E_K0SCTL_INIT"); args != "" {
		if err := stock.Init(strings.Fields(args)); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	environ := drive.Environ(os.Environ())
	os.Clearenv()
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		if err := os.Setenv(name, value); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func (b *bench) k0sctlApply() {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "KIBAN_E2E_K0SCTL_APPLY="+filepath.Join(b.dir, "overlays", "lab", "cluster.yaml"))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("k0sctl: %v\n%s", err, tail(string(out), 6000))
	}
}

// The probe that finds no failed request in kiban's upgrade must be one that could: stock k0sctl drains workers while the restarted
// controller manager has not regained its lease, so that endpoints of pods that are gone stay in use (H36).
func TestProbeCatchesStockK0sctlLosingRequests(t *testing.T) {
	t.Parallel()
	b := start(t, "127.177.0", 1, 3)
	b.k0sctlApply()
	b.emptyPlan() // kiban takes over what k0sctl built, and finds nothing to do
	cs, _ := b.admin()
	b.deploy(cs, "web", 3, 1)
	b.Version = v136
	b.write()
	probe := b.probe("web")
	b.k0sctlApply()
	sent, failed := probe()
	t.Logf("requests during k0sctl's upgrade: %d, failed: %d", sent, failed)
	if failed == 0 {
		t.Errorf("none of %d requests failed: the probe or the lab is kinder than a real cluster", sent)
	}
}
