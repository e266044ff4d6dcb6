package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
)

// brought is the full name of another commit of that merge request.
var brought = strings.Repeat("c0ffee00", 5)

// mergedServer is a GitLab whose merge request !42 planned lab, osaka and one that is none; a commit of another name came without one.
func mergedServer(t *testing.T, plan lifecycle.Plan) *httptest.Server {
	t.Helper()
	b, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{
		"/api/v4/projects/7": `{"id":7}`,
		"/api/v4/projects/7/repository/commits/c0ffee/merge_requests": `[{"iid":42,"state":"merged","target_branch":"main",` +
			`"project_id":7,"sha":"f00d","merged_at":"2026-11-21T00:00:00Z","merge_user":{"username":"ann"},"web_url":"` + mergeRequestURL + `"}]`,
		"/api/v4/projects/7/merge_requests/42/pipelines": `[{"id":1,"source":"merge_request_event","project_id":7,"sha":"f00d"}]`,
		"/api/v4/projects/7/pipelines/1/jobs": `[{"id":5,"name":"plan:lab","status":"success","finished_at":"2026-11-20T00:00:00Z","web_url":"https://gitlab.example/jobs/5"},` +
			`{"id":6,"name":"plan:osaka","status":"success","finished_at":"2026-11-20T00:00:00Z"},` +
			`{"id":8,"name":"plan:../evil","status":"success","finished_at":"2026-11-20T00:00:00Z"}]`,
		"/api/v4/projects/7/merge_requests/42/approvals":            `{"approved_by":[{"user":{"username":"bob"}}]}`,
		"/api/v4/projects/7/pipelines/1/bridges":                    `[]`,
		"/api/v4/projects/7/repository/commits/beef/merge_requests": `[]`,
		"/api/v4/projects/7/deployments":                            `[{"id":3,"sha":"beef","status":"success","deployable":{"pipeline":{"id":51}}}]`,
		"/api/v4/projects/7/jobs/5/artifacts/plans/lab.json":        string(b),
		"/api/v4/projects/7/jobs/6/artifacts/plans/osaka.json":      `{"format":"1.0","si`,
		"/api/v4/projects/7/jobs/8/artifacts/plans/../evil.json":    `{"format":"1.0","site":"../evil"}`,
		"/api/v4/projects/7/jobs/8/artifacts/plans/..%2Fevil.json":  `{"format":"1.0","site":"../evil"}`,
	}
	commits := "/api/v4/projects/7/repository/commits/"
	answers[commits+brought+"/merge_requests"] = answers[commits+"c0ffee/merge_requests"]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok || r.Header.Get("Private-Token") != "glpat-x" {
			w.WriteHeader(map[bool]int{true: http.StatusUnauthorized, false: http.StatusNotFound}[ok])
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestCIReviewed(t *testing.T) {
	plan := clusterPlan("worker-1/upgrade")
	server := mergedServer(t, plan)
	for name, tt := range map[string]struct {
		sites []string
		more  []string
		env   map[string]string
		code  int
		says  []string
		left  []string // sites with a file afterwards
	}{
		"one site":            {sites: []string{"lab"}, says: []string{"lab: the plan of " + mergeRequestURL}, left: []string{"lab"}},
		"all that it planned": {says: []string{"osaka has no reviewed plan", "its plan was cut off"}, left: []string{"lab", "stale"}},
		"one that has none": {sites: []string{"lab", "tokyo"},
			says: []string{"tokyo has no reviewed plan", "no pipeline of merge request !42 has a job plan:tokyo"}, left: []string{"lab"}},
		"pushed directly": {sites: []string{"lab"}, env: map[string]string{"CI_COMMIT_SHA": "beef"},
			says: []string{"lab has no reviewed plan", "commit beef came without a merge request"}},
		"all of pushed commit": {env: map[string]string{"CI_COMMIT_SHA": "beef"},
			says: []string{"Commit beef came with no merge request that planned a site"}, left: []string{"lab", "stale"}},
		"another applied since": {sites: []string{"lab"}, env: map[string]string{"CI_ENVIRONMENT_NAME": "lab/lab", "CI_PIPELINE_ID": "50"},
			says: []string{"lab has no reviewed plan", "commit beef was applied since, by the newer pipeline 51"}},
		"another applied before": {sites: []string{"lab"}, env: map[string]string{"CI_ENVIRONMENT_NAME": "lab/lab", "CI_PIPELINE_ID": "52"},
			left: []string{"lab"}},
		"brought by an earlier commit": {sites: []string{"lab"}, more: []string{"--commit", brought},
			env:  map[string]string{"CI_COMMIT_SHA": "beef", "CI_ENVIRONMENT_NAME": "lab/lab", "CI_PIPELINE_ID": "50"},
			says: []string{"lab: the plan of " + mergeRequestURL}, left: []string{"lab"}},
		"brought by an earlier commit, and another applied since": {sites: []string{"lab"}, more: []string{"--commit", brought},
			env:  map[string]string{"CI_COMMIT_SHA": "cafe", "CI_ENVIRONMENT_NAME": "lab/lab", "CI_PIPELINE_ID": "50"},
			says: []string{"commit beef was applied since, by the newer pipeline 51"}},
		"a name that may mean anything": {sites: []string{"lab"}, more: []string{"--commit", "main"}, code: exitFailed,
			says: []string{"--commit is the full name of a commit"}, left: []string{"lab"}},
		"no token": {sites: []string{"lab"}, env: map[string]string{"KIBAN_GITLAB_TOKEN": ""}, code: exitFailed,
			says: []string{"there is no token for GitLab"}},
		"a wrong token": {sites: []string{"lab"}, env: map[string]string{"KIBAN_GITLAB_TOKEN": "glpat-y"}, code: exitFailed,
			says: []string{"GitLab does not know the token"}},
		"no pipeline": {sites: []string{"lab"}, env: map[string]string{"CI_COMMIT_BRANCH": ""}, code: exitFailed,
			says: []string{"CI_COMMIT_BRANCH is not set"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "reviewed")
			if err := os.Mkdir(out, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, site := range []string{"lab", "stale"} { // of an earlier attempt
				if err := os.WriteFile(review.ReviewedFile(out, site), []byte("{}"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if len(tt.sites) > 0 {
				if err := os.Remove(review.ReviewedFile(out, "stale")); err != nil {
					t.Fatal(err)
				}
			}
			env := map[string]string{"CI_API_V4_URL": server.URL + "/api/v4", "CI_PROJECT_ID": "7", "CI_COMMIT_SHA": "c0ffee",
				"CI_COMMIT_BRANCH": "main", "KIBAN_GITLAB_TOKEN": "glpat-x"}
			for k, v := range tt.env {
				env[k] = v
			}
			services := (&fakeSite{}).services()
			services.OpenForge = wire().OpenForge
			var stdout, stderr strings.Builder
			s := Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Size: func() (int, int) { return 80, 24 },
				Getenv: func(k string) string { return env[k] }}
			args := slices.Concat([]string{"--fleet", t.TempDir(), "ci", "reviewed"}, tt.sites, tt.more, []string{"--out", out})
			code := run(t.Context(), s, args, services)
			if code != tt.code || stdout.Len() != 0 || strings.Contains(stderr.String(), "glpat-") {
				t.Errorf("exit %d, want %d; stdout %q\n%s", code, tt.code, stdout.String(), stderr.String())
			}
			for _, want := range tt.says {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("does not say %q:\n%s", want, stderr.String())
				}
			}
			var left []string
			if err := fs.WalkDir(os.DirFS(filepath.Dir(out)), ".", func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					left = append(left, strings.TrimSuffix(strings.TrimPrefix(path, "reviewed/"), ".json"))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if strings.Join(left, " ") != strings.Join(tt.left, " ") {
				t.Errorf("left %v, want %v", left, tt.left)
			}
			if code == exitDone && len(tt.left) > 0 && tt.env == nil {
				r, err := review.ReadReviewed(review.ReviewedFile(out, "lab"))
				if err != nil || r.Where != mergeRequestURL || r.Plan.Meaning() != plan.Meaning() ||
					r.Evidence.Job != "https://gitlab.example/jobs/5" || r.Evidence.Commit != "f00d" || r.Evidence.MergedBy != "ann" ||
					strings.Join(r.Evidence.ApprovedBy, " ") != "bob" {
					t.Errorf("%+v, %v", r, err)
				}
			}
		})
	}
}

// A reviewed plan that can't be written is a failure, not a site that nobody reviewed.
func TestCIReviewedCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := &fakeSite{}
	if r := f.kiban(t, t.TempDir(), nil, "ci", "reviewed", "lab", "--out", file); r.code != exitFailed ||
		!strings.Contains(r.err, "the reviewed plans can't be written") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	if err := review.WriteReviewed(filepath.Join(t.TempDir(), "none"), lifecycle.ReviewedPlan{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
