package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func itoa(n int) string { return strconv.Itoa(n) }

// TestResults: what gitlab-ci-local says of jobs, of which one failed, one may, and one failed after its script.
func TestResults(t *testing.T) {
	said := `plan:lab starting shell (plan)
plan:lab $ echo finished in 3 s
plan:lab > note finished in 2 s  FAIL 1
plan:lab finished in 80 ms  WARN 3
plan:lab finished in 90 ms  FAIL 9
kiban: validate finished in 1.2 s
apply:lab finished in 1 min 2 s  FAIL 4
pipeline finished in 695 ms
`
	r := &runner{}
	got, failed := r.results(ciFile{dir: t.TempDir()}, said,
		[]string{"plan:lab", "note", "kiban: validate", "apply:lab", "pipeline of others"})
	codes := map[string]int{}
	for name, j := range got {
		codes[name] = j.Code
	}
	if !failed || len(codes) != 3 || codes["plan:lab"] != 3 || codes["kiban: validate"] != 0 || codes["apply:lab"] != 4 {
		t.Errorf("failed %t, %v", failed, codes)
	}
	if _, failed := r.results(ciFile{}, "a finished in 1 s\n", []string{"a"}); failed {
		t.Error("a job that succeeded failed")
	}
}

func TestSafeName(t *testing.T) {
	for job, want := range map[string]string{"plan:a": "planOga", "note": "note", "kiban: validate": "kibanOiAvalidate"} {
		if got := safeName(job); got != want {
			t.Errorf("%s: %s, not %s", job, got, want)
		}
	}
}

func TestTolerance(t *testing.T) {
	for text, want := range map[string][]int{`false`: nil, `true`: {0, 1, 3}, `{"exit_codes":3}`: {3}, `{"exit_codes":[1,3]}`: {1, 3}} {
		var tol tolerance
		if err := json.Unmarshal([]byte(text), &tol); err != nil {
			t.Fatal(err)
		}
		for _, code := range []int{1, 3} {
			if tol.accepts(code) != slices.Contains(want, code) {
				t.Errorf("%s: %d is accepted: %t", text, code, tol.accepts(code))
			}
		}
	}
}

// TestStatus: as GitLab counts. gitlab-ci-local would call a pipeline whose child failed successful.
func TestStatus(t *testing.T) {
	with := func(code int, specs ...jobSpec) *pipeline {
		return &pipeline{pipelineRecord: &pipelineRecord{}, specs: specs, results: map[string]jobResult{"a": {Name: "a", Code: code}}}
	}
	a, manual := jobSpec{Name: "a"}, jobSpec{Name: "b", When: "manual"}
	for _, tt := range []struct {
		l    *pipeline
		want string
	}{
		{with(0, a), "success"},
		{with(4, a), "failed"},
		{with(3, jobSpec{Name: "a", failing: tolerance{codes: []int{3}}}), "success"},
		{with(0, a, manual), "manual"},
		{with(0, a, jobSpec{Name: "b", When: "manual", failing: tolerance{any: true}}), "success"},
		{&pipeline{pipelineRecord: &pipelineRecord{}, children: []*pipeline{with(4, a)}}, "failed"},
	} {
		if got := tt.l.status(); got != tt.want {
			t.Errorf("%+v: %s, not %s", tt.l.specs, got, tt.want)
		}
	}
	if err := with(4, a).want("success"); err == nil || !strings.Contains(err.Error(), "a, exit code 4") {
		t.Errorf("got %v, which does not name the job", err)
	}
}

func events(lines ...string) []journalEvent {
	var out []journalEvent
	for _, l := range lines {
		target, action, _ := strings.Cut(l, "/")
		kinds := []string{"started", "finished"}
		if rest, begins := strings.CutPrefix(action, "+"); begins {
			action, kinds = rest, kinds[:1]
		} else if rest, ends := strings.CutPrefix(action, "-"); ends {
			action, kinds = rest, kinds[1:]
		}
		for _, k := range kinds {
			out = append(out, journalEvent{Kind: k, Step: target + "/" + action, Target: target, Action: action})
		}
	}
	return out
}

func TestRollout(t *testing.T) {
	controllers := []string{"controller-1/upgrade", "controller-2/upgrade", "controller-3/upgrade"}
	worker := func(name string) []string {
		return []string{name + "/cordon", name + "/drain", name + "/upgrade", name + "/uncordon", name + "/forget-former"}
	}
	well := slices.Concat(controllers, worker("worker-1"), worker("worker-2"), worker("worker-3"), worker("worker-4"))
	order, err := rollout(events(well...))
	if err != nil || order != "controller-1, controller-2, controller-3, worker-1, worker-2, worker-3, worker-4" {
		t.Errorf("%q, %v", order, err)
	}
	for name, bad := range map[string][]string{
		"two controllers at once": slices.Concat([]string{"controller-1/+upgrade", "controller-2/upgrade", "controller-1/-upgrade",
			"controller-3/upgrade"}, well[3:]),
		"a worker too early": slices.Concat([]string{"controller-1/upgrade", "controller-2/upgrade", "controller-3/+upgrade"},
			worker("worker-1"), []string{"controller-3/-upgrade"}, well[8:]),
		"three workers at once": slices.Concat(controllers, []string{"worker-1/cordon", "worker-2/cordon", "worker-3/cordon"},
			worker("worker-4")),
		"not drained":  slices.DeleteFunc(slices.Clone(well), func(s string) bool { return s == "worker-2/drain" }),
		"not returned": slices.DeleteFunc(slices.Clone(well), func(s string) bool { return s == "worker-4/uncordon" }),
		"one left out": well[:len(well)-5],
	} {
		if order, err := rollout(events(bad...)); err == nil {
			t.Errorf("%s: %s is taken for good", name, order)
		}
	}
}

func TestLeaks(t *testing.T) {
	tree := fstest.MapFS{
		"variables.yml":             {Data: []byte("TOKEN: " + apiToken)},
		"pipelines/1/output/a.log":  {Data: []byte("done")},
		"fleet/.git/config":         {Data: []byte("x")},
		"lab/machines/w/etc/passwd": {Data: []byte("x")},
	}
	if _, err := leaks(tree, []string{apiToken}, []string{"a note"}); err != nil {
		t.Error(err)
	}
	if _, err := leaks(tree, []string{apiToken}, []string{"see " + apiToken}); err == nil {
		t.Error("a note with the token is taken for good")
	}
	tree["pipelines/1/output/b.log"] = &fstest.MapFile{Data: []byte("+ curl -H " + apiToken)}
	if _, err := leaks(tree, []string{apiToken}, nil); err == nil || !strings.Contains(err.Error(), "b.log") {
		t.Errorf("got %v", err)
	}
}

// TestNetsAreHeld: two trials at once get two nets.
func TestNetsAreHeld(t *testing.T) {
	one, hold, err := freeNet("", "237")
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	two, second, err := freeNet("", "237")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if one == two {
		t.Errorf("both have %s", one)
	}
	if _, _, err := freeNet(one, "237"); err == nil {
		t.Errorf("%s is given away twice", one)
	}
}
