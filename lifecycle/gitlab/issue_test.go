package gitlab

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// tracker is as much of GitLab as issues need: one project with its issues and their notes. Two a page, so that few make several.
type tracker struct {
	*server
	issues []issue
	on     map[int][]note // by the issue's number, oldest first
	merged []note         // of merge request 3
	// before and after, when they are set, may answer in the tracker's place, before or after it did what was asked.
	before, after func(w http.ResponseWriter, r *http.Request) bool
}

type issue struct {
	ID          int      `json:"id"`
	IID         int      `json:"iid"`
	State       string   `json:"state"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Labels      []string `json:"labels"`
	WebURL      string   `json:"web_url"`
}

func newTracker(t *testing.T, issues ...issue) *tracker {
	tr := &tracker{server: newServer(t), issues: issues, on: map[int][]note{}}
	tr.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Header.Get("Private-Token") != token {
			return false
		}
		if tr.before != nil && tr.before(w, r) {
			return true
		}
		rec := httptest.NewRecorder()
		if !tr.serve(rec, r) {
			return false
		}
		if tr.after != nil && tr.after(w, r) {
			return true
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
		return true
	}
	return tr
}

func (tr *tracker) serve(w http.ResponseWriter, r *http.Request) bool {
	path := strings.TrimPrefix(r.URL.Path, "/api/v4/projects/"+project)
	var iid int
	switch {
	case path == "/issues" && r.Method == http.MethodGet:
		if r.URL.Query().Get("labels") != "kiban" || r.URL.Query().Get("scope") != "all" || r.URL.Query().Get("state") != "" {
			refuse(w, http.StatusBadRequest, `{"message":"not how kiban's issues are found"}`)
			return true
		}
		page(w, r, tr.issues)
	case path == "/issues" && r.Method == http.MethodPost:
		var in struct{ Title, Description, Labels string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		n := len(tr.issues) + 1
		tr.issues = append(tr.issues, issue{ID: 100 + n, IID: n, State: "opened", Title: in.Title, Description: strings.TrimSpace(in.Description),
			Labels: strings.Split(in.Labels, ","), WebURL: fmt.Sprintf("https://gitlab.example.com/issues/%d", n)})
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(tr.issues[n-1])
	case scan(path, "/issues/%d/notes", &iid) && r.Method == http.MethodGet:
		newest := slices.Clone(tr.on[iid])
		slices.Reverse(newest)
		page(w, r, newest)
	case scan(path, "/issues/%d/notes", &iid) && r.Method == http.MethodPost:
		tr.on[iid] = append(tr.on[iid], note{ID: len(tr.on[iid]) + 1, Body: body(r)})
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":1}`)
	case scan(path, "/issues/%d", &iid) && r.Method == http.MethodPut:
		var in struct {
			Event string `json:"state_event"`
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		tr.issues[iid-1].State = map[string]string{"close": "closed", "reopen": "opened"}[in.Event]
		fmt.Fprint(w, `{"id":101,"iid":1}`)
	case path == "/repository/commits/abc/merge_requests":
		fmt.Fprint(
			w, `[{"iid":2,"state":"closed","target_branch":"main"},{"iid":3,"state":"merged","target_branch":"main","merged_at":"2026-11-22T05:00:00Z"}]`,
		)
	case path == "/repository/commits/def/merge_requests":
		fmt.Fprint(w, `[]`)
	case path == "/merge_requests/3/notes" && r.Method == http.MethodGet:
		page(w, r, tr.merged)
	case path == "/merge_requests/3/notes" && r.Method == http.MethodPost:
		tr.merged = append(tr.merged, note{ID: 1, Body: body(r)})
		fmt.Fprint(w, `{"id":1}`)
	default:
		return false
	}
	return true
}

func scan(path, format string, n *int) bool {
	_, err := fmt.Sscanf(path, format, n)
	return err == nil && fmt.Sprintf(format, *n) == path
}

func page[T any](w http.ResponseWriter, r *http.Request, all []T) {
	n := 1
	_, _ = fmt.Sscan(r.URL.Query().Get("page"), &n)
	from := min(2*(n-1), len(all))
	out := slices.Clone(all[from:min(from+2, len(all))])
	if from+2 < len(all) {
		w.Header().Set("X-Next-Page", fmt.Sprint(n+1))
	}
	if out == nil {
		out = []T{}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func amiss(key string) lifecycle.Telling {
	return lifecycle.Telling{Site: "lab", Key: key, Body: "it failed", Amiss: true}
}
func over(key string) lifecycle.Telling {
	return lifecycle.Telling{Site: "lab", Key: key, Body: "all is well", Ends: true}
}

// A site's issue is opened, told more, closed, and opened again, by the same job run twice each time.
func TestTellIssue(t *testing.T) {
	tr := newTracker(t, issue{IID: 1, State: "opened", Description: "by hand"},
		issue{IID: 2, State: "opened", Description: siteMarker("lab-2") + "\nof another site"},
		issue{IID: 3, State: "closed", Description: "x " + siteMarker("lab")})
	c := tr.client(t, token)
	for i, tt := range []struct {
		t     lifecycle.Telling
		did   string
		state string
		notes int
	}{
		{lifecycle.Telling{Site: "lab", Key: "started.1"}, "", "", 0},
		{over("done.0"), "", "", 0},
		{amiss("failed.1"), "opened https://gitlab.example.com/issues/4", "opened", 0},
		{amiss("failed.1"), "", "opened", 0},
		{amiss("failed.2"), "commented on https://gitlab.example.com/issues/4", "opened", 1},
		{amiss("drift.1"), "commented on https://gitlab.example.com/issues/4", "opened", 2},
		{amiss("failed.2"), "", "opened", 2},
		{over("done.1"), "closed https://gitlab.example.com/issues/4", "closed", 3},
		{over("done.1"), "", "closed", 3},
		{amiss("failed.2"), "reopened https://gitlab.example.com/issues/4", "opened", 4}, // it came again after it was over
		{amiss("failed.2"), "", "opened", 4},
		{over("settled.2"), "closed https://gitlab.example.com/issues/4", "closed", 5},
	} {
		did, err := c.TellIssue(t.Context(), project, tt.t)
		if err != nil || did != tt.did {
			t.Fatalf("%d, %s: did %q, %v; want %q", i, tt.t.Key, did, err, tt.did)
		}
		if tt.state == "" {
			if len(tr.issues) != 3 {
				t.Fatalf("%d, %s: opened an issue", i, tt.t.Key)
			}
			continue
		}
		if len(tr.issues) != 4 || tr.issues[3].State != tt.state || len(tr.on[4]) != tt.notes {
			t.Fatalf("%d, %s: %+v with %+v", i, tt.t.Key, tr.issues[3:], tr.on[4])
		}
	}
	first := tr.issues[3]
	if first.Title != "kiban: lab needs attention" || !slices.Equal(first.Labels, []string{"kiban"}) ||
		!strings.HasPrefix(first.Description, siteMarker("lab")) || !strings.Contains(first.Description, "it failed") {
		t.Errorf("the issue: %+v", first)
	}
}

// The server does what it was asked and fails to say so.
func TestTellIssueOnce(t *testing.T) {
	for _, how := range []string{"an error", "a broken connection"} {
		tr := newTracker(t)
		failures := 0
		tr.after = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || failures > 1 {
				return false
			}
			failures++
			if how == "an error" {
				refuse(w, http.StatusBadGateway, "<html>")
				return true
			}
			panic(http.ErrAbortHandler)
		}
		for _, key := range []string{"failed.1", "failed.2"} {
			if _, err := tr.client(t, token).TellIssue(t.Context(), project, amiss(key)); err != nil {
				t.Fatalf("%s: %v", how, err)
			}
		}
		if len(tr.issues) != 1 || len(tr.on[1]) != 1 || failures != 2 {
			t.Errorf("%s: %d issues, notes %+v after %d failures", how, len(tr.issues), tr.on[1], failures)
		}
	}
}

// A job that was killed between the comment and the closing closes when it is run again.
func TestIssueIsClosedByTheSecond(t *testing.T) {
	tr := newTracker(t, issue{IID: 1, State: "opened", Description: siteMarker("lab")})
	tr.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			refuse(w, http.StatusForbidden, `{"message":"403 Forbidden"}`)
			return true
		}
		return false
	}
	if _, err := tr.client(t, token).TellIssue(t.Context(), project, over("done.1")); err == nil {
		t.Fatal("it could be closed")
	}
	tr.before = nil
	if did, err := tr.client(t, token).TellIssue(t.Context(), project, over("done.1")); err != nil || !strings.HasPrefix(did, "closed") ||
		tr.issues[0].State != "closed" || len(tr.on[1]) != 1 {
		t.Errorf("did %q, %v: %+v with %+v", did, err, tr.issues, tr.on)
	}
}

func TestTellNote(t *testing.T) {
	tr := newTracker(t)
	c := tr.client(t, token)
	for range 2 {
		if where, err := c.TellNote(t.Context(), project, "abc", "main", amiss("failed.1")); err != nil || where != "merge request !3" {
			t.Errorf("got %q, %v", where, err)
		}
	}
	if len(tr.merged) != 1 || tr.merged[0].Body != "<!-- kiban:told:failed.1 -->\nit failed" {
		t.Errorf("notes: %+v", tr.merged)
	}
	if where, err := c.TellNote(t.Context(), project, "def", "main", amiss("failed.1")); err != nil || where != "" {
		t.Errorf("a commit without a merge request: %q, %v", where, err)
	}
}

func TestTellingRefusals(t *testing.T) {
	always := func(code int, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "0")
			refuse(w, code, body)
			return true
		}
	}
	for _, tt := range []struct {
		name, token, want string
		answer            func(http.ResponseWriter, *http.Request) bool
		severity          lifecycle.Severity
	}{
		{"a wrong token", "glpat-other", "GitLab does not know the token", nil, lifecycle.SeverityError},
		{"a wrong scope", token, "the token lacks the scope api", always(403, `{"error":"insufficient_scope","error_description":"more"}`),
			lifecycle.SeverityError},
		{"a wrong role", token, "the token's role may not write to the project", always(403, `{"message":"403 Forbidden"}`),
			lifecycle.SeverityError},
		{"no issues", token, "GitLab shows the token no such project, or it has no issues", always(404, `{"message":"404 Not found"}`),
			lifecycle.SeverityError},
		{"limited for good", token, "GitLab limits the rate of requests", always(429, `{}`), lifecycle.SeverityBlocked},
		{"broken for good", token, "GitLab fails with status 500", always(500, `oops`), lifecycle.SeverityError},
	} {
		tr := newTracker(t)
		tr.before = tt.answer
		_, err := tr.client(t, tt.token).TellIssue(t.Context(), project, amiss("failed.1"))
		d, ok := errors.AsType[lifecycle.Diagnostic](err)
		if !ok || d.Summary != tt.want || d.Severity != tt.severity || d.Hint == "" || d.Subject != project {
			t.Errorf("%s: got %#v", tt.name, err)
		}
		if text := d.Error() + d.Hint; strings.Contains(text, tt.token) {
			t.Errorf("%s: the token is in the message: %s", tt.name, text)
		}
	}
}
