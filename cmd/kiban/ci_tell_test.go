package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/session"
)

var toldGate sync.Mutex // of every fakeSite: the API lets one writer at a time change what is remembered

func (f *fakeSite) UpdateTold(_ context.Context, edit func(map[string]lifecycle.Told)) error {
	toldGate.Lock()
	defer toldGate.Unlock()
	if f.toldErr != nil {
		return f.toldErr
	}
	if f.told == nil {
		f.told = map[string]lifecycle.Told{}
	}
	edit(f.told)
	return nil
}

// people are those who are told; fail says what their receivers answer.
type people struct {
	mu   sync.Mutex
	hook []string
	on   []lifecycle.Telling // issues and notes, in order
	fail map[string]error
}

func (p *people) services(f *fakeSite) services {
	s := f.services()
	s.SendWebhook = func(_ context.Context, address, text string) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if address != "https://hooks.example.com/a/secret" {
			return errors.New("another address")
		}
		if err := p.fail["webhook"]; err != nil {
			return err
		}
		p.hook = append(p.hook, text)
		return nil
	}
	s.OpenForge = func(server lifecycle.ForgeServer, _ *slog.Logger) (forge.Forge, error) {
		if server.Token != "glpat-a" {
			return nil, errors.New("another token")
		}
		return tellingForge{people: p}, nil
	}
	return s
}

// tellingForge is a forge on which people are told.
type tellingForge struct {
	forge.Forge
	people *people
}

func (t tellingForge) TellIssue(_ context.Context, project string, m lifecycle.Telling) (string, error) {
	if project != "12" {
		return "", errors.New("another project")
	}
	t.people.on = append(t.people.on, m)
	return "commented on https://gitlab.example.com/-/issues/7", t.people.fail["issue"]
}

func (t tellingForge) TellNote(_ context.Context, _, commit, branch string, m lifecycle.Telling) (string, error) {
	if commit != "0123456789abcdef" || branch != "main" {
		return "", errors.New("another commit")
	}
	t.people.on = append(t.people.on, m)
	return "", t.people.fail["note"] // no merge request
}

// tell runs `kiban ci tell` as a job does.
func (p *people) tell(t *testing.T, f *fakeSite, fleet string, env map[string]string, args ...string) result {
	t.Helper()
	var out, errs strings.Builder
	s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Size: func() (int, int) { return 80, 24 }}
	s.Getenv = func(k string) string {
		if v, set := env[k]; set {
			return v
		}
		return map[string]string{"GITLAB_CI": "true", "GITLAB_USER_LOGIN": "ann", "CI_API_V4_URL": "https://gitlab.example.com/api/v4",
			"CI_PROJECT_ID": "12", "CI_COMMIT_SHA": "0123456789abcdef",
			"CI_COMMIT_BRANCH": "main", "GITLAB_TOKEN": "glpat-a", "CI_JOB_URL": "https://gitlab.example.com/-/jobs/1",
			"KIBAN_WEBHOOK": "https://hooks.example.com/a/secret"}[k]
	}
	code := run(t.Context(), s, append([]string{"--fleet", fleet, "ci", "tell"}, args...), p.services(f))
	r := result{code, out.String(), errs.String()}
	if strings.Contains(r.out+r.err, "secret") || strings.Contains(r.out+r.err, "glpat-") {
		t.Errorf("a secret is shown: %s%s", r.out, r.err)
	}
	return r
}

// toldFiles is a folder with what jobs leave for telling.
func toldFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, v any) {
		b, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plan := planOf("f", "worker-1/upgrade")
	write("plan.json", plan)
	write("saved.plan", lifecycle.SavedPlan{Kind: lifecycle.SavedPlanKind, Plan: plan})
	write("reviewed.json", lifecycle.ReviewedPlan{Kind: lifecycle.ReviewedPlanKind, Where: "https://gitlab.example.com/-/merge_requests/3",
		Plan: plan})
	write("empty.json", planOf("f"))
	broken := planOf("f")
	broken.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: "worker-1 was not reached"}}
	write("broken.json", broken)
	other := planOf("f")
	other.Site = "tokyo"
	write("other.json", other)
	outcome := lifecycle.Outcome{Format: lifecycle.OutcomeFormat, Site: "lab", Kind: lifecycle.OutcomeDone,
		Message: "6 of 6 steps done in 4m12s", Plan: "sha256:aa", Run: "run-1"}
	write("done.json", outcome)
	outcome.Kind, outcome.Message = lifecycle.OutcomeUnchanged, "No changes."
	write("unchanged.json", outcome)
	outcome.Kind, outcome.Message = lifecycle.OutcomeFailed, "3 of 6 steps done"
	outcome.Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Subject: "worker-1", Summary: "worker-1/drain: not met",
		Hint: "kiban status lab"}}
	write("failed.json", outcome)
	outcome.Format = "2.0"
	write("future.json", outcome)
	write("nothing", nil)
	for name, text := range map[string]string{"cut.json": `{"format":"1.`, "zero.json": "", "mine.tmpl": "{{.Site}}: {{.Kind}}",
		"bad.tmpl": "{{.Sight}}", "mute.tmpl": `{{if eq .Kind "done"}}never{{end}}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCITell(t *testing.T) {
	dir := toldFiles(t)
	for _, tt := range []struct {
		name string
		env  map[string]string
		args string
		code int
		want string // in stderr
		hook string // in the message; "" when none is sent
		on   int    // messages for GitLab
	}{
		{name: "a start", args: "started --plan reviewed.json", want: "The webhook: told (started).", hook: "merge_requests/3|merge request>"},
		{name: "a start, from a printed plan", args: "started --plan plan.json", hook: "apply has begun"},
		{name: "a start of nothing", args: "started --plan empty.json", want: "the reviewed plan of lab has nothing to do"},
		{name: "a start that nobody reviewed", args: "started --plan none.json", want: "no plan of lab was reviewed"},
		{name: "a start by another site's plan", args: "started --plan other.json", want: `other.json is a plan of "tokyo"`},
		{name: "an end", args: "ended --result done.json", hook: "6 of 6 steps done in 4m12s"},
		{name: "a failure", args: "ended --result failed.json", want: "The webhook: told (failed).",
			hook: "worker-1/drain: not met\nTry: kiban status lab\n`0123456789` by ann <https://gitlab.example.com/-/jobs/1|job>"},
		{name: "nothing had to be done", args: "ended --result unchanged.json", want: "Not told to the webhook: nothing was amiss before."},
		{name: "no result", args: "ended --result none.json", hook: "apply ended without a result\nIt was killed"},
		{name: "an empty result of a cancelled job", args: "ended --result zero.json", env: map[string]string{"CI_JOB_STATUS": "canceled"},
			hook: "The job was cancelled."},
		{name: "no result of a job that succeeded", args: "ended --result none.json", env: map[string]string{"CI_JOB_STATUS": "success"},
			want: "the job succeeded and left no result"},
		{name: "a result that was cut off", args: "ended --result cut.json", code: exitFailed, want: "this is no result that kiban can read"},
		{name: "a result of a later version", args: "ended --result future.json", code: exitFailed, want: `its format is "2.0"`},
		{name: "a drift", args: "drift --plan saved.plan", want: "The webhook: told (drift).", hook: "To put it right: 1 worker to upgrade"},
		{name: "no drift", args: "drift --plan empty.json", want: "nothing was amiss before"},
		{name: "a site that was not reached", args: "drift --plan broken.json",
			hook: "could not be compared with the repository\nworker-1 was not reached"},
		{name: "a look that left nothing", args: "drift --plan zero.json", hook: "the log of its job says why"},
		{name: "a look that left no file", args: "drift --plan none.json", hook: "the log of its job says why"},
		{name: "nobody to tell", args: "ended --result done.json", env: map[string]string{"KIBAN_WEBHOOK": " "}, want: "Nobody is told"},
		{name: "everybody", args: "ended --result failed.json", env: map[string]string{"KIBAN_TELL_GITLAB": "issue, note"},
			want: "The issue of the site: commented on https://gitlab.example.com/-/issues/7 (failed).", hook: "apply failed", on: 2},
		{name: "an issue is not for a start", args: "started --plan plan.json",
			env: map[string]string{"KIBAN_TELL_GITLAB": "issue", "KIBAN_WEBHOOK": ""}, want: "an issue is for what is amiss"},
		{name: "a note is not for a drift", args: "drift --plan plan.json",
			env: map[string]string{"KIBAN_TELL_GITLAB": "note", "KIBAN_WEBHOOK": ""}, want: "belongs to no merge request"},
		{name: "a commit without a merge request", args: "ended --result done.json",
			env:  map[string]string{"KIBAN_TELL_GITLAB": "note", "KIBAN_WEBHOOK": ""},
			want: "Nothing to tell to the merge request: the commit came with none", on: 1},
		{name: "GitLab spelled wrong", args: "ended --result done.json", env: map[string]string{"KIBAN_TELL_GITLAB": "isue"}, code: exitFailed,
			want: `KIBAN_TELL_GITLAB says "isue"`, hook: "applied"},
		{name: "GitLab outside a pipeline", args: "ended --result done.json",
			env: map[string]string{"KIBAN_TELL_GITLAB": "issue", "CI_PROJECT_ID": ""}, code: exitFailed,
			want: "there is no GitLab project to write to", hook: "applied"},
		{name: "in other words", args: "ended --result done.json --template mine.tmpl", hook: "lab: done"},
		{name: "in words that the environment names", args: "ended --result done.json",
			env: map[string]string{"KIBAN_TELL_TEMPLATE": filepath.Join(dir, "mine.tmpl")}, hook: "lab: done"},
		{name: "in words that make no message", args: "ended --result done.json --template bad.tmpl", code: exitFailed,
			want: "the template makes no message", hook: "6 of 6 steps done"},
		{name: "in words that are not there", args: "ended --result done.json --template none.tmpl", code: exitFailed,
			want: "the template can't be read", hook: "6 of 6 steps done"},
		{name: "in no words", args: "ended --result failed.json --template mute.tmpl",
			want: "Nothing to tell to the webhook: the template has no words for it."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, args := &people{}, []string{"lab"}
			for _, a := range strings.Fields(tt.args) {
				if strings.Contains(a, ".") {
					a = filepath.Join(dir, a)
				}
				args = append(args, a)
			}
			r := p.tell(t, &fakeSite{}, t.TempDir(), tt.env, args...)
			if r.code != tt.code || !strings.Contains(strings.ReplaceAll(r.err, dir+"/", ""), tt.want) || r.out != "" {
				t.Errorf("exit %d, want %d with %q: %s%s", r.code, tt.code, tt.want, r.out, r.err)
			}
			if sent := strings.Join(p.hook, "\n====\n"); (sent != "") != (tt.hook != "") || !strings.Contains(sent, tt.hook) || len(p.hook) > 1 {
				t.Errorf("the webhook got %q, want %q", sent, tt.hook)
			}
			if len(p.on) != tt.on {
				t.Errorf("GitLab got %+v, want %d", p.on, tt.on)
			}
		})
	}
}

func TestCITellCommandLine(t *testing.T) {
	p := &people{}
	for args, want := range map[string]string{
		"":                           "name a site and what to tell of it",
		"lab":                        "name a site and what to tell of it",
		"lab begun":                  `"begun" is nothing that can be told`,
		"lab started":                "started needs --plan FILE",
		"lab ended":                  "ended needs --result FILE",
		"lab drift --result x":       "drift needs --plan FILE",
		"lab ended --result x again": "name a site and what to tell of it",
	} {
		if r := p.tell(t, &fakeSite{}, t.TempDir(), nil, strings.Fields(args)...); r.code != exitFailed || !strings.Contains(r.err, want) {
			t.Errorf("%s: exit %d: %s", args, r.code, r.err)
		}
	}
	dir := toldFiles(t)
	if r := p.tell(t, &fakeSite{}, t.TempDir(), map[string]string{"KIBAN_WEBHOOK": ""}, "lab", "drift", "--plan",
		filepath.Join(dir, "plan.json"), "--print"); r.code != exitDone ||
		!strings.HasPrefix(r.out, "⚠️ *lab*: is not what the repository declares\n") {
		t.Errorf("--print: exit %d: %s%s", r.code, r.out, r.err)
	}
	if len(p.hook) != 0 {
		t.Errorf("sent: %q", p.hook)
	}
}

// A job that is retried, a failure that comes again, another one, and the end of it.
func TestCITellOnce(t *testing.T) {
	dir, fleet := toldFiles(t), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	p, f := &people{}, &fakeSite{}
	for _, tt := range []struct {
		args string
		want int // messages by then
		says string
	}{
		{"started --plan reviewed.json", 1, "told (started)"},
		{"started --plan reviewed.json", 1, "told already by job https://gitlab.example.com/-/jobs/1 at 20"},
		{"ended --result failed.json", 2, "told (failed)"},
		{"started --plan reviewed.json", 2, "told already"},
		{"ended --result failed.json", 2, "told already"},
		{"ended --result none.json", 3, "told (lost)"},
		{"ended --result done.json", 4, "told (done)"},
		{"ended --result done.json", 4, "told already"},
		{"ended --result unchanged.json", 4, "nothing was amiss before"},
		{"drift --plan plan.json", 5, "told (drift)"},
		{"drift --plan saved.plan", 5, "told already"},
		{"drift --plan empty.json", 6, "told (settled)"},
		{"drift --plan empty.json", 6, "nothing was amiss before"},
		{"drift --plan plan.json", 7, "told (drift)"},
		{"ended --result unchanged.json", 8, "told (settled)"},
	} {
		args := strings.Fields(tt.args)
		args[2] = in(args[2])
		if r := p.tell(t, f, fleet, nil, append([]string{"lab"}, args...)...); r.code != exitDone || len(p.hook) != tt.want ||
			!strings.Contains(r.err, tt.says) {
			t.Fatalf("%s: exit %d, %d messages, want %d and %q: %s", tt.args, r.code, len(p.hook), tt.want, tt.says, r.err)
		}
	}
	if _, err := os.Stat(filepath.Join(fleet, ".kiban")); err == nil {
		t.Error("what the cluster remembers was written here, too")
	}
}

// The end of support is told with the look of each night, once, beside what the look found.
func TestCITellSupport(t *testing.T) {
	dir, fleet := t.TempDir(), t.TempDir()
	plan := planOf("f", "worker-1/upgrade")
	plan.Target = ofK0s(36, 3)
	plan.Hops = []lifecycle.Version{plan.Target}
	plan.Steps[0].From, plan.Steps[0].Version = ofK0s(35, 7), plan.Target
	b, err := json.Marshal(plan)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "plan.json"), b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	past := time.Now().AddDate(0, -1, 0)
	dates := []lifecycle.Support{{Minor: "1.35", Released: past.AddDate(-1, 0, 0), Ends: past}}
	p, f := &people{}, &fakeSite{allows: lifecycle.Fleet{Support: dates}}
	issue := map[string]string{"KIBAN_TELL_GITLAB": "issue"}
	for range 2 {
		if r := p.tell(t, f, fleet, issue, "lab", "drift", "--plan", filepath.Join(dir, "plan.json")); r.code != exitDone {
			t.Fatalf("exit %d: %s", r.code, r.err)
		}
	}
	if len(p.hook) != 2 || !strings.Contains(p.hook[0], "is not what the repository declares") ||
		!strings.Contains(p.hook[1], " late to leave Kubernetes 1.35 in time: lab is to be off") {
		t.Errorf("%q", p.hook)
	}
	if len(p.on) != 2 || !p.on[1].Amiss || p.on[1].Ends {
		t.Errorf("the issue: %+v", p.on)
	}
}

func TestCITellTwoJobsAtOnce(t *testing.T) {
	plan := filepath.Join(toldFiles(t), "plan.json")
	for name, f := range map[string]*fakeSite{"with a cluster": {}, "without": {toldErr: errors.New("no controller runs yet")}} {
		p, fleet := &people{}, t.TempDir() // a cluster takes over what a folder remembers
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if r := p.tell(t, f, fleet, nil, "lab", "drift", "--plan", plan); r.code != exitDone {
					t.Errorf("exit %d: %s", r.code, r.err)
				}
			})
		}
		wg.Wait()
		if len(p.hook) != 1 {
			t.Errorf("%s: %d messages, want 1", name, len(p.hook))
		}
	}
}

func TestCITellFailures(t *testing.T) {
	failed := filepath.Join(toldFiles(t), "failed.json")
	both := map[string]string{"KIBAN_TELL_GITLAB": "issue"}
	refused := lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the webhook's receiver fails"}
	p, f := &people{fail: map[string]error{"webhook": refused}}, &fakeSite{}
	if r := p.tell(t, f, t.TempDir(), both, "lab", "ended", "--result", failed); r.code != exitFailed ||
		!strings.Contains(r.err, "the webhook's receiver fails") || len(p.on) != 1 {
		t.Errorf("one of two fails: exit %d, %+v: %s", r.code, p.on, r.err)
	}
	p.fail = nil
	if r := p.tell(t, f, t.TempDir(), both, "lab", "ended", "--result", failed); r.code != exitDone || len(p.hook) != 1 || len(p.on) != 1 {
		t.Errorf("a retry tells the one that was not told: exit %d, %q, %+v: %s", r.code, p.hook, p.on, r.err)
	}

	p, f = &people{fail: map[string]error{"webhook": lifecycle.Diagnostic{Severity: lifecycle.SeverityError,
		Summary: "the webhook's receiver did not answer", Cause: lifecycle.ErrMayBeTold}}}, &fakeSite{}
	if r := p.tell(t, f, t.TempDir(), nil, "lab", "ended", "--result", failed); r.code != exitFailed {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	p.fail = nil
	if r := p.tell(t, f, t.TempDir(), nil, "lab", "ended", "--result", failed); r.code != exitDone || len(p.hook) != 0 ||
		!strings.Contains(r.err, "being told by job") {
		t.Errorf("what may have arrived is told again at once: exit %d, %q: %s", r.code, p.hook, r.err)
	}
}

func TestCITellWithoutACluster(t *testing.T) {
	dir, fleet := toldFiles(t), t.TempDir()
	plan, done := filepath.Join(dir, "reviewed.json"), filepath.Join(dir, "done.json")
	p, f := &people{}, &fakeSite{toldErr: errors.New("no controller runs yet")}
	for range 2 {
		if r := p.tell(t, f, fleet, nil, "lab", "started", "--plan", plan); r.code != exitDone || len(p.hook) != 1 ||
			!strings.Contains(r.err, "remembered in "+filepath.Join(fleet, ".kiban", "told", "lab")) {
			t.Errorf("exit %d, %q: %s", r.code, p.hook, r.err)
		}
	}
	f.toldErr = nil // the run has set the cluster up
	if r := p.tell(t, f, fleet, nil, "lab", "ended", "--result", done); r.code != exitDone || len(p.hook) != 2 {
		t.Errorf("exit %d, %q: %s", r.code, p.hook, r.err)
	}
	if left, err := filepath.Glob(filepath.Join(session.ToldDir(fleet, "lab"), "*")); err != nil || len(left) != 0 || len(f.told) != 2 {
		t.Errorf("left here: %v; in the cluster: %v", left, f.told)
	}
	// retried in a clone of its own
	if r := p.tell(t, f, t.TempDir(), nil, "lab", "started", "--plan", plan); r.code != exitDone || len(p.hook) != 2 {
		t.Errorf("exit %d, %q: %s", r.code, p.hook, r.err)
	}

	// Nor a folder that can be written: people are told all the same.
	blocked := t.TempDir()
	if err := os.WriteFile(filepath.Join(blocked, ".kiban"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p, f = &people{}, &fakeSite{toldErr: errors.New("no controller runs yet")}
	if r := p.tell(t, f, blocked, nil, "lab", "drift", "--plan", plan); r.code != exitDone || len(p.hook) != 1 ||
		!strings.Contains(r.err, "so a retry tells it again") {
		t.Errorf("exit %d, %q: %s", r.code, p.hook, r.err)
	}
}

// TestCITellHidesTheWebhook runs kiban as it is wired against receivers that fail in every way, and shows the address in none.
func TestCITellHidesTheWebhook(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no hook at "+r.URL.Path, http.StatusNotFound)
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	done := filepath.Join(toldFiles(t), "done.json")
	for _, address := range []string{server.URL + "/services/T0/B0/x8Zq", gone.URL + "/services/T0/B0/x8Zq",
		"hooks.example.com/services/T0/B0/x8Zq"} {
		services := (&fakeSite{}).services()
		services.SendWebhook = wire().SendWebhook
		var out, errs strings.Builder
		s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Size: func() (int, int) { return 80, 24 },
			Getenv: func(k string) string { return map[string]string{"KIBAN_WEBHOOK": address}[k] }}
		code := run(t.Context(), s, []string{"--fleet", t.TempDir(), "--verbose", "ci", "tell", "lab", "ended", "--result", done}, services)
		if text := out.String() + errs.String(); code != exitFailed || !strings.Contains(text, "Error: ") || strings.Contains(text, address) ||
			strings.Contains(text, "x8Zq") {
			t.Errorf("exit %d: %s", code, text)
		}
	}
}
