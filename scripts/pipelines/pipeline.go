package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pipeline is one that ran, with the children that its trigger jobs started.
type pipeline struct {
	*pipelineRecord
	file     ciFile
	specs    []jobSpec
	results  map[string]jobResult
	children []*pipeline
	said     string
}

// event is what makes GitLab start a pipeline: which commit, and what it says of it.
type event struct {
	source string // merge_request_event, push or schedule
	sha    string
	before string // of a push: what the branch was before
	merge  *mergeRequest
	base   string // of a merge request: where it began
	// variables are those of a schedule.
	variables map[string]string
}

// variables are those that GitLab predefines, as far as jobs of the fleet look at them, and the rest that gitlab-ci-local would make up
// otherwise.
func (r *trial) predefined(e event, id int) map[string]string {
	v := map[string]string{
		"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": e.source, "CI_PIPELINE_ID": fmt.Sprint(id), "CI_COMMIT_SHA": e.sha,
		"CI_COMMIT_SHORT_SHA":  e.sha[:8],
		"CI_COMMIT_BEFORE_SHA": strings.Repeat("0", 40), "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_NAME": "main",
		"CI_API_V4_URL": r.project.url + "/api/v4", "CI_SERVER_URL": r.project.url, "CI_PROJECT_ID": projectID, "CI_PROJECT_PATH": projectPath,
		"CI_PROJECT_URL":    r.project.url + "/" + projectPath,
		"CI_PIPELINE_URL":   fmt.Sprintf("%s/%s/-/pipelines/%d", r.project.url, projectPath, id),
		"GITLAB_USER_LOGIN": "ann", "GITLAB_USER_NAME": "Ann", "KIBAN_EXAMPLE_FLEET": "true",
	}
	maps.Copy(v, e.variables)
	if e.before != "" {
		v["CI_COMMIT_BEFORE_SHA"] = e.before
	}
	if m := e.merge; m != nil {
		v["CI_COMMIT_BRANCH"], v["CI_COMMIT_REF_NAME"] = "", m.SourceBranch
		v["CI_MERGE_REQUEST_IID"], v["CI_MERGE_REQUEST_PROJECT_ID"], v["CI_MERGE_REQUEST_PROJECT_PATH"] = fmt.Sprint(m.IID), projectID,
			projectPath
		v["CI_MERGE_REQUEST_DIFF_BASE_SHA"], v["CI_MERGE_REQUEST_EVENT_TYPE"] = e.base, "detached"
		v["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"], v["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = m.SourceBranch, m.TargetBranch
		// Only pipelines of merged results have these; in others they are empty.
		v["CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"], v["CI_MERGE_REQUEST_TARGET_BRANCH_SHA"] = "", ""
	}
	return v
}

// start runs the pipeline that an event starts, and its children, to the end. That a job fails is no error: the pipeline's status says so.
func (r *trial) start(ctx context.Context, e event) (*pipeline, error) {
	record := pipelineRecord{SHA: e.sha, Ref: "main", Source: e.source}
	if e.merge != nil {
		record.Ref, record.merge = fmt.Sprintf("refs/merge-requests/%d/head", e.merge.IID), e.merge.IID
	}
	l := &pipeline{pipelineRecord: r.project.begin(record)}
	l.file.variables = r.predefined(e, l.ID)
	if err := r.checkout(ctx, l, ".gitlab-ci.yml", nil); err != nil {
		return l, err
	}
	return l, r.execute(ctx, l, func(j jobSpec) bool { return strings.HasPrefix(j.Name, "kiban: ") }, nil)
}

// checkout makes the commit of a pipeline there as a runner does: nothing but its history and what origin has, and no branch.
func (r *trial) checkout(ctx context.Context, l *pipeline, file string, content []byte) error {
	l.file.dir, l.file.file = filepath.Join(r.work, "pipelines", fmt.Sprint(l.ID)), file
	fetch := []string{"fetch", "-q", "origin", fmt.Sprintf("+%s:refs/pipelines/%d", l.SHA, l.ID)}
	if l.parent == 0 || bytes.Contains(content, []byte(`GIT_DEPTH: "0"`)) { // a job asks for the whole history; others get twenty commits
		fetch = append(fetch, "+refs/heads/*:refs/remotes/origin/*")
	} else {
		fetch = slices.Insert(fetch, 2, "--depth", "20")
	}
	if err := os.MkdirAll(l.file.dir, 0o755); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "none"},
		{"remote", "add", "origin", r.fleet.origin},
		fetch,
		{"checkout", "-q", "--detach", l.SHA},
	} {
		if _, err := r.fleet.git(ctx, l.file.dir, args...); err != nil {
			return err
		}
	}
	if content != nil {
		// Beside what git tracks and what jobs see: the file of a child is no file of the repository.
		path := filepath.Join(l.file.dir, stateDir, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
		l.file.file = filepath.Join(stateDir, file)
	}
	specs, err := r.runner.read(ctx, l.file)
	l.specs = specs
	return err
}

// execute runs the jobs that wait for nobody, and then the children. gitlab-ci-local would start children, too, but takes them for
// successful whatever their jobs do: so they are started here, as GitLab does.
func (r *trial) execute(ctx context.Context, l *pipeline, wanted func(jobSpec) bool, watch func(pid int)) error {
	var names []string
	for _, j := range l.specs {
		if wanted(j) && j.Trigger == nil && j.When != "manual" {
			names = append(names, j.Name)
		}
	}
	if err := r.jobs(ctx, l, watch, names...); err != nil {
		return err
	}
	for _, j := range l.specs {
		if !wanted(j) || j.Trigger == nil || l.failed() != "" {
			continue
		}
		child, err := r.trigger(ctx, l, j)
		if child != nil {
			l.children = append(l.children, child)
		}
		if err != nil {
			return err
		}
	}
	r.project.end(l.pipelineRecord, l.status())
	return nil
}

// jobs runs some of a pipeline's jobs, or runs them again, and keeps what they leave as GitLab does: artifacts and, of those that deploy,
// deployments.
func (r *trial) jobs(ctx context.Context, l *pipeline, watch func(pid int), names ...string) error {
	results, said, err := r.runner.run(ctx, l.file, watch, names...)
	l.said += said
	if err != nil {
		return err
	}
	if l.results == nil {
		l.results = map[string]jobResult{}
	}
	maps.Copy(l.results, results)
	for _, j := range l.specs {
		result, ran := results[j.Name]
		if !ran {
			continue
		}
		status := "success"
		if result.Code != 0 {
			status = "failed"
		}
		if err := r.project.record(l.pipelineRecord, jobRecord{Name: j.Name, Stage: j.Stage, Status: status,
			AllowFailure: j.failing.accepts(result.Code)},
			result.Artifacts, filepath.Join(r.work, "artifacts")); err != nil {
			return err
		}
		if j.Environment.Name != "" && (j.Environment.Action == "" || j.Environment.Action == "start") {
			r.project.deployed(l.pipelineRecord, j.Name, j.Environment.Name, status)
		}
	}
	return nil
}

// trigger starts the child that a trigger job names: the file is an artifact of another job.
func (r *trial) trigger(ctx context.Context, l *pipeline, j jobSpec) (*pipeline, error) {
	from := j.Trigger.Include[0]
	content, err := os.ReadFile(filepath.Join(l.results[from.Job].Artifacts, from.Artifact))
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", j.Name, err)
	}
	child := &pipeline{pipelineRecord: r.project.begin(pipelineRecord{SHA: l.SHA, Ref: l.Ref, Source: "parent_pipeline", merge: l.merge,
		parent: l.ID, trigger: j.Name})}
	child.file.variables = maps.Clone(l.file.variables)
	child.file.variables["CI_PIPELINE_SOURCE"] = "parent_pipeline"
	child.file.variables["CI_PIPELINE_ID"] = fmt.Sprint(child.ID)
	child.file.variables["CI_PIPELINE_URL"] = child.WebURL
	if err := r.checkout(ctx, child, "child.yml", content); err != nil {
		return child, err
	}
	return child, r.execute(ctx, child, func(jobSpec) bool { return true }, r.watch)
}

// failed names a job whose failure counts, of the pipeline itself.
func (l *pipeline) failed() string {
	for _, j := range l.specs {
		if result, ran := l.results[j.Name]; ran && result.Code != 0 && !j.failing.accepts(result.Code) {
			return j.Name
		}
	}
	return ""
}

// status is the pipeline's, as GitLab has it: a child that fails fails its parent, and a manual job that must run holds it up.
func (l *pipeline) status() string {
	if l.failed() != "" {
		return "failed"
	}
	for _, c := range l.children {
		if s := c.status(); s != "success" {
			return s
		}
	}
	for _, j := range l.specs {
		if _, ran := l.results[j.Name]; !ran && j.When == "manual" && !j.failing.any {
			return "manual"
		}
	}
	return "success"
}

// job gives a job's result, of the pipeline or of a child.
func (l *pipeline) job(name string) (jobResult, bool) {
	if result, ok := l.results[name]; ok {
		return result, true
	}
	for _, c := range l.children {
		if result, ok := c.job(name); ok {
			return result, true
		}
	}
	return jobResult{}, false
}

// names are the jobs of the pipeline's children, in order.
func (l *pipeline) names() []string {
	var out []string
	for _, c := range l.children {
		for _, j := range c.specs {
			out = append(out, j.Name)
		}
	}
	slices.Sort(out)
	return out
}

// want fails unless the pipeline ended so, with the logs of the jobs that failed.
func (l *pipeline) want(status string) error {
	if l.status() == status {
		return nil
	}
	var logs strings.Builder
	l.logs(&logs)
	return fmt.Errorf("pipeline %d (%s) ended as %s, not %s\n%s", l.ID, l.Source, l.status(), status, logs.String())
}

func (l *pipeline) logs(w *strings.Builder) {
	for _, j := range l.specs {
		if result, ran := l.results[j.Name]; ran && result.Code != 0 {
			fmt.Fprintf(w, "--- %s, exit code %d\n%s\n", j.Name, result.Code, tail(result.Log, 60))
		}
	}
	for _, c := range l.children {
		c.logs(w)
	}
}
