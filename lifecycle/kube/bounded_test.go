package kube

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// endless is an answer without end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) { e.read += int64(len(p)); return len(p), nil }
func (*endless) Close() error                 { return nil }

// TestA1_AnAPIServersAnswerEnds: an API server is on a machine too. One that answers without end is an error, not the end of the memory.
func TestA1_AnAPIServersAnswerEnds(t *testing.T) {
	from := &endless{}
	b := &bounded{from, 1 << 20}
	n, err := io.Copy(io.Discard, b)
	if err == nil || !strings.Contains(err.Error(), "more than") || n != 1<<20 || from.read > 1<<20 {
		t.Errorf("%d bytes were read of %d: %v", n, from.read, err)
	}
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	cfg, err := externalConfig(a.kubeconfig(addr), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ServerName = certificateName
	server, err := newBackend(cfg, Server{Host: "c1", Address: addr}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for url, limited := range map[string]bool{"/api/v1/pods": true, "/api/v1/pods?watch=true": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.send(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, is := resp.Body.(*bounded); is != limited {
			t.Errorf("%s: bounded is %v", url, is)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "/api/v1/pods" {
			t.Errorf("%s: %q, %v", url, body, err)
		}
		_ = resp.Body.Close()
	}
}
