package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// ciRule is a rule of a job, a workflow or an include, as far as ours use them.
type ciRule struct {
	If            string
	When          string
	Interruptible *bool
	AutoCancel    struct {
		OnNewCommit string `json:"on_new_commit"`
	} `json:"auto_cancel"`
}

// matching gives the first rule that holds, and whether it lets the job be. Without rules it is.
func matching(t *testing.T, rules []ciRule, vars map[string]string) (ciRule, bool) {
	t.Helper()
	for _, r := range rules {
		if holds(t, r.If, vars) {
			return r, r.When != "never"
		}
	}
	return ciRule{}, len(rules) == 0
}

// holds evaluates as much of GitLab's conditions as ours use.
func holds(t *testing.T, condition string, vars map[string]string) bool {
	t.Helper()
	value := func(word string) string {
		if name, is := strings.CutPrefix(word, "$"); is {
			return vars[name]
		}
		return strings.Trim(word, `"`)
	}
	for _, term := range strings.Split(condition, " && ") {
		words := strings.Fields(term)
		ok := false
		switch {
		case len(words) == 1:
			ok = value(words[0]) != ""
		case len(words) == 3 && words[1] == "==":
			ok = value(words[0]) == value(words[2])
		case len(words) == 3 && words[1] == "!=":
			ok = value(words[0]) != value(words[2])
		case len(words) == 3 && words[1] == "=~":
			ok = regexp.MustCompile(strings.Trim(words[2], "/")).MatchString(value(words[0]))
		default:
			t.Fatalf("this test can't read the condition %q", condition)
		}
		if !ok {
			return false
		}
	}
	return true
}

// TestJobsBySource: which jobs this repository's pipeline has for what starts it, and what a newer commit does to them.
func TestJobsBySource(t *testing.T) {
	own, err := os.ReadFile(filepath.Join("..", "..", ".gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	pipelines := pipelinesOfOurs(t)
	var workflow struct {
		Workflow struct{ Rules []ciRule }
		Include  []struct {
			Local string
			Rules []ciRule
		}
	}
	if err := yaml.Unmarshal(own, &workflow); err != nil {
		t.Fatal(err)
	}
	fleet := map[string]string{"KIBAN_EXAMPLE_FLEET": "true"}
	with := func(more ...string) map[string]string {
		vars := map[string]string{"CI_DEFAULT_BRANCH": "main"}
		for _, m := range append([]map[string]string{fleet}, pairs(more)) {
			for k, v := range m {
				vars[k] = v
			}
		}
		return vars
	}
	for name, c := range map[string]struct {
		vars   map[string]string
		want   string
		cancel string
	}{
		"merge request": {with("CI_PIPELINE_SOURCE", "merge_request_event"),
			"build kiban: generate plans kiban: plans kiban: validate lint race test", "interruptible"},
		"merged": {with("CI_PIPELINE_SOURCE", "push", "CI_COMMIT_BRANCH", "main"),
			"build kiban: generate waves kiban: validate kiban: waves lint pages race test", "none"},
		"by hand": {with("CI_PIPELINE_SOURCE", "web", "CI_COMMIT_BRANCH", "main"),
			"build kiban: generate waves kiban: validate kiban: waves lint pages race test", "none"},
		"schedule": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "main"), "kiban: drift kiban: generate drift", "none"},
		"collecting": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "main", "KIBAN_COLLECT", "true"),
			"kiban: collect", "none"},
		"collecting, with pages": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "main", "KIBAN_COLLECT", "true",
			"KIBAN_PAGES", "true"), "kiban: collect kiban: pages", "none"},
		"going": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "main", "KIBAN_GO", "true"),
			"kiban: collect kiban: generate go kiban: go", "none"},
		"going, and collecting with pages": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "main", "KIBAN_GO", "true",
			"KIBAN_COLLECT", "true", "KIBAN_PAGES", "true"), "kiban: collect kiban: generate go kiban: go kiban: pages", "none"},
		"going, on another branch": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "wip", "KIBAN_GO", "true"), "", "none"},
		"Renovate's schedule": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "main", "RENOVATE", "true"),
			"renovate", "none"},
		"tag":          {with("CI_PIPELINE_SOURCE", "push", "CI_COMMIT_TAG", "v1.0.0"), "build lint race release test", ""},
		"other branch": {with("CI_PIPELINE_SOURCE", "push", "CI_COMMIT_BRANCH", "wip"), "", ""},
		"no fleet, merged": {with("CI_PIPELINE_SOURCE", "push", "CI_COMMIT_BRANCH", "main", "KIBAN_EXAMPLE_FLEET", ""),
			"build lint pages race test", "none"},
		"no fleet, schedule": {with("CI_PIPELINE_SOURCE", "schedule", "CI_COMMIT_BRANCH", "main", "KIBAN_EXAMPLE_FLEET", ""), "", ""},
	} {
		var got []string
		rule, runs := matching(t, workflow.Workflow.Rules, c.vars)
		if runs {
			got = append(got, jobsNow(t, string(own), c.vars)...)
			for _, inc := range workflow.Include {
				if _, taken := matching(t, inc.Rules, c.vars); taken {
					got = append(got, jobsNow(t, pipelines[filepath.Base(filepath.Dir(inc.Local))], c.vars)...)
				}
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, strings.Join(got, " "), c.want)
		}
		if runs && rule.AutoCancel.OnNewCommit != c.cancel {
			t.Errorf("%s: a newer commit cancels %q, want %q", name, rule.AutoCancel.OnNewCommit, c.cancel)
		}
	}
}

// TestMainIsNotInterrupted: also where the fleet's workflow says nothing of newer commits, a main pipeline that has begun goes on.
func TestMainIsNotInterrupted(t *testing.T) {
	vars := map[string]string{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
	text := pipelinesOfOurs(t)["fleet"]
	var doc map[string]struct {
		Interruptible bool
		Rules         []ciRule
	}
	_, jobs, _ := strings.Cut(text, "\n\n") // the list of stages is none
	if err := yaml.Unmarshal([]byte(jobs), &doc); err != nil {
		t.Fatal(err)
	}
	for _, name := range jobsNow(t, text, vars) {
		rule, _ := matching(t, doc[name].Rules, vars)
		if now := rule.Interruptible; now == nil && doc[name].Interruptible || now != nil && *now {
			t.Errorf("%s is given up for a newer commit", name)
		}
	}
}

func pairs(words []string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(words); i += 2 {
		out[words[i]] = words[i+1]
	}
	return out
}

// jobsNow are the jobs of a file that a pipeline with these variables has.
func jobsNow(t *testing.T, text string, vars map[string]string) (names []string) {
	t.Helper()
	jobs := jobsIn(t, text)
	for name, job := range jobs {
		rules := job.Rules
		if rules == nil {
			rules = jobs[job.Extends].Rules
		}
		if _, there := matching(t, rules, vars); there && !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names
}
