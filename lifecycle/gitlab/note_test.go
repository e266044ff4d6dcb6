package gitlab

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestUpsertNote(t *testing.T) {
	for _, tt := range []struct {
		name    string
		notes   []note
		outcome lifecycle.NoteOutcome
		want    []string // the bodies afterwards
	}{
		{"the first", nil, lifecycle.NoteCreated, []string{marker + "\nnew"}},
		{"beside what people wrote", []note{{ID: 1, Body: "LGTM, but see " + marker}, {ID: 2, Body: marker + " was added", System: true}},
			lifecycle.NoteCreated,
			[]string{"LGTM, but see " + marker, marker + " was added", marker + "\nnew"}},
		{"in place", []note{{ID: 1, Body: marker + "\nold"}}, lifecycle.NoteUpdated, []string{marker + "\nnew"}},
		{"on the third page", []note{{ID: 1, Body: marker + "\nold"}, {ID: 2, Body: "a"}, {ID: 3, Body: "b"}, {ID: 4, Body: "c"},
			{ID: 5, Body: "d"}}, lifecycle.NoteUpdated,
			[]string{marker + "\nnew", "a", "b", "c", "d"}},
		{"the same", []note{{ID: 1, Body: marker + "\r\nnew"}}, lifecycle.NoteSame, []string{marker + "\r\nnew"}},
		{"of another token", []note{{ID: 1, Body: marker + "\nold", foreign: true}}, lifecycle.NoteCreated,
			[]string{marker + "\nold", marker + "\nnew"}},
		{"of another token, and then ours", []note{{ID: 1, Body: marker + "\nours"}, {ID: 2, Body: marker + "\nold", foreign: true}},
			lifecycle.NoteUpdated, []string{marker + "\nnew", marker + "\nold"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t, tt.notes...)
			outcome, err := s.client(t, token).UpsertNote(t.Context(), project, 7, marker, marker+"\nnew\n")
			if err != nil || outcome != tt.outcome {
				t.Fatalf("got %s, %v; want %s", outcome, err, tt.outcome)
			}
			var got []string
			for _, n := range s.notes {
				got = append(got, n.Body)
			}
			if strings.Join(got, "\x00") != strings.Join(tt.want, "\x00") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestA13_ForgedNote: a note of another author that begins as kiban's do is left as it is, also where the token may edit it, and kiban's
// own says that it is not to be gone by.
func TestA13_ForgedNote(t *testing.T) {
	by := func(id int, name, body string) note {
		n := note{ID: id, Body: body}
		n.Author.ID, n.Author.Username = map[string]int{"project_1_bot": 4, "eve_x": 66, "former_bot": 3}[name], name
		return n
	}
	const forged = marker + "\n### kiban plan: 1 site safe"
	s := newServer(t, by(1, "eve_x", forged), by(2, "former_bot", marker+"\nold"), by(3, "eve_x", "LGTM"))
	s.user = 4
	for _, want := range []lifecycle.NoteOutcome{lifecycle.NoteCreated, lifecycle.NoteSame} {
		outcome, err := s.client(t, token).UpsertNote(t.Context(), project, 7, marker, marker+"\nnew")
		if err != nil || outcome != want || len(s.notes) != 4 || s.notes[0].Body != forged {
			t.Fatalf("got %s, %v and %+v; want %s", outcome, err, s.notes, want)
		}
		s.notes[3].Author.ID, s.notes[3].Author.Username = 4, "project_1_bot"
	}
	mine := s.notes[3].Body
	if !strings.HasPrefix(mine, marker+"\n> ⚠️ **Go by this note alone.**") || !strings.Contains(mine, `by \@eve_x and \@former_bot.`) ||
		!strings.HasSuffix(mine, "\nnew") {
		t.Errorf("got %q", mine)
	}
	s.notes = s.notes[3:]
	outcome, err := s.client(t, token).UpsertNote(t.Context(), project, 7, marker, marker+"\nnew")
	if err != nil || outcome != lifecycle.NoteUpdated || s.notes[0].Body != marker+"\nnew" {
		t.Errorf("once the others are gone: got %s, %v and %q", outcome, err, s.notes[0].Body)
	}
}

// TestNoteMisleadsNobody: what plans repeat of machines and clusters turns no text around and hides nothing in it.
func TestNoteMisleadsNobody(t *testing.T) {
	s := newServer(t)
	if _, err := s.client(t, token).UpsertNote(t.Context(), project, 7, marker, marker+"\n\u202eevil\u200b \x1b[31mred\u009b\r"); err != nil {
		t.Fatal(err)
	}
	if got, want := s.notes[0].Body, marker+"\nevil [31mred"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := markedBody(lifecycle.Telling{Key: "k", Body: "a\u202eb\x1b"}); got != toldMarker("k")+"\nab" {
		t.Errorf("an issue is told %q", got)
	}
}

// TestNoteIsWrittenOnce: the server writes the note and fails to say so.
func TestNoteIsWrittenOnce(t *testing.T) {
	for _, how := range []string{"an error", "a broken connection"} {
		s := newServer(t)
		failed := false
		s.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if r.Method != http.MethodPost || failed {
				return false
			}
			failed = true
			s.notes = append(s.notes, note{ID: 1, Body: body(r)})
			if how == "an error" {
				refuse(w, http.StatusBadGateway, "<html>")
				return true
			}
			panic(http.ErrAbortHandler)
		}
		outcome, err := s.client(t, token).UpsertNote(t.Context(), project, 7, marker, marker+"\nnew")
		if err != nil || outcome != lifecycle.NoteSame || len(s.notes) != 1 {
			t.Errorf("%s: got %s, %v and %d notes; want the one that is there to be found", how, outcome, err, len(s.notes))
		}
	}
}

func TestPatience(t *testing.T) {
	s := newServer(t)
	s.answer = func(w http.ResponseWriter, _ *http.Request, call int) bool {
		switch call {
		case 1, 4:
			w.Header().Set("Retry-After", "0")
			refuse(w, http.StatusTooManyRequests, `{"message":"429"}`)
		case 2:
			refuse(w, http.StatusServiceUnavailable, "")
		default:
			return false
		}
		return true
	}
	outcome, err := s.client(t, token).UpsertNote(t.Context(), project, 7, marker, marker)
	if err != nil || outcome != lifecycle.NoteCreated || len(s.notes) != 1 || len(s.calls) != 5 {
		t.Errorf("got %s, %v after %d calls, %d notes", outcome, err, len(s.calls), len(s.notes))
	}
}

func TestPause(t *testing.T) {
	header := func(v string) *http.Response { return &http.Response{Header: http.Header{"Retry-After": {v}}} }
	for _, tt := range []struct {
		name    string
		attempt int
		resp    *http.Response
		want    time.Duration
	}{
		{"as the server says", 0, header("7"), 7 * time.Second},
		{"no longer than a minute", 0, header("3600"), time.Minute},
		{"a moment in the past", 0, header("Sun, 06 Nov 1994 08:49:37 GMT"), 0},
		{"nonsense", 1, header("soon"), 2 * time.Second},
		{"doubled", 3, nil, 8 * time.Second},
		{"up to a minute", 20, nil, time.Minute},
	} {
		if got := pause(time.Second, time.Minute, tt.attempt, tt.resp); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	always := func(status int, body string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set("Retry-After", "0")
			refuse(w, status, body)
			return true
		}
	}
	for _, tt := range []struct {
		name, token, project, want string
		number                     int64
		answer                     func(http.ResponseWriter, *http.Request, int) bool
		severity                   lifecycle.Severity
	}{
		{"a wrong token", "glpat-other", project, "GitLab does not know the token", 7, nil, lifecycle.SeverityError},
		{"a wrong scope", token, project, "the token lacks the scope api", 7,
			always(403, `{"error":"insufficient_scope","error_description":"The request requires higher privileges than provided by the access token.","scope":"api"}`), lifecycle.SeverityError},
		{"a wrong role", token, project, "the token's role may not write notes on this merge request", 7,
			always(403, `{"message":"403 Forbidden"}`), lifecycle.SeverityError},
		{"no such merge request", token, project, "project fleet/sites has no merge request !8", 8, nil, lifecycle.SeverityError},
		{"no such project", token, "fleet/gone", "GitLab shows the token no such project", 7, nil, lifecycle.SeverityError},
		{"limited for good", token, project, "GitLab limits the rate of requests", 7, always(429, `{}`), lifecycle.SeverityBlocked},
		{"broken for good", token, project, "GitLab fails with status 500", 7, always(500, `oops`), lifecycle.SeverityError},
		{"refused", token, project, "GitLab refuses the note with status 422", 7, always(422, `{"message":"Note is spam"}`),
			lifecycle.SeverityError},
		{"too long", token, project, "the note is longer than GitLab takes", 7,
			always(400, `{"message":{"note":["is too long (maximum is 1000000 characters)"]}}`), lifecycle.SeverityError},
		{"too long for a proxy", token, project, "the note is longer than GitLab takes", 7,
			always(413, `<html>413 Request Entity Too Large</html>`), lifecycle.SeverityError},
	} {
		s := newServer(t)
		s.answer = tt.answer
		_, err := s.client(t, tt.token).UpsertNote(t.Context(), tt.project, tt.number, marker, marker)
		d, ok := errors.AsType[lifecycle.Diagnostic](err)
		if !ok || d.Summary != tt.want || d.Severity != tt.severity || d.Hint == "" {
			t.Errorf("%s: got %#v", tt.name, err)
		}
		if errors.Is(err, lifecycle.ErrNoteTooLong) != strings.HasPrefix(tt.name, "too long") {
			t.Errorf("%s: too long is %t", tt.name, errors.Is(err, lifecycle.ErrNoteTooLong))
		}
		if text := d.Error() + d.Hint; strings.Contains(text, tt.token) {
			t.Errorf("%s: the token is in the message: %s", tt.name, text)
		}
	}
}

func TestUnreachable(t *testing.T) {
	s := newServer(t)
	s.Close()
	_, err := s.client(t, token).UpsertNote(t.Context(), project, 7, marker, marker)
	if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || d.Summary != "GitLab could not be reached" {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newServer(t).client(t, token).UpsertNote(ctx, project, 7, marker, marker); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want an interruption to end it at once", err)
	}
}

func TestNew(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		server     lifecycle.ForgeServer
	}{
		{"no token", "there is no token for GitLab", lifecycle.ForgeServer{URL: "https://gitlab.example.com/api/v4"}},
		{"no address", "the address of GitLab's API is none", lifecycle.ForgeServer{URL: "://", Token: token}},
		{"no certificates", "the certificate authorities of GitLab can't be read",
			lifecycle.ForgeServer{URL: "https://gitlab.example.com/api/v4", Token: token, CAFile: "no/such/file"}},
	} {
		_, err := New(tt.server, nil)
		if d, ok := errors.AsType[lifecycle.Diagnostic](err); !ok || d.Summary != tt.want || d.Hint == "" {
			t.Errorf("%s: got %v", tt.name, err)
		}
	}
}
