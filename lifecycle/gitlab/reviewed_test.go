package gitlab

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const (
	mergeCommit = "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"
	planFile    = `{"format":"1.0","site":"lab"}`
)

// fleetServer is as much of GitLab as it takes to find a reviewed plan: answers by path.
type fleetServer struct {
	*httptest.Server
	mu     sync.Mutex
	answer map[string]string // by path, without the project
	calls  map[string]int
	// before, when it is set, may answer in the server's place: it gives true.
	before func(w http.ResponseWriter, r *http.Request, call int) bool
}

func newFleetServer(t *testing.T) *fleetServer {
	t.Helper()
	s := &fleetServer{calls: map[string]int{}, answer: map[string]string{
		"":                                 `{"id":1}`,
		"/merge_requests/42/pipelines":     `[{"id":100,"source":"merge_request_event","project_id":1,"sha":"f00d"}]`,
		"/pipelines/100/jobs":              `[{"id":1,"name":"validate","status":"success"}]`,
		"/pipelines/100/bridges":           `[{"id":2,"name":"sites","downstream_pipeline":{"id":200,"project_id":1,"sha":"f00d"}},{"id":3,"name":"not started"}]`,
		"/pipelines/200/jobs":              `[{"id":7,"name":"plan:lab","status":"success","finished_at":"2026-11-20T00:00:00Z","web_url":"https://gitlab.example/jobs/7"},{"id":8,"name":"note","status":"success"}]`,
		"/pipelines/200/bridges":           `[]`,
		"/jobs/7/artifacts/plans/lab.json": planFile,
		"/merge_requests/42/approvals":     `{"approved_by":[{"user":{"username":"eve"}},{"user":{"username":"bob"}}]}`,
	}}
	s.merged(`{"iid":42,"state":"merged","target_branch":"main","project_id":1,"sha":"f00d","merged_at":"2026-11-21T00:00:00Z","merge_user":{"username":"ann"},"web_url":"https://gitlab.example/-/merge_requests/42","merge_commit_sha":"` +
		mergeCommit + `"}`)
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

// merged says which merge requests the commit came with.
func (s *fleetServer) merged(requests ...string) {
	s.answer["/repository/commits/"+mergeCommit+"/merge_requests"] = "[" + strings.Join(requests, ",") + "]"
}

func (s *fleetServer) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v4/projects/")
	path = strings.TrimPrefix(strings.TrimPrefix(path, project), "1") // its path or its number
	s.calls[path]++
	if s.before != nil && s.before(w, r, s.calls[path]) {
		return
	}
	answer, ok := s.answer[path]
	switch {
	case r.Header.Get("Private-Token") != token:
		refuse(w, http.StatusUnauthorized, `{"message":"401 Unauthorized"}`)
	case !ok:
		refuse(w, http.StatusNotFound, `{"message":"404 Not found"}`)
	default:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	}
}

func (s *fleetServer) reviewed(t *testing.T, sites ...string) (lifecycle.ReviewedSites, error) {
	t.Helper()
	c, err := newClient(lifecycle.ForgeServer{URL: s.URL + "/api/v4", Token: token}, nil, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return c.Reviewed(t.Context(), project, lifecycle.MergedCommit{Commit: mergeCommit, Branch: "main"}, sites)
}

func TestReviewed(t *testing.T) {
	const jobs = "/pipelines/200/jobs"
	for name, tt := range map[string]struct {
		edit    func(s *fleetServer)
		sites   []string
		missing string // "" when there is a plan
		where   string
	}{
		"a merge commit":   {func(*fleetServer) {}, []string{"lab"}, "", "merge_requests/42"},
		"every site of it": {func(*fleetServer) {}, nil, "", "merge_requests/42"},
		"a squash": {func(s *fleetServer) {
			s.merged(`{"iid":41,"state":"merged","target_branch":"main","merged_at":"2026-11-22T00:00:00Z"}`,
				`{"iid":42,"state":"merged","target_branch":"main","project_id":1,"sha":"f00d","merged_at":"2026-11-21T00:00:00Z","web_url":"https://gitlab.example/-/merge_requests/42","squash_commit_sha":"`+mergeCommit+`"}`)
		}, []string{"lab"}, "", "merge_requests/42"},
		"fast forward, and merged elsewhere too": {func(s *fleetServer) {
			s.merged(`{"iid":40,"state":"opened","target_branch":"main"}`,
				`{"iid":41,"state":"merged","target_branch":"stable","merged_at":"2026-11-23T00:00:00Z"}`,
				`{"iid":42,"state":"merged","target_branch":"main","project_id":1,"sha":"f00d","merged_at":"2026-11-21T00:00:00Z","web_url":"https://gitlab.example/-/merge_requests/42"}`)
		}, []string{"lab"}, "", "merge_requests/42"},
		"pushed directly": {func(s *fleetServer) { s.merged() }, []string{"lab"}, "pushed directly", ""},
		"only opened": {func(s *fleetServer) { s.merged(`{"iid":42,"state":"opened","target_branch":"main"}`) }, []string{"lab"},
			"pushed directly", ""},
		"no job for the site": {func(*fleetServer) {}, []string{"tokyo"}, "no pipeline of merge request !42 has a job plan:tokyo",
			"merge_requests/42"},
		"no pipeline": {func(s *fleetServer) { s.answer["/merge_requests/42/pipelines"] = `[]` }, []string{"lab"}, "has a job plan:lab",
			"merge_requests/42"},
		"of a branch, not of the merge request": {func(s *fleetServer) {
			s.answer["/merge_requests/42/pipelines"] = `[{"id":100,"source":"push","project_id":1,"sha":"f00d"}]`
		}, []string{"lab"}, "has a job plan:lab", "merge_requests/42"},
		"the newest that has one": {func(s *fleetServer) {
			s.answer["/merge_requests/42/pipelines"] = `[{"id":99,"source":"merge_request_event","project_id":1,"sha":"f00d"},{"id":101,"source":"merge_request_event","project_id":1,"sha":"f00d"},{"id":100,"source":"merge_request_event","project_id":1,"sha":"f00d"}]`
			s.answer["/pipelines/101/jobs"], s.answer["/pipelines/101/bridges"] = `[]`, `[]`
			s.answer["/pipelines/99/jobs"], s.answer["/pipelines/99/bridges"] = `[{"id":6,"name":"plan:lab","status":"failed","finished_at":"2026-11-20T00:00:00Z"}]`, `[]`
		}, []string{"lab"}, "", "merge_requests/42"},
		"the newest, which failed": {func(s *fleetServer) {
			s.answer["/merge_requests/42/pipelines"] = `[{"id":100,"project_id":1,"sha":"f00d"},{"id":101,"source":"merge_request_event","project_id":1,"sha":"f00d"}]`
			s.answer["/pipelines/101/jobs"],
				s.answer["/pipelines/101/bridges"] = `[{"id":9,"name":"plan:lab","status":"failed","finished_at":"2026-11-20T00:00:00Z","web_url":"https://gitlab.example/jobs/9"}]`, `[]`
		}, []string{"lab"}, "its plan was not made: job 9 is failed (https://gitlab.example/jobs/9)", "merge_requests/42"},
		"canceled": {func(s *fleetServer) {
			s.answer[jobs] = `[{"id":7,"name":"plan:lab","status":"canceled","finished_at":"2026-11-20T00:00:00Z"}]`
		}, []string{"lab"},
			"job 7 is canceled", "merge_requests/42"},
		"a gate was in the way": {func(s *fleetServer) {
			s.answer[jobs] = `[{"id":7,"name":"plan:lab","status":"failed","finished_at":"2026-11-20T00:00:00Z","allow_failure":true}]`
		}, []string{"lab"}, "", "merge_requests/42"},
		"expired": {func(s *fleetServer) { delete(s.answer, "/jobs/7/artifacts/plans/lab.json") }, []string{"lab"},
			"have expired or were deleted", "merge_requests/42"},
		"left empty": {func(s *fleetServer) { s.answer["/jobs/7/artifacts/plans/lab.json"] = "\n" }, []string{"lab"}, "left an empty file",
			"merge_requests/42"},
		"far too large": {func(s *fleetServer) {
			s.answer["/jobs/7/artifacts/plans/lab.json"] = strings.Repeat(" ", largestPlan) + planFile
		}, []string{"lab"}, "more than 32 MiB", "merge_requests/42"},
		"a child's child": {func(s *fleetServer) {
			s.answer["/pipelines/200/bridges"] = `[{"id":4,"downstream_pipeline":{"id":300,"project_id":1,"sha":"f00d"}}]`
			s.answer["/pipelines/300/jobs"], s.answer[jobs] = s.answer[jobs], `[]`
		}, []string{"lab"}, "", "merge_requests/42"},
		"jobs in the pipeline itself": {func(s *fleetServer) { s.answer["/pipelines/100/jobs"] = s.answer[jobs] }, []string{"lab"}, "",
			"merge_requests/42"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFleetServer(t)
			tt.edit(s)
			got, err := s.reviewed(t, tt.sites...)
			if err != nil || len(got.Sites) != 1 || !strings.HasSuffix(got.Where, tt.where) || (got.Where == "") != (tt.where == "") {
				t.Fatalf("got %+v, %v", got, err)
			}
			site := got.Sites[0]
			if tt.missing == "" && (string(site.Plan) != planFile || site.Missing != "") || tt.missing != "" &&
				(site.Plan != nil || !strings.Contains(site.Missing, tt.missing)) {
				t.Errorf("got %.200s, missing %q; want missing %q", site.Plan, site.Missing, tt.missing)
			}
		})
	}
}

// Jobs come in pages.
func TestReviewedInPages(t *testing.T) {
	s := newFleetServer(t)
	s.answer["/pipelines/100/bridges"] = `[]`
	s.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.HasSuffix(r.URL.Path, "/pipelines/100/jobs") {
			return false
		}
		if r.URL.Query().Get("page") == "2" {
			fmt.Fprint(w, `[{"id":7,"name":"plan:lab","status":"success","finished_at":"2026-11-20T00:00:00Z"}]`)
			return true
		}
		w.Header().Set("X-Next-Page", "2")
		fmt.Fprint(w, `[{"id":1,"name":"validate"}]`)
		return true
	}
	got, err := s.reviewed(t)
	if err != nil || len(got.Sites) != 1 || string(got.Sites[0].Plan) != planFile {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReviewedFails(t *testing.T) {
	const artifact = "/jobs/7/artifacts/plans/lab.json"
	for name, tt := range map[string]struct {
		path    string // that fails
		status  int
		body    string
		summary string
	}{
		"an unknown token": {"/repository/commits/" + mergeCommit + "/merge_requests", 401, `{"message":"401 Unauthorized"}`,
			"GitLab does not know the token"},
		"no such project":       {"", 404, ``, "GitLab shows the token no such project"},
		"no right to artifacts": {artifact, 403, `{"message":"403 Forbidden"}`, "the token may not read what plan jobs left"},
		"no right to pipelines": {"/merge_requests/42/pipelines", 403, `{"message":"insufficient_scope"}`,
			"the token may not read what plan jobs left"},
		"a rate that stays":       {"/pipelines/100/jobs", 429, ``, "GitLab limits the rate"},
		"a server that is broken": {"/pipelines/200/bridges", 502, `<html>`, "GitLab fails with status 502"},
		"something else":          {artifact, 418, `{"message":"teapot"}`, "GitLab refuses to tell what was reviewed, with status 418"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFleetServer(t)
			if tt.path == "" {
				s.answer = map[string]string{}
			}
			s.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if tt.path == "" || !strings.HasSuffix(r.URL.Path, tt.path) {
					return false
				}
				refuse(w, tt.status, tt.body)
				return true
			}
			_, err := s.reviewed(t, "lab")
			ds := lifecycle.AsDiagnostics(err, "")
			if err == nil || !strings.Contains(ds[0].Summary, tt.summary) || ds[0].Hint == "" || ds[0].Severity != lifecycle.SeverityError ||
				strings.Contains(err.Error(), token) {
				t.Errorf("error %+v, want %q", ds, tt.summary)
			}
		})
	}
	s := newFleetServer(t)
	s.Close()
	if _, err := s.reviewed(t, "lab"); err == nil || !strings.Contains(err.Error(), "GitLab could not be reached") {
		t.Errorf("no server: %v", err)
	}
}

// A server that limits the rate, or fails, is asked again.
func TestReviewedIsPatient(t *testing.T) {
	s := newFleetServer(t)
	var refused []string
	s.before = func(w http.ResponseWriter, r *http.Request, call int) bool {
		if call > 1 {
			return false
		}
		refused = append(refused, r.URL.Path)
		w.Header().Set("Retry-After", "0")
		refuse(w, []int{429, 503}[len(refused)%2], "")
		return true
	}
	got, err := s.reviewed(t, "lab")
	if err != nil || string(got.Sites[0].Plan) != planFile ||
		!slices.ContainsFunc(refused, func(p string) bool { return strings.Contains(p, "/artifacts/") }) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Artifacts that lie on another server are fetched from there, and the token stays here.
func TestTokenStaysWithItsServer(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Private-Token") != "" {
			t.Error("the token went to another server")
		}
		fmt.Fprint(w, planFile)
	}))
	t.Cleanup(store.Close)
	s := newFleetServer(t)
	s.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.Contains(r.URL.Path, "/artifacts/") {
			return false
		}
		http.Redirect(w, r, store.URL, http.StatusFound)
		return true
	}
	if got, err := s.reviewed(t, "lab"); err != nil || string(got.Sites[0].Plan) != planFile {
		t.Errorf("got %+v, %v", got, err)
	}
}
