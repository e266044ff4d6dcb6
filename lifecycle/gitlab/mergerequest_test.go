package gitlab

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestMergeRequest(t *testing.T) {
	s := newServer(t)
	s.answer = func(w http.ResponseWriter, _ *http.Request, call int) bool {
		if call > 1 {
			return false
		}
		refuse(w, http.StatusBadGateway, "") // once
		return true
	}
	got, err := s.client(t, token).MergeRequest(t.Context(), project, 7)
	if want := (lifecycle.MergeRequest{State: "opened", Head: "3f2a1c9d"}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestMergeRequestRefusals(t *testing.T) {
	for _, tt := range []struct {
		name, token, project, want string
		number                     int64
		status                     int
		body                       string
	}{
		{"a wrong token", "glpat-other", project, "GitLab does not know the token", 7, 0, ""},
		{"no such merge request", token, project, "project fleet/sites has no merge request !8", 8, 0, ""},
		{"no such project", token, "fleet/gone", "GitLab shows the token no such project", 7, 0, ""},
		{"a wrong scope", token, project, "the token lacks the scope api", 7, 403, `{"error":"insufficient_scope","scope":"api"}`},
		{"limited for good", token, project, "GitLab limits the rate of requests", 7, 429, `{}`},
		{"broken for good", token, project, "GitLab fails with status 503", 7, 503, "<html>"},
		{"no answer that makes sense", token, project, "GitLab could not be reached", 7, 200, "<html>"},
	} {
		s := newServer(t)
		if tt.status != 0 {
			s.answer = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
				w.Header().Set("Retry-After", "0")
				refuse(w, tt.status, tt.body)
				return true
			}
		}
		_, err := s.client(t, tt.token).MergeRequest(t.Context(), tt.project, tt.number)
		d, ok := errors.AsType[lifecycle.Diagnostic](err)
		if !ok || d.Summary != tt.want || d.Hint == "" || strings.Contains(d.Error()+d.Hint, tt.token) {
			t.Errorf("%s: got %#v", tt.name, err)
		}
	}
}
