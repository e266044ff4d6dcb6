package gitlab

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestA3_ReviewedPlanCounts: what counts as reviewed was planned in the project itself, of the commit that was merged, and before that.
// Whoever may start a pipeline, retry a job or keep a fork can't make up a review afterwards.
func TestA3_ReviewedPlanCounts(t *testing.T) {
	const (
		pipelines = "/merge_requests/42/pipelines"
		children  = "/pipelines/200/jobs"
	)
	job := func(id int, status, finished string) string {
		return fmt.Sprintf(`{"id":%d,"name":"plan:lab","status":%q,"finished_at":%s,"web_url":"https://gitlab.example/jobs/%d"}`, id, status,
			finished, id)
	}
	const before, at, after = `"2026-11-20T23:59:59Z"`, `"2026-11-21T00:00:00Z"`, `"2026-11-21T00:00:01Z"`
	for name, tt := range map[string]struct {
		edit    func(s *fleetServer)
		missing string // "" when there is a plan that counts
		job     string
	}{
		"planned before the merge": {func(*fleetServer) {}, "", "7"},
		"ended in the moment of the merge": {func(s *fleetServer) { s.answer[children] = "[" + job(7, "success", at) + "]" },
			"", "7"},
		"retried after the merge": {func(s *fleetServer) { s.answer[children] = "[" + job(9, "success", after) + "]" },
			"it was planned after it was merged: job 9 ended at 2026-11-21T00:00:01Z, and the merge was at 2026-11-21T00:00:00Z", ""},
		"retried after the merge, where people had seen a plan": {func(s *fleetServer) {
			s.answer[children] = "[" + job(9, "success", after) + "," + job(7, "success", before) + "]"
		}, "", "7"},
		"retried before the merge": {func(s *fleetServer) {
			s.answer[children] = "[" + job(6, "success", before) + "," + job(7, "success", before) + "]"
		}, "", "7"},
		"under way when it was merged": {func(s *fleetServer) { s.answer[children] = "[" + job(9, "running", "null") + "]" },
			"its plan was not made: job 9 is running", ""},
		"it failed, and was retried after the merge": {func(s *fleetServer) {
			s.answer[children] = "[" + job(9, "success", after) + "," + job(7, "failed", before) + "]"
		}, "job 7 is failed", ""},
		"nobody knows when it was merged": {func(s *fleetServer) {
			s.merged(`{"iid":42,"state":"merged","target_branch":"main","project_id":1,"sha":"f00d","merge_commit_sha":"` + mergeCommit + `"}`)
		}, "GitLab does not say when the merge request was merged", ""},
		"a fork's pipeline": {func(s *fleetServer) {
			s.answer[pipelines] = `[{"id":100,"source":"merge_request_event","project_id":77,"sha":"f00d"}]`
		}, "it was planned elsewhere: pipeline 100 is of project 77, not of project 1", ""},
		"a pipeline of no project": {func(s *fleetServer) {
			s.answer[pipelines] = `[{"id":100,"source":"merge_request_event","sha":"f00d"}]`
		}, "it was planned elsewhere", ""},
		"a fork's pipeline beside the project's own": {func(s *fleetServer) {
			s.answer[pipelines] = `[{"id":100,"source":"merge_request_event","project_id":1,"sha":"f00d"},` +
				`{"id":103,"source":"merge_request_event","project_id":77,"sha":"f00d"}]`
		}, "", "7"},
		"a child in a fork": {func(s *fleetServer) {
			s.answer["/pipelines/100/bridges"] = `[{"id":2,"downstream_pipeline":{"id":200,"project_id":77,"sha":"f00d"}}]`
		}, "pipeline 200 was started elsewhere: it is of project 77", ""},
		"a child of another commit": {func(s *fleetServer) {
			s.answer["/pipelines/100/bridges"] = `[{"id":2,"downstream_pipeline":{"id":200,"project_id":1,"sha":"bad"}}]`
		}, "pipeline 200 was started elsewhere: it is of project 1 and commit bad", ""},
		"an earlier commit of the branch": {func(s *fleetServer) {
			s.answer[pipelines] = `[{"id":100,"source":"merge_request_event","project_id":1,"sha":"01d","ref":"refs/merge-requests/42/head"}]`
		}, "another commit was planned than the one that was merged: pipeline 100 is of 01d, and !42 was merged at f00d", ""},
		"no commit at all": {func(s *fleetServer) {
			s.answer[pipelines] = `[{"id":100,"source":"merge_request_event","project_id":1}]`
		}, "another commit was planned", ""},
		"the merged result": {func(s *fleetServer) { trial(s, "merge", `["ba5e","f00d"]`) }, "", "7"},
		"a merge train":     {func(s *fleetServer) { trial(s, "train", `["ba5e","f00d"]`) }, "", "7"},
		"the commit that merging made": {func(s *fleetServer) {
			s.answer[pipelines] = strings.ReplaceAll(`[{"id":100,"source":"merge_request_event","project_id":1,"sha":"X"}]`, "X", mergeCommit)
			s.answer["/pipelines/100/bridges"] = strings.ReplaceAll(s.answer["/pipelines/100/bridges"], "f00d", mergeCommit)
		}, "", "7"},
		"the merged result of an earlier commit": {func(s *fleetServer) { trial(s, "merge", `["ba5e","01d"]`) },
			"another commit was planned than the one that was merged", ""},
		"a merge by hand, that the branch held once": {func(s *fleetServer) { trial(s, "head", `["ba5e","f00d"]`) },
			"another commit was planned than the one that was merged", ""},
		"a merged result of another merge request": {func(s *fleetServer) {
			trial(s, "merge", `["ba5e","f00d"]`)
			s.answer[pipelines] = strings.ReplaceAll(s.answer[pipelines], "requests/42", "requests/4")
		}, "another commit was planned than the one that was merged", ""},
		"a merged result that is gone": {func(s *fleetServer) {
			trial(s, "merge", `["ba5e","f00d"]`)
			delete(s.answer, "/repository/commits/7e57")
		}, "GitLab no longer has commit 7e57", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFleetServer(t)
			s.before = func(w http.ResponseWriter, r *http.Request, _ int) bool { // what a fork has is there to be had
				if strings.Contains(r.URL.Path, "/projects/77/") {
					t.Errorf("the fork was asked: %s", r.URL.Path)
				}
				if strings.HasSuffix(r.URL.Path, "/jobs/9/artifacts/plans/lab.json") {
					t.Error("a plan of after the merge was fetched")
				}
				return false
			}
			tt.edit(s)
			got, err := s.reviewed(t, "lab")
			if err != nil || len(got.Sites) != 1 {
				t.Fatalf("got %+v, %v", got, err)
			}
			site := got.Sites[0]
			if counts := site.Plan != nil; counts != (tt.missing == "") || !strings.Contains(site.Missing, tt.missing) {
				t.Errorf("plan %s, missing %q; want %q", site.Plan, site.Missing, tt.missing)
			}
			if tt.job != "" && site.Evidence.Job != "https://gitlab.example/jobs/"+tt.job {
				t.Errorf("by job %q, want %s", site.Evidence.Job, tt.job)
			}
		})
	}
}

// trial has the pipeline run on a commit that GitLab made by merging into the target for a try.
func trial(s *fleetServer, ref, parents string) {
	s.answer["/merge_requests/42/pipelines"] = `[{"id":100,"source":"merge_request_event","project_id":1,"sha":"7e57",` +
		`"ref":"refs/merge-requests/42/` + ref + `"}]`
	s.answer["/pipelines/100/bridges"] = strings.ReplaceAll(s.answer["/pipelines/100/bridges"], "f00d", "7e57")
	s.answer["/repository/commits/7e57"] = `{"id":"7e57","parent_ids":` + parents + `}`
}

// TestA3_WhoSaidYes: the record names the job and commit of what was reviewed, who merged and who approved; what the token may not see is
// said, and stops nobody.
func TestA3_WhoSaidYes(t *testing.T) {
	s := newFleetServer(t)
	got, err := s.reviewed(t, "lab")
	if err != nil {
		t.Fatal(err)
	}
	e := got.Sites[0].Evidence
	if e.Job != "https://gitlab.example/jobs/7" || e.Commit != "f00d" || e.MergedBy != "ann" ||
		!slices.Equal(e.ApprovedBy, []string{"bob", "eve"}) || e.Unknown != "" {
		t.Errorf("got %+v", e)
	}
	s.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.HasSuffix(r.URL.Path, "/approvals") {
			return false
		}
		refuse(w, http.StatusForbidden, `{"message":"403 Forbidden"}`)
		return true
	}
	if got, err = s.reviewed(t, "lab"); err != nil {
		t.Fatal(err)
	}
	e = got.Sites[0].Evidence
	if e.MergedBy != "ann" || len(e.ApprovedBy) != 0 || e.Unknown != "who approved is not known: GitLab did not tell (status 403)" ||
		string(got.Sites[0].Plan) != planFile {
		t.Errorf("got %+v", e)
	}
}
