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
}

// PipelineOptions are what the jobs of a child pipeline have in common. A child pipeline inherits nothing from the one that starts it.
type PipelineOptions struct {
	// Image is what the jobs run in; "" leaves it to the runner or to Include.
	Image string
	// Include is a file of the repository that the child pipeline includes: for tags, keys, and what else its jobs need.
	Include string
	// Since is where the sites' changes were counted from, for people.
	Since string
}

// Pipeline writes a child pipeline of GitLab's. It has a job at least, whatever the sites: GitLab refuses one without.
func Pipeline(kind PipelineKind, sites []PipelineSite, opts PipelineOptions) string {
	var b strings.Builder
	why := "all sites"
	if opts.Since != "" {
		why = "the sites that changed since " + oneLine(opts.Since)
	}
	fmt.Fprintf(&b, "# Written by `kiban ci generate %s`: a job for each of %s.\n", kind, why)
	if opts.Include != "" {
		fmt.Fprintf(&b, "include:\n  - local: %s\n", yamlString(opts.Include))
	}
	fmt.Fprintf(&b, "stages: [%s]\n", strings.Join(pipelineStages(kind, sites), ", "))
	if opts.Image != "" {
		fmt.Fprintf(&b, "default:\n  image: %s\n", yamlString(opts.Image))
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
		noteJob(&b, sites)
	case len(sites) == 0:
		b.WriteString("\nnothing to do:\n  stage: sites\n  script:\n    - echo 'No site changes.'\n")
	}
	return b.String()
}

func pipelineStages(kind PipelineKind, sites []PipelineSite) []string {
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
		out = append(out, waveStage(w))
	}
	return out
}

func waveStage(wave int) string { return fmt.Sprintf("wave-%d", wave) }

// planJob leaves a plan, of which the note is made, and its counts. A gate that blocks now may not block when the change is merged, so it warns.
func planJob(b *strings.Builder, s PipelineSite) {
	fmt.Fprintf(b, `
"plan:%[1]s":
  stage: plan
  interruptible: true
  environment: {name: %[2]s, action: prepare}
  script:
    - mkdir -p plans reports
    - kiban plan %[1]s -o json --report reports/%[1]s.json > plans/%[1]s.json
  allow_failure: {exit_codes: [3]}
  artifacts:
    when: always
    access: developer
    expire_in: 30 days
    paths: [plans/]
    reports: {terraform: reports/%[1]s.json}
`, s.Name, yamlString(environment(s)))
}

// noteJob runs also when plans failed, and tells of them. A note that could not be written stops nobody: the plans are there.
func noteJob(b *strings.Builder, sites []PipelineSite) {
	names := ""
	for _, s := range sites {
		names += " " + s.Name
	}
	fmt.Fprintf(b, `
note:
  stage: note
  when: always
  interruptible: true
  script:
    - mkdir -p plans
    - kiban ci note --plans plans%s
  allow_failure: true
`, names)
}

// applyJob is never cut off by a newer pipeline, and runs alone on its site. A wave begins when each job of the one before has succeeded, those
// that wait for somebody included.
func applyJob(b *strings.Builder, s PipelineSite) {
	fmt.Fprintf(b, `
"apply:%[1]s":
  stage: %[2]s
  interruptible: false
  retry: 0
  timeout: 6h
  resource_group: kiban/%[1]s
  environment: {name: %[3]s, deployment_tier: %[4]s, action: start}
  script:
    - kiban apply %[1]s --yes --lock-timeout 30m
  after_script:
    - kiban show latest --site %[1]s -o html > timeline-%[1]s.html || true
  artifacts:
    when: always
    access: developer
    expire_in: 1 year
    paths: [.kiban/runs/, timeline-%[1]s.html]
`, s.Name, waveStage(s.Wave), yamlString(environment(s)), deploymentTier(s.Tier))
	if s.Tier == "production" {
		fmt.Fprintf(b, "  when: manual\n  allow_failure: false\n  manual_confirmation: %s\n", yamlString("Apply to "+s.Name+"?"))
	}
}

func driftJob(b *strings.Builder, s PipelineSite) {
	fmt.Fprintf(b, `
"drift:%[1]s":
  stage: sites
  interruptible: true
  environment: {name: %[2]s, action: verify}
  script:
    - kiban plan %[1]s --detailed-exitcode
`, s.Name, yamlString(environment(s)))
}

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
