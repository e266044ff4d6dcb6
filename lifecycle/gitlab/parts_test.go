package gitlab

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// TestEachPart: what each part of this project's gathered is given; of one that left nothing it is told, and what another project started
// is not read. There may be more parts than one page of answers holds.
func TestEachPart(t *testing.T) {
	bridge := func(name string, child, project int) string {
		return fmt.Sprintf(`{"id":1,"name":%q,"downstream_pipeline":{"id":%d,"project_id":%d,"web_url":"https://gitlab.example/%d"}}`, name, child,
			project, child)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.Path, "/api/v4/projects/1")
		answer, known := map[string]string{
			"/pipelines/7/bridges?": "[" + bridge("plan 1 of 4", 71, 1) + `,{"id":2,"name":"plan 2 of 4"}]`,
			"/pipelines/7/bridges?2": "[" + bridge("plan 3 of 4", 73, 1) + "," + bridge("plan 4 of 4", 74, 9) + "," +
				bridge("plan 5 of 4", 75, 1) + "]",
			"/pipelines/71/jobs?":               `[{"id":700,"name":"plan:lab"},{"id":711,"name":"gather"},{"id":712,"name":"gather"}]`,
			"/pipelines/73/jobs?":               `[{"id":731,"name":"gather"}]`,
			"/pipelines/75/jobs?":               `[]`,
			"/jobs/711/artifacts/gathered.tgz?": "one", // the newer try left none
			"/jobs/731/artifacts/gathered.tgz?": "three",
		}[path+"?"+r.URL.Query().Get("page")]
		if path == "/pipelines/7/bridges" && r.URL.Query().Get("page") == "" {
			w.Header().Set("X-Next-Page", "2")
		}
		if !known {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer s.Close()
	c, err := newClient(lifecycle.ForgeServer{URL: s.URL + "/api/v4", Token: "t"}, nil, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ds, err := c.EachPart(t.Context(), "1", 7, func(packed []byte) error { got = append(got, string(packed)); return nil })
	if err != nil || strings.Join(got, " ") != "one three" {
		t.Errorf("%q %v", got, err)
	}
	var told []string
	for _, d := range ds {
		told = append(told, d.Subject+": "+d.Detail)
	}
	if want := "plan 2 of 4: GitLab has started no pipeline for it.\nplan 4 of 4: Pipeline 74 is of another project.\n" +
		"plan 5 of 4: Pipeline 75 has gathered none (https://gitlab.example/75)."; strings.Join(told, "\n") != want {
		t.Errorf("%s", strings.Join(told, "\n"))
	}
	if _, err := c.EachPart(t.Context(), "1", 8, func([]byte) error { return nil }); err == nil {
		t.Error("a pipeline that can't be read has no parts")
	}
}
