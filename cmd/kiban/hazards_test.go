package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle/review"
)

// H40: k0sctl writes a kubeconfig over a longer one without cutting off what stays of that. kiban's goes to standard output, whole, and no
// option of the verb names a file.
func TestHazard_H40_KubeconfigIsWrittenWhole(t *testing.T) {
	verb := newKubeconfig(&app{}, nil)
	verb.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Value.Type() != "bool" {
			t.Errorf("kubeconfig has an option that could name a file: %s", f.Name)
		}
	})
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
