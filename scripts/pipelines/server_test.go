package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// gitlab is a project that is served, with one merge request that a commit has merged.
func gitlab(t *testing.T) (*project, func(method, path, body string) (int, string, http.Header)) {
	t.Helper()
	p := &project{}
	server := p.serve()
	t.Cleanup(server.Close)
	p.merged(p.open("lab: k0s", "lab-k0s", "aaaa", []string{"aaaa"}), "bbbb")
	return p, func(method, path, body string) (int, string, http.Header) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, bytes.NewBufferString(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Private-Token", apiToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b), resp.Header
	}
}

const api = "/api/v4/projects/" + projectID

// TestReviewTokenOnlyReads: what finds reviews may write nothing.
func TestReviewTokenOnlyReads(t *testing.T) {
	p, _ := gitlab(t)
	for method, want := range map[string]int{http.MethodGet: http.StatusOK, http.MethodPost: http.StatusForbidden} {
		req, err := http.NewRequestWithContext(t.Context(), method, p.url+api+"/merge_requests/1/notes", strings.NewReader(`{"body":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Private-Token", reviewToken)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", method, resp.StatusCode, want)
		}
	}
}

func TestServerWantsTheToken(t *testing.T) {
	p, ask := gitlab(t)
	if code, _, _ := ask("GET", api, ""); code != http.StatusOK {
		t.Errorf("with the token: %d", code)
	}
	if code, _, _ := ask("GET", "/api/v4/projects/platform%2Ffleet", ""); code != http.StatusOK {
		t.Errorf("by its path: %d", code)
	}
	if code, _, _ := ask("GET", "/api/v4/projects/9", ""); code != http.StatusNotFound {
		t.Errorf("another project: %d", code)
	}
	resp, err := http.Get(p.url + api)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", resp.StatusCode)
	}
}

func TestServerFailsOnCommandOnce(t *testing.T) {
	p, ask := gitlab(t)
	p.fail("POST", "/notes", http.StatusTooManyRequests)
	code, _, header := ask("POST", api+"/merge_requests/1/notes", `{"body":"x"}`)
	if code != http.StatusTooManyRequests || header.Get("Retry-After") == "" || len(p.notesOf(p.merges[0])) != 0 {
		t.Errorf("the first: %d, %v, notes %v", code, header, p.notesOf(p.merges[0]))
	}
	if p.pending() != 0 {
		t.Error("the failure is still to come")
	}
	if code, _, _ = ask("POST", api+"/merge_requests/1/notes", `{"body":"x"}`); code != http.StatusCreated {
		t.Errorf("the second: %d", code)
	}
}

func TestServerKeepsNotes(t *testing.T) {
	p, ask := gitlab(t)
	for _, body := range []string{"one", "two", "three"} {
		ask("POST", api+"/merge_requests/1/notes", `{"body":"`+body+`"}`)
	}
	_, list, header := ask("GET", api+"/merge_requests/1/notes?sort=desc&per_page=2", "")
	var notes []note
	if err := json.Unmarshal([]byte(list), &notes); err != nil || len(notes) != 2 || notes[0].Body != "three" ||
		header.Get("X-Next-Page") != "2" {
		t.Fatalf("%v, %s, next page %q", err, list, header.Get("X-Next-Page"))
	}
	if _, list, header = ask("GET", api+"/merge_requests/1/notes?sort=desc&per_page=2&page=2", ""); !strings.Contains(list, "one") ||
		header.Get("X-Next-Page") != "" {
		t.Errorf("page 2: %s", list)
	}
	if code, _, _ := ask("PUT", api+"/merge_requests/1/notes/99", `{"body":"x"}`); code != http.StatusNotFound {
		t.Errorf("a note that is not there: %d", code)
	}
	if code, _, _ := ask("GET", api+"/merge_requests/7/notes", ""); code != http.StatusNotFound {
		t.Errorf("a merge request that is not there: %d", code)
	}
	if got := p.notesOf(p.merges[0]); len(got) != 3 || got[0].edits != 0 {
		t.Errorf("%+v", got)
	}
}

// TestServerLeadsFromACommitToItsPlan: the way that kiban goes on the main branch.
func TestServerLeadsFromACommitToItsPlan(t *testing.T) {
	p, ask := gitlab(t)
	work := t.TempDir()
	if err := os.MkdirAll(filepath.Join(work, "job", "plans"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "job", "plans", "lab.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	parent := p.begin(pipelineRecord{SHA: "aaaa", Source: "merge_request_event", merge: 1})
	child := p.begin(pipelineRecord{SHA: "aaaa", Source: "parent_pipeline", merge: 1, parent: parent.ID, trigger: "kiban: plans"})
	for range 2 { // the second is a retry, which takes the first one's place
		if err := p.record(child, jobRecord{Name: "plan:lab", Status: "success"}, filepath.Join(work, "job"),
			filepath.Join(work, "kept")); err != nil {
			t.Fatal(err)
		}
	}
	var merges, pipelines, bridges, jobs []struct {
		ID         int                 `json:"id"`
		IID        int                 `json:"iid"`
		State      string              `json:"state"`
		Downstream struct{ ID int }    `json:"downstream_pipeline"`
		Artifacts  *struct{ Size int } `json:"artifacts_file"`
		Name       string              `json:"name"`
	}
	get := func(path string, into any) {
		t.Helper()
		code, body, _ := ask("GET", api+path, "")
		if code != http.StatusOK || json.Unmarshal([]byte(body), into) != nil {
			t.Fatalf("%s: %d %s", path, code, body)
		}
	}
	get("/repository/commits/bbbb/merge_requests", &merges)
	if len(merges) != 1 || merges[0].State != "merged" {
		t.Fatalf("merge requests: %+v", merges)
	}
	get("/merge_requests/1/pipelines", &pipelines)
	if len(pipelines) != 1 || pipelines[0].ID != parent.ID {
		t.Fatalf("pipelines: %+v, not the parent alone", pipelines)
	}
	get("/pipelines/"+itoa(parent.ID)+"/bridges", &bridges)
	if len(bridges) != 1 || bridges[0].Downstream.ID != child.ID || bridges[0].Name != "kiban: plans" {
		t.Fatalf("bridges: %+v", bridges)
	}
	get("/pipelines/"+itoa(child.ID)+"/jobs", &jobs)
	if len(jobs) != 1 || jobs[0].Artifacts == nil {
		t.Fatalf("jobs: %+v", jobs)
	}
	file := "/jobs/" + itoa(jobs[0].ID) + "/artifacts/plans/"
	if code, body, _ := ask("GET", api+file+"lab.json", ""); code != http.StatusOK || body != "{}" {
		t.Errorf("the plan: %d %q", code, body)
	}
	for _, other := range []string{"tokyo.json", "..%2F..%2Fjob%2Fplans%2Flab.json"} {
		if code, body, _ := ask("GET", api+file+other, ""); code == http.StatusOK {
			t.Errorf("%s: %q", other, body)
		}
	}
}

func TestServerListsDeployments(t *testing.T) {
	p, ask := gitlab(t)
	l := p.begin(pipelineRecord{SHA: "bbbb"})
	p.deployed(l, "apply:lab", "lab/lab", "failed")
	p.deployed(l, "apply:lab", "lab/lab", "success")
	p.deployed(l, "apply:prod", "production/prod", "success")
	var got []deployment
	_, list, _ := ask("GET", api+"/deployments?environment=lab%2Flab&status=success&sort=desc", "")
	if err := json.Unmarshal([]byte(list), &got); err != nil || len(got) != 1 || got[0].Deployable.Pipeline.ID != l.ID ||
		got[0].SHA != "bbbb" {
		t.Errorf("%v, %s", err, list)
	}
}

func TestServerKeepsIssuesAndMessages(t *testing.T) {
	p, ask := gitlab(t)
	ask("POST", api+"/issues", `{"title":"lab","description":"<!-- lab -->","labels":"kiban,site::lab"}`)
	if _, list, _ := ask("GET", api+"/issues?labels=kiban&state=opened", ""); !strings.Contains(list, "<!-- lab -->") &&
		!strings.Contains(list, `\u003c!-- lab`) {
		t.Errorf("opened: %s", list)
	}
	ask("PUT", api+"/issues/1", `{"state_event":"close"}`)
	if _, list, _ := ask("GET", api+"/issues?labels=kiban&state=opened", ""); strings.TrimSpace(list) != "[]" {
		t.Errorf("after it was closed: %s", list)
	}
	if code, _, _ := ask("POST", api+"/issues/1/notes", `{"body":"again"}`); code != http.StatusCreated {
		t.Errorf("a comment: %d", code)
	}
	if code, _, _ := ask("POST", "/services/another", `{"text":"x"}`); code != http.StatusNotFound {
		t.Errorf("another hook: %d", code)
	}
	if code, _, _ := ask("POST", "/services/"+hookSecret, `{}`); code != http.StatusBadRequest {
		t.Errorf("a message without text: %d", code)
	}
	ask("POST", "/services/"+hookSecret, `{"text":"lab is done"}`)
	if got := p.messages(0); len(got) != 1 || got[0] != "lab is done" {
		t.Errorf("messages: %q", got)
	}
	if got := p.everything(); len(got) != 4 {
		t.Errorf("everything: %q", got)
	}
}
