package k0s

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestStepForAStoppedK0sLeavesARunningOne: what was planned while k0s did not run is left where it has come up meanwhile, for it would not
// read it; with k0s stopped it is done.
func TestStepForAStoppedK0sLeavesARunningOne(t *testing.T) {
	f, s := bootstrap(t, "c1", "w1")
	declareFile(s, f, lifecycle.HostFile{Path: "etc/any.conf", Content: []byte("any\n"), Restart: true})
	step := lifecycle.Step{ID: "w1/files", Target: "w1", Action: lifecycle.ActionFiles, Version: mustVersion(v135), Stopped: true}
	var told strings.Builder
	do := func() (has bool) {
		t.Helper()
		if err := s.Do(t.Context(), step, func(line string) { told.WriteString(line + "\n") }); err != nil {
			t.Fatal(err)
		}
		_, err := os.Stat(filepath.Join(f.fakes["w1"].root, "etc/any.conf"))
		return !errors.Is(err, os.ErrNotExist)
	}
	if do() || !strings.Contains(told.String(), "left to the next plan") {
		t.Errorf("a file that k0s will not read is put, or nothing is said:\n%s", told.String())
	}
	step.Stopped = false
	if !do() {
		t.Error("without that, the step puts nothing")
	}
}
