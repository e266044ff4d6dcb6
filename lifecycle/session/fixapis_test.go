package session

import (
	"os"
	"path/filepath"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestFixAPIs(t *testing.T) {
	fleet := t.TempDir()
	const old = "# why\napiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	files := []string{"overlays/tokyo/pdb.yaml", ".git/pdb.yaml", "apps/notes.txt", "clusters/psp.yml"}
	for _, f := range files {
		text := old
		if f == "clusters/psp.yml" {
			text = "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: all}\n"
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(fleet, f)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(fleet, f), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(outside, []byte(old), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(fleet, "overlays/tokyo/link.yaml")); err != nil {
		t.Fatal(err)
	}
	told, err := FixAPIs(fleet, lifecycle.Version{Major: 1, Minor: 37})
	if err != nil || len(told) != 2 || told[0].Left == "" || told[1].To != "policy/v1" || told[1].Source != "overlays/tokyo/pdb.yaml:2" {
		t.Errorf("%+v, %v", told, err)
	}
	const fixed = "# why\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
	for file, want := range map[string]string{filepath.Join(fleet, files[0]): fixed, filepath.Join(fleet, files[1]): old,
		filepath.Join(fleet, files[2]): old, outside: old} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	if info, err := os.Stat(filepath.Join(fleet, files[0])); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
}
