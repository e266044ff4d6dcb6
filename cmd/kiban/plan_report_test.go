package main

import (
	"os"
	"path/filepath"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestPlanReport(t *testing.T) {
	blocked := planOf("f", "worker-1/upgrade")
	blocked.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "no room"}}
	for _, tt := range []struct {
		name, want string
		plan       lifecycle.Plan
		code       int
	}{
		{"changes", `{"create":0,"update":1,"delete":0}`, planOf("f", "worker-1/upgrade"), exitDone},
		{"none", `{"create":0,"update":0,"delete":0}`, planOf("f"), exitDone},
		{"blocked", `{"create":0,"update":1,"delete":0}`, blocked, exitBlocked},
	} {
		fleet := t.TempDir()
		file := filepath.Join(fleet, "report.json")
		f := &fakeSite{plans: []lifecycle.Plan{tt.plan}}
		if r := f.kiban(t, fleet, nil, "plan", "lab", "--report", file); r.code != tt.code {
			t.Errorf("%s: exit %d, want %d: %s", tt.name, r.code, tt.code, r.err)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != tt.want+"\n" {
			t.Errorf("%s: got %q, %v; want %s", tt.name, b, err, tt.want)
		}
	}
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f")}}
	if r := f.kiban(t, t.TempDir(), nil, "plan", "lab", "--report", "no/such/folder/report.json"); r.code != exitFailed {
		t.Errorf("exit %d, want %d: a report that can't be written would leave the merge request without its widget, in silence", r.code,
			exitFailed)
	}
}
