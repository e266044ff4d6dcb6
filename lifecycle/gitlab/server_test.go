package gitlab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// server is as much of GitLab as notes need: one project with one merge request, whose notes it keeps.
type server struct {
	*httptest.Server
	mu    sync.Mutex
	notes []note
	// user is whose the token is; 0 is not told.
	user int
	// calls are the requests, "POST /projects/fleet/sites/merge_requests/7/notes".
	calls []string
	// answer, when it is set, may answer a request in the server's place: it gives true.
	answer func(w http.ResponseWriter, r *http.Request, call int) bool
}

type note struct {
	ID     int    `json:"id"`
	Body   string `json:"body"`
	System bool   `json:"system"`
	Author struct {
		ID       int    `json:"id"`
		Username string `json:"username"`
	} `json:"author"`
	// foreign notes may not be edited by this token.
	foreign bool
}

const (
	project = "fleet/sites"
	token   = "glpat-a-secret"
	marker  = "<!-- kiban:plan -->"
)

func newServer(t *testing.T, notes ...note) *server {
	s := &server{notes: notes}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

func (s *server) client(t *testing.T, token string) *Client {
	t.Helper()
	c, err := newClient(lifecycle.ForgeServer{URL: s.URL + "/api/v4", Token: token}, nil, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v4")
	s.calls = append(s.calls, r.Method+" "+path)
	w.Header().Set("Content-Type", "application/json")
	if s.answer != nil && s.answer(w, r, len(s.calls)) {
		return
	}
	const all = "/projects/" + project + "/merge_requests/7/notes"
	switch {
	case r.Header.Get("Private-Token") != token:
		refuse(w, http.StatusUnauthorized, `{"message":"401 Unauthorized"}`)
	case path == "/user" && s.user != 0:
		fmt.Fprintf(w, `{"id":%d,"username":"project_1_bot"}`, s.user)
	case path == "/projects/"+project:
		fmt.Fprint(w, `{"id":1}`)
	case path == strings.TrimSuffix(all, "/notes") && r.Method == http.MethodGet:
		fmt.Fprint(w, `{"id":99,"iid":7,"state":"opened","sha":"3f2a1c9d"}`)
	case path == all && r.Method == http.MethodGet:
		s.list(w, r)
	case path == all && r.Method == http.MethodPost:
		s.notes = append(s.notes, note{ID: len(s.notes) + 1, Body: body(r)})
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(s.notes[len(s.notes)-1])
	case strings.HasPrefix(path, all+"/") && r.Method == http.MethodPut:
		s.edit(w, r, strings.TrimPrefix(path, all+"/"))
	default:
		refuse(w, http.StatusNotFound, `{"message":"404 Not found"}`)
	}
}

// list gives the notes newest first, two a page whatever was asked for, so that few notes make several pages.
func (s *server) list(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	page = max(page, 1)
	out := []note{}
	for i := len(s.notes) - 1 - 2*(page-1); i >= 0 && len(out) < 2; i-- {
		out = append(out, s.notes[i])
	}
	if 2*page < len(s.notes) {
		w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *server) edit(w http.ResponseWriter, r *http.Request, id string) {
	for i := range s.notes {
		if strconv.Itoa(s.notes[i].ID) != id {
			continue
		}
		if s.notes[i].foreign {
			refuse(w, http.StatusForbidden, `{"message":"403 Forbidden"}`)
			return
		}
		s.notes[i].Body = body(r)
		_ = json.NewEncoder(w).Encode(s.notes[i])
		return
	}
	refuse(w, http.StatusNotFound, `{"message":"404 Not found"}`)
}

func body(r *http.Request) string {
	var in struct {
		Body string `json:"body"`
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	return strings.TrimSpace(in.Body) // as GitLab does
}

func refuse(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}
