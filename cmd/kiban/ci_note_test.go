package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

// plansDir is a folder as plan jobs leave it: a plan that was printed, one that was saved, one of a job that failed, one that was cut off.
func plansDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of := func(site string) lifecycle.Plan {
		p := planOf("f", "worker-1/upgrade")
		p.Site = site
		return p
	}
	write("lab.json", of("lab"))
	write("osaka.plan", lifecycle.SavedPlan{Kind: lifecycle.SavedPlanKind, Plan: of("osaka")})
	write("tokyo.json", of("lab"))
	write("future.json", lifecycle.Plan{Format: "2.0", Site: "future"})
	write("report.txt", "no plan")
	for name, text := range map[string]string{"oslo.json": "", "berlin.json": `{"format":"1.0","si`, "lab.plan": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inPipeline sets what GitLab sets in a merge request's pipeline, and what the test wants otherwise.
func inPipeline(env map[string]string) func(*Streams) {
	return func(s *Streams) {
		s.Getenv = func(k string) string {
			if v, set := env[k]; set {
				return v
			}
			return map[string]string{"CI_API_V4_URL": "https://gitlab.example.com/api/v4", "CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "7",
				"GITLAB_TOKEN": "glpat-a"}[k]
		}
	}
}

// posted is where a note was put, and as whom.
type posted struct {
	lifecycle.ForgeServer
	project string
	number  int64
}

func on(project, token, caFile string) posted {
	return posted{lifecycle.ForgeServer{URL: "https://gitlab.example.com/api/v4", Token: token, CAFile: caFile}, project, 7}
}

// fakeForge is a forge with one merge request.
type fakeForge struct {
	forge.Forge
	server lifecycle.ForgeServer
	now    lifecycle.MergeRequest
	// lost is the error of asking for the merge request, fail that of writing the note; takes is how long a note may be, 0 as it likes.
	lost, fail      error
	takes           int
	posted          []posted
	markers, bodies []string
}

func (f *fakeForge) open(server lifecycle.ForgeServer, _ *slog.Logger) (forge.Forge, error) {
	f.server = server
	return f, nil
}

func (f *fakeForge) MergeRequest(context.Context, string, int64) (lifecycle.MergeRequest, error) {
	return f.now, f.lost
}

func (f *fakeForge) UpsertNote(_ context.Context, project string, number int64, marker, body string) (lifecycle.NoteOutcome, error) {
	f.posted, f.markers, f.bodies = append(f.posted, posted{f.server, project, number}), append(f.markers, marker), append(f.bodies, body)
	if f.takes > 0 && len(body) > f.takes {
		return "", errors.Join(lifecycle.ErrNoteTooLong, lifecycle.Errorf("", "the note is longer than GitLab takes"))
	}
	return lifecycle.NoteCreated, f.fail
}

func TestCINote(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		args []string
		now  lifecycle.MergeRequest
		lost error // of asking for the merge request
		fail error
		code int
		want string // in stderr
		mr   posted
		sent bool
	}{
		{name: "posts", want: "The note on merge request !7 was created: 7 sites.", sent: true,
			args: []string{"gone"}, mr: on("12", "glpat-a", "")},
		{name: "of a fork, with a token of its own", env: map[string]string{"CI_MERGE_REQUEST_PROJECT_ID": "99", "KIBAN_GITLAB_TOKEN": "glpat-b",
			"CI_SERVER_TLS_CA_FILE": "ca.pem"}, want: "6 sites", sent: true,
			mr: on("99", "glpat-b", "ca.pem")},
		{name: "outside a merge request", env: map[string]string{"CI_MERGE_REQUEST_IID": ""}, code: exitFailed,
			want: "there is no merge request to write to"},
		{name: "with nonsense", env: map[string]string{"CI_MERGE_REQUEST_IID": "seven"}, code: exitFailed,
			want: "the merge request's number is none"},
		{name: "with an API that fails", fail: lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the token lacks the scope api"},
			code: exitFailed, want: "the token lacks the scope api", sent: true,
			mr: on("12", "glpat-a", "")},
		{name: "on a branch that was rewritten", env: map[string]string{"CI_COMMIT_SHA": "3f2a1c9d5e6f"},
			now:  lifecycle.MergeRequest{State: "opened", Head: "99aabbccddee"},
			want: "was rewritten while planning: it is at 99aabbccdd, and the plans are of 3f2a1c9d5e. The newer pipeline writes the note."},
		{name: "on a branch as it was", env: map[string]string{"CI_COMMIT_SHA": "3f2a1c9d5e6f"},
			now: lifecycle.MergeRequest{State: "opened", Head: "3f2a1c9d5e6f"}, want: "was created", sent: true,
			mr: on("12", "glpat-a", "")},
		{name: "of merged results", env: map[string]string{"CI_COMMIT_SHA": "1111", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "3f2a"},
			now: lifecycle.MergeRequest{State: "opened", Head: "3f2a"}, want: "was created", sent: true,
			mr: on("12", "glpat-a", "")},
		{name: "of merged results, rewritten", env: map[string]string{"CI_COMMIT_SHA": "1111", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "3f2a"},
			now: lifecycle.MergeRequest{State: "opened", Head: "99aa"}, want: "the plans are of 3f2a"},
		{name: "whose branch is gone", env: map[string]string{"CI_COMMIT_SHA": "3f2a"}, now: lifecycle.MergeRequest{State: "opened"},
			want: "was created", sent: true,
			mr: on("12", "glpat-a", "")},
		{name: "merged meanwhile", now: lifecycle.MergeRequest{State: "merged"}, want: "Merge request !7 is merged: its note is left as it is."},
		{name: "closed meanwhile", now: lifecycle.MergeRequest{State: "closed"}, want: "Merge request !7 is closed: its note is left as it is."},
		{name: "gone", lost: lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "project 12 has no merge request !7"},
			code: exitFailed, want: "project 12 has no merge request !7"},
		{name: "printed", env: map[string]string{"CI_MERGE_REQUEST_IID": "", "GITLAB_TOKEN": ""}, args: []string{"--print"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeForge{now: tt.now, lost: tt.lost, fail: tt.fail}
			services := (&fakeSite{plans: []lifecycle.Plan{planOf("f")}}).services()
			services.OpenForge = f.open
			var out, errs strings.Builder
			s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Size: func() (int, int) { return 80, 24 }}
			inPipeline(tt.env)(&s)
			code := run(t.Context(), s, append([]string{"--fleet", t.TempDir(), "ci", "note", "--plans", plansDir(t)}, tt.args...), services)
			if code != tt.code || !strings.Contains(errs.String(), tt.want) {
				t.Errorf("exit %d, want %d; stderr %q, want %q", code, tt.code, errs.String(), tt.want)
			}
			switch {
			case tt.sent && (len(f.posted) != 1 || f.posted[0] != tt.mr || f.markers[0] != forge.NoteMarker ||
				!strings.HasPrefix(f.bodies[0], forge.NoteMarker)):
				t.Errorf("got %+v, want the note at %+v", f.posted, tt.mr)
			case !tt.sent && len(f.posted) != 0:
				t.Errorf("a note was sent: %+v", f.posted)
			}
			if printed := strings.HasPrefix(out.String(), forge.NoteMarker); printed != (tt.name == "printed") {
				t.Errorf("stdout: %q", out.String())
			}
			if strings.Contains(out.String()+errs.String(), "glpat-") {
				t.Error("the token was shown")
			}
		})
	}
}

// TestPlannedCommits: a pipeline of merged results is of the branch's head, and of a commit of its own.
func TestPlannedCommits(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want []string
	}{
		{map[string]string{}, nil},
		{map[string]string{"CI_COMMIT_SHA": "3f2a1c9d5e6f"}, []string{"3f2a1c9d5e6f"}},
		{map[string]string{"CI_COMMIT_SHA": "1111", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "3f2a"}, []string{"3f2a", "1111"}},
	} {
		a := &app{}
		inPipeline(tt.env)(&a.Streams)
		if mr, err := forge.MergeRequestOf(a.Getenv); err != nil || !slices.Equal(mr.Planned, tt.want) {
			t.Errorf("%v: got %q, %v", tt.env, mr.Planned, err)
		}
	}
}

// TestCINoteShortens: a server with a limit of its own gets a note that it takes, or says that it takes none.
func TestCINoteShortens(t *testing.T) {
	for _, tt := range []struct {
		takes, tries, code int
		want               string
	}{{1_000_000, 1, exitDone, "was created"}, {30_000, 3, exitDone, "was created"},
		{10, 3, exitFailed, "the note is longer than GitLab takes"}} {
		plan := planOf("f")
		for i := range 3000 {
			id := fmt.Sprintf("worker-%d/upgrade", i)
			step := planOf("f", id).Steps[0]
			step.Reason = fmt.Sprintf("because of %d", i)
			plan.Steps = append(plan.Steps, step)
		}
		plan.Stages = []lifecycle.Stage{{ID: "s", Title: "the stage"}}
		dir, f := t.TempDir(), &fakeForge{takes: tt.takes}
		b, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "lab.json"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		services := (&fakeSite{}).services()
		services.OpenForge = f.open
		var out, errs strings.Builder
		s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Size: func() (int, int) { return 80, 24 }}
		inPipeline(nil)(&s)
		code := run(t.Context(), s, []string{"--fleet", t.TempDir(), "ci", "note", "--plans", dir}, services)
		if code != tt.code || len(f.posted) != tt.tries || !strings.Contains(errs.String(), tt.want) {
			t.Errorf("of %d: exit %d after %d attempts: %s", tt.takes, code, len(f.posted), errs.String())
		}
		if last := f.bodies[len(f.bodies)-1]; code == exitDone && !strings.Contains(last, "`lab`") {
			t.Errorf("the note does not tell of lab: %.300s", last)
		}
	}
}

// TestCINoteEndToEnd runs kiban as it is wired against a server that answers as GitLab does.
func TestCINoteEndToEnd(t *testing.T) {
	var notes []string
	head := "3f2a"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Header.Get("Private-Token") != "glpat-a":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/merge_requests/7"):
			fmt.Fprintf(w, `{"iid":7,"state":"opened","sha":%q}`, head)
		case r.Method == http.MethodGet:
			list := []map[string]any{}
			for i, n := range notes {
				list = append(list, map[string]any{"id": i, "body": n})
			}
			_ = json.NewEncoder(w).Encode(list)
		case r.Method == http.MethodPost, r.Method == http.MethodPut:
			var in map[string]string
			b, err := io.ReadAll(r.Body)
			if err = errors.Join(err, json.Unmarshal(b, &in)); err != nil {
				t.Error(err)
			}
			notes = []string{in["body"]}
			fmt.Fprint(w, `{"id":0}`)
		}
	}))
	defer server.Close()
	dir := plansDir(t)
	note := func(token string) (int, string) {
		var out, errs strings.Builder
		s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Size: func() (int, int) { return 80, 24 }}
		inPipeline(map[string]string{"CI_API_V4_URL": server.URL + "/api/v4", "GITLAB_TOKEN": token, "CI_COMMIT_SHA": "3f2a"})(&s)
		return run(t.Context(), s, []string{"--fleet", t.TempDir(), "ci", "note", "--plans", dir}, wire()), errs.String()
	}
	began := time.Now()
	for _, want := range []string{"was created", "was unchanged"} {
		if code, errs := note("glpat-a"); code != exitDone || !strings.Contains(errs, want) {
			t.Fatalf("exit %d: %s; want %s", code, errs, want)
		}
	}
	if err := os.Remove(filepath.Join(dir, "osaka.plan")); err != nil {
		t.Fatal(err)
	}
	if code, errs := note("glpat-a"); code != exitDone || !strings.Contains(errs, "was updated") || len(notes) != 1 {
		t.Errorf("exit %d: %s; %d notes", code, errs, len(notes))
	}
	head = "99aa"
	if code, errs := note("glpat-a"); code != exitDone || !strings.Contains(errs, "was rewritten while planning") || len(notes) != 1 {
		t.Errorf("exit %d: %s; %d notes", code, errs, len(notes))
	}
	if code, errs := note(""); code != exitFailed || !strings.Contains(errs, "there is no token for GitLab") ||
		!strings.Contains(errs, "KIBAN_GITLAB_TOKEN") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if code, errs := note("glpat-b"); code != exitFailed || !strings.Contains(errs, "GitLab does not know the token") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s: a server that answers is not waited for", took)
	}
}
