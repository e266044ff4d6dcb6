package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/gitlab"
)

// pipelineJob is as much of a job as these tests look at.
type pipelineJob struct {
	Stage   string            `json:"stage"`
	Extends string            `json:"extends"`
	Script  []string          `json:"script"`
	After   []string          `json:"after_script"`
	Needs   []string          `json:"needs"`
	Rules   []ciRule          `json:"rules"`
	Vars    map[string]string `json:"variables"`
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
		if name == "stages" || name == "default" || name == "include" || name == "workflow" || name == "variables" {
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

// pipelinesOfOurs are all that this repository gives to fleets: the components, and the child pipelines of sites that wait for one another.
func pipelinesOfOurs(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, name := range []string{"fleet", "renovate"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "templates", name, "template.yml"))
		if err != nil {
			t.Fatal(err)
		}
		_, texts[name], _ = strings.Cut(string(b), "\n---\n")
	}
	lab := lifecycle.PipelineSite{Name: "lab", Tier: "staging"}
	sites := []lifecycle.PipelineSite{lab, {Name: "far", Wave: 1, Tier: "production", From: []lifecycle.PipelineSite{lab}}}
	for _, kind := range []lifecycle.PipelineKind{lifecycle.PipelinePlan, lifecycle.PipelineApply, lifecycle.PipelineDrift} {
		texts[string(kind)] = gitlab.Pipeline(lifecycle.Pipeline{Kind: kind, Sites: sites, Gone: []string{"oslo"}})
	}
	sites[1].Brought = strings.Repeat("c0ffee00", 5)
	texts["later"] = gitlab.Pipeline(lifecycle.Pipeline{Kind: lifecycle.PipelineApply, Sites: sites, Later: true})
	return texts
}

// TestPipelinesSayWhatKibanKnows: every command of kiban's in a pipeline of ours is a verb with its flags.
func TestPipelinesSayWhatKibanKnows(t *testing.T) {
	commands := 0
	for where, text := range pipelinesOfOurs(t) {
		jobs := jobsIn(t, text)
		for name, job := range jobs {
			for _, line := range append(job.Script, job.After...) {
				for _, command := range kibanCommands(line) {
					commands++
					checkCommand(t, where+", "+name, command)
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
	if commands < 25 {
		t.Errorf("only %d commands were found", commands)
	}
}

var (
	commandAhead = regexp.MustCompile(`(^|\|\| |; |\) )kiban `)
	commandEnd   = regexp.MustCompile(` (>|2>|\|\||;;)( |$)`)
	shellDefault = regexp.MustCompile(`\$\{[^}]*\}`)
)

// kibanCommands are the commands of kiban's in a line of a script.
func kibanCommands(line string) []string {
	var out []string
	for _, at := range commandAhead.FindAllStringIndex(line, -1) {
		command := line[at[1]-len("kiban "):]
		if end := commandEnd.FindStringIndex(command); end != nil {
			command = command[:end[0]]
		}
		out = append(out, shellDefault.ReplaceAllString(command, "$$X"))
	}
	return out
}

func checkCommand(t *testing.T, where, line string) {
	t.Helper()
	root := newRoot(&app{Streams: Streams{Getenv: func(string) string { return "" }}, services: (&fakeSite{}).services()})
	cmd, args, err := root.Find(strings.Fields(strings.ReplaceAll(line, `"`, ""))[1:])
	if err != nil || cmd == root || cmd.HasSubCommands() {
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

// runScript runs a job's script as runners do, by each of the shells that they start and that are here. kiban is a stand-in that fails as
// codes say, by the beginning of its arguments, and writes down what it was asked.
func runScript(t *testing.T, lines []string, env []string, codes map[string]int) (code int, asked string) {
	t.Helper()
	var ran []string
	for _, shell := range [][]string{{"sh", "-e"}, {"busybox", "sh", "-e"}, {"bash", "-e", "-o", "pipefail"}} {
		path, err := exec.LookPath(shell[0])
		if err != nil {
			continue
		}
		c, a := runScriptBy(t, append([]string{path}, shell[1:]...), lines, env, codes)
		if len(ran) > 0 && (c != code || a != asked) {
			t.Errorf("%v does otherwise than %v: exit code %d, asked\n%s", shell, ran, c, a)
		}
		code, asked, ran = c, a, shell
	}
	if len(ran) == 0 {
		t.Skip("there is no shell here")
	}
	return code, asked
}

func runScriptBy(t *testing.T, shell, lines, env []string, codes map[string]int) (code int, asked string) {
	t.Helper()
	dir := t.TempDir()
	fake := "#!/bin/sh\necho \"$*\" >> asked\ncase \"$*\" in\n"
	for args, code := range codes {
		fake += fmt.Sprintf("\"%s\"*) exit %d ;;\n", args, code)
	}
	if err := os.WriteFile(filepath.Join(dir, "kiban"), []byte(fake+"esac\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(shell[0], append(shell[1:], "-c", strings.Join(lines, "\n"))...)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=" + dir + ":" + os.Getenv("PATH")}, env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil {
		t.Fatalf("kiban was not asked anything: %v\n%s", err, out)
	}
	return cmd.ProcessState.ExitCode(), string(b)
}

// TestDriftJob: it ends as the plan does, and every look is had in spite of what the one before has found.
func TestDriftJob(t *testing.T) {
	script := jobsIn(t, pipelinesOfOurs(t)["drift"])["drift:lab"].Script
	for _, c := range []struct {
		plan, soak, tell, want int
	}{
		{plan: 0, want: 0},
		{plan: 2, want: 2},
		{plan: 2, soak: 1, want: 2},
		{plan: 1, want: 1},
		{plan: 3, want: 3},
		{plan: 0, soak: 1, want: 1},
		{plan: 2, tell: 1, want: 2},
		{plan: 0, tell: 1, want: 0},
	} {
		code, asked := runScript(t, script, nil, map[string]int{"plan lab": c.plan, "ci soak lab": c.soak, "ci tell lab": c.tell})
		if code != c.want || !strings.Contains(asked, "ci tell lab drift --plan plans/lab.json") ||
			!strings.Contains(asked, "ci soak lab --record") {
			t.Errorf("%+v: exit code %d, asked\n%s", c, code, asked)
		}
		if shown := strings.Contains(asked, "ci note --plans plans --print"); shown != (c.plan == 2) {
			t.Errorf("%+v: the log shows the drift: %v", c, shown)
		}
	}
}

// TestApplyJob: nothing is applied that the gate stops or whose review can't be looked up, and a message that can't be sent stops nothing.
func TestApplyJob(t *testing.T) {
	script := jobsIn(t, pipelinesOfOurs(t)["apply"])["apply:far"].Script
	for name, c := range map[string]struct {
		codes   map[string]int
		want    int
		applied bool
	}{
		"well":            {nil, 0, true},
		"nobody listens":  {map[string]int{"ci tell far": 1}, 0, true},
		"not soaked":      {map[string]int{"ci gate far": 3}, 3, false},
		"no token":        {map[string]int{"ci reviewed far": 1}, 1, false},
		"not as reviewed": {map[string]int{"apply far": 4}, 4, true},
	} {
		code, asked := runScript(t, script, []string{"KIBAN_ACCEPT_CHANGES=3f2a1c9d5e0b"}, c.codes)
		applied := strings.Contains(asked,
			"apply far --yes --lock-timeout 30m --reviewed reviewed/far.json --accept-changes 3f2a1c9d5e0b --result result-far.json\n")
		if code != c.want || applied != c.applied {
			t.Errorf("%s: exit code %d, asked\n%s", name, code, asked)
		}
	}
}

// TestGenerateJobs: the template's own lines, by a shell: a pipeline of a merged result counts from the branch that it was merged into,
// and sites are named by whoever runs a pipeline by hand.
func TestGenerateJobs(t *testing.T) {
	jobs := jobsIn(t, strings.NewReplacer("$[[ inputs.image ]]", "kiban:1", "$[[ inputs.include ]]", "").Replace(pipelinesOfOurs(t)["fleet"]))
	for _, c := range []struct {
		job  string
		env  []string
		want string
	}{
		{"kiban: generate plans", []string{"CI_MERGE_REQUEST_DIFF_BASE_SHA=aa"},
			"ci generate plan --changed-since aa --image kiban:1 --include \n"},
		{"kiban: generate plans", []string{"CI_MERGE_REQUEST_DIFF_BASE_SHA=aa", "CI_MERGE_REQUEST_TARGET_BRANCH_SHA=bb"},
			"ci generate plan --changed-since bb --image kiban:1 --include \n"},
		{"kiban: generate waves", []string{"CI_COMMIT_BEFORE_SHA=cc"}, "ci generate apply --changed-since cc --image kiban:1 --include  --\n"},
		{"kiban: generate waves", []string{"CI_COMMIT_BEFORE_SHA=00", "KIBAN_SITES=lab far"},
			"ci generate apply --changed-since 00 --image kiban:1 --include  -- lab far\n"},
		{"kiban: generate drift", nil, "ci generate drift --image kiban:1 --include  --\n"},
		{"kiban: generate backups", []string{"KIBAN_SITES=lab"}, "ci generate backup --image kiban:1 --include  -- lab\n"},
		{"kiban: collect", nil, "fleet collect --out collected --prune --\n"},
		{"kiban: collect", []string{"KIBAN_SITES=lab far"}, "fleet collect --out collected --prune -- lab far\n"},
		{"kiban: generate go", []string{"KIBAN_SITES=lab"},
			"ci generate apply --may-go --from collected --image kiban:1 --include  -- lab\n"},
	} {
		if code, asked := runScript(t, jobs[c.job].Script, c.env, nil); code != 0 || asked != c.want {
			t.Errorf("%s with %v: exit code %d, asked %q, want %q", c.job, c.env, code, asked, c.want)
		}
	}
}

// TestFleetOfOurs: this repository's own pipeline takes both components, and leaves them alone where no variable asks for them.
func TestFleetOfOurs(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", ".gitlab-ci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Stages  []string `json:"stages"`
		Include []struct {
			Local  string            `json:"local"`
			Inputs map[string]string `json:"inputs"`
			Rules  []struct{ If string }
		} `json:"include"`
	}
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Include) != 2 {
		t.Fatalf("it includes %+v", doc.Include)
	}
	for _, inc := range doc.Include {
		if len(inc.Rules) != 1 || inc.Rules[0].If != `$KIBAN_EXAMPLE_FLEET == "true"` {
			t.Errorf("%s is included where nobody asks for it: %+v", inc.Local, inc.Rules)
		}
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(inc.Local)))
		if err != nil {
			t.Fatal(err)
		}
		spec, body, _ := strings.Cut(string(text), "\n---\n")
		var head struct {
			Spec struct {
				Inputs map[string]struct{ Default *string }
			}
		}
		if err := yaml.Unmarshal([]byte(spec), &head); err != nil {
			t.Fatal(err)
		}
		stage := ""
		for name, input := range head.Spec.Inputs {
			if _, given := inc.Inputs[name]; !given && input.Default == nil {
				t.Errorf("%s is not given its input %s", inc.Local, name)
			}
			if name == "stage" {
				stage = *input.Default
			}
		}
		for name, job := range jobsIn(t, body) {
			if want := strings.ReplaceAll(job.Stage, "$[[ inputs.stage ]]", stage); want != "" &&
				!strings.Contains(" "+strings.Join(doc.Stages, " ")+" ", " "+want+" ") {
				t.Errorf("%s is of stage %s, which is not among %v", name, want, doc.Stages)
			}
		}
	}
}

// TestChildIsWrittenBefore: what starts a child pipeline is of a later stage than the job that wrote it, and nothing needs what comes
// later.
func TestChildIsWrittenBefore(t *testing.T) {
	text := pipelinesOfOurs(t)["fleet"]
	var doc struct {
		Stages []string `json:"stages"`
	}
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	jobs, started := jobsIn(t, text), 0
	stage := func(name string) int {
		j := jobs[name]
		if j.Stage == "" {
			j.Stage = jobs[j.Extends].Stage
		}
		return slices.Index(doc.Stages, j.Stage)
	}
	for name, job := range jobs {
		for _, need := range job.Needs {
			if stage(need) > stage(name) {
				t.Errorf("%s needs %s, which is of a later stage", name, need)
			}
		}
		if job.Trigger == nil {
			continue
		}
		if started++; stage(job.Trigger.Include[0].Job) >= stage(name) {
			t.Errorf("%s starts what %s writes, which is not of an earlier stage", name, job.Trigger.Include[0].Job)
		}
	}
	if started < 5 {
		t.Errorf("only %d jobs start a child", started)
	}
}
