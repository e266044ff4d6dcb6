package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serve answers for the project as GitLab's API does, and takes messages as Slack does, on this machine only.
func (p *project) serve() *httptest.Server {
	mux := http.NewServeMux()
	api := func(pattern string, handle func(http.ResponseWriter, *http.Request)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v4/projects/{project}"+path, p.authorized(handle))
	}
	api("GET ", p.getProject)
	api("GET /repository/commits/{sha}/merge_requests", p.mergesOfCommit)
	api("GET /merge_requests/{iid}", p.getMerge)
	api("GET /merge_requests/{iid}/pipelines", p.pipelinesOfMerge)
	api("GET /merge_requests/{iid}/approvals", p.approvals)
	api("GET /merge_requests/{iid}/notes", p.withNotes(listNotes))
	api("POST /merge_requests/{iid}/notes", p.withNotes(p.addNote))
	api("PUT /merge_requests/{iid}/notes/{note}", p.withNotes(editNote))
	api("GET /pipelines/{id}/bridges", p.bridges)
	api("GET /pipelines/{id}/jobs", p.jobs)
	api("GET /jobs/{id}/artifacts/{path...}", p.artifact)
	api("GET /issues", p.listIssues)
	api("POST /issues", p.addIssue)
	api("GET /issues/{issue}", p.getIssue)
	api("PUT /issues/{issue}", p.editIssue)
	api("GET /issues/{issue}/notes", p.withNotes(listNotes))
	api("POST /issues/{issue}/notes", p.withNotes(p.addNote))
	api("GET /deployments", p.listDeployments)
	mux.HandleFunc("GET /api/v4/user", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, bot()) })
	mux.HandleFunc("POST /services/"+hookSecret, p.hear)
	s := httptest.NewServer(p.recorded(mux))
	p.url = s.URL
	return s
}

// recorded keeps what was asked and how it was answered, and fails on command.
func (p *project) recorded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		path, _ := url.PathUnescape(r.URL.EscapedPath())
		said := &status{ResponseWriter: w, code: http.StatusOK}
		at := slices.IndexFunc(p.faults, func(f fault) bool { return f.method == r.Method && strings.Contains(path, f.part) })
		if at >= 0 {
			f := p.faults[at]
			p.faults = slices.Delete(p.faults, at, at+1)
			if f.carriedOut {
				next.ServeHTTP(httptest.NewRecorder(), r)
			}
			said.Header().Set("Retry-After", "1")
			refuse(said, f.status, "this one fails on command")
		} else {
			next.ServeHTTP(said, r)
		}
		p.requests = append(p.requests, request{r.Method, path, said.code, at >= 0})
	})
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) { s.code = code; s.ResponseWriter.WriteHeader(code) }

// authorized lets nobody in without the token, and knows of one project.
func (p *project) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := r.Header.Get("Private-Token")
		switch id := r.PathValue("project"); {
		case token != apiToken && token != reviewToken:
			refuse(w, http.StatusUnauthorized, "401 Unauthorized")
		case token == reviewToken && r.Method != http.MethodGet:
			refuse(w, http.StatusForbidden, "insufficient_scope")
		case id != projectID && id != projectPath:
			refuse(w, http.StatusNotFound, "404 Project Not Found")
		default:
			next(w, r)
		}
	}
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone
}

func refuse(w http.ResponseWriter, code int, why string) {
	answer(w, code, map[string]string{"message": why})
}

// page answers with the part of a list that was asked for, and says in headers how much there is, as GitLab does.
func page[T any](w http.ResponseWriter, r *http.Request, all []T) {
	number, size := 1, 20
	if n, err := strconv.Atoi(r.URL.Query().Get("page")); err == nil && n > 0 {
		number = n
	}
	if n, err := strconv.Atoi(r.URL.Query().Get("per_page")); err == nil && n > 0 {
		size = min(n, 100)
	}
	from, to := min((number-1)*size, len(all)), min(number*size, len(all))
	w.Header().Set("X-Total", strconv.Itoa(len(all)))
	w.Header().Set("X-Page", strconv.Itoa(number))
	w.Header().Set("X-Next-Page", "")
	if to < len(all) {
		w.Header().Set("X-Next-Page", strconv.Itoa(number+1))
	}
	answer(w, http.StatusOK, append([]T{}, all[from:to]...))
}

// fields are what a request says, as JSON or as a form.
func fields(r *http.Request) map[string]string {
	out := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		var said map[string]any
		b, _ := io.ReadAll(r.Body)
		if json.Unmarshal(b, &said) != nil {
			return out
		}
		for k, v := range said {
			switch v := v.(type) {
			case string:
				out[k] = v
			case []any:
				var parts []string
				for _, part := range v {
					if s, ok := part.(string); ok {
						parts = append(parts, s)
					}
				}
				out[k] = strings.Join(parts, ",")
			case bool:
				out[k] = strconv.FormatBool(v)
			}
		}
		return out
	}
	if r.ParseForm() == nil {
		for k := range r.Form {
			out[k] = r.Form.Get(k)
		}
	}
	return out
}

func (p *project) getProject(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"id": 1217, "path_with_namespace": projectPath, "default_branch": "main",
		"web_url": p.url + "/" + projectPath})
}

// listDeployments gives the newest first, of one environment and one status if so asked.
func (p *project) listDeployments(w http.ResponseWriter, r *http.Request) {
	var found []deployment
	q := r.URL.Query()
	for _, d := range slices.Backward(p.deploys) {
		if e, s := q.Get("environment"), q.Get("status"); (e == "" || e == d.Environment.Name) && (s == "" || s == d.Status) {
			found = append(found, d)
		}
	}
	page(w, r, found)
}

// hear takes a message as Slack's incoming webhooks do: JSON with a text.
func (p *project) hear(w http.ResponseWriter, r *http.Request) {
	var said struct {
		Text string `json:"text"`
	}
	if err := json.NewDecoder(r.Body).Decode(&said); err != nil || said.Text == "" {
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	p.told = append(p.told, said.Text)
	_, _ = io.WriteString(w, "ok")
}

func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil {
		return -1
	}
	return n
}

func newNote(p *project, body string) *note {
	return &note{ID: p.id(), Body: body, Author: bot(), CreatedAt: time.Now()}
}
