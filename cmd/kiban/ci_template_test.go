package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle/render"
)

// pipelineJob is as much of a job as these tests look at.
type pipelineJob struct {
	Stage   string   `json:"stage"`
	Extends string   `json:"extends"`
	Script  []string `json:"script"`
	After   []string `json:"after_script"`
	Needs   []string `json:"needs"`
	Trigger *struct {
		Include []struct{ Artifact, Job string } `json:"include"`
	} `json:"trigger"`
}

// jobsIn reads the jobs of a pipeline: what is no keyword.
func jobsIn(t *testing.T, text string) map[string]pipelineJob {
	t.Helper()
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]pipelineJob{}
	for name, v := range doc {
		if name == "stages" || name == "default" || name == "include" {
			continue
		}
		b, err := yaml.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var j pipelineJob
		if err := yaml.Unmarshal(b, &j); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = j
	}
	return out
}

// TestPipelinesSayWhatKibanKnows: every command of kiban's in a pipeline of ours is a verb with its flags.
func TestPipelinesSayWhatKibanKnows(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "templates", "fleet", "template.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, template, _ := strings.Cut(string(b), "\n---\n")
	sites := []render.PipelineSite{{Name: "lab", Tier: "production"}}
	texts := map[string]string{"template": template}
	for _, kind := range []render.PipelineKind{render.PipelinePlan, render.PipelineApply, render.PipelineDrift} {
		texts[string(kind)] = render.Pipeline(kind, sites, render.PipelineOptions{})
	}
	commands := 0
	for where, text := range texts {
		jobs := jobsIn(t, text)
		for name, job := range jobs {
			for _, line := range append(job.Script, job.After...) {
				if strings.HasPrefix(line, "kiban ") {
					commands++
					checkCommand(t, where+", "+name, line)
				}
			}
			for _, need := range job.Needs {
				if _, there := jobs[need]; !there {
					t.Errorf("%s, %s needs %q, which is no job", where, name, need)
				}
			}
			if job.Trigger != nil && (len(job.Trigger.Include) != 1 || jobs[job.Trigger.Include[0].Job].Extends != ".kiban generate") {
				t.Errorf("%s, %s starts what no job has written: %+v", where, name, job.Trigger)
			}
		}
	}
	if commands < 10 {
		t.Errorf("only %d commands were found", commands)
	}
}

func checkCommand(t *testing.T, where, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " > ")
	line, _, _ = strings.Cut(line, " || ")
	root := newRoot(&app{Streams: Streams{Getenv: func(string) string { return "" }}, services: (&fakeSite{}).services()})
	cmd, args, err := root.Find(strings.Fields(strings.ReplaceAll(line, `"`, ""))[1:])
	if err != nil || cmd == root {
		t.Errorf("%s: %q is no verb of kiban's: %v", where, line, err)
		return
	}
	if err := cmd.ParseFlags(args); err != nil {
		t.Errorf("%s: %q: %v", where, line, err)
	}
	if form := cmd.Flags().Lookup("output"); form != nil && form.Changed && !strings.Contains(form.Usage, form.Value.String()) {
		t.Errorf("%s: %q: %s is no form of it", where, line, form.Value)
	}
}
