package depot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// registry is as much of an OCI registry, by the distribution specification, as keeping artifacts takes.
type registry struct {
	mu        sync.Mutex
	blobs     map[string][]byte
	manifests map[string][]byte // by digest
	tags      map[string]string
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(s[:])
}

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if user, password, _ := req.BasicAuth(); user != "kiban" || password != "hunter2" {
		w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
		ociError(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rest, ok := strings.CutPrefix(req.URL.Path, "/v2/backups/tokyo/")
	what, id, _ := strings.Cut(rest, "/")
	switch {
	case !ok:
		w.WriteHeader(http.StatusOK)
	case what == "blobs" && strings.HasPrefix(id, "uploads/"):
		r.upload(w, req)
	case what == "blobs":
		r.give(w, req, r.blobs[id], "application/octet-stream")
	case what == "manifests" && req.Method == http.MethodPut:
		b, _ := io.ReadAll(req.Body)
		r.manifests[sum(b)], r.tags[id] = b, sum(b)
		w.Header().Set("Docker-Content-Digest", sum(b))
		w.WriteHeader(http.StatusCreated)
	case what == "manifests" && req.Method == http.MethodDelete:
		delete(r.manifests, id)
		maps.DeleteFunc(r.tags, func(_, digest string) bool { return digest == id })
		w.WriteHeader(http.StatusAccepted)
	case what == "manifests":
		if digest, tagged := r.tags[id]; tagged {
			id = digest
		}
		r.give(w, req, r.manifests[id], "application/vnd.oci.image.manifest.v1+json")
	case what == "tags":
		if len(r.tags) == 0 {
			ociError(w, http.StatusNotFound, "NAME_UNKNOWN")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"name": "backups/tokyo", "tags": slices.Sorted(maps.Keys(r.tags))})
	}
}

func (r *registry) upload(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodPost {
		w.Header().Set("Location", "/v2/backups/tokyo/blobs/uploads/1")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	b, err := io.ReadAll(req.Body)
	if want := req.URL.Query().Get("digest"); err != nil || sum(b) != want {
		ociError(w, http.StatusBadRequest, "DIGEST_INVALID")
		return
	}
	r.blobs[sum(b)] = b
	w.WriteHeader(http.StatusCreated)
}

func (r *registry) give(w http.ResponseWriter, req *http.Request, b []byte, mediaType string) {
	if b == nil {
		ociError(w, http.StatusNotFound, "UNKNOWN")
		return
	}
	w.Header().Set("Docker-Content-Digest", sum(b))
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	if req.Method != http.MethodHead {
		_, _ = w.Write(b)
	}
}

func ociError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]string{"code": code, "message": code}}})
}

func ociPlace(t *testing.T) place {
	server := &troubled{Handler: &registry{blobs: map[string][]byte{}, manifests: map[string][]byte{}, tags: map[string]string{}}}
	srv := httptest.NewServer(server)
	t.Cleanup(srv.Close)
	return place{
		to: lifecycle.BackupTo{OCI: lifecycle.BackupOCI{Repository: strings.TrimPrefix(srv.URL, "http://") + "/backups/tokyo",
			User: lifecycle.SecretSource{Env: "USER"}, Password: lifecycle.SecretSource{Env: "PASSWORD"}}},
		opts: Options{Secret: secrets(map[string]string{"USER": "kiban", "PASSWORD": "hunter2"})},
		deny: func() {
			server.trouble = func(w http.ResponseWriter, _ *http.Request) { ociError(w, http.StatusForbidden, "DENIED") }
		},
		full: func() {
			server.trouble = func(w http.ResponseWriter, _ *http.Request) { ociError(w, 507, "QUOTA_EXCEEDED") }
		},
		silent: server.silent(t),
	}
}
