package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// rehearsal is what is needed of `kiban rehearse -o json`.
type rehearsal struct {
	Steps, Done int
	Result      string
	Same        bool
	Other       []string
	Order       []string
	Blocks      []struct{ Step, Summary string }
	Services    []struct {
		Namespace, Name string
		Requests, Lost  int
	}
	Refused []struct{ Object, Reason string }
	Unwell  []string
}

func (b *bench) rehearse(args ...string) rehearsal {
	b.t.Helper()
	r := b.kiban(append([]string{"rehearse", "lab", "-o", "json"}, args...)...)
	var out rehearsal
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.t.Fatalf("%v\n%s", err, r)
	}
	well := out.Result == "done"
	for _, s := range out.Services {
		well = well && s.Lost == 0
	}
	if well && r.code != 0 || !well && r.code != 3 {
		b.t.Errorf("what it tells is not what it ends with: %s", r)
	}
	return out
}

// TestRehearse: what a twin of the site foretells of an upgrade is what then happens, the site is not touched by it, and nothing is left.
func TestRehearse(t *testing.T) {
	b := start(t, "127.236.40", 1, 2)
	t.Setenv("KIBAN_LAB", binary(t, "KIBAN_LAB_BIN", "kiban-lab"))
	t.Setenv("TMPDIR", t.TempDir())
	b.apply(0)
	b.must(0, b.lab("kubectl", "--dir", ".lab", "--", "apply", "-f", repositoryFile(t, "scripts/demo-workload.yaml")))
	b.must(0, b.lab("kubectl", "--dir", ".lab", "--", "rollout", "status", "deployment/web", "--timeout=60s"))
	mark := b.mark()
	ends := b.rehearse("--to", v136)
	b.untouched(mark, "rehearse")
	if ends.Result != "done" || ends.Done != ends.Steps || !ends.Same || len(ends.Refused) > 0 || len(ends.Unwell) > 0 {
		t.Errorf("got %+v", ends)
	}
	if i := slices.IndexFunc(ends.Services, func(s struct {
		Namespace, Name string
		Requests, Lost  int
	}) bool {
		return s.Name == "web"
	}); i < 0 || ends.Services[i].Requests == 0 || ends.Services[i].Lost*100 > ends.Services[i].Requests {
		// A busy machine is late with endpoints: one request of a hundred may be lost.
		t.Errorf("services: %+v", ends.Services)
	}
	left, err := os.ReadDir(os.TempDir())
	must(t, err)
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "kiban-twin-") {
			t.Errorf("%s is left", e.Name())
		}
	}
	b.must(0, b.lab("kubectl", "--dir", ".lab", "--", "patch", "pdb", "web", "--type=merge", "-p", `{"spec":{"minAvailable":4}}`))
	b.DrainTimeout = "10s"
	b.write()
	if stuck := b.rehearse("--to", v136); stuck.Result == "done" || len(stuck.Blocks) == 0 {
		t.Errorf("with an impossible budget: %+v", stuck)
	}
}

// repositoryFile is the absolute path of a file of this repository.
func repositoryFile(t *testing.T, name string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join("..", "..", name))
	must(t, err)
	return p
}
