package gitlab

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// partsJob is the job that has the parts of a pipeline made, and gatherJob the one that puts together what the jobs of a part left, into
// gathered.
const (
	partsJob  = "parts"
	gatherJob = "gather"
	gathered  = "gathered.tgz"
)

// partsDir is the folder that the parts are made in.
const partsDir = "parts"

// part is a share of a pipeline's sites that GitLab takes as one pipeline.
type part struct {
	stage string
	sites []lifecycle.PipelineSite
	// bytes and deployments are what its jobs come to.
	bytes, deployments int
}

// Pipelines writes a child pipeline of GitLab's: one file where GitLab takes it, which is all of most fleets. A larger one comes in
// parts, in the order of the waves: first has them made again by a job of its own, for a trigger takes files only of jobs of its own
// pipeline, and starts each as a child of its own; the next wave's when all of one have succeeded. The same sites give the same bytes.
func Pipelines(p lifecycle.Pipeline) (first string, parts []lifecycle.PipelinePart, err error) {
	whole := Pipeline(p)
	if len(whole) <= maxFile && deployments(whole) <= maxDeployments {
		return whole, nil, nil
	}
	split := splitSites(p)
	started := map[string]int{}
	for i, one := range split {
		of := p
		of.Sites = one.sites
		parts = append(parts, lifecycle.PipelinePart{File: fmt.Sprintf("%s-%d.yml", p.Kind, i+1), Content: writePart(of)})
		started[one.stage]++
		if started[one.stage] > maxTriggered || len(parts) >= maxDownstream {
			return "", nil, lifecycle.Errorf("", "%s are more than GitLab takes at once", lifecycle.Count(len(p.Sites), "site")).
				Because(fmt.Sprintf("They come to more than %d pipelines in a minute, or %d in all.", maxTriggered, maxDownstream)).
				Try("Run several pipelines, each for some of the sites: with the variable KIBAN_SITES, or --selector.")
		}
	}
	return writeFirst(p, split, parts), parts, nil
}

// stageRoom is how many bytes the names of a part's stages may take.
const stageRoom = 100

func deployments(text string) int { return strings.Count(text, "\n  environment:") }

// splitSites deals out the sites, wave by wave where they are applied, into as few parts as the limits allow in their order.
func splitSites(p lifecycle.Pipeline) []part {
	sites := slices.Clone(p.Sites)
	if p.Kind == lifecycle.PipelineApply {
		slices.SortStableFunc(sites, func(x, y lifecycle.PipelineSite) int { return x.Wave - y.Wave })
	}
	var out []part
	alone := p
	alone.Sites = nil
	head := len(writePart(alone))
	for _, s := range sites {
		stage := string(p.Kind)
		if p.Kind == lifecycle.PipelineApply {
			stage = waveStage(s.Wave)
		}
		alone.Sites = []lifecycle.PipelineSite{s}
		text := writePart(alone) // with its looks, which others of the part may share
		bytes, jobs := len(text)-head, deployments(text)
		if n := len(out); n == 0 || out[n-1].stage != stage || out[n-1].bytes+bytes > maxFile || out[n-1].deployments+jobs > maxDeployments {
			out = append(out, part{stage: stage, bytes: head + stageRoom})
		}
		last := &out[len(out)-1]
		last.sites, last.bytes, last.deployments = append(last.sites, s), last.bytes+bytes, last.deployments+jobs
	}
	return out
}

// writePart writes the pipeline of some of the sites. What plans need for the note is gathered in one file: the note is one of all parts.
func writePart(p lifecycle.Pipeline) string {
	var b strings.Builder
	looks := looksOf(p.Sites)
	writePipelineHead(&b, p, looks, true)
	writeJobs(&b, p, looks)
	if p.Kind == lifecycle.PipelinePlan {
		fmt.Fprintf(&b, `
%s:
  stage: gather
  when: always
  interruptible: true
  script:
    - mkdir -p plans soak rehearsals
    - tar -czf %s plans soak rehearsals
  allow_failure: true
  artifacts:
    when: always
    access: developer
    expire_in: 90 days
    paths: [%[2]s]
`, gatherJob, gathered)
	}
	return b.String()
}

// writeFirst writes the pipeline that has the parts made and starts them.
func writeFirst(p lifecycle.Pipeline, split []part, parts []lifecycle.PipelinePart) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Written by `kiban ci generate %s`: %d sites are more than GitLab takes in one pipeline, so these are %d.\n", p.Kind,
		len(p.Sites), len(parts))
	writeCommon(&b, p)
	stages := []string{partsJob}
	for _, one := range split {
		if !slices.Contains(stages, one.stage) {
			stages = append(stages, one.stage)
		}
	}
	if p.Kind == lifecycle.PipelinePlan {
		stages = append(stages, "note")
	}
	writeStages(&b, p, stages)
	again := lifecycle.ShellWords(append(slices.Clone(p.Again), "--parts", partsDir, "--expect", lifecycle.PartsDigest(parts))...)
	fmt.Fprintf(&b, `
%s:
  stage: %[1]s
  interruptible: %t
  variables: {GIT_DEPTH: "0"}
  script:
    - %s
  artifacts:
    expire_in: 30 days
    paths: [%s/]
`, partsJob, p.Kind != lifecycle.PipelineApply, yamlString(again), partsDir)
	for i, one := range split {
		fmt.Fprintf(&b, `
"%s %d of %d":
  stage: %s
  interruptible: %t
  trigger:
    include:
      - artifact: %s/%s
        job: %s
    strategy: depend
    forward: {pipeline_variables: true}
`, p.Kind, i+1, len(split), one.stage, p.Kind != lifecycle.PipelineApply, partsDir, parts[i].File, partsJob)
	}
	if p.Kind == lifecycle.PipelinePlan {
		writeNoteJob(&b, p, len(looksOf(p.Sites)) > 0, " --parts")
	}
	return b.String()
}
