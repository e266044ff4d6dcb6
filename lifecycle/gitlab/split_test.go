package gitlab

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// manySites are sites of four waves, of which the later ones wait for one of an earlier.
func manySites(n int) []lifecycle.PipelineSite {
	staging := lifecycle.PipelineSite{Name: "site-0000-tokyo", Wave: 1, Tier: "staging"}
	var out []lifecycle.PipelineSite
	for i := range n {
		s := lifecycle.PipelineSite{Name: fmt.Sprintf("site-%04d-tokyo", i), Wave: 1 + 4*i/n, Tier: "production", Drill: i%2 == 0,
			Rehearse: i%10 == 0, Manual: i%3 == 0}
		if s.Wave > 2 {
			s.From = []lifecycle.PipelineSite{staging}
		}
		out = append(out, s)
	}
	return out
}

func manyPipeline(kind lifecycle.PipelineKind, n int) lifecycle.Pipeline {
	return lifecycle.Pipeline{Kind: kind, Sites: manySites(n), Image: "registry.example.com/kiban:1.0.0", Include: "/.gitlab/kiban.yml",
		Base: "3f2a1c9d5e0123456789012345678901234567ab", Signed: true,
		Again: []string{"kiban", "ci", "generate", string(kind), "--changed-since", "3f2a1c9d5e0123456789012345678901234567ab"}}
}

// TestPipelinesWithinLimits: whatever the number of sites, no file and no pipeline is larger than GitLab takes, each site has its job
// once, waves come one after the other, and there is one note.
func TestPipelinesWithinLimits(t *testing.T) {
	for _, kind := range pipelineKinds {
		for _, n := range []int{0, 1, 20, 200, 1000, 3500} {
			p := manyPipeline(kind, n)
			first, parts, err := Pipelines(p)
			if err != nil {
				t.Fatal(err)
			}
			if again, same, _ := Pipelines(p); again != first || !slices.Equal(parts, same) {
				t.Errorf("%s of %d: the same sites give other bytes", kind, n)
			}
			if len(parts) == 0 && first != Pipeline(p) {
				t.Errorf("%s of %d: what GitLab takes as one is not as it was", kind, n)
			}
			if (n <= 20) != (len(parts) == 0) && (n <= 20 || n >= 1000) {
				t.Errorf("%s of %d: %d parts", kind, n, len(parts))
			}
			files := map[string]string{"": first}
			for _, one := range parts {
				files[one.File] = one.Content
			}
			if len(files) != len(parts)+1 || len(files) > maxDownstream {
				t.Errorf("%s of %d: %d files of %d parts", kind, n, len(files), len(parts))
			}
			var sites []string
			notes := 0
			for name, text := range files {
				jobs, stages := parsedJobs(t, text)
				deploying := 0
				for job, is := range jobs {
					if is["environment"] != nil {
						deploying++
					}
					if !slices.Contains(stages, is["stage"]) {
						t.Errorf("%s of %d, %s: job %s is of stage %v", kind, n, name, job, is["stage"])
					}
					if needs, ok := is["needs"].([]any); ok && len(needs) > 50 {
						t.Errorf("%s: %d needs", job, len(needs))
					}
					if site, ok := strings.CutPrefix(job, string(kind)+":"); ok {
						sites = append(sites, site)
					}
					if job == "note" {
						notes++
					}
				}
				if len(text) > maxFile && name != "" || deploying > maxDeployments {
					t.Errorf("%s of %d, %q: %d bytes, %d jobs with an environment", kind, n, name, len(text), deploying)
				}
			}
			slices.Sort(sites)
			if len(sites) != n || len(slices.Compact(sites)) != n {
				t.Errorf("%s of %d: %d sites have a job", kind, n, len(sites))
			}
			if want := kind == lifecycle.PipelinePlan; (notes == 1) != want || notes > 1 {
				t.Errorf("%s of %d: %d notes", kind, n, notes)
			}
			if len(first) > maxFile || packed(t, parts) > maxArchive {
				t.Errorf("%s of %d: the first has %d bytes, the artifact %d", kind, n, len(first), packed(t, parts))
			}
		}
	}
}

func packed(t *testing.T, parts []lifecycle.PipelinePart) int {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, one := range parts {
		w, err := z.Create(one.File)
		if err == nil {
			_, err = w.Write([]byte(one.Content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}

// TestFirstPipeline: the parts are made by a job of the pipeline that starts them, and a wave's are started when all of the one before
// have succeeded.
func TestFirstPipeline(t *testing.T) {
	first, parts, err := Pipelines(manyPipeline(lifecycle.PipelineApply, 1000))
	if err != nil {
		t.Fatal(err)
	}
	jobs, stages := parsedJobs(t, first)
	if !slices.Equal(stages, []any{"parts", "wave-1", "wave-2", "wave-3", "wave-4"}) {
		t.Errorf("stages %v", stages)
	}
	made := jobs["parts"]
	script := fmt.Sprint(made["script"])
	if !strings.Contains(script, "kiban ci generate apply --changed-since 3f2a1c9d5e") ||
		!strings.Contains(script, "--parts parts --expect ") ||
		!strings.Contains(script, lifecycle.PartsDigest(parts)) || made["interruptible"] != false {
		t.Errorf("%v", made)
	}
	started := 0
	for i, one := range parts {
		job := jobs[fmt.Sprintf("apply %d of %d", i+1, len(parts))]
		trigger, ok := job["trigger"].(map[string]any)
		if !ok || trigger["strategy"] != "depend" || job["needs"] != nil || job["allow_failure"] != nil || job["interruptible"] != false {
			t.Fatalf("part %d: %v", i+1, job)
		}
		include := trigger["include"].([]any)[0].(map[string]any)
		if len(trigger["include"].([]any)) != 1 || include["artifact"] != "parts/"+one.File || include["job"] != "parts" {
			t.Errorf("part %d: %v", i+1, include)
		}
		inner, innerStages := parsedJobs(t, one.Content)
		if !slices.Contains(innerStages, job["stage"]) {
			t.Errorf("part %d of stage %v has the stages %v", i+1, job["stage"], innerStages)
		}
		for name, is := range inner {
			if strings.HasPrefix(name, "apply:") && is["stage"] != job["stage"] {
				t.Errorf("%s of %v is in a part of %v", name, is["stage"], job["stage"])
			}
			if strings.HasPrefix(name, "soak:") && !slices.Equal(innerStages, []any{"soak-" + fmt.Sprint(job["stage"])[5:], job["stage"]}) {
				t.Errorf("%s: stages %v", name, innerStages)
			}
			if _, nested := is["trigger"]; nested {
				t.Errorf("part %d starts pipelines: that is deeper than %d", i+1, maxDepth)
			}
		}
		started++
	}
	if started != len(jobs)-1 {
		t.Errorf("%d parts, %d jobs", started, len(jobs))
	}
	first, parts, err = Pipelines(manyPipeline(lifecycle.PipelinePlan, 1000))
	if err != nil {
		t.Fatal(err)
	}
	jobs, stages = parsedJobs(t, first)
	if note := fmt.Sprint(jobs["note"]["script"]); !slices.Equal(stages, []any{"parts", "plan", "note"}) ||
		!strings.Contains(note, "kiban ci note --plans plans --parts --soak soak --rehearsals rehearsals") ||
		!strings.Contains(note, " site-0999-tokyo") {
		t.Errorf("%v %v", stages, jobs["note"])
	}
	for _, one := range parts {
		inner, innerStages := parsedJobs(t, one.Content)
		if inner["gather"]["when"] != "always" || innerStages[len(innerStages)-1] != "gather" {
			t.Errorf("%v %v", innerStages, inner["gather"])
		}
	}
}

// TestTooManySites: what no number of parts would do is an error, before a pipeline begins that ends in the middle.
func TestTooManySites(t *testing.T) {
	p := lifecycle.Pipeline{Kind: lifecycle.PipelineApply}
	for i := range maxTriggered * 220 {
		p.Sites = append(p.Sites, lifecycle.PipelineSite{Name: fmt.Sprintf("site-%d", i), Wave: 1})
	}
	if _, _, err := Pipelines(p); err == nil || !strings.Contains(lifecycle.AsDiagnostics(err, "")[0].Hint, "KIBAN_SITES") {
		t.Errorf("%v", err)
	}
}

func BenchmarkPipelines(b *testing.B) {
	for _, n := range []int{1, 200, 1000, 3500} {
		p := manyPipeline(lifecycle.PipelineApply, n)
		b.Run(fmt.Sprintf("%d sites", n), func(b *testing.B) {
			for b.Loop() {
				_, parts, err := Pipelines(p)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(parts)), "parts")
			}
		})
	}
}
