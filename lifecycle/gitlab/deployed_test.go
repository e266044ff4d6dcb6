package gitlab

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestOvertaken(t *testing.T) {
	deployment := func(pipeline int, sha string) string {
		return fmt.Sprintf(`{"id":%d,"sha":%q,"status":"success","deployable":{"pipeline":{"id":%d}}}`, 900-pipeline, sha, pipeline)
	}
	for name, c := range map[string]struct {
		applies string
		status  int
		answer  []string
		want    string
		fails   string
	}{
		"never deployed":       {},
		"deployed before":      {answer: []string{deployment(40, "aaaa")}},
		"deployed by this one": {answer: []string{deployment(50, "cafe")}},
		"deployed by a newer one": {answer: []string{deployment(51, "bbbbbbbbbbbbbbbb")},
			want: "commit bbbbbbbbbbbb was applied since, by the newer pipeline 51"},
		"the same commit, once more": {answer: []string{deployment(51, "cafe")}},
		"an older one was retried then": {answer: []string{deployment(40, "aaaa"), deployment(51, "bbbb")},
			want: "commit bbbb was applied since, by the newer pipeline 51"},
		"deployed by nobody's pipeline":                               {answer: []string{`{"id":1,"sha":"bbbb","status":"success"}`}},
		"what an earlier commit brought, applied by a newer schedule": {applies: "beef", answer: []string{deployment(51, "beef")}},
		"a schedule's job is retried, when another commit was applied": {applies: "beef", answer: []string{deployment(51, "cafe")},
			want: "commit cafe was applied since, by the newer pipeline 51"},
		"no deployments to tell of": {status: http.StatusNotFound},
		"not for this token":        {status: http.StatusForbidden},
		"the server is down":        {status: http.StatusBadGateway, fails: "502"},
		"the token is none":         {status: http.StatusUnauthorized, fails: "does not know the token"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			var asked string
			s.answer = func(w http.ResponseWriter, r *http.Request, _ int) bool {
				asked = r.URL.Path + "?" + r.URL.Query().Encode()
				if c.status != 0 {
					refuse(w, c.status, `{"message":"no"}`)
					return true
				}
				fmt.Fprintf(w, "[%s]", strings.Join(c.answer, ","))
				return true
			}
			got, err := s.client(t, token).overtaken(t.Context(), project,
				lifecycle.MergedCommit{Environment: "production/far", Commit: "cafe", Applies: c.applies, Pipeline: 50})
			if got != c.want || (err != nil) != (c.fails != "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("got %q, %v", got, err)
			}
			if !strings.HasSuffix(asked, "/deployments?environment=production%2Ffar&order_by=id&per_page=20&sort=desc&status=success") {
				t.Errorf("asked %s", asked)
			}
		})
	}
}
