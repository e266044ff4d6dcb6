package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

func TestRestoreVerb(t *testing.T) {
	fleet := t.TempDir()
	file := filepath.Join(fleet, "lab-v1.35.7+k0s.0-20261121T120000Z.tar.gz")
	if err := os.WriteFile(file, backupArchive(t), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(fleet, "broken.tar.gz")
	if err := os.WriteFile(broken, backupArchive(t)[:40], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		args    []string
		typed   string // at a terminal; "" for none
		found   lifecycle.Diagnostics
		code    int
		applies bool
		says    string
	}{
		{name: "confirmed by its name", args: []string{"--from", file}, typed: "lab\n", code: exitDone, applies: true},
		{name: "only yes", args: []string{"--from", file}, typed: "yes\n", code: exitFailed, says: "not confirmed"},
		{name: "nobody there", args: []string{"--from", file}, code: exitFailed, says: "nobody is here"},
		{name: "without being asked", args: []string{"--from", file, "--yes"}, code: exitDone, applies: true},
		{name: "a controller runs", args: []string{"--from", file, "--yes"}, code: exitBlocked, says: "a controller runs",
			found: lifecycle.Diagnostics{{Severity: lifecycle.SeverityBlocked, Summary: "a controller runs"}}},
		{name: "no backup named", code: exitFailed, says: "from which backup?"},
		{name: "half a backup", args: []string{"--from", broken, "--yes"}, code: exitFailed, says: "not whole"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeSite{}
			s := f.services()
			var from lifecycle.Backup
			f.planners.Restore = func(_ lifecycle.Site, _ lifecycle.State, b lifecycle.Backup, _ bool) lifecycle.Plan {
				from = b
				p := planOf("f", "controller-1/restore")
				p.Diagnostics = tt.found
				return p
			}
			var out, errs bytes.Buffer
			streams := Streams{In: strings.NewReader(tt.typed), InTTY: tt.typed != "", Out: &out, Err: &errs,
				Getenv: func(string) string { return "" }, Size: func() (int, int) { return 80, 24 }}
			code := run(context.Background(), streams, append([]string{"--fleet", fleet, "restore", "lab"}, tt.args...), s)
			if code != tt.code || !strings.Contains(errs.String(), tt.says) {
				t.Errorf("exit %d, want %d, saying %q:\n%s", code, tt.code, tt.says, errs.String())
			}
			if applied := len(f.applied) > 0; applied != tt.applies {
				t.Errorf("carried out: %t, want %t", applied, tt.applies)
			}
			handed := f.opened.Restore != nil && f.opened.Restore.Path == file
			if tt.applies && (!handed || from.Version.String() != "v1.35.7+k0s.0" || from.Site != "lab" ||
				!strings.HasPrefix(from.Digest, "sha256:") || !strings.Contains(out.String(), "lab is restored from lab-v1.35.7")) {
				t.Errorf("the plan was made from %+v, stdout %q", from, out.String())
			}
		})
	}
}
