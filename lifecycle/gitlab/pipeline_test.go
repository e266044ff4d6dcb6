package gitlab

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
)

var pipelineKinds = []lifecycle.PipelineKind{lifecycle.PipelinePlan, lifecycle.PipelineApply, lifecycle.PipelineDrift,
	lifecycle.PipelineBackup}

func pipelineSites() []lifecycle.PipelineSite {
	lab, staging := lifecycle.PipelineSite{Name: "lab", Tier: "lab"}, lifecycle.PipelineSite{Name: "tokyo-staging", Wave: 1, Tier: "staging"}
	osaka := lifecycle.PipelineSite{Name: "osaka-prod", Wave: 2, Tier: "production", Manual: true, From: []lifecycle.PipelineSite{staging}}
	return []lifecycle.PipelineSite{lab, staging, osaka, {Name: "tokyo-prod", Wave: 2, Tier: "production", Manual: true, Drill: true},
		{Name: "odd", Wave: 10, Tier: "it's: odd", From: []lifecycle.PipelineSite{osaka, staging}}}
}

// parsedJobs reads a pipeline as GitLab does: what is no keyword is a job.
func parsedJobs(t *testing.T, text string) (jobs map[string]map[string]any, stages []any) {
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
		case "default", "include", "workflow":
		default:
			jobs[name] = v.(map[string]any)
		}
	}
	return jobs, stages
}

func TestPipelines(t *testing.T) {
	p := lifecycle.Pipeline{Sites: pipelineSites(), Image: "registry.example.com/kiban:1.0.0", Include: "/.gitlab/kiban.yml",
		Since: "3f2a1c9d5e", Base: "3f2a1c9d5e0123456789012345678901234567ab", Gone: []string{"oslo"}}
	for _, kind := range pipelineKinds {
		p.Kind = kind
		text := Pipeline(p)
		golden(t, "pipeline_"+string(kind)+".yml", text)
		jobs, stages := parsedJobs(t, text)
		for name, job := range jobs {
			if !slices.Contains(stages, job["stage"]) {
				t.Errorf("%s: job %s is of stage %v, which is not among %v", kind, name, job["stage"], stages)
			}
			if script, ok := job["script"].([]any); !ok || len(script) == 0 {
				t.Errorf("%s: GitLab refuses job %s, which has no script", kind, name)
			}
		}
		if want := map[lifecycle.PipelineKind]int{lifecycle.PipelinePlan: 5 + 2 + 1, lifecycle.PipelineApply: 5 + 2,
			lifecycle.PipelineDrift: 5, lifecycle.PipelineBackup: 5 + 1}[kind]; len(jobs) != want {
			t.Errorf("%s: %d jobs, want %d", kind, len(jobs), want)
		}
		if !strings.Contains(text, "\n  rules: [{when: always}]\n") {
			t.Errorf("%s: a merge request's child pipeline without rules has no jobs", kind)
		}
	}
}

// TestPipelineStages: waves are ordered as numbers, and whoever is waited for is looked at once, before the first wave that waits.
func TestPipelineStages(t *testing.T) {
	site := func(name string, wave int, from ...string) lifecycle.PipelineSite {
		s := lifecycle.PipelineSite{Name: name, Wave: wave}
		for _, f := range from {
			s.From = append(s.From, lifecycle.PipelineSite{Name: f})
		}
		return s
	}
	for name, c := range map[string]struct {
		sites []lifecycle.PipelineSite
		want  string
		soaks string
	}{
		"waves": {[]lifecycle.PipelineSite{site("a", 0), site("b", 10), site("c", 2), site("d", 2)},
			"wave-0 wave-2 wave-10", ""},
		"below zero":                    {[]lifecycle.PipelineSite{site("a", -1), site("b", 0)}, "wave--1 wave-0", ""},
		"one waits":                     {[]lifecycle.PipelineSite{site("a", 1), site("b", 2, "a")}, "wave-1 soak-2 wave-2", "a:soak-2"},
		"whoever is waited for changes": {[]lifecycle.PipelineSite{site("b", 2, "a")}, "soak-2 wave-2", "a:soak-2"},
		"two wait for one":              {[]lifecycle.PipelineSite{site("b", 2, "a"), site("c", 2, "a")}, "soak-2 wave-2", "a:soak-2"},
		"two waves wait for one":        {[]lifecycle.PipelineSite{site("b", 2, "a"), site("c", 3, "a")}, "soak-2 wave-2 wave-3", "a:soak-2"},
		"one waits for two":             {[]lifecycle.PipelineSite{site("c", 3, "a", "b")}, "soak-3 wave-3", "a:soak-3 b:soak-3"},
		"a chain": {[]lifecycle.PipelineSite{site("b", 2, "a"), site("c", 3, "b")}, "soak-2 wave-2 soak-3 wave-3",
			"a:soak-2 b:soak-3"},
		"nobody": {nil, "sites", ""},
	} {
		jobs, stages := parsedJobs(t, Pipeline(lifecycle.Pipeline{Kind: lifecycle.PipelineApply, Sites: c.sites}))
		var got []string
		for _, s := range stages {
			got = append(got, s.(string))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: stages %v, want %s", name, got, c.want)
		}
		var soaks []string
		for _, job := range slices.Sorted(maps.Keys(jobs)) {
			if from, is := strings.CutPrefix(job, "soak:"); is {
				soaks = append(soaks, from+":"+jobs[job]["stage"].(string))
			}
		}
		if strings.Join(soaks, " ") != c.soaks {
			t.Errorf("%s: looks at %v, want %s", name, soaks, c.soaks)
		}
	}
}

func TestApplyPipeline(t *testing.T) {
	jobs, stages := parsedJobs(t, Pipeline(lifecycle.Pipeline{Kind: lifecycle.PipelineApply, Sites: pipelineSites()}))
	if !slices.Equal(stages, []any{"wave-0", "wave-1", "soak-2", "wave-2", "soak-10", "wave-10"}) {
		t.Errorf("got %v", stages)
	}
	groups := map[any]bool{}
	for name, job := range jobs {
		if job["needs"] != nil {
			t.Errorf("%s has needs, and would not wait for the wave before", name)
		}
		env := job["environment"].(map[string]any)
		if strings.HasPrefix(name, "soak:") {
			if env["action"] != "access" || job["allow_failure"] != true {
				t.Errorf("%s deploys, or stops sites that don't wait for it: %v", name, job)
			}
			continue
		}
		production := strings.HasSuffix(name, "-prod")
		if manual := job["when"] == "manual" && job["allow_failure"] == false; manual != production {
			t.Errorf("%s: waits for somebody: %v; production does, and nothing after it begins before, but nothing else does", name, manual)
		}
		if !production && job["allow_failure"] != nil {
			t.Errorf("%s may fail, and the waves behind it would begin", name)
		}
		if job["resource_group"] == nil || groups[job["resource_group"]] || job["interruptible"] != false {
			t.Errorf("%s: a site's jobs run one at a time and are not cut off: %v", name, job)
		}
		groups[job["resource_group"]] = true
		if env["action"] != "start" {
			t.Errorf("%s records no deployment: %v", name, env)
		}
		if script := scriptOf(job); strings.Contains(script, "ci gate") != (len(job["dependencies"].([]any)) > 0) {
			t.Errorf("%s: asks the gate without evidence, or has evidence for no gate:\n%s", name, script)
		} else if strings.Index(script, "ci gate") > strings.Index(script, "kiban apply") {
			t.Errorf("%s asks the gate when it has applied:\n%s", name, script)
		}
	}
	for job, want := range map[string][]any{"apply:lab": {}, "apply:osaka-prod": {"soak:tokyo-staging"},
		"apply:odd": {"soak:osaka-prod", "soak:tokyo-staging"}} {
		if got := jobs[job]["dependencies"].([]any); !slices.Equal(got, want) {
			t.Errorf("%s has the artifacts of %v, want %v", job, got, want)
		}
	}
}

// TestA3_LaterIsReviewedAndStarted: what a schedule takes up is held to the merge request of its site's last change, and to its gate;
// production waits for somebody to start it. One that may not go after all warns, and nothing else does.
func TestA3_LaterIsReviewedAndStarted(t *testing.T) {
	const commit = "3f2a1c9d5e0123456789012345678901234567ab"
	sites := pipelineSites()
	for i := range sites {
		sites[i].Brought = commit
	}
	sites[0].Brought = "" // the newest commit's
	text := Pipeline(lifecycle.Pipeline{Kind: lifecycle.PipelineApply, Sites: sites, Later: true})
	golden(t, "pipeline_later.yml", text)
	jobs, _ := parsedJobs(t, text)
	for _, s := range sites {
		job, script := jobs["apply:"+s.Name], scriptOf(jobs["apply:"+s.Name])
		want := "kiban ci reviewed " + s.Name + " --out reviewed"
		if s.Brought != "" {
			want += " --commit " + commit
		}
		if !strings.Contains(script, want+"\n") || !strings.Contains(script, "--reviewed reviewed/"+s.Name+".json") {
			t.Errorf("%s is not held to what was reviewed:\n%s", s.Name, script)
		}
		if strings.Contains(script, "ci gate") != (len(s.From) > 0) {
			t.Errorf("%s: its soak is asked for, or not, by mistake:\n%s", s.Name, script)
		}
		if (job["when"] == "manual") != s.Manual {
			t.Errorf("%s: waits for somebody to start it: %v", s.Name, job["when"])
		}
		switch allowed := job["allow_failure"].(type) {
		case bool: // GitLab calls the pipeline done, and the button stays
			if !s.Manual || !allowed {
				t.Errorf("%s: may fail: %v", s.Name, allowed)
			}
		case map[string]any:
			if codes := fmt.Sprint(allowed["exit_codes"]); s.Manual || codes != "[3]" {
				t.Errorf("%s: may fail with %s", s.Name, codes)
			}
		default:
			t.Errorf("%s: may not wait for the next schedule: %v", s.Name, allowed)
		}
	}
}

func scriptOf(job map[string]any) string {
	var lines []string
	for _, l := range job["script"].([]any) {
		lines = append(lines, l.(string))
	}
	return strings.Join(lines, "\n")
}

// TestNothingIsLost: what a pipeline of the main branch has not applied yet is not given up for a newer one, which would not know of it.
func TestNothingIsLost(t *testing.T) {
	for _, kind := range pipelineKinds {
		kept := strings.Contains(Pipeline(lifecycle.Pipeline{Kind: kind}), "auto_cancel: {on_new_commit: none}")
		if kept != (kind == lifecycle.PipelineApply) {
			t.Errorf("%s: kept beside a newer commit's: %v", kind, kept)
		}
	}
}

// TestNoPipelineIsEmpty: GitLab refuses a child pipeline without jobs.
func TestNoPipelineIsEmpty(t *testing.T) {
	for _, kind := range pipelineKinds {
		jobs, stages := parsedJobs(t, Pipeline(lifecycle.Pipeline{Kind: kind}))
		if len(jobs) != 1 || len(stages) == 0 {
			t.Errorf("%s: %d jobs in %v", kind, len(jobs), stages)
		}
	}
}

// TestOnlyApplyDeploys: plans and looks for drift record no deployment, and are given up for newer pipelines.
func TestOnlyApplyDeploys(t *testing.T) {
	for _, kind := range []lifecycle.PipelineKind{lifecycle.PipelinePlan, lifecycle.PipelineDrift, lifecycle.PipelineBackup} {
		jobs, _ := parsedJobs(t, Pipeline(lifecycle.Pipeline{Kind: kind, Sites: pipelineSites()}))
		for name, job := range jobs {
			if env, ok := job["environment"].(map[string]any); ok && !slices.Contains([]any{"verify", "access"}, env["action"]) {
				t.Errorf("%s: %s has %v", kind, name, env)
			}
			if job["interruptible"] != true || job["resource_group"] != nil {
				t.Errorf("%s: %s holds others up", kind, name)
			}
		}
	}
}

// TestEachJobHasOneEnvironment: no job names a site whose variables it does not have, but for the evidence that others left.
func TestEachJobHasOneEnvironment(t *testing.T) {
	for _, kind := range pipelineKinds {
		jobs, _ := parsedJobs(t, Pipeline(lifecycle.Pipeline{Kind: kind, Sites: pipelineSites()}))
		for name, job := range jobs {
			env, ok := job["environment"].(map[string]any)
			if !ok {
				continue
			}
			_, site, _ := strings.Cut(name, ":")
			if !strings.HasSuffix(env["name"].(string), "/"+site) {
				t.Errorf("%s: %s is of %v", kind, name, env["name"])
			}
			for _, other := range pipelineSites() {
				if other.Name != site && strings.Contains(scriptOf(job), other.Name) {
					t.Errorf("%s: %s asks for %s, whose variables it has not:\n%s", kind, name, other.Name, scriptOf(job))
				}
			}
		}
	}
}

// TestA3_NewSiteHasNoTiersVariables: what a new overlay's label says gives its plan no variables of that tier, and its first apply waits.
func TestA3_NewSiteHasNoTiersVariables(t *testing.T) {
	for kind, want := range map[lifecycle.PipelineKind]string{lifecycle.PipelinePlan: "new/oslo", lifecycle.PipelineApply: "lab/oslo"} {
		site := lifecycle.PipelineSite{Name: "oslo", New: kind == lifecycle.PipelinePlan, Manual: true}
		if kind == lifecycle.PipelineApply { // by then it is what the branch says
			site.Tier = "lab"
		}
		jobs, _ := parsedJobs(t, Pipeline(lifecycle.Pipeline{Kind: kind, Sites: []lifecycle.PipelineSite{site}}))
		job := jobs[string(kind)+":oslo"]
		if got := job["environment"].(map[string]any)["name"]; got != want {
			t.Errorf("%s: its environment is %v, want %s", kind, got, want)
		}
		if kind == lifecycle.PipelineApply && job["when"] != "manual" {
			t.Errorf("its first apply waits for nobody: %v", job)
		}
	}
}

// TestA3_SignedPlanJobs: the audience of the token that signs is the sum that the plan's job left, whatever that job's exit code, and the
// job that signs has nobody's variables.
func TestA3_SignedPlanJobs(t *testing.T) {
	p := lifecycle.Pipeline{Kind: lifecycle.PipelinePlan, Sites: pipelineSites()[:1], Signed: true}
	golden(t, "pipeline_plan_signed.yml", Pipeline(p))
	jobs, stages := parsedJobs(t, Pipeline(p))
	if !slices.Equal(stages, []any{"plan", "sign", "note"}) {
		t.Errorf("stages %v", stages)
	}
	job := jobs["sign:lab"]
	tokens := job["id_tokens"].(map[string]any)["KIBAN_PLAN_TOKEN"].(map[string]any)
	if tokens["aud"] != "kiban:plan:sha256:$KIBAN_PLAN_SHA256" || job["environment"] != nil ||
		!slices.Equal(job["needs"].([]any), []any{"plan:lab"}) {
		t.Errorf("got %v", job)
	}
	if p.Signed = false; strings.Contains(Pipeline(p), "sign") {
		t.Error("a fleet that does not ask for signatures has jobs for them")
	}

	dir := t.TempDir()
	for name, script := range map[string]string{"kiban": "echo '{}'; exit ${CODE:-0}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, code := range []int{0, 1, 3} {
		cmd := exec.Command("sh", "-ec", scriptOf(jobs["plan:lab"]))
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), fmt.Sprint("CODE=", code))
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("the plan's exit code %d became %d: %v\n%s", code, got, err, out)
		}
		plan, err := os.ReadFile(filepath.Join(dir, "plans", "lab.json"))
		if err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadFile(filepath.Join(dir, "plans", "lab.env"))
		if want := fmt.Sprintf("KIBAN_PLAN_SHA256=%x\n", sha256.Sum256(plan)); err != nil || string(left) != want {
			t.Errorf("it left %q, want %q: %v", left, want, err)
		}
	}
}

// A site that asks for it has its plan rehearsed, in the image that has the lab, and the note is told where; no other site has such a job.
func TestPipelineThatRehearses(t *testing.T) {
	sites := pipelineSites()[:2]
	sites[1].Rehearse = true
	p := lifecycle.Pipeline{Kind: lifecycle.PipelinePlan, Sites: sites, Image: "kiban:1.0.0", LabImage: "kiban:1.0.0-lab"}
	golden(t, "pipeline_plan_rehearsed.yml", Pipeline(p))
	p.Kind = lifecycle.PipelineApply
	if text := Pipeline(p); strings.Contains(text, "rehearse") {
		t.Errorf("what is merged is rehearsed:\n%s", text)
	}
}
