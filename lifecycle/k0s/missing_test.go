package k0s

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// A version is said to be missing where the source itself says so, and never for any other reason.
func TestMissingIsSaidBySourcesAlone(t *testing.T) {
	v, err := lifecycle.ParseVersion("v1.36.3+k0s.2")
	if err != nil {
		t.Fatal(err)
	}
	status := http.StatusNotFound
	const name = "k0s-v1.36.3+k0s.2-amd64"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1.36.3+k0s.2/sha256sums.txt", "/sums":
			fmt.Fprintln(w, "abc", name)
		case "/others":
			fmt.Fprintln(w, "abc", "k0s-v1.36.3+k0s.0-amd64")
		case "/none":
			http.NotFound(w, r)
		default:
			w.WriteHeader(status)
		}
	}))
	defer server.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	mirror := t.TempDir()
	const lacks = "the source of k0s has no v1.36.3+k0s.2 for amd64"
	for _, tt := range []struct {
		name, url string
		status    int
		cached    bool
		want      string
	}{
		{"a server that has it not", server.URL + "/{version}/k0s-{version}-{arch}", http.StatusNotFound, false, lacks},
		{"one that has it", server.URL + "/{version}/k0s-{version}-{arch}", http.StatusOK, false, ""},
		{"one that lets nobody in", server.URL + "/{version}/k0s-{version}-{arch}", http.StatusForbidden, false, ""},
		{"one that fails", server.URL + "/{version}/k0s-{version}-{arch}", http.StatusBadGateway, false, ""},
		{"one that does not answer", gone.URL + "/{version}", 0, false, ""},
		{"a binary that is here", server.URL + "/{version}/k0s-{version}-{arch}", http.StatusNotFound, true, ""},
		{"a mirror in a folder", mirror + "/{version}/k0s-{version}-{arch}", 0, false, lacks},
		{"a folder that is not here", mirror + "/away/{version}/k0s-{version}-{arch}", 0, false, "the mirror of k0s is not on this computer"},
	} {
		status = tt.status
		s := &Session{site: lifecycle.Site{Name: "lab", Dir: t.TempDir()}}
		s.site.Binary.URL, s.opts.CacheDir = tt.url, t.TempDir()
		if tt.cached {
			file := filepath.Join(s.opts.CacheDir, v.String(), "k0s-"+v.String()+"-amd64")
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d, got := s.Missing(t.Context(), v, "amd64")
		if d.Summary != tt.want || got != (tt.want != "") {
			t.Errorf("%s: %t, %v", tt.name, got, d)
		}
		s.opts.Offline = true
		if _, got := s.Missing(t.Context(), v, "amd64"); got {
			t.Errorf("%s: it is asked for offline", tt.name)
		}
	}
	// A run needs a checksum as well as the binary, even of one that is here.
	const unsummed = "the source of k0s has no checksum of v1.36.3+k0s.2 for amd64"
	for sums, want := range map[string]string{"/sums": "", "/others": unsummed, "/none": unsummed, "/others pinned": "", "/none pinned": ""} {
		path, pinned, _ := strings.Cut(sums, " ")
		s := &Session{site: lifecycle.Site{Name: "lab", Dir: t.TempDir()}}
		status = http.StatusOK
		s.opts.CacheDir = t.TempDir()
		s.site.Binary = lifecycle.Binaries{URL: server.URL + "/{version}/k0s-{version}-{arch}", Checksums: server.URL + path}
		if pinned != "" {
			s.site.Binary.SHA256 = map[string]string{"v1.36.3+k0s.2/amd64": strings.Repeat("a", 64)}
		}
		if d, _ := s.Missing(t.Context(), v, "amd64"); d.Summary != want {
			t.Errorf("%s: %v", sums, d)
		}
	}
}
