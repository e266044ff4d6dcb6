package main

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// server is a script's web server.
type server struct {
	url  string
	gone atomic.Bool
}

type serverKey struct{}

// serveFiles serves a script's folder www at $WEB until `serve stop`.
func serveFiles(env *testscript.Env) {
	s := &server{}
	files := http.FileServer(http.Dir(filepath.Join(env.WorkDir, "www")))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.gone.Load() {
			http.Error(w, "the network is gone", http.StatusForbidden)
			return
		}
		files.ServeHTTP(w, r)
	}))
	s.url = web.URL
	env.Defer(web.Close)
	env.Setenv("WEB", web.URL)
	env.Values[serverKey{}] = s
}

// serve stops the web server, or starts it again.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve stop|start")
	}
	ts.Value(serverKey{}).(*server).gone.Store(args[0] == "stop")
}

// fillIn puts the web server's address into files, in place of @WEB@.
func fillIn(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		content := strings.ReplaceAll(ts.ReadFile(name), "@WEB@", ts.Getenv("WEB"))
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(content), 0o644))
	}
}

// packChart makes a chart's folder an archive.
func packChart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pack FOLDER ARCHIVE")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[1])), 0o755))
	out, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	zip := gzip.NewWriter(out)
	archive := tar.NewWriter(zip)
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(filepath.Dir(dir), path)
		if err != nil {
			return err
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: filepath.ToSlash(rel), Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(0, 0)}
		if err := archive.WriteHeader(h); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	}))
	ts.Check(errors.Join(archive.Close(), zip.Close(), out.Close()))
}
