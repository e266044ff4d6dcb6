package forge

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

type packedParts struct {
	packed [][]byte
	err    error
}

func (p packedParts) EachPart(_ context.Context, project string, pipeline int64, each func([]byte) error) (lifecycle.Diagnostics, error) {
	if project != "42" || pipeline != 7 {
		return nil, errors.New("asked of another pipeline")
	}
	for _, b := range p.packed {
		if err := each(b); err != nil {
			return nil, err
		}
	}
	return nil, p.err
}

func packTar(t *testing.T, entries ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, h := range entries {
		content := []byte("of " + h.Name)
		if h.Typeflag == 0 {
			h.Typeflag, h.Size, h.Mode = tar.TypeReg, int64(len(content)), 0o600
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			_, _ = w.Write(content)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestGather: what parts left comes into its folder. Whatever else an archive holds, be it made to get elsewhere, is left out.
func TestGather(t *testing.T) {
	dir := t.TempDir()
	folders := map[string]string{"plans": filepath.Join(dir, "plans"), "soak": filepath.Join(dir, "soak"), "rehearsals": ""}
	env := map[string]string{"CI_PIPELINE_ID": "7", "CI_PROJECT_ID": "42", "CI_API_V4_URL": "https://gitlab.example/api/v4",
		"KIBAN_GITLAB_TOKEN": "notes", readToken: "read"}
	var token string
	open := func(parts packedParts) func(lifecycle.ForgeServer) (Parts, error) {
		return func(s lifecycle.ForgeServer) (Parts, error) { token = s.Token; return parts, nil }
	}
	good := packTar(t, tar.Header{Name: "plans/", Typeflag: tar.TypeDir}, tar.Header{Name: "plans/lab.json"},
		tar.Header{Name: "./soak/lab.json"},
		tar.Header{Name: "rehearsals/lab.html"}, tar.Header{Name: "plans/../../out.json"}, tar.Header{Name: "/plans/root.json"},
		tar.Header{Name: "plans/deep/er.json"}, tar.Header{Name: "plans/x.sh"}, tar.Header{Name: "plans/-rf.json"},
		tar.Header{Name: "plans/link.json", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"})
	more := packTar(t, tar.Header{Name: "plans/osaka.json"})
	getenv := func(k string) string { return env[k] }
	if _, err := Gather(t.Context(), folders, getenv, open(packedParts{packed: [][]byte{good, more}})); err != nil {
		t.Fatal(err)
	}
	var files []string
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, _ error) error {
		if !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			content, _ := os.ReadFile(path)
			files = append(files, rel+"="+strings.TrimPrefix(string(content), "of "))
		}
		return nil
	})
	const want = "plans/lab.json=plans/lab.json plans/osaka.json=plans/osaka.json soak/lab.json=./soak/lab.json"
	if got := strings.Join(files, " "); got != want || token != "read" {
		t.Errorf("%s by %s", got, token)
	}
	for name, packed := range map[string][]byte{"no archive": []byte("<html>"), "cut off": good[:len(good)/2]} {
		_, err := Gather(t.Context(), folders, getenv, open(packedParts{packed: [][]byte{packed}}))
		if err == nil || !strings.Contains(err.Error(), "can't be read") {
			t.Errorf("%s: %v", name, err)
		}
	}
	delete(env, readToken)
	_, err := Gather(t.Context(), folders, getenv, open(packedParts{err: errors.New("403")}))
	if err == nil || !strings.Contains(lifecycle.AsDiagnostics(err, "")[0].Hint, readToken) || token != "notes" {
		t.Errorf("%v by %s", err, token)
	}
	delete(env, "CI_PIPELINE_ID")
	if _, err := Gather(t.Context(), folders, getenv, nil); err == nil {
		t.Error("outside of a pipeline parts were read")
	}
}

func TestWriteParts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "parts")
	parts := []lifecycle.PipelinePart{{File: "apply-1.yml", Content: "a"}, {File: "apply-2.yml", Content: "b"}}
	if err := WriteParts(dir, parts[:1], lifecycle.PartsDigest(parts)); err == nil {
		t.Error("parts were written that nobody starts as they are")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was written")
	}
	if err := WriteParts(dir, parts, lifecycle.PartsDigest(parts)); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "apply-2.yml")); err != nil || string(b) != "b" {
		t.Errorf("%s %v", b, err)
	}
}
