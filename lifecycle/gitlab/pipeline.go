package gitlab

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Pipeline writes a child pipeline of GitLab's. It has a job at least, whatever the sites: GitLab refuses one without.
func Pipeline(p lifecycle.Pipeline) string {
	var b strings.Builder
	looks := looksOf(p.Sites)
	writePipelineHead(&b, p, looks, false)
	writeJobs(&b, p, looks)
	switch {
	case p.Kind == lifecycle.PipelinePlan:
		writeNoteJob(&b, p, len(looks) > 0, "")
	case len(p.Sites) == 0:
		b.WriteString("\nnothing to do:\n  stage: sites\n  script:\n    - echo 'No site has anything to be done.'\n")
	}
	return b.String()
}

// writeJobs writes the jobs of each site, and those that look at the sites that others wait for.
func writeJobs(b *strings.Builder, p lifecycle.Pipeline, looks []look) {
	for _, l := range looks {
		switch p.Kind {
		case lifecycle.PipelinePlan:
			writeSoakJob(b, l.site, "plan")
		case lifecycle.PipelineApply:
			writeSoakJob(b, l.site, soakStage(l.wave))
		}
	}
	for _, s := range p.Sites {
		switch p.Kind {
		case lifecycle.PipelineApply:
			writeApplyJob(b, s, p.Later)
		case lifecycle.PipelineDrift:
			writeDriftJob(b, s)
		case lifecycle.PipelineBackup:
			writeBackupJob(b, s)
		case lifecycle.PipelinePlan:
			writePlanJob(b, s, p.Signed)
			if s.Rehearse {
				writeRehearseJob(b, s, p.LabImage)
			}
			if p.Signed {
				writeSignJob(b, s)
			}
		}
	}
}

// writePipelineHead writes what the jobs have in common; part says that the pipeline is one of several.
func writePipelineHead(b *strings.Builder, p lifecycle.Pipeline, looks []look, part bool) {
	why := "every site"
	if p.Later {
		why = "each of the sites that may go now"
	}
	if p.Since != "" {
		why = "each of the sites that changed since " + lifecycle.OneLine(p.Since)
	}
	fmt.Fprintf(b, "# Written by `kiban ci generate %s`: a job for %s.\n", p.Kind, why)
	writeCommon(b, p)
	stages := pipelineStages(p, looks)
	if part && p.Kind == lifecycle.PipelinePlan {
		stages[len(stages)-1] = "gather" // the note is another pipeline's
	}
	writeStages(b, p, stages)
}

// writeCommon writes what is included, and when there are jobs.
func writeCommon(b *strings.Builder, p lifecycle.Pipeline) {
	if p.Include != "" {
		fmt.Fprintf(b, "include:\n  - local: %s\n", yamlString(p.Include))
	}
	// Without rules of its own, a child of a merge request's pipeline would have no job: GitLab takes it for one of a branch.
	// What waits to be applied is never given up for a newer commit, whose pipeline counts changes from this one.
	if p.Kind == lifecycle.PipelineApply {
		b.WriteString("workflow:\n  auto_cancel: {on_new_commit: none}\n  rules: [{when: always}]\n")
	} else {
		b.WriteString("workflow:\n  rules: [{when: always}]\n")
	}
}

func writeStages(b *strings.Builder, p lifecycle.Pipeline, stages []string) {
	fmt.Fprintf(b, "stages: [%s]\n", strings.Join(stages, ", "))
	if p.Image != "" {
		fmt.Fprintf(b, "default:\n  image: %s\n", yamlString(p.Image))
	}
}

// look is a look at a site that others wait for, before the first wave that does. The site is of an earlier wave, so it is looked at when
// this pipeline has applied it.
type look struct {
	site lifecycle.PipelineSite
	wave int
}

func looksOf(sites []lifecycle.PipelineSite) []look {
	first := map[string]look{}
	for _, s := range sites {
		for _, from := range s.From {
			if was, seen := first[from.Name]; !seen || s.Wave < was.wave {
				first[from.Name] = look{from, s.Wave}
			}
		}
	}
	var out []look
	for _, s := range first {
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y look) int { return strings.Compare(x.site.Name, y.site.Name) })
	return out
}

// pipelineStages are what a pipeline's jobs stand in, in order: of a wave, each job of the one before has succeeded.
func pipelineStages(p lifecycle.Pipeline, looks []look) []string {
	if p.Kind == lifecycle.PipelinePlan {
		if p.Signed {
			return []string{"plan", "sign", "note"}
		}
		return []string{"plan", "note"}
	}
	if p.Kind == lifecycle.PipelineDrift || p.Kind == lifecycle.PipelineBackup || len(p.Sites) == 0 {
		return []string{"sites"}
	}
	var waves []int
	for _, s := range p.Sites {
		if !slices.Contains(waves, s.Wave) {
			waves = append(waves, s.Wave)
		}
	}
	slices.Sort(waves)
	var out []string
	for _, w := range waves {
		if slices.ContainsFunc(looks, func(s look) bool { return s.wave == w }) {
			out = append(out, soakStage(w))
		}
		out = append(out, waveStage(w))
	}
	return out
}

func waveStage(wave int) string { return fmt.Sprintf("wave-%d", wave) }
func soakStage(wave int) string { return fmt.Sprintf("soak-%d", wave) }

var plainTier = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// environmentOf is GitLab's name for the site: variables can be given to "production/*".
func environmentOf(s lifecycle.PipelineSite) string {
	if s.New {
		return "new/" + s.Name // whatever its label says, nobody has agreed to it
	}
	if plainTier.MatchString(s.Tier) {
		return s.Tier + "/" + s.Name
	}
	return "site/" + s.Name
}

// deploymentTier is the nearest that GitLab knows.
func deploymentTier(tier string) string {
	switch tier {
	case "production", "staging", "testing", "development":
		return tier
	}
	return "other"
}

// yamlString quotes text for YAML, so that it is nothing but text.
func yamlString(s string) string {
	return "'" + strings.ReplaceAll(lifecycle.OneLine(s), "'", "''") + "'"
}
