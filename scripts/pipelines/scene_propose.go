package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const versionFile = "overlays/" + site + "/version.yaml"

// propose: the merge request of one line, its pipeline, and the note.
func (r *trial) propose(ctx context.Context) error {
	var m *mergeRequest
	var e event
	var l *pipeline
	if err := r.step("a branch changes one line of "+versionFile, func() (string, error) {
		var err error
		m, e, err = r.mergeRequest(ctx, "lab-k0s-1.36", versionFile, first, second)
		return "", err
	}); err != nil {
		return err
	}
	if err := r.step("its pipeline is green: validate, generate, plan, note", func() (said string, err error) {
		r.project.fail("GET", "/notes", 500)
		r.project.fail("POST", "/notes", 429)
		if l, err = r.start(ctx, e); err != nil {
			return "", err
		}
		return fmt.Sprintf("jobs: %s, %s", strings.Join(parents(l), ", "), strings.Join(l.names(), ", ")), l.want("success")
	}); err != nil {
		return err
	}
	for _, s := range []struct {
		title string
		hold  func() (string, error)
	}{
		{"validate left its reports, Code Quality and JUnit, without a finding", func() (string, error) { return "", reports(l) }},
		{"only " + site + " is planned, with its counts for the widget", func() (string, error) { return counted(l) }},
		{"one note tells the verdict, the versions, and the machines in their order", func() (string, error) { return r.noted(m) }},
		{"it was written although GitLab failed once and limited the rate once", func() (string, error) { return "", r.metFaults() }},
	} {
		if err := r.step(s.title, s.hold); err != nil {
			return err
		}
	}
	if err := r.step("the pipeline runs again: the same note, updated in place", func() (string, error) {
		before := r.project.notesOf(m)
		if l, err := r.start(ctx, e); err != nil {
			return "", err
		} else if err := l.want("success"); err != nil {
			return "", err
		}
		after := r.project.notesOf(m)
		if len(after) != 1 || after[0].ID != before[0].ID || after[0].edits != before[0].edits+1 {
			return "", fmt.Errorf("there are %d notes: %+v", len(after), after)
		}
		return "", nil
	}); err != nil {
		return err
	}
	r.proposed = m
	return nil
}

// mergeRequest pushes a branch that changes one line, and opens a merge request of it.
func (r *trial) mergeRequest(ctx context.Context, branch, file, from, to string) (*mergeRequest, event, error) {
	sha, base, err := r.fleet.bump(ctx, branch, file, from, to)
	if err != nil {
		return nil, event{}, err
	}
	m := r.project.open(branch, branch, sha, []string{sha})
	return m, event{source: "merge_request_event", sha: sha, merge: m, base: base}, nil
}

func parents(l *pipeline) []string {
	var out []string
	for _, j := range l.specs {
		if _, ran := l.results[j.Name]; ran {
			out = append(out, j.Name)
		}
	}
	return out
}

// reports holds that the validate job left what GitLab's widgets read.
func reports(l *pipeline) error {
	job, ran := l.job("kiban: validate")
	if !ran {
		return fmt.Errorf("the job kiban: validate did not run")
	}
	b, err := os.ReadFile(filepath.Join(job.Folder, "gl-code-quality.json"))
	if err != nil {
		return err
	}
	var issues []any
	if err := json.Unmarshal(b, &issues); err != nil || len(issues) != 0 {
		return fmt.Errorf("gl-code-quality.json: %v\n%s", err, b)
	}
	if b, err = os.ReadFile(filepath.Join(job.Folder, "junit.xml")); err != nil {
		return err
	}
	var junit struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
	}
	if err := xml.Unmarshal(b, &junit); err != nil || junit.Tests == 0 || junit.Failures != 0 {
		return fmt.Errorf("junit.xml: %v\n%s", err, b)
	}
	return nil
}

// counted holds which jobs there are for sites, and what the plan's report counts.
func counted(l *pipeline) (string, error) {
	if want := []string{"note", "plan:" + site}; !slices.Equal(l.names(), want) {
		return "", fmt.Errorf("the children have the jobs %q, not %q", l.names(), want)
	}
	job, _ := l.job("plan:" + site)
	b, err := os.ReadFile(filepath.Join(job.Folder, "reports", site+".json"))
	if err != nil {
		return "", err
	}
	if got := strings.TrimSpace(string(b)); got != `{"create":0,"update":7,"delete":0}` {
		return "", fmt.Errorf("the report counts %s, not the 7 machines", got)
	}
	_, err = os.Stat(filepath.Join(job.Artifacts, "plans", site+".json"))
	return strings.TrimSpace(string(b)), err
}

// noted holds what a reviewer sees.
func (r *trial) noted(m *mergeRequest) (string, error) {
	notes := r.project.notesOf(m)
	if len(notes) != 1 {
		return "", fmt.Errorf("the merge request has %d notes, not one", len(notes))
	}
	body := notes[0].Body
	if err := os.WriteFile(filepath.Join(r.work, "note.md"), []byte(body), 0o644); err != nil {
		return "", err
	}
	for _, want := range []string{"needs attention", first, second} {
		if !strings.Contains(body, want) {
			return "", fmt.Errorf("the note does not say %q:\n%s", want, body)
		}
	}
	at := 0
	for _, machine := range []string{"controller-1", "controller-2", "controller-3", "worker-1", "worker-2", "worker-3", "worker-4"} {
		next := strings.Index(body[at:], machine)
		if next < 0 {
			return "", fmt.Errorf("the note does not name %s after the machines before it:\n%s", machine, body)
		}
		at += next
	}
	return verdict(body), nil
}

// verdict is the line of the site.
func verdict(body string) string {
	for line := range strings.Lines(body) {
		if strings.Contains(line, site) && strings.Contains(line, "needs attention") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// metFaults fails when a failure on command was not met, since nothing was proven then.
func (r *trial) metFaults() error {
	if n := r.project.pending(); n > 0 {
		return fmt.Errorf("%d of the failures were not met: nobody asked", n)
	}
	return nil
}
