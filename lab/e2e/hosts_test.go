package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A site begins with an empty known_hosts file: its keys are fetched, shown and written, and then it can be planned. A key that changes
// later is shown, and replaced only where that is asked for.
func TestHostsTrust(t *testing.T) {
	t.Parallel()
	b := start(t, "127.207.0", 1, 2)
	b.KnownHosts = "known_hosts"
	b.write()
	file := filepath.Join(b.dir, "overlays", "lab", "known_hosts")
	b.file(file, "")
	b.must(1, b.kiban("plan", "lab"))
	m := b.mark()
	if r := b.must(1, b.kiban("hosts", "trust", "lab")); !strings.Contains(r.stdout, "SHA256:") ||
		!strings.Contains(r.stderr, "not a terminal") {
		t.Errorf("nobody confirmed: %s", r)
	}
	if got, err := os.ReadFile(file); err != nil || len(got) > 0 {
		t.Errorf("what nobody confirmed was written: %v\n%s", err, got)
	}
	r := b.must(0, b.kiban("hosts", "trust", "lab", "--yes"))
	for _, want := range []string{"controller-1", "worker-2", "127.207.0.101:2222", "ssh-ed25519"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("does not show %q: %s", want, r)
		}
	}
	b.must(0, b.kiban("plan", "lab"))
	if r := b.must(0, b.kiban("hosts", "trust", "lab")); !strings.Contains(r.stdout, "Nothing to do") {
		t.Errorf("again: %s", r)
	}

	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b.fault("worker-1", "host-key")
	r = b.must(1, b.kiban("hosts", "trust", "lab", "--yes", "-o", "json"))
	var says struct {
		Keys    []struct{ Host, Standing string }
		Written int
	}
	if err := json.Unmarshal([]byte(r.stdout), &says); err != nil || len(says.Keys) != 1 || says.Keys[0].Host != "worker-1" ||
		says.Keys[0].Standing != "changed" || says.Written != 0 {
		t.Errorf("a changed key: %v, %s", err, r)
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != string(written) {
		t.Errorf("it was replaced: %v\n%s", err, got)
	}
	b.fault("worker-2", "off")
	if r := b.must(1, b.kiban("hosts", "trust", "lab", "--yes", "--all")); !strings.Contains(r.stdout, "CHANGED") ||
		!strings.Contains(r.stderr, "worker-2") {
		t.Errorf("one changed, one off: %s", r)
	}
	b.mend("worker-2")
	b.must(0, b.kiban("plan", "lab"))
	b.untouched(m, "hosts trust")
}
