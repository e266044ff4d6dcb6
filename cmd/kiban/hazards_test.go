package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle/review"
)

// H40: k0sctl writes a kubeconfig over a longer one without cutting off what stays of that. kiban's goes to standard output, whole; into a
// file only where one is named, in place of all that was there, and nobody else may read it.
func TestHazard_H40_KubeconfigIsWrittenWhole(t *testing.T) {
	f := &fakeSite{}
	dir := t.TempDir()
	r := f.kiban(t, dir, nil, "kubeconfig", "lab")
	var got struct {
		CurrentContext string `json:"current-context"`
		Clusters       []any  `json:"clusters"`
	}
	if err := yaml.Unmarshal([]byte(r.out), &got); r.code != exitDone || err != nil || got.CurrentContext != "lab" || len(got.Clusters) != 1 {
		t.Errorf("exit %d, %v\n%s", r.code, err, r.out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("files were written: %v, %v", left, err)
	}
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte(r.out+strings.Repeat("# longer\n", 1000)), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := f.kiban(t, dir, nil, "kubeconfig", "lab", "--out", file); r.code != exitDone {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	info, err := os.Stat(file)
	if content, readErr := os.ReadFile(file); err != nil || readErr != nil || string(content) != r.out || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is not what standard output gets, or others may read it: %v %v %v\n%s", err, readErr, info, content)
	}
}

// H40: what kiban does write to a file is cut off where it ends.
func TestHazard_H40_ShorterPlanOverALongerOne(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	f := &fakeSite{}
	for _, steps := range [][]string{{"worker-1/stage", "worker-1/cordon", "worker-1/drain", "worker-1/upgrade"}, {"worker-1/upgrade"}} {
		p := planOf("f", steps...)
		f.plans, f.made = append(f.plans[:0], p), 0
		if r := f.kiban(t, t.TempDir(), nil, "plan", "lab", "--out", file); r.code != exitDone {
			t.Fatalf("exit %d: %s", r.code, r.err)
		}
		if got, err := review.ReadSaved(file); err != nil || len(got.Steps) != len(steps) {
			t.Errorf("%d steps, want %d; %v", len(got.Steps), len(steps), err)
		}
	}
}
