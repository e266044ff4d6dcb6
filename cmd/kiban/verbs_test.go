package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/journal"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/session"
)

// fakeSite is a site of two machines whose worker is to be upgraded; what happens to it is recorded.
type fakeSite struct {
	traces  func(context.Context, func(string) string) (runTraces, error)
	state   lifecycle.State
	plans   []lifecycle.Plan // one for each time that a plan is made; the last again and again
	made    int
	applied []lifecycle.Plan
	// The lock: what is held, what was asked of it, and what its calls answer.
	locks     []lifecycle.Lock
	claims    []lock.Claim
	lockCalls []string
	await     func() (bool, error)
	runs      []lifecycle.RunRecord // that the cluster keeps
	runsErr   error
	runsAsked int
	uses      []lifecycle.TenantUse
	promises  []lifecycle.Promise
	// unanswered is how the cluster meets a question.
	unanswered error
	// told is what the cluster remembers of messages. toldErr: it does not answer.
	told    map[string]lifecycle.Told
	toldErr error
	// verifyWithin is how long the probes were given.
	verifyWithin time.Duration
	fakeSoak
	pinned lifecycle.Pinned
	run    func(ctx context.Context, plan lifecycle.Plan, run session.Run) error
	// observed is asked at each look, whose error it gives; nil: there is none.
	observed func() error
	// planners take the place of plans, and opened is what the site was last opened with, by one of perhaps several commands.
	planners session.Planners
	// allows is what the fleet's root allows.
	allows lifecycle.Fleet
	// windows are the site's.
	windows []lifecycle.Window
	// missing is what the source of k0s lacks; nil: nobody looks.
	missing    func(context.Context, lifecycle.Version, string) (lifecycle.Diagnostic, bool)
	openedGate sync.Mutex // several sites are asked at once
	opened     session.Options
}

func (f *fakeSite) Observe(context.Context) (lifecycle.State, error) {
	seen := f.state
	seen.Hosts = slices.Clone(seen.Hosts) // a session adds to them, and several sites are this one
	if f.observed != nil {
		return seen, f.observed()
	}
	return seen, nil
}
func (f *fakeSite) Close() error { return nil }
func (f *fakeSite) Credentials(context.Context) (lifecycle.Credentials, error) {
	return lifecycle.Credentials{Authority: []byte("CA"), Certificate: []byte("CRT"), Key: []byte("KEY")}, nil
}

func (f *fakeSite) LastLog(_ context.Context, host string, lines int) ([]string, error) {
	return []string{fmt.Sprintf("the last %d of %s", lines, host)}, nil
}

func (f *fakeSite) TenantUse(context.Context) ([]lifecycle.TenantUse, error) {
	return f.uses, f.unanswered
}

func (f *fakeSite) Verify(ctx context.Context, run string, progress func(string)) ([]lifecycle.Promise, error) {
	if end, bounded := ctx.Deadline(); bounded {
		f.verifyWithin = time.Until(end)
	}
	progress("probing as " + run)
	return f.promises, f.unanswered
}

func (f *fakeSite) Contend(claim lock.Claim) session.Contender {
	f.claims = append(f.claims, claim)
	return f
}

func (f *fakeSite) Await(context.Context, lifecycle.State) (bool, error) {
	f.lockCalls = append(f.lockCalls, "await")
	if f.await != nil {
		return f.await()
	}
	return false, nil
}

func (f *fakeSite) Take(context.Context, lifecycle.State) (*lock.Fence, func(), error) {
	f.lockCalls = append(f.lockCalls, "take")
	return nil, func() { f.lockCalls = append(f.lockCalls, "release") }, nil
}

func (f *fakeSite) Locks(context.Context, lifecycle.State) ([]lifecycle.Lock, error) {
	return f.locks, nil
}
func (f *fakeSite) BreakLock(_ context.Context, _ lifecycle.State, l lifecycle.Lock) error {
	f.lockCalls = append(f.lockCalls, "break "+l.Holder)
	return nil
}

func (f *fakeSite) Run(ctx context.Context, plan lifecycle.Plan, run session.Run) error {
	f.applied = append(f.applied, plan)
	if f.run != nil {
		return f.run(ctx, plan, run)
	}
	return run.Sink(lifecycle.Event{Format: lifecycle.EventFormat, Run: run.ID, Kind: lifecycle.EventSummary, Message: "1 of 1 steps done",
		Elapsed: 3 * time.Second})
}

func (f *fakeSite) services() services {
	site := lifecycle.Site{Name: "lab", Digest: "sha256:aa", Fleet: f.allows}
	site.Policy.Windows = f.windows
	site.Cluster.Hosts = []lifecycle.Host{{Name: "controller-1", Role: lifecycle.RoleController, Address: "10.0.0.11"},
		{Name: "worker-1", Role: lifecycle.RoleWorker, Address: "10.0.0.101"}}
	return services{
		FindFleet: func(string) (string, error) { return "", errors.New("no fleet here") },
		ListSites: func(string) ([]string, error) { return []string{"lab"}, nil },
		ReadFleet: func(string) (lifecycle.Fleet, lifecycle.Diagnostics) { return f.allows, nil },
		LoadSite: func(context.Context, string, string, session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
			return site, nil
		},
		Unkept:   func(string) ([]string, int, error) { return nil, 1, nil },
		Problems: observe.Problems, OpenTraces: f.traces,
		OpenSite: func(site lifecycle.Site, opts session.Options) (*session.Session, error) {
			return f.open(site, opts), nil
		},
	}
}

// open is session.Open on the fake.
func (f *fakeSite) open(site lifecycle.Site, opts session.Options) *session.Session {
	f.openedGate.Lock()
	f.opened = opts
	f.openedGate.Unlock()
	return session.With(site, opts, f.parts())
}

func (f *fakeSite) parts() session.Parts {
	plans := f.planners
	if plans.Make == nil {
		plans.Make = func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
			p := f.plans[min(f.made, len(f.plans)-1)]
			f.made++
			return p
		}
	}
	return session.Parts{Site: f, Lock: f, Runner: f, Records: f, Workloads: f, Pins: f, Logs: f, Plans: plans, Missing: f.missing}
}

func planOf(facts string, steps ...string) lifecycle.Plan {
	p := lifecycle.Plan{Format: lifecycle.PlanFormat, Site: "lab", SiteDigest: "sha256:aa", FactsDigest: facts}
	for _, id := range steps {
		target, action, _ := strings.Cut(id, "/")
		p.Steps = append(p.Steps, lifecycle.Step{ID: id, Stage: "s", Target: target, Action: lifecycle.Action(action), Reason: "because"})
	}
	if len(steps) > 0 {
		p.Stages = []lifecycle.Stage{{ID: "s", Title: "the stage"}}
	}
	return p
}

// result is what a run of kiban left behind.
type result struct {
	code     int
	out, err string
}

// kiban runs a command line against the fake. change may alter the streams.
func (f *fakeSite) kiban(t *testing.T, fleet string, change func(*Streams), args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
		Size: func() (int, int) { return 80, 24 }}
	if change != nil {
		change(&s)
	}
	code := run(t.Context(), s, append([]string{"--fleet", fleet}, args...), f.services())
	return result{code, out.String(), errs.String()}
}

// What the source of k0s lacks is told below the plan, which may be longer than a screen.
func TestPlanEndsWithItsDoubts(t *testing.T) {
	p := planOf("f", "worker-1/stage")
	p.Steps[0].Action, p.Steps[0].Target = lifecycle.ActionUpload, "worker-1"
	f := &fakeSite{plans: []lifecycle.Plan{p}}
	f.missing = func(context.Context, lifecycle.Version, string) (lifecycle.Diagnostic, bool) {
		return lifecycle.Warnf("lab", "the source of k0s has no v1.37.9+k0s.0 for amd64"), true
	}
	var screen bytes.Buffer
	r := f.kiban(t, t.TempDir(), func(s *Streams) { s.Out, s.Err = &screen, &screen }, "plan", "lab")
	plan, doubt := strings.Index(screen.String(), "Plan: "), strings.Index(screen.String(), "the source of k0s has no v1.37.9+k0s.0")
	if r.code != exitDone || plan < 0 || doubt < plan {
		t.Errorf("exit %d\n%s", r.code, screen.String())
	}
}

// A plan whose steps wait for a window says that all are closed, and when the next one opens; so does apply, before it asks.
func TestPlanTellsOfClosedWindows(t *testing.T) {
	now := time.Now().UTC()
	closed := lifecycle.Window{Days: []time.Weekday{(now.Weekday() + 4) % 7}, Start: 60, End: 120, TimeZone: "UTC"}
	p := planOf("f", "worker-1/upgrade", "worker-1/label")
	p.Steps[0].Before = []lifecycle.Gate{{Kind: lifecycle.GateWindow}}
	for _, tt := range []struct {
		name    string
		plan    lifecycle.Plan
		windows []lifecycle.Window
		told    bool
	}{
		{"all are closed", p, []lifecycle.Window{closed}, true},
		{"one is open", p, []lifecycle.Window{closed, {Start: 0, End: 0, TimeZone: "UTC"}}, false},
		{"nothing waits for one", planOf("f", "worker-1/label"), []lifecycle.Window{closed}, false},
		{"there are none", p, nil, false},
	} {
		for _, verb := range []string{"plan", "apply"} {
			f := &fakeSite{plans: []lifecycle.Plan{tt.plan}, windows: tt.windows}
			r := f.kiban(t, t.TempDir(), nil, verb, "lab")
			said := strings.Join(strings.Fields(r.err), " ")
			if got := strings.Contains(said, "all maintenance windows are closed: nothing disruptive starts now"); got != tt.told {
				t.Errorf("%s, %s: told: %t\n%s", tt.name, verb, got, r.err)
			}
			opens := closed.Days[0].String()[:3]
			if tt.told && (!strings.Contains(said, "The next opens "+opens) || !strings.Contains(said, "01:00 UTC, in ") ||
				!strings.Contains(said, "1 of 2 steps may start in a window only")) {
				t.Errorf("%s, %s: it does not say when:\n%s", tt.name, verb, r.err)
			}
		}
	}
}

func TestPlanExitCodes(t *testing.T) {
	changes, none := planOf("f", "worker-1/upgrade"), planOf("f")
	blocked := changes
	blocked.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "no room"}}
	broken := none
	broken.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: "not reached"},
		{Severity: lifecycle.SeverityBlocked, Summary: "no room"}}
	for _, tt := range []struct {
		name string
		plan lifecycle.Plan
		args []string
		want int
	}{
		{"changes", changes, nil, exitDone},
		{"changes, detailed", changes, []string{"--detailed-exitcode"}, exitChanges},
		{"none, detailed", none, []string{"--detailed-exitcode"}, exitDone},
		{"blocked", blocked, []string{"--detailed-exitcode"}, exitBlocked},
		{"an error is worse than a block", broken, nil, exitFailed},
	} {
		for _, form := range []string{"text", "json", "markdown"} {
			f := &fakeSite{plans: []lifecycle.Plan{tt.plan}}
			r := f.kiban(t, t.TempDir(), nil, append([]string{"plan", "lab", "-o", form}, tt.args...)...)
			if r.code != tt.want {
				t.Errorf("%s, %s: exit %d, want %d\n%s%s", tt.name, form, r.code, tt.want, r.out, r.err)
			}
			if form == "json" && !json.Valid([]byte(r.out)) {
				t.Errorf("%s: stdout is not JSON alone: %s", tt.name, r.out)
			}
			if f.applied != nil {
				t.Errorf("%s: plan applied something", tt.name)
			}
		}
	}
}

func TestSavedPlan(t *testing.T) {
	fleet := t.TempDir()
	file := filepath.Join(fleet, "lab.plan")
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	if r := f.kiban(t, fleet, nil, "plan", "lab", "--out", file); r.code != 0 {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	if r := f.kiban(t, fleet, nil, "apply", "lab", "--plan", file); r.code != 0 || len(f.applied) != 1 {
		t.Errorf("exit %d, applied %d: %s", r.code, len(f.applied), r.err)
	}
	// The facts have changed since.
	f = &fakeSite{plans: []lifecycle.Plan{planOf("other", "worker-1/upgrade")}}
	if r := f.kiban(t, fleet, nil, "apply", "lab", "--plan", file, "--yes"); r.code != exitStale || f.applied != nil {
		t.Errorf("exit %d, applied %v, want a stale plan refused: %s", r.code, f.applied, r.err)
	}
	if err := os.WriteFile(file, []byte(`{"kind":"kiban.dev/plan","plan":{"format":"2.0"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := f.kiban(t, fleet, nil, "apply", "lab", "--plan", file); r.code != exitFailed || !strings.Contains(r.err, `format is "2.0"`) {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	blocked := planOf("f", "worker-1/upgrade")
	blocked.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "no room"}}
	f = &fakeSite{plans: []lifecycle.Plan{blocked}}
	other := filepath.Join(fleet, "other.plan")
	if r := f.kiban(t, fleet, nil, "plan", "lab", "--out", other); r.code != exitBlocked {
		t.Errorf("exit %d, want %d", r.code, exitBlocked)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("a blocked plan was saved")
	}
}

func TestApplyAsks(t *testing.T) {
	terminal := func(answer string) func(*Streams) {
		return func(s *Streams) { s.InTTY, s.In = true, strings.NewReader(answer) }
	}
	for _, tt := range []struct {
		name    string
		streams func(*Streams)
		args    []string
		applied bool
		says    string
	}{
		{"yes on a terminal", terminal("yes\n"), nil, true, "Only 'yes' is accepted"},
		{"y is not yes", terminal("y\n"), nil, false, "not confirmed"},
		{"nothing is not yes", terminal(""), nil, false, "not confirmed"},
		{"no terminal", nil, nil, false, "kiban apply lab --yes"},
		{"no terminal, --yes", nil, []string{"--yes"}, true, "the stage"},
	} {
		f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
		fleet := t.TempDir()
		r := f.kiban(t, fleet, tt.streams, append([]string{"apply", "lab"}, tt.args...)...)
		if (len(f.applied) == 1) != tt.applied || (r.code == 0) != tt.applied || !strings.Contains(r.err, tt.says) {
			t.Errorf("%s: exit %d, applied %d\n%s", tt.name, r.code, len(f.applied), r.err)
		}
		if runs, _ := filepath.Glob(filepath.Join(fleet, ".kiban", "runs", "lab", "*[0-9a-f].jsonl")); (len(runs) == 1) != tt.applied {
			t.Errorf("%s: journals %v", tt.name, runs)
		} else if tt.applied {
			if events, err := journal.Read(runs[0]); err != nil || len(events) != 1 {
				t.Errorf("%s: journal %v, %v", tt.name, events, err)
			}
		}
		if tt.applied && r.out != "lab is applied: 1 of 1 steps done in 3s.\n" {
			t.Errorf("%s: stdout %q", tt.name, r.out)
		}
	}
}

func TestApplyOfNothingTouchesNothing(t *testing.T) {
	f, fleet := &fakeSite{plans: []lifecycle.Plan{planOf("f")}}, t.TempDir()
	r := f.kiban(t, fleet, nil, "apply", "lab")
	if r.code != 0 || f.applied != nil || r.out != "No changes. lab is what the repository declares.\n" {
		t.Errorf("exit %d, applied %v, stdout %q", r.code, f.applied, r.out)
	}
	if _, err := os.Stat(filepath.Join(fleet, ".kiban")); err == nil {
		t.Error("an empty plan left files behind")
	}
}

func TestApplyGoesOnWhereAPlanCouldNotSee(t *testing.T) {
	first, second := planOf("f", "controller-1/start"), planOf("g", "worker-1/upgrade")
	first.Unfinished = "the API does not answer yet"
	f := &fakeSite{plans: []lifecycle.Plan{first, first, second}} // the first is made again once the lock is held
	if r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes"); r.code != 0 || len(f.applied) != 2 {
		t.Errorf("exit %d, %d plans applied, want 2: %s", r.code, len(f.applied), r.err)
	}
	f = &fakeSite{plans: []lifecycle.Plan{first}}
	if r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes"); r.code != exitFailed || len(f.applied) != 1 {
		t.Errorf("a plan that comes up again: exit %d, %d applied, want 1 and a failure: %s", r.code, len(f.applied), r.err)
	}
}

func TestInterrupts(t *testing.T) {
	signals := make(chan os.Signal)
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	f.run = func(ctx context.Context, _ lifecycle.Plan, run session.Run) error {
		signals <- os.Interrupt
		<-run.Stop // the first asks to stop at a good place
		if ctx.Err() != nil {
			t.Error("the first interrupt ended the context")
		}
		signals <- os.Interrupt
		<-ctx.Done() // the second ends it
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the run was interrupted", Cause: apply.ErrInterrupted}
	}
	r := f.kiban(t, t.TempDir(), func(s *Streams) { s.Signals = signals }, "apply", "lab", "--yes")
	if r.code != exitInterrupted || !strings.Contains(r.err, "the steps in hand finish") || !strings.Contains(r.err, "stopping now") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	// A verb that has nothing to finish ends at once.
	f = &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	question, _ := io.Pipe() // nobody answers
	go func() { signals <- os.Interrupt }()
	r = f.kiban(t, t.TempDir(), func(s *Streams) { s.Signals, s.InTTY, s.In = signals, true, question }, "apply", "lab")
	if r.code != exitInterrupted || f.applied != nil {
		t.Errorf("exit %d, applied %v: %s", r.code, f.applied, r.err)
	}
}

func TestKubeconfig(t *testing.T) {
	f := &fakeSite{}
	r := f.kiban(t, t.TempDir(), nil, "kubeconfig", "lab")
	for _, want := range []string{"server: https://10.0.0.11:6443", "current-context: lab", "client-key-data: S0VZ", "name: lab-admin"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out, "localhost") || strings.Contains(r.err, "S0VZ") || !strings.Contains(r.err, "administrator's") ||
		!strings.Contains(r.err, "Keep it out of the repository. --out FILE makes one that only you may read.") {
		t.Errorf("stdout\n%s\nstderr\n%s", r.out, r.err)
	}
}

func TestStatusForms(t *testing.T) {
	f := &fakeSite{state: lifecycle.State{Site: "lab",
		Hosts: []lifecycle.HostState{{Name: "worker-1", Problem: lifecycle.HostUnreachable, Why: "timeout"}}}}
	for form, want := range map[string]string{"text": "Error: not reached", "json": `"problem": "unreachable"`,
		"yaml": "problem: unreachable"} {
		if r := f.kiban(t, t.TempDir(), nil, "status", "lab", "-o", form); r.code != 0 || !strings.Contains(r.out, want) {
			t.Errorf("%s: exit %d, no %q in\n%s%s", form, r.code, want, r.out, r.err)
		}
	}
}

func TestGitLabLogIsFolded(t *testing.T) {
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	f.run = func(_ context.Context, _ lifecycle.Plan, run session.Run) error {
		return run.Sink(lifecycle.Event{Kind: lifecycle.EventStarted, Step: "worker-1/upgrade", Stage: "s", Message: "because"})
	}
	r := f.kiban(t, t.TempDir(), func(s *Streams) {
		s.Getenv = func(k string) string { return map[string]string{"GITLAB_CI": "true", "NO_COLOR": "1"}[k] }
	}, "apply", "lab", "--yes")
	if !strings.Contains(r.err, "section_start:") || !strings.Contains(r.err, "the stage") {
		t.Errorf("no section in\n%q", r.err)
	}
	if strings.Contains(r.err, "\x1b[1m") {
		t.Errorf("NO_COLOR is set, and there is colour in\n%q", r.err)
	}
}
