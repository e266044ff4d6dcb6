package rendertest

import (
	"os"
	"path/filepath"
	"testing"
)

// Golden compares with testdata/<name> of the package under test, and writes it first where update says so.
func Golden(t *testing.T, update bool, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run `go test -update` in its package and look at the difference.\n--- got\n%s\n--- want\n%s", path, got, want)
	}
}
