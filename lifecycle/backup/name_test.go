package backup

import (
	"os"
	"path/filepath"
	"testing"
)

// Only a name that kiban gives is fetched from elsewhere, and only when no file here is called so.
func TestElsewhere(t *testing.T) {
	const name = "lab-v1.35.7+k0s.0-20261121T020000Z.tar.gz.age"
	t.Chdir(t.TempDir())
	here := "oslo-v1.35.7+k0s.0-20261121T020000Z.tar.gz"
	if err := os.WriteFile(here, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]bool{name: true, here: false, "/mnt/" + name: false, "mine.tar.gz": false,
		filepath.Join("backups", name): false} {
		if got := Elsewhere(from); got != want {
			t.Errorf("%s: got %t", from, got)
		}
	}
}
