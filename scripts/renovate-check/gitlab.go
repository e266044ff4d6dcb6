package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cgi"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// gitlab is as much of a GitLab project as Renovate needs for opening merge requests: its repository, files, merge requests and issues.
type gitlab struct {
	bare string // the repository
	url  string // of the server, known once it serves
	next http.Handler

	mu     sync.Mutex
	merges []mergeRequest
	issues []issue
}

type mergeRequest struct {
	IID          int       `json:"iid"`
	SourceBranch string    `json:"source_branch"`
	TargetBranch string    `json:"target_branch"`
	Title        string    `json:"title"`
	Description  string    `json:"description"`
	State        string    `json:"state"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
	Labels       []string  `json:"labels"`
}

type issue struct {
	IID         int      `json:"iid"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Labels      []string `json:"labels"`
}

// newGitlab makes the project from a folder that is a repository.
func newGitlab(ctx context.Context, work, folder string, next http.Handler) (*gitlab, error) {
	g := &gitlab{bare: filepath.Join(work, "fleet.git"), next: next, merges: []mergeRequest{}, issues: []issue{}}
	if _, err := output(ctx, folder, "git", "clone", "-q", "--bare", ".", g.bare); err != nil {
		return nil, err
	}
	_, err := output(ctx, g.bare, "git", "config", "http.receivepack", "true")
	return g, err
}

// ServeHTTP answers for the project, and leaves everything else to the registries.
func (g *gitlab) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	path := in.URL.EscapedPath()
	if strings.HasPrefix(path, "/fleet.git") {
		// git takes what a request says of itself from its environment, as every CGI program does.
		git := cgi.Handler{Path: "/bin/sh", Args: []string{"-c", "exec git http-backend"}, Dir: g.bare,
			Env: []string{"GIT_PROJECT_ROOT=" + filepath.Dir(g.bare), "GIT_HTTP_EXPORT_ALL=1", "PATH=" + os.Getenv("PATH")}}
		git.ServeHTTP(out, in)
		return
	}
	api, ok := strings.CutPrefix(path, "/api/v4/")
	if !ok {
		g.next.ServeHTTP(out, in)
		return
	}
	rest, inProject := strings.CutPrefix(api, "projects/platform%2Ffleet")
	switch {
	case api == "user":
		answer(out, map[string]any{"id": 1, "username": "renovate", "name": "renovate", "email": "renovate@example.com"})
	case api == "version":
		answer(out, map[string]any{"version": "18.0.0"})
	case !inProject:
		http.NotFound(out, in)
	case rest == "":
		answer(out, map[string]any{"id": 1, "path_with_namespace": "platform/fleet", "default_branch": "main",
			"http_url_to_repo": g.url + "/fleet.git", "merge_method": "merge"})
	case strings.HasPrefix(rest, "/repository/files/"):
		g.file(out, in)
	case strings.HasSuffix(rest, "/statuses"):
		answer(out, []any{})
	case strings.HasPrefix(rest, "/statuses/"):
		answer(out, map[string]any{})
	default:
		g.mu.Lock()
		defer g.mu.Unlock()
		g.record(out, in, rest)
	}
}

// file is how presets are read: from the default branch.
func (g *gitlab) file(out http.ResponseWriter, in *http.Request) {
	_, name, _ := strings.Cut(in.URL.Path, "/repository/files/")
	content, err := output(in.Context(), g.bare, "git", "show", "main:"+name)
	if err != nil {
		http.NotFound(out, in)
		return
	}
	answer(out, map[string]string{"content": base64.StdEncoding.EncodeToString([]byte(content))})
}

// record takes merge requests and issues as Renovate writes them, and gives them back.
func (g *gitlab) record(out http.ResponseWriter, in *http.Request, rest string) {
	var said struct {
		mergeRequest
		Labels string `json:"labels"`
	}
	if in.Method != http.MethodGet {
		if err := json.NewDecoder(in.Body).Decode(&said); err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
	}
	kind, id, one := strings.Cut(strings.TrimPrefix(rest, "/"), "/")
	labels := strings.Split(said.Labels, ",")
	switch {
	case in.Method == http.MethodPost && rest == "/merge_requests":
		mr := said.mergeRequest
		mr.IID, mr.State, mr.Labels, mr.CreatedAt, mr.UpdatedAt = len(g.merges)+1, "opened", labels, time.Now(), time.Now()
		g.merges = append(g.merges, mr)
		answer(out, mr)
	case in.Method == http.MethodPost && rest == "/issues":
		g.issues = append(g.issues, issue{len(g.issues) + 1, said.Title, said.Description, labels})
		answer(out, g.issues[len(g.issues)-1])
	case in.Method == http.MethodGet && rest == "/merge_requests":
		answer(out, g.merges)
	case in.Method == http.MethodGet && rest == "/issues":
		answer(out, g.issues)
	case kind == "merge_requests" && one:
		n, err := strconv.Atoi(id)
		if err != nil || n < 1 || n > len(g.merges) {
			http.NotFound(out, in)
			return
		}
		if in.Method == http.MethodPut {
			g.merges[n-1].Title, g.merges[n-1].Description = said.Title, said.Description
		}
		answer(out, g.merges[n-1])
	case kind == "issues" && one && id == "1" && len(g.issues) == 1:
		if in.Method == http.MethodPut {
			g.issues[0].Description = said.Description
		}
		answer(out, g.issues[0])
	default:
		http.NotFound(out, in)
	}
}

// tick is what a person does on the dependency dashboard.
func (g *gitlab) tick(branch string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	box := " <!-- approve-branch=" + branch + " -->"
	if len(g.issues) == 0 || !strings.Contains(g.issues[0].Description, "[ ]"+box) {
		return false
	}
	g.issues[0].Description = strings.ReplaceAll(g.issues[0].Description, "[ ]"+box, "[x]"+box)
	return true
}

func (g *gitlab) opened() []mergeRequest {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]mergeRequest(nil), g.merges...)
}
