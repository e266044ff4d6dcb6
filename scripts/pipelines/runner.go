package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// runner executes jobs with gitlab-ci-local: each in a checkout of its own, with bash on this machine.
type runner struct {
	env []string
	// variables is the file with the project's variables, which jobs see and pipelines do not hold.
	variables string
}

const stateDir = ".gitlab-ci-local"

// newRunner makes ready the folder of commands that jobs find first. gitlab-ci-local checks the repository out anew before an
// after_script, and throws away what the script has made, which GitLab's runner does not do. So in front of rsync stands a script that
// leaves the folder of a job alone once it is there.
func newRunner(work, node, kiban, lab string) (*runner, error) {
	bin := filepath.Join(work, "bin")
	home := filepath.Join(work, "home")
	for _, dir := range []string{bin, home} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	// The lab is on the path, as in its image. A variable with its path would be one of type file, and copied for each job.
	for name, program := range map[string]string{"kiban": kiban, "kiban-lab": lab} {
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			return nil, err
		}
	}
	rsync, err := exec.LookPath("rsync")
	if err != nil {
		return nil, err
	}
	script := "#!/bin/sh\nfor last; do :; done\ncase $last in " + stateDir + "/builds/*) [ ! -e \"$last/.git\" ] || exit 0 ;; esac\nexec " +
		rsync + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "rsync"), []byte(script), 0o755); err != nil {
		return nil, err
	}
	return &runner{env: environment(home, bin, node), variables: filepath.Join(work, "variables.yml")}, nil
}

// setVariables writes the project's variables.
func (r *runner) setVariables(values map[string]string) error {
	b, err := yaml.Marshal(values)
	if err != nil {
		return err
	}
	return os.WriteFile(r.variables, b, 0o600)
}

// ciFile is a pipeline's file in a checkout, with the predefined variables that GitLab gives its jobs.
type ciFile struct {
	dir, file string
	variables map[string]string
}

func (r *runner) arguments(f ciFile, more ...string) []string {
	args := []string{"--file", f.file, "--variables-file", r.variables, "--force-shell-executor", "--shell-isolation",
		"--no-artifacts-to-source",
		"--no-color", "--max-job-name-padding", "0", "--ignore-predefined-vars", strings.Join(slices.Sorted(maps.Keys(f.variables)), ",")}
	for _, name := range slices.Sorted(maps.Keys(f.variables)) {
		args = append(args, "--variable", name+"="+f.variables[name])
	}
	return append(args, more...)
}

// jobSpec is what a pipeline says of a job.
type jobSpec struct {
	Name, Stage, When string
	Environment       struct{ Name, Action string }
	Trigger           *struct {
		Include []struct{ Artifact, Job string }
	}
	Artifacts struct{ Paths []string }
	Variables map[string]string
	// failing says which failures do not count.
	failing tolerance
}

// tolerance is allow_failure: always, or for some exit codes.
type tolerance struct {
	any   bool
	codes []int
}

func (t tolerance) accepts(code int) bool { return t.any || slices.Contains(t.codes, code) }

func (t *tolerance) UnmarshalJSON(b []byte) error {
	var always bool
	if json.Unmarshal(b, &always) == nil {
		t.any = always
		return nil
	}
	var some struct {
		Codes json.RawMessage `json:"exit_codes"`
	}
	if err := json.Unmarshal(b, &some); err != nil {
		return err
	}
	var one int
	if json.Unmarshal(some.Codes, &one) == nil {
		t.codes = []int{one}
		return nil
	}
	return json.Unmarshal(some.Codes, &t.codes)
}

// read gives the jobs that a pipeline has, in the order of their stages: gitlab-ci-local decides by its rules.
func (r *runner) read(ctx context.Context, f ciFile) ([]jobSpec, error) {
	var listed []struct {
		Name, Stage, When string
		Failing           tolerance `json:"allow_failure"`
	}
	out, err := r.ask(ctx, f, "--list-json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &listed); err != nil {
		return nil, fmt.Errorf("gitlab-ci-local --list-json: %w\n%s", err, out)
	}
	expanded, err := r.ask(ctx, f, "--preview")
	if err != nil {
		return nil, err
	}
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal(expanded, &doc); err != nil {
		return nil, fmt.Errorf("gitlab-ci-local --preview: %w\n%s", err, expanded)
	}
	var stages []string
	if node, ok := doc["stages"]; ok {
		if err := node.Decode(&stages); err != nil {
			return nil, err
		}
	}
	var jobs []jobSpec
	for _, l := range listed {
		if l.When == "never" {
			continue
		}
		var j jobSpec
		node := doc[l.Name]
		if err := node.Decode(&j); err != nil {
			return nil, fmt.Errorf("job %s: %w", l.Name, err)
		}
		j.Name, j.Stage, j.When, j.failing = l.Name, l.Stage, l.When, l.Failing
		jobs = append(jobs, j)
	}
	slices.SortStableFunc(jobs, func(x, y jobSpec) int { return slices.Index(stages, x.Stage) - slices.Index(stages, y.Stage) })
	return jobs, nil
}

// ask runs gitlab-ci-local for what it prints.
func (r *runner) ask(ctx context.Context, f ciFile, what string) ([]byte, error) {
	args := r.arguments(f, what)
	cmd := commandOf(ctx, f.dir, r.env, "gitlab-ci-local", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("gitlab-ci-local %s: %w\n%s\n%s", what, err, tail(string(out), 30), tail(stderr.String(), 30))
	}
	if at := bytes.IndexAny(out, "[-"); at > 0 && what == "--list-json" { // warnings come first
		out = out[bytes.Index(out, []byte("\n["))+1:]
	}
	return out, nil
}

// jobResult is how a job ended.
type jobResult struct {
	Name string
	Code int
	// Log is what it printed; Folder is its checkout as it left it; Artifacts is what it left for others.
	Log, Folder, Artifacts string
}

// run executes jobs; which of them first, and which not at all, gitlab-ci-local decides by their stages and needs. Jobs that it did not
// come to are not among the results. watch is told of the process.
func (r *runner) run(ctx context.Context, f ciFile, watch func(pid int), names ...string) (map[string]jobResult, string, error) {
	if err := os.RemoveAll(filepath.Join(f.dir, stateDir, "builds")); err != nil { // each try begins with a checkout
		return nil, "", err
	}
	var b bytes.Buffer
	cmd := commandOf(ctx, f.dir, r.env, "gitlab-ci-local", r.arguments(f, names...)...)
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	if watch != nil {
		watch(cmd.Process.Pid)
	}
	err := cmd.Wait()
	endGroup(ctx, cmd)
	if ctx.Err() != nil {
		return nil, b.String(), ctx.Err()
	}
	results, failed := r.results(f, b.String(), names)
	if len(results) == 0 && err == nil {
		err = errors.New("no job ran")
	}
	if err != nil && !failed {
		return nil, b.String(), fmt.Errorf("gitlab-ci-local: %w\n%s", err, tail(b.String(), 60))
	}
	return results, b.String(), nil
}

// results reads how the jobs ended from what gitlab-ci-local says: "plan:lab finished in 2.1 s  FAIL 4".
func (r *runner) results(f ciFile, said string, names []string) (out map[string]jobResult, failed bool) {
	out = map[string]jobResult{}
	ended := regexp.MustCompile(`(?m)^(.+?) +finished in [^>\n]*?(?: +(WARN|FAIL) (\d+) *)?$`)
	for _, m := range ended.FindAllStringSubmatch(said, -1) {
		if _, again := out[m[1]]; again || !slices.Contains(names, m[1]) {
			continue // the second is its after_script's
		}
		safe := safeName(m[1])
		j := jobResult{Name: m[1], Folder: filepath.Join(f.dir, stateDir, "builds", safe),
			Artifacts: filepath.Join(f.dir, stateDir, "artifacts", safe)}
		j.Code, _ = strconv.Atoi(m[3])
		failed = failed || j.Code != 0
		b, _ := os.ReadFile(filepath.Join(f.dir, stateDir, "output", safe+".log"))
		j.Log = string(b)
		out[j.Name] = j
	}
	return out, failed
}

// safeName is what gitlab-ci-local calls a job's folder.
func safeName(job string) string {
	return regexp.MustCompile(`[^\w-]+`).ReplaceAllStringFunc(job,
		func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) })
}
