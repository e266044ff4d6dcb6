package twin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// standIn rehearses a plan of one machine in a lab that is a script, with a script for kiban, and says why that did not come to its end.
func standIn(t *testing.T, kiban string, free func(string) (int64, error)) error {
	t.Helper()
	return standInOf(t.Context(), t, t.TempDir(), "", kiban, free)
}

// standInOf is standIn in a folder, with what the lab does beside being there, until ctx ends.
func standInOf(ctx context.Context, t *testing.T, folder, lab, kiban string, free func(string) (int64, error)) error {
	t.Helper()
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
	faults, err := ParseFaults([]string{"c=latency:xyz@upgrade"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Rehearse(ctx, s, Options{Plays: LabVersion{Minors: []string{"1.36"}, Version: "devel"}, Note: func(string) {},
		free:    free,
		Faults:  faults,
		Connect: func([]byte) API { return still{} },
		Lab:     program("kiban-lab", lab+"echo '"+places+"' >$4/lab.json\necho ready\nexec cat >/dev/null\n"),
		Kiban:   program("kiban", kiban)})
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

// TestRefusedFaultEndsTheRehearsal: a run without the fault that was asked for proves nothing, so it is not told as one that went through.
func TestRefusedFaultEndsTheRehearsal(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs")
	err := standInOf(t.Context(), t, t.TempDir(),
		`case "$*" in *kubeconfig*) exit 0;; *probe*) exec cat >/dev/null;; *fault*) echo 'invalid duration "xyz"' >&2; exit 1;; esac`+"\n",
		strings.ReplaceAll("if [ -e $R ]; then "+
			"echo '{\"kind\": \"started\", \"step\": \"c/upgrade\"}' >&2; exec sleep 60; fi\ntouch $R\n", "$R", runs), nil)
	ds := lifecycle.AsDiagnostics(err, "?")
	if err == nil || !strings.Contains(ds[0].Summary, "--fault c=latency:xyz@upgrade can't be injected") ||
		!strings.Contains(ds[0].Detail, `invalid duration "xyz"`) || !strings.Contains(ds[0].Hint, "kiban-lab fault --help") {
		t.Errorf("got %+v", ds)
	}
}

// TestWithheldPlanIsNotRehearsed: a machine that does not answer keeps the site's plan from its first step. In a twin without that machine
// it would go through.
func TestWithheldPlanIsNotRehearsed(t *testing.T) {
	v := lifecycle.Version{Major: 1, Minor: 36}
	s := Snapshot{Site: "tokyo", Machines: []SiteMachine{{Name: "c", Role: lifecycle.RoleController, Version: v}},
		Plan: lifecycle.Plan{Target: v, Steps: []lifecycle.Step{{ID: "c/upgrade"}}},
		Documents: []byte("apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nmetadata: {name: tokyo}\n" +
			"spec: {hosts: [{hostname: c, role: controller}, {hostname: W-1, role: worker}]}\n")}
	for subject, c := range map[string]struct {
		find func(string, string, ...any) lifecycle.Diagnostic
		want bool
	}{
		"w-1":   {lifecycle.Blockedf, true},
		"c":     {lifecycle.Blockedf, false}, // it is in the twin, whose run says so itself
		"tokyo": {lifecycle.Blockedf, false},
		"w-1 ":  {lifecycle.Warnf, false},
	} {
		s.Plan.Diagnostics = lifecycle.Diagnostics{c.find(strings.TrimSpace(subject), "the host cannot be reached")}
		if s.withheld() != c.want {
			t.Errorf("%q: %t", subject, !c.want)
		}
	}
	s.Plan.Diagnostics = lifecycle.Diagnostics{lifecycle.Blockedf("w-1", "the host cannot be reached")}
	out, err := Rehearse(t.Context(), s, Options{Plays: LabVersion{Minors: []string{"1.36"}}})
	if err != nil || out.Through() || out.Sentence() != "nothing was rehearsed: blocked by w-1: the host cannot be reached" {
		t.Errorf("%s, %v", out.Sentence(), err)
	}
}

// still is an API in which nothing is and nothing happens.
type still struct{}

func (still) Create(context.Context, lifecycle.Object) error           { return nil }
func (still) Merge(context.Context, lifecycle.ObjectRef, []byte) error { return nil }
func (still) PodsReady(context.Context) (map[string]string, map[string]bool, error) {
	return nil, nil, nil
}
func (still) Nodes(context.Context) ([]lifecycle.NodeState, error) { return nil, nil }
func (still) Close()                                               {}

// TestInterruptedRehearsal: Ctrl-C, whenever it comes, leaves no process and no folder.
func TestInterruptedRehearsal(t *testing.T) {
	const (
		hang = "echo $$ >>$HANGS; exec sleep 600\n" // whoever is asked last
		mark = "echo $$ >>$RUNS\n"
	)
	for phase, c := range map[string]struct{ lab, kiban string }{
		"the lab starts":     {`case "$*" in *up*) ` + strings.TrimSuffix(hang, "\n") + ";; esac\n", "exit 0\n"},
		"the site is set up": {"", hang},
		"its API is asked":   {`case "$*" in *kubeconfig) ` + strings.TrimSuffix(hang, "\n") + ";; *kubeconfig*) exit 0;; esac\n", "exit 0\n"},
		"the plan runs": {`case "$*" in *kubeconfig*) exit 0;; *probe*) echo $$ >>$RUNS; exec cat >/dev/null;; esac` + "\n",
			"if [ -e $RUNS.once ]; then " + strings.TrimSuffix(hang, "\n") + "; fi\ntouch $RUNS.once\n"},
	} {
		t.Run(phase, func(t *testing.T) {
			folder, at := t.TempDir(), t.TempDir()
			hangs, runs := filepath.Join(at, "hangs"), filepath.Join(at, "runs")
			fill := strings.NewReplacer("$HANGS", hangs, "$RUNS", runs).Replace
			ctx, interrupt := context.WithCancelCause(t.Context())
			defer interrupt(nil)
			go func() {
				for range 600 {
					if _, err := os.Stat(hangs); err == nil {
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
				interrupt(errors.New("interrupted"))
			}()
			// What kiban writes into the folder for temporary files stays when it is killed: it is the twin's own.
			err := standInOf(ctx, t, folder, fill(mark+c.lab), fill(mark+`: >"$TMPDIR/kiban-temporary"`+"\n"+c.kiban), nil)
			if _, err := os.Stat(filepath.Join(folder, "kiban-temporary")); err == nil {
				t.Error("a file of kiban in the twin is left in TMPDIR")
			}
			if err == nil || !strings.Contains(err.Error(), "interrupted") {
				t.Errorf("it ends with %v", err)
			}
			if _, err := os.Stat(hangs); err != nil {
				t.Errorf("it never came so far: %v", err)
			}
			text, err := os.ReadFile(runs)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range strings.Fields(string(text)) {
				pid, err := strconv.Atoi(word)
				if err != nil || syscall.Kill(pid, 0) == nil {
					t.Errorf("process %s still runs, %v", word, err)
				}
			}
		})
	}
}
