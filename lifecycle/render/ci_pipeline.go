package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// PipelineKind is what a child pipeline does to its sites.
type PipelineKind string

const (
	// PipelinePlan plans each site and writes the note: for merge requests.
	PipelinePlan PipelineKind = "plan"
	// PipelineApply applies each site, wave after wave, production behind a manual gate: for the main branch.
	PipelineApply PipelineKind = "apply"
	// PipelineDrift plans each site and fails where it is not what the repository declares: for schedules.
	PipelineDrift PipelineKind = "drift"
)

// PipelineSite is a site that gets a job.
type PipelineSite struct {
	Name string
	Wave int
	// Tier is the site's label of that name: "production" waits for somebody to start it.
	Tier string
	// From are the sites that must have run a version before this one takes it (spec.promotion). Each gets a job that looks at it, with its
	// own environment: no job has the keys of two sites.
	From []PipelineSite
}

// PipelineOptions are what the jobs of a child pipeline have in common. A child pipeline inherits nothing from the one that starts it.
type PipelineOptions struct {
	// Image is what the jobs run in; "" leaves it to the runner or to Include.
	Image string
	// Include is a file of the repository that the child pipeline includes: for tags, keys, and what else its jobs need.
	Include string
	// Since is where the sites' changes were counted from, for people.
	Since string
	// Gone are the sites whose overlay was there then: the note tells what becomes of them, which is nothing.
	Gone []string
}

// Pipeline writes a child pipeline of GitLab's. It has a job at least, whatever the sites: GitLab refuses one without.
func Pipeline(kind PipelineKind, sites []PipelineSite, opts PipelineOptions) string {
	var b strings.Builder
	why := "every site"
	if opts.Since != "" {
		why = "each of the sites that changed since " + oneLine(opts.Since)
	}
	fmt.Fprintf(&b, "# Written by `kiban ci generate %s`: a job for %s.\n", kind, why)
	if opts.Include != "" {
		fmt.Fprintf(&b, "include:\n  - local: %s\n", yamlString(opts.Include))
	}
	// Without rules of its own, a child of a merge request's pipeline would have no job: GitLab takes it for one of a branch.
	// What waits to be applied is never given up for a newer commit, whose pipeline counts changes from this one.
	if kind == PipelineApply {
		b.WriteString("workflow:\n  auto_cancel: {on_new_commit: none}\n  rules: [{when: always}]\n")
	} else {
		b.WriteString("workflow:\n  rules: [{when: always}]\n")
	}
	soaks := soakJobs(sites)
	fmt.Fprintf(&b, "stages: [%s]\n", strings.Join(pipelineStages(kind, sites, soaks), ", "))
	if opts.Image != "" {
		fmt.Fprintf(&b, "default:\n  image: %s\n", yamlString(opts.Image))
	}
	for _, s := range soaks {
		switch kind {
		case PipelinePlan:
			soakJob(&b, s.site, "plan")
		case PipelineApply:
			soakJob(&b, s.site, soakStage(s.wave))
		}
	}
	for _, s := range sites {
		switch kind {
		case PipelineApply:
			applyJob(&b, s)
		case PipelineDrift:
			driftJob(&b, s)
		case PipelinePlan:
			planJob(&b, s)
		}
	}
	switch {
	case kind == PipelinePlan:
		noteJob(&b, sites, len(soaks) > 0, opts.Gone)
	case len(sites) == 0:
		b.WriteString("\nnothing to do:\n  stage: sites\n  script:\n    - echo 'No site changes.'\n")
	}
	return b.String()
}

// soak is a look at a site that others wait for, before the first wave that does. The site is of an earlier wave, so it is looked at when
// this pipeline has applied it.
type soak struct {
	site PipelineSite
	wave int
}

func soakJobs(sites []PipelineSite) []soak {
	first := map[string]soak{}
	for _, s := range sites {
		for _, from := range s.From {
			if was, seen := first[from.Name]; !seen || s.Wave < was.wave {
				first[from.Name] = soak{from, s.Wave}
			}
		}
	}
	var out []soak
	for _, s := range first {
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y soak) int { return strings.Compare(x.site.Name, y.site.Name) })
	return out
}

// pipelineStages are what a pipeline's jobs stand in, in order: of a wave, each job of the one before has succeeded.
func pipelineStages(kind PipelineKind, sites []PipelineSite, soaks []soak) []string {
	if kind == PipelinePlan {
		return []string{"plan", "note"}
	}
	if kind == PipelineDrift || len(sites) == 0 {
		return []string{"sites"}
	}
	var waves []int
	for _, s := range sites {
		if !slices.Contains(waves, s.Wave) {
			waves = append(waves, s.Wave)
		}
	}
	slices.Sort(waves)
	var out []string
	for _, w := range waves {
		if slices.ContainsFunc(soaks, func(s soak) bool { return s.wave == w }) {
			out = append(out, soakStage(w))
		}
		out = append(out, waveStage(w))
	}
	return out
}

func waveStage(wave int) string { return fmt.Sprintf("wave-%d", wave) }
func soakStage(wave int) string { return fmt.Sprintf("soak-%d", wave) }

var plainTier = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// environment is GitLab's name for the site: variables can be given to "production/*".
func environment(s PipelineSite) string {
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
	return "'" + strings.ReplaceAll(oneLine(s), "'", "''") + "'"
}
