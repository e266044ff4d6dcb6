package render

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

func pipelineSites() []PipelineSite {
	return []PipelineSite{{"lab", 0, "lab"}, {"tokyo-staging", 1, "staging"}, {"osaka-prod", 2, "production"}, {"tokyo-prod", 2, "production"}, {"odd", 10, "it's: odd"}}
}

// jobsOf reads a pipeline as GitLab does: what is no keyword is a job.
func jobsOf(t *testing.T, text string) (jobs map[string]map[string]any, stages []any) {
	t.Helper()
	var doc map[string]any
	if err := yaml.UnmarshalStrict([]byte(text), &doc); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	jobs = map[string]map[string]any{}
	for name, v := range doc {
		switch name {
		case "stages":
			stages = v.([]any)
		case "default", "include":
		default:
			jobs[name] = v.(map[string]any)
		}
	}
	return jobs, stages
}

func TestPipelines(t *testing.T) {
	opts := PipelineOptions{Image: "registry.example.com/kiban:1.0.0", Include: "/.gitlab/kiban.yml", Since: "3f2a1c9d5e"}
	for _, kind := range []PipelineKind{PipelinePlan, PipelineApply, PipelineDrift} {
		text := Pipeline(kind, pipelineSites(), opts)
		golden(t, "pipeline_"+string(kind)+".yml", text)
		jobs, stages := jobsOf(t, text)
		for name, job := range jobs {
			if !slices.Contains(stages, job["stage"]) {
				t.Errorf("%s: job %s is of stage %v, which is not among %v", kind, name, job["stage"], stages)
			}
			if script, ok := job["script"].([]any); !ok || len(script) == 0 {
				t.Errorf("%s: GitLab refuses job %s, which has no script", kind, name)
			}
		}
		if want := map[PipelineKind]int{PipelinePlan: 6, PipelineApply: 5, PipelineDrift: 5}[kind]; len(jobs) != want {
			t.Errorf("%s: %d jobs, want %d", kind, len(jobs), want)
		}
	}
}

func TestApplyPipeline(t *testing.T) {
	jobs, stages := jobsOf(t, Pipeline(PipelineApply, pipelineSites(), PipelineOptions{}))
	if !slices.Equal(stages, []any{"wave-0", "wave-1", "wave-2", "wave-10"}) {
		t.Errorf("got %v: waves are ordered as numbers", stages)
	}
	groups := map[any]bool{}
	for name, job := range jobs {
		production := strings.HasSuffix(name, "-prod")
		if manual := job["when"] == "manual" && job["allow_failure"] == false; manual != production {
			t.Errorf("%s: waits for somebody: %v; production does, and nothing after it begins before, but nothing else does", name, manual)
		}
		if job["resource_group"] == nil || groups[job["resource_group"]] || job["interruptible"] != false {
			t.Errorf("%s: a site's jobs run one at a time and are not cut off: %v", name, job)
		}
		groups[job["resource_group"]] = true
		if env, ok := job["environment"].(map[string]any); !ok || env["action"] != "start" {
			t.Errorf("%s records no deployment: %v", name, job["environment"])
		}
	}
}

// TestNoPipelineIsEmpty: GitLab refuses a child pipeline without jobs.
func TestNoPipelineIsEmpty(t *testing.T) {
	for _, kind := range []PipelineKind{PipelinePlan, PipelineApply, PipelineDrift} {
		jobs, stages := jobsOf(t, Pipeline(kind, nil, PipelineOptions{}))
		if len(jobs) != 1 || len(stages) == 0 {
			t.Errorf("%s: %d jobs in %v", kind, len(jobs), stages)
		}
	}
}

// TestOnlyApplyDeploys: plans and looks for drift record no deployment, and are given up for newer pipelines.
func TestOnlyApplyDeploys(t *testing.T) {
	for _, kind := range []PipelineKind{PipelinePlan, PipelineDrift} {
		jobs, _ := jobsOf(t, Pipeline(kind, pipelineSites(), PipelineOptions{}))
		for name, job := range jobs {
			if env, ok := job["environment"].(map[string]any); ok && env["action"] != "prepare" && env["action"] != "verify" {
				t.Errorf("%s: %s has %v", kind, name, env)
			}
			if job["interruptible"] != true || job["resource_group"] != nil {
				t.Errorf("%s: %s holds others up", kind, name)
			}
		}
	}
}
