package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// streaming is a fake site whose controller streams content when a backup is taken.
func streaming(content []byte) (*fakeSite, services) {
	f := &fakeSite{}
	s := f.services()
	f.run = func(ctx context.Context, _ lifecycle.Plan, run session.Run) error {
		take := func(w io.Writer) error { _, err := w.Write(content); return err }
		_, err := run.KeepBackup(ctx, lifecycle.ToKeep{Version: lifecycle.Version{Major: 1, Minor: 35}}, take, func(string) {})
		return errors.Join(err, run.Sink(lifecycle.Event{Kind: lifecycle.EventSummary}))
	}
	return f, s
}

func backupArchive(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	a := tar.NewWriter(z)
	for _, name := range []string{"etcd-snapshot.db", "pki/ca.key"} {
		err := a.WriteHeader(&tar.Header{Name: name, Size: 3, Mode: 0o600})
		if _, writeErr := a.Write([]byte("abc")); err != nil || writeErr != nil {
			t.Fatal(err, writeErr)
		}
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBackupVerb(t *testing.T) {
	fleet, elsewhere := t.TempDir(), t.TempDir()
	for _, tt := range []struct {
		name    string
		content []byte
		args    []string
		in      string // the folder that the backup is in; "" for none
		code    int
	}{
		{"with the others", backupArchive(t), nil, filepath.Join(fleet, ".kiban", "backups", "lab"), exitDone},
		{"elsewhere", backupArchive(t), []string{"--out", elsewhere}, elsewhere, exitDone},
		{"not whole", []byte("Error: k0s"), nil, "", exitFailed},
	} {
		_, s := streaming(tt.content)
		var out, errs bytes.Buffer
		streams := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
			Size: func() (int, int) { return 80, 24 }}
		code := run(t.Context(), streams, append([]string{"--fleet", fleet, "backup", "lab"}, tt.args...), s)
		if code != tt.code {
			t.Errorf("%s: exit %d, want %d\n%s", tt.name, code, tt.code, errs.String())
		}
		file := strings.TrimSpace(out.String())
		if tt.in == "" {
			if file != "" {
				t.Errorf("%s: stdout is %q", tt.name, file)
			}
			continue
		}
		if st, err := os.Stat(file); err != nil || filepath.Dir(file) != tt.in || st.Mode().Perm() != 0o600 {
			t.Errorf("%s: stdout is %q, %v", tt.name, file, err)
		}
		if !strings.Contains(errs.String(), "the backup is not encrypted") {
			t.Errorf("%s: nothing warns of it:\n%s", tt.name, errs.String())
		}
	}
}
