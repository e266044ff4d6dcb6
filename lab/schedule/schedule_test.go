package schedule

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
	"k8s.io/klog/v2"
)

var (
	clusters = flag.Int("clusters", 60, "how many clusters are made by chance")
	first    = flag.Uint64("first", 1, "the seed of the first of them")
	orders   = flag.Int("orders", 5, "in how many orders the pods of each turn come back")
)

// What kiban says of pods whose nodes are out of service is what the scheduler does with them: of clusters made by chance, node by node.
// The scheduler judges them here; kiban does in a test of its own module, which is given what the scheduler said, so that the lab need not
// depend on kiban's libraries.
func TestFitsAsTheSchedulerHasIt(t *testing.T) {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	path := filepath.Join(t.TempDir(), "clusters.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	to := json.NewEncoder(w)
	var writing sync.Mutex
	var all errgroup.Group
	all.SetLimit(8) // each waits for its informers, mostly
	for i := range *clusters {
		all.Go(func() error {
			c, err := Judge(t.Context(), *first+uint64(i), *orders)
			if err != nil {
				return fmt.Errorf("seed %d: %w", *first+uint64(i), err)
			}
			writing.Lock()
			defer writing.Unlock()
			return to.Encode(c)
		})
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-v", "-run", "^TestFitsAsTheSchedulerHasIt$",
		"./lifecycle/kube")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "KIBAN_SCHEDULED="+path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("\n%s", out)
}
