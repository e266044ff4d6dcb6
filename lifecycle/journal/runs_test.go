package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A run is meant by its id, by as much of it as no other has, as the latest, or by the path of its journal; and no folder is looked for
// where a path is given.
func TestLocate(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"lab/20261121-220400-aa.jsonl", "lab/20261121-230000-bb.jsonl", "tokyo/20261121-220400-cc.jsonl"} {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func() (string, error) { return root, nil }
	none := func() (string, error) { return "", errors.New("no fleet here") }
	file := filepath.Join(root, "lab", "20261121-230000-bb.jsonl")
	for _, tt := range []struct {
		name, site string
		root       func() (string, error)
		id, bad    string
	}{
		{"latest", "", in, "20261121-230000-bb", ""},
		{"latest", "tokyo", in, "20261121-220400-cc", ""},
		{"20261121-23", "", in, "20261121-230000-bb", ""},
		{"20261121-220400-aa", "", in, "20261121-220400-aa", ""},
		{"20261121-2204", "", in, "", "2 runs begin with"},
		{"20261121-2204", "lab", in, "20261121-220400-aa", ""},
		{"2027", "", in, "", "None of the 3 journals"},
		{"latest", "oslo", in, "", "There is no journal in"},
		{file, "", none, "20261121-230000-bb", ""},
		{filepath.Join(root, "gone.jsonl"), "", none, "", "no run"},
		{"latest", "", none, "", "no fleet here"},
	} {
		got, err := Locate(tt.name, tt.site, tt.root)
		if got.ID != tt.id || (err != nil) != (tt.bad != "") || err != nil && !strings.Contains(err.Error(), tt.bad) {
			t.Errorf("%s of %q: got %+v, %v", tt.name, tt.site, got, err)
		}
	}
	if _, _, err := Whole(Run{Path: file}); err == nil || !strings.Contains(err.Error(), "can't be read") {
		t.Errorf("a journal without an event passes for a run: %v", err)
	}
}
