package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/review"
	"kiban.dev/kiban/lifecycle/session"
)

const mergeRequestURL = "https://gitlab.example/fleet/-/merge_requests/42"

// clusterPlan is a plan for a cluster that is there.
func clusterPlan(steps ...string) lifecycle.Plan {
	p := planOf("f", steps...)
	p.ClusterUID = "uid"
	return p
}

// keepReviewed puts a reviewed plan where apply finds it.
func keepReviewed(t *testing.T, plan lifecycle.Plan) string {
	t.Helper()
	b, err := json.Marshal(lifecycle.ReviewedPlan{Kind: lifecycle.ReviewedPlanKind, Where: mergeRequestURL, Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "lab.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// told reads the result that a verb wrote.
func told(t *testing.T, file string) (o lifecycle.Outcome) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err != nil || o.Format != lifecycle.OutcomeFormat || o.Site != "lab" || o.Began.IsZero() || o.Ended.Before(o.Began) {
		t.Errorf("%v: %s", err, b)
	}
	return o
}

func TestApplyWhatWasReviewed(t *testing.T) {
	reviewed := clusterPlan("worker-1/cordon", "worker-1/upgrade", "worker-1/uncordon", "worker-2/upgrade")
	changed, empty, left := clusterPlan("worker-2/upgrade"), clusterPlan(), clusterPlan("worker-1/uncordon", "worker-2/upgrade")
	more := clusterPlan("worker-1/uncordon", "worker-2/upgrade", "worker-3/reset")
	begun := lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: "20261121-220000-aaaaaa", Result: lifecycle.RunUnended,
		Review: &lifecycle.Review{Plan: reviewed.Meaning()}}
	done := begun
	done.Result = lifecycle.RunDone
	acceptedRun := begun
	acceptedRun.Review = &lifecycle.Review{Plan: reviewed.Meaning(), Accepted: []string{"+ worker-3/reset: because"},
		AcceptedID: "0123456789ab"}
	afresh := acceptedRun
	afresh.Review = &lifecycle.Review{Plan: reviewed.Meaning(), Accepted: []string{"+ worker-9/reset: because"}, AcceptedID: "0123456789ab"}
	for name, tt := range map[string]struct {
		plans    []lifecycle.Plan
		runs     []lifecycle.RunRecord
		unread   bool // nobody has reviewed one
		accept   string
		code     int
		applied  int
		kind     lifecycle.OutcomeKind
		says     []string
		accepted []string
	}{
		"the same": {plans: []lifecycle.Plan{reviewed}, applied: 1, kind: lifecycle.OutcomeDone},
		"the same, and something is accepted": {plans: []lifecycle.Plan{reviewed}, accept: "0123456789ab", applied: 1,
			kind: lifecycle.OutcomeDone},
		"nothing":                           {plans: []lifecycle.Plan{empty}, kind: lifecycle.OutcomeUnchanged},
		"nothing, and nobody reviewed that": {plans: []lifecycle.Plan{empty}, unread: true, kind: lifecycle.OutcomeUnchanged},
		"nobody has reviewed one": {plans: []lifecycle.Plan{reviewed}, unread: true, code: exitStale, kind: lifecycle.OutcomeStale,
			says: []string{"nobody has reviewed what would be done", "+ worker-1/upgrade: because", "--accept-changes " + review.ID(reviewed)}},
		"nobody has reviewed one, and it is accepted": {plans: []lifecycle.Plan{reviewed}, unread: true, accept: review.ID(reviewed), applied: 1,
			kind: lifecycle.OutcomeDone,
			accepted: []string{"+ worker-1/cordon: because", "+ worker-1/upgrade: because", "+ worker-1/uncordon: because",
				"+ worker-2/upgrade: because"}},
		"changed by hand": {plans: []lifecycle.Plan{changed}, code: exitStale, kind: lifecycle.OutcomeStale,
			says: []string{"What was reviewed is the plan of " + mergeRequestURL, "what would be done is not what was reviewed",
				"- worker-1/upgrade: because", "--accept-changes " + review.ID(changed)}},
		"changed by hand, and accepted": {plans: []lifecycle.Plan{changed}, accept: review.ID(changed), applied: 1, kind: lifecycle.OutcomeDone,
			says:     []string{"Accepted, although it is not what was reviewed"},
			accepted: []string{"- worker-1/cordon: because", "- worker-1/upgrade: because", "- worker-1/uncordon: because"}},
		"changed by hand, and another is accepted": {plans: []lifecycle.Plan{changed}, accept: review.ID(more), code: exitStale,
			kind: lifecycle.OutcomeStale,
			says: []string{"is not about this plan, whose id is " + review.ID(changed)}},
		"cut off": {plans: []lifecycle.Plan{left}, runs: []lifecycle.RunRecord{begun}, applied: 1, kind: lifecycle.OutcomeDone,
			says: []string{"what is left of the plan that was reviewed"}},
		"cut off, and another machine": {plans: []lifecycle.Plan{more}, runs: []lifecycle.RunRecord{begun}, code: exitStale,
			kind: lifecycle.OutcomeStale,
			says: []string{"+ worker-3/reset: because"}},
		"done before, and changed since": {plans: []lifecycle.Plan{left}, runs: []lifecycle.RunRecord{done}, code: exitStale,
			kind: lifecycle.OutcomeStale},
		"accepted, and cut off": {plans: []lifecycle.Plan{more}, runs: []lifecycle.RunRecord{acceptedRun}, accept: "0123456789ab", applied: 1,
			kind:     lifecycle.OutcomeDone,
			accepted: []string{"+ worker-3/reset: because"}},
		"something else accepted, and cut off": {plans: []lifecycle.Plan{more}, runs: []lifecycle.RunRecord{afresh}, accept: "0123456789ab",
			code: exitStale, kind: lifecycle.OutcomeStale},
		"changed while the lock was waited for": {plans: []lifecycle.Plan{reviewed, changed}, code: exitStale, kind: lifecycle.OutcomeStale,
			says: []string{"The site has changed since the plan above was made", "what would be done is not what was reviewed"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeSite{plans: tt.plans, runs: tt.runs}
			var review *lifecycle.Review
			f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
				review = run.Review
				f.plans = []lifecycle.Plan{empty}
				return run.Sink(lifecycle.Event{Format: lifecycle.EventFormat, Run: run.ID, Kind: lifecycle.EventSummary, Message: "4 of 4 steps done"})
			}
			file, fleet, result := keepReviewed(t, reviewed), t.TempDir(), filepath.Join(t.TempDir(), "result.json")
			if tt.unread {
				file = filepath.Join(fleet, "none.json")
			}
			r := f.kiban(t, fleet, nil, "apply", "lab", "--yes", "--reviewed", file, "--accept-changes", tt.accept, "--result", result)
			if r.code != tt.code || len(f.applied) != tt.applied {
				t.Fatalf("exit %d and %d applied, want %d and %d:\n%s", r.code, len(f.applied), tt.code, tt.applied, r.err)
			}
			for _, want := range tt.says {
				if !strings.Contains(r.err, want) {
					t.Errorf("does not say %q:\n%s", want, r.err)
				}
			}
			if strings.Count(r.err, "Accepted, although") > 1 || strings.Count(r.err, "what is left of the plan") > 1 {
				t.Errorf("says it twice:\n%s", r.err)
			}
			o := told(t, result)
			if o.Kind != tt.kind || o.ExitCode != tt.code || o.Message == "" || o.Plan == "" || (o.Run != "") != (tt.applied > 0) {
				t.Errorf("the result: %+v", o)
			}
			if tt.code == exitStale && (len(o.Diagnostics) != 1 || o.Diagnostics[0].Summary != o.Message) {
				t.Errorf("the result says %q, and found %v", o.Message, o.Diagnostics)
			}
			if tt.applied == 0 {
				return
			}
			if review == nil || !slices.Equal(review.Accepted, tt.accepted) || (review.AcceptedID != "") != (tt.accepted != nil) ||
				(review.Plan == "") != tt.unread || (review.Where == "") != tt.unread {
				t.Errorf("recorded: %+v", review)
			}
			if o.Review == nil || o.Message != "4 of 4 steps done in 0s" {
				t.Errorf("the result: %+v", o)
			}
		})
	}
}

// A reviewed plan that could not see to the end is followed by what it named, and by nothing else.
func TestReviewedPlanIsFollowedByWhatItNamed(t *testing.T) {
	reviewed := clusterPlan("worker-1/upgrade")
	reviewed.Unfinished, reviewed.Coming = "what Kubernetes changes of addon/dns is known later", []string{"addon/dns"}
	named, other, empty := clusterPlan(), clusterPlan("worker-2/upgrade"), clusterPlan()
	named.Steps = []lifecycle.Step{{ID: "addon/dns/apply", Target: "addon/dns", Action: lifecycle.ActionApply, Digest: "sha256:dns",
		Objects: []lifecycle.ObjectChange{{ObjectRef: lifecycle.ObjectRef{Kind: "ConfigMap", Name: "zones"}, Change: lifecycle.ChangeUpdate}}}}
	for _, tt := range []struct {
		next          lifecycle.Plan
		code, applied int
	}{{named, exitDone, 2}, {other, exitStale, 1}} {
		f := &fakeSite{plans: []lifecycle.Plan{reviewed, reviewed, tt.next, empty}} // the first is made again once the lock is held
		r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--reviewed", keepReviewed(t, reviewed))
		if r.code != tt.code || len(f.applied) != tt.applied {
			t.Errorf("exit %d and %d applied, want %d and %d:\n%s", r.code, len(f.applied), tt.code, tt.applied, r.err)
		}
	}
}

// While the API does not answer nothing tells whether the reviewed plan was begun: what brings it back may go, and what follows is asked
// for.
func TestReviewedPlanWaitsForTheAPI(t *testing.T) {
	reviewed := clusterPlan("controller-1/upgrade", "worker-1/upgrade")
	dark := planOf("f", "controller-1/start")
	dark.Unfinished = "the API does not answer"
	left := clusterPlan("worker-1/upgrade")
	begun := lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: "20261121-220000-aaaaaa", Result: lifecycle.RunUnended,
		Review: &lifecycle.Review{Plan: reviewed.Meaning()}}
	for _, tt := range []struct {
		runs          []lifecycle.RunRecord
		code, applied int
	}{{[]lifecycle.RunRecord{begun}, exitDone, 2}, {nil, exitStale, 1}} {
		f := &fakeSite{plans: []lifecycle.Plan{dark, dark, left}, runs: tt.runs}
		var first *lifecycle.Review
		f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
			if first == nil {
				first = run.Review
			}
			return run.Sink(lifecycle.Event{Format: lifecycle.EventFormat, Run: run.ID, Kind: lifecycle.EventSummary, Message: "done"})
		}
		r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--reviewed", keepReviewed(t, reviewed))
		if r.code != tt.code || len(f.applied) != tt.applied {
			t.Errorf("exit %d and %d applied, want %d and %d:\n%s", r.code, len(f.applied), tt.code, tt.applied, r.err)
		}
		if first.Plan != "" {
			t.Errorf("bringing the API back passes for a run of the reviewed plan: %+v", first)
		}
	}
}

func TestResultIsAlwaysWritten(t *testing.T) {
	plan := clusterPlan("worker-1/upgrade")
	blocked := plan
	blocked.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "no room"}}
	for name, tt := range map[string]struct {
		plan lifecycle.Plan
		ends error
		kind lifecycle.OutcomeKind
		code int
		says string
	}{
		"done": {plan, nil, lifecycle.OutcomeDone, exitDone, "1 of 1"},
		"failed": {plan, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "worker-1 did not come up"},
			lifecycle.OutcomeFailed, exitFailed, "worker-1 did not come up"},
		"blocked": {blocked, nil, lifecycle.OutcomeBlocked, exitBlocked, "no room"},
		"interrupted": {plan, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the run was interrupted",
			Cause: apply.ErrInterrupted}, lifecycle.OutcomeInterrupted, exitInterrupted, "the run was interrupted"},
	} {
		f := &fakeSite{plans: []lifecycle.Plan{tt.plan}}
		f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
			_ = run.Sink(lifecycle.Event{Format: lifecycle.EventFormat, Run: run.ID, Kind: lifecycle.EventSummary, Message: "1 of 1 steps done"})
			return tt.ends
		}
		file := filepath.Join(t.TempDir(), "result.json")
		r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--result", file)
		if o := told(t, file); r.code != tt.code || o.ExitCode != tt.code || o.Kind != tt.kind || !strings.Contains(o.Message, tt.says) ||
			o.Verdict == "" {
			t.Errorf("%s: exit %d, %+v", name, r.code, o)
		}
	}
	// A folder that is not there: what was done is told all the same.
	f := &fakeSite{plans: []lifecycle.Plan{plan}}
	r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--result", filepath.Join(t.TempDir(), "none", "result.json"))
	if r.code != exitFailed || len(f.applied) != 1 || !strings.Contains(r.err, "the result can't be written") ||
		!strings.Contains(r.err, "1 of 1 steps done in 3s") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	// A result of an earlier attempt that can't be taken away: nothing is done.
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f = &fakeSite{plans: []lifecycle.Plan{plan}}
	if r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--result", folder); r.code != exitFailed || f.applied != nil ||
		!strings.Contains(r.err, "Nothing was done") {
		t.Errorf("exit %d, applied %v: %s", r.code, f.applied, r.err)
	}
}

func TestReviewedPlansThatCannotBeRead(t *testing.T) {
	for text, want := range map[string]string{
		`{"kind":"kiban.dev/plan","plan":{"format":"1.0"}}`:     `its kind is "kiban.dev/plan"`,
		`{"kind":"kiban.dev/reviewed","plan":{"format":"2.0"}}`: `its format is "2.0"`,
		`{"kind":`: "unexpected end of JSON",
	} {
		file := filepath.Join(t.TempDir(), "lab.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := &fakeSite{plans: []lifecycle.Plan{clusterPlan("worker-1/upgrade")}}
		if r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--reviewed", file); r.code != exitFailed || f.applied != nil ||
			!strings.Contains(r.err, want) {
			t.Errorf("exit %d, no %q in %s", r.code, want, r.err)
		}
	}
}

// TestNotNowIsSaidToBeTakenUp: a job that may not go now ends at once, and says who takes it up. At a terminal nobody does.
func TestNotNowIsSaidToBeTakenUp(t *testing.T) {
	const says = "A schedule with KIBAN_GO = true takes it up when it may go"
	plan := clusterPlan("worker-1/upgrade")
	plan.Diagnostics = lifecycle.Diagnostics{lifecycle.Blockedf("worker-1", "no room for its pods")}
	for name, tt := range map[string]struct {
		args []string
		says bool
	}{
		"in a job":      {[]string{"--reviewed", keepReviewed(t, plan)}, true},
		"at a terminal": {nil, false},
	} {
		f := &fakeSite{state: twoMachines(ofK0s(36, 3)), plans: []lifecycle.Plan{plan}}
		r := f.kiban(t, t.TempDir(), nil, append([]string{"apply", "lab", "--yes"}, tt.args...)...)
		if r.code != exitBlocked || strings.Contains(r.err, says) != tt.says {
			t.Errorf("%s: exit %d\n%s", name, r.code, r.err)
		}
	}
}
