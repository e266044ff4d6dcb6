package twin

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// standIn rehearses a plan of one machine in a lab that is a script, with a script for kiban, and says why that did not come to its end.
func standIn(t *testing.T, kiban string, free func(string) (int64, error)) error {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	program := func(name, script string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const places = `{"port": 2222, "machines": [{"name": "c", "address": "127.9.0.10"}]}`
	v := lifecycle.Version{Major: 1, Minor: 36}
	s := Snapshot{Site: "tokyo", Machines: []SiteMachine{{Name: "c", Role: lifecycle.RoleController, Version: v}},
		Plan: lifecycle.Plan{Target: v, Steps: []lifecycle.Step{{ID: "c/upgrade"}}},
		Documents: []byte("apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nmetadata: {name: tokyo}\n" +
			"spec: {hosts: [{hostname: c, role: controller}]}\n")}
	_, err := Rehearse(t.Context(), s, Options{Plays: LabVersion{Minors: []string{"1.36"}, Version: "devel"}, Note: func(string) {},
		free:  free,
		Lab:   program("kiban-lab", "echo '"+places+"' >$4/lab.json\necho ready\nexec cat >/dev/null\n"),
		Kiban: program("kiban", kiban)})
	if left, globErr := filepath.Glob(filepath.Join(folder, "kiban-twin-*")); globErr != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, globErr)
	}
	return err
}

// TestRehearsalNamesMachines: what kiban says of the twin's machines is told of the site's.
func TestRehearsalNamesMachines(t *testing.T) {
	err := standIn(t, `echo '{"kind": "finding", "diagnostic": {"severity": "error", "subject": "127.9.0.10",
		"summary": "no connection to 127.9.0.10:2222"}}' | tr -d '\n' >&2
echo >&2
exit 1
`, nil)
	if err == nil || strings.Contains(err.Error(), "127.") || !strings.Contains(err.Error(), "c: no connection to c") {
		t.Errorf("got %v", err)
	}
}
