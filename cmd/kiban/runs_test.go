package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
)

func (f *fakeSite) Runs(context.Context) ([]lifecycle.RunRecord, error) {
	f.openedGate.Lock()
	f.runsAsked++
	f.openedGate.Unlock()
	return f.runs, f.runsErr
}

func at(second int) time.Time {
	return time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC).Add(time.Duration(second) * time.Second)
}

// keepJournal writes a journal of one upgrade that began then, and gives its id.
func keepJournal(t *testing.T, fleet, site string, begin int, kinds ...lifecycle.EventKind) string {
	t.Helper()
	id := at(begin).Format("20060102-150405-") + "abcdef"
	j, err := journal.Open(filepath.Join(fleet, ".kiban", "runs", site, id+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range kinds {
		e := lifecycle.Event{Format: lifecycle.EventFormat, Time: at(begin + i), Run: id, Site: site, Kind: k, Message: "because"}
		switch k {
		case lifecycle.EventBegun:
			e.Header = &lifecycle.RunHeader{Who: "ann", Where: "laptop", Revision: "3f2a1c9d5e6f"}
		case lifecycle.EventSummary:
			e.Message, e.Elapsed = "1 of 1 steps done", 5*time.Second
		default:
			e.Step, e.Stage, e.Target, e.Action = "worker-1/upgrade", "s", "worker-1", lifecycle.ActionUpgrade
		}
		if err := j.Sink(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return id
}

func wholeRun() []lifecycle.EventKind {
	return []lifecycle.EventKind{lifecycle.EventBegun, lifecycle.EventPlanned, lifecycle.EventStarted, lifecycle.EventFinished,
		lifecycle.EventSummary}
}

func TestRuns(t *testing.T) {
	fleet := t.TempDir()
	old, young := keepJournal(t, fleet, "lab", 0, wholeRun()...),
		keepJournal(t, fleet, "lab", 60, lifecycle.EventPlanned, lifecycle.EventStarted)
	elsewhere := lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: "20261121-220030-ffffff", Site: "lab", Who: "renovate",
		Where: "https://gitlab.example/fleet/-/jobs/4711",
		Began: at(30), Ended: at(50), Result: lifecycle.RunFailed, Steps: 4, Begun: 2, Done: 1, Failed: 1}
	both := elsewhere
	both.ID, both.Began = old, at(0)
	f := &fakeSite{runs: []lifecycle.RunRecord{elsewhere, both}}
	r := f.kiban(t, fleet, nil, "runs", "lab", "-o", "json")
	var got []lifecycle.ListedRun
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v: %s%s", r.code, err, r.out, r.err)
	}
	var lines []string
	for _, l := range got {
		lines = append(lines, fmt.Sprint(l.ID, " ", l.Result, " here ", l.Here, " cluster ", l.Cluster))
	}
	want := []string{young + " no end here true cluster false", elsewhere.ID + " failed here false cluster true",
		old + " done here true cluster true"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	text := f.kiban(t, fleet, nil, "runs", "lab")
	for _, want := range []string{"ann@laptop", "renovate, job 4711", "here, cluster", "1 of 4", "3f2a1c9d5e"} {
		if !strings.Contains(text.out, want) {
			t.Errorf("no %q in\n%s", want, text.out)
		}
	}
	if local := f.kiban(t, fleet, nil, "runs", "lab", "--local"); strings.Contains(local.out, "4711") || !strings.Contains(local.out, old) {
		t.Errorf("--local:\n%s", local.out)
	}
}

func TestRunsOfAClusterThatDoesNotAnswer(t *testing.T) {
	fleet := t.TempDir()
	id := keepJournal(t, fleet, "lab", 0, wholeRun()...)
	if err := os.WriteFile(filepath.Join(fleet, ".kiban", "runs", "lab", "20261121-220001-abcdef.jsonl"), []byte(`{"format":"9.0"}`+"\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	f := &fakeSite{runsErr: errors.New("no controller runs yet")}
	r := f.kiban(t, fleet, nil, "runs", "lab")
	if r.code != 0 || !strings.Contains(r.out, id) {
		t.Errorf("exit %d:\n%s", r.code, r.out)
	}
	for _, want := range []string{"Warning: the cluster could not be asked", "no controller runs yet", "Warning: a journal is left out",
		`format "9.0"`} {
		if !strings.Contains(r.err, want) {
			t.Errorf("no %q in\n%s", want, r.err)
		}
	}
	if r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "runs", "lab"); r.code != 0 || r.out != "" ||
		!strings.Contains(r.err, "No run of lab is known.") {
		t.Errorf("no run: exit %d, %q, %q", r.code, r.out, r.err)
	}
}

func TestOperator(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		env        map[string]string
		who, where string
	}{
		{map[string]string{"USER": "ann"}, "ann", host},
		{map[string]string{"LOGNAME": "bob"}, "bob", host},
		{map[string]string{"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "renovate", "CI_JOB_URL": "https://gitlab.example/-/jobs/1", "USER": "root"},
			"renovate", "https://gitlab.example/-/jobs/1"},
		{map[string]string{"GITLAB_CI": "true"}, "gitlab", ""},
	} {
		who, where := Streams{Getenv: func(k string) string { return tt.env[k] }}.operator()
		if who != tt.who || where != tt.where {
			t.Errorf("%v: %q, %q", tt.env, who, where)
		}
	}
}

func TestShowForms(t *testing.T) {
	fleet := t.TempDir()
	keepJournal(t, fleet, "lab", 0, wholeRun()...)
	for form, wants := range map[string][]string{
		"text":     {"[00:02] worker-1/upgrade: begins: because", "lab: 1 of 1 steps done in 5s"},
		"json":     {`"result": "done"`, `"kind": "started"`, `"who": "ann"`},
		"markdown": {"### kiban run: `lab`, done", "| worker-1 | upgrade |"},
		"html":     {"<!doctype html>", "<svg ", "worker-1", "</html>"},
	} {
		r := (&fakeSite{}).kiban(t, fleet, nil, "show", "latest", "-o", form)
		for _, want := range wants {
			if r.code != 0 || !strings.Contains(r.out, want) {
				t.Errorf("%s: exit %d, no %q in\n%s%s", form, r.code, want, r.out, r.err)
			}
		}
	}
}

func TestShowFindsTheRun(t *testing.T) {
	fleet := t.TempDir()
	old, young, other := keepJournal(t, fleet, "lab", 0, wholeRun()...), keepJournal(t, fleet, "lab", 60, wholeRun()...),
		keepJournal(t, fleet, "tokyo", 30, wholeRun()...)
	path := filepath.Join(fleet, ".kiban", "runs", "tokyo", other+".jsonl")
	for _, tt := range []struct {
		args []string
		want string // the run's id, or what the refusal says
		code int
	}{
		{[]string{"latest"}, young, 0},
		{[]string{"latest", "--site", "tokyo"}, other, 0},
		{[]string{old}, old, 0},
		{[]string{"20261121-2201"}, young, 0},
		{[]string{path}, other, 0},
		{[]string{"20261121"}, "3 runs begin with", 1},
		{[]string{"20261121", "--site", "tokyo"}, other, 0},
		{[]string{"2025"}, "None of the 3 journals", 1},
		{[]string{path + ".jsonl"}, "no such file", 1},
		{[]string{filepath.Join(fleet, "empty.jsonl")}, "holds no event", 1},
		{nil, "which run?", 1},
		{[]string{old, young}, "one run at a time, not 2", 1},
	} {
		if err := os.WriteFile(filepath.Join(fleet, "empty.jsonl"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		r := (&fakeSite{}).kiban(t, fleet, nil, append([]string{"show", "-o", "json"}, tt.args...)...)
		got := r.err
		if tt.code == 0 {
			var s shownRun
			if err := json.Unmarshal([]byte(r.out), &s); err != nil {
				t.Errorf("%v: %v in %s%s", tt.args, err, r.out, r.err)
			}
			got = s.Record.ID
		}
		if r.code != tt.code || !strings.Contains(got, tt.want) {
			t.Errorf("%v: exit %d, %q; want %d, %q", tt.args, r.code, got, tt.code, tt.want)
		}
	}
	if r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "show", "latest"); r.code != 1 || !strings.Contains(r.err, "There is no journal") {
		t.Errorf("no journal: exit %d, %s", r.code, r.err)
	}
}
