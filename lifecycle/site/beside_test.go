package site

import (
	"os"
	"path/filepath"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// What lies beside an earlier revision is the fleet's own, to which its folder has links; no link leads further.
func TestBesideIsTheFleetAlone(t *testing.T) {
	fleet, revision, outside := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(fleet, ".lab"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Join(fleet, ".lab", "key"), filepath.Join(outside, "key")} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{
		filepath.Join(revision, ".lab"): filepath.Join(fleet, ".lab"), filepath.Join(revision, "out"): outside,
		filepath.Join(fleet, ".lab", "elsewhere"): filepath.Join(outside, "key"),
	} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]bool{".lab/key": true, ".lab/elsewhere": false, "out/key": false} {
		for beside, may := range map[string]bool{fleet: want, "": false} {
			s := lifecycle.Site{Dir: filepath.Join(revision, "overlays", "lab"), Beside: beside}
			if _, err := LocalFile(s, filepath.Join(revision, path)); (err == nil) != may {
				t.Errorf("%s beside %q: %v", path, beside, err)
			}
		}
	}
}
