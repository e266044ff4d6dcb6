package k0s

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestAKeepThatWasCutOffIsSeenAndRemoved: a run that is killed while it keeps what a machine runs with leaves copies without the mark.
// The machine says so, and the next run removes them.
func TestAKeepThatWasCutOffIsSeenAndRemoved(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	m := f.fakes["w1"]
	m.write("bin/k0s.kiban-kept.list", "ab 644 /etc/systemd/system/k0sworker.service\n", 0o600)
	m.write("bin/k0s.kiban-kept.fileab", "half", 0o600)
	if h := f.state(s, "w1"); !h.HalfKept || !h.Kept.IsZero() {
		t.Fatalf("half kept: %t, kept since %s", h.HalfKept, h.Kept)
	}
	m.write("bin/k0s.kiban-kept", "", 0o600) // as a power cut leaves it
	if h := f.state(s, "w1"); !h.HalfKept {
		t.Error("a mark without content is one")
	}
	m.write("bin/k0s.kiban-kept", "1764480000\n", 0o600)
	if h := f.state(s, "w1"); h.HalfKept || h.Kept.IsZero() {
		t.Error("what is kept whole is told as half kept")
	}
	if err := os.Remove(filepath.Join(m.root, "bin", "k0s.kiban-kept")); err != nil {
		t.Fatal(err)
	}
	forget := restoring("w1")
	forget.Action = lifecycle.ActionForgetSettings
	if err := s.Do(t.Context(), forget, nil); err != nil {
		t.Fatal(err)
	}
	if h := f.state(s, "w1"); h.HalfKept || len(m.kept()) > 0 {
		t.Errorf("left behind: %q", m.kept())
	}
}

// syncing runs a command of the machine with a sync that writes down what it was asked to sync, and what lay there then; it fails at the
// call of that number, 0 for none.
func syncing(t *testing.T, command, watched string, failAt int) (calls []string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	script := fmt.Sprintf("#!/bin/sh\nprintf '%%s|%%s\\n' \"$*\" \"$(cat %s 2>/dev/null)\" >>%s\n[ \"$(wc -l <%[2]s)\" != %d ]\n",
		watched, log, failAt)
	for name, text := range map[string]string{"sync": script, "systemctl": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("sh", "-c", command)
	cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); (err != nil) != (failAt > 0) {
		t.Fatalf("%v: %s", err, out)
	}
	text, _ := os.ReadFile(log)
	return slices.Collect(strings.Lines(string(text)))
}

// TestRenamesOfWhatIsKeptAreSynced: behind a power cut the copies are there if the mark is, and what was put back is there for good.
func TestRenamesOfWhatIsKeptAreSynced(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	kept, unit, config := filepath.Join(dir, "kept"), filepath.Join(elsewhere, "unit"), filepath.Join(elsewhere, "config")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("one")
	keep := keepCommand(kept, "k0sworker", []string{unit, filepath.Join(elsewhere, "new")})
	calls := syncing(t, keep, kept, 0)
	n := len(calls)
	if n < 4 || !strings.Contains(calls[n-3], " "+dir+"|\n") || !strings.HasPrefix(calls[n-1], dir+"|1") {
		t.Errorf("the folder is not synced before the mark and behind it: %q", calls)
	}
	for cut := 1; cut <= n; cut++ {
		for _, file := range mustGlob(t, kept+"*") {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		syncing(t, keep, kept, cut)
		if _, err := os.Stat(kept); (err == nil) != (cut == n) {
			t.Errorf("cut off at the sync number %d: the mark is there: %v", cut, err == nil)
		}
	}
	write("two")
	if err := os.WriteFile(filepath.Join(elsewhere, "new"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	calls = syncing(t, returnCommand(kept, config), unit, 0)
	if !slices.Contains(calls, elsewhere+"/|one\n") {
		t.Errorf("the folder of what was put back is not synced behind it: %q", calls)
	}
	if last := calls[len(calls)-1]; last != elsewhere+"/|one\n" {
		t.Errorf("that a file is gone is not synced: %q", calls)
	}
	calls = syncing(t, forgetCommand(kept), kept, 0)
	if len(calls) != 1 || calls[0] != dir+"|\n" {
		t.Errorf("that nothing is kept is not synced: %q", calls)
	}
}
