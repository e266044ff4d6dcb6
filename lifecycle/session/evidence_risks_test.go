package session

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The fleet's own risks are the files of risks/, and no more than that: no links, no folders, nothing endless.
func TestOwnRisksOfAFleet(t *testing.T) {
	dir := t.TempDir()
	w := &world{fleet: dir}
	if got := w.ownRisks(); got != nil {
		t.Errorf("without a folder: %+v", got)
	}
	outside := filepath.Join(t.TempDir(), "secret.yaml")
	for name, text := range map[string]string{outside: "secret", filepath.Join(dir, "risks", "a.yaml"): "id: a", filepath.Join(dir, "risks",
		"README.md"): "x", filepath.Join(dir, "risks", "sub.yaml", "b.yaml"): "id: b"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(dir, "risks", "link.yaml")); err != nil {
		t.Fatal(err)
	}
	got := w.ownRisks()
	if got == nil || !got.Known() || len(got.Value) != 1 || got.Value[0].Path != "risks/a.yaml" || string(got.Value[0].Text) != "id: a" {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(filepath.Join(dir, "risks", "z.yaml"), []byte(strings.Repeat("#", mostRiskBytes+1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := w.ownRisks(); got.Known() || !strings.Contains(got.Unknown, "risks/z.yaml is longer than 65536 bytes") {
		t.Errorf("a file that is too long: %+v", got)
	}
}
