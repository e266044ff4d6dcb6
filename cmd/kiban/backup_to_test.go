package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// TestA7_BackupsInPlaces: a backup is copied to where the site says, listed from there, taken once an hour on a schedule, and fetched from
// there for a restore on another machine.
func TestA7_BackupsInPlaces(t *testing.T) {
	fleet, mount := t.TempDir(), t.TempDir()
	f, s := streaming(backupArchive(t))
	load := s.LoadSite
	s.LoadSite = func(ctx context.Context, fleet, name string, opts session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		site, ds := load(ctx, fleet, name, opts)
		site.Backup = lifecycle.Backups{To: []lifecycle.BackupTo{{Folder: mount}}}
		return site, ds
	}
	kiban := func(fleet string, code int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		streams := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
			Size: func() (int, int) { return 80, 24 }}
		if got := run(t.Context(), streams, append([]string{"--fleet", fleet}, args...), s); got != code {
			t.Fatalf("%v: exit %d, want %d\n%s", args, got, code, errs.String())
		}
		return out.String(), errs.String()
	}
	file, _ := kiban(fleet, exitDone, "backup", "lab", "--scheduled")
	name := filepath.Base(strings.TrimSpace(file))
	if _, err := os.Stat(filepath.Join(mount, name+".json")); err != nil {
		t.Fatal(err)
	}
	if out, errs := kiban(fleet, exitDone, "backup", "lab", "--scheduled"); out != "" || !strings.Contains(errs, "younger than an hour") {
		t.Errorf("a second one: %q, %s", out, errs)
	}
	elsewhere := t.TempDir()
	out, _ := kiban(elsewhere, exitDone, "backup", "list", "lab", "-o", "json")
	var kept []lifecycle.KeptBackup
	if err := json.Unmarshal([]byte(out), &kept); err != nil || len(kept) != 1 || kept[0].Name != name || kept[0].Place != mount ||
		kept[0].Verified == "" || kept[0].Run == "" {
		t.Errorf("listed is %+v, %v", kept, err)
	}
	if out, _ := kiban(elsewhere, exitDone, "backup", "list", "lab"); !strings.Contains(out, name) || !strings.Contains(out, "nobody") {
		t.Errorf("listed is\n%s", out)
	}
	kiban(elsewhere, exitFailed, "restore", "lab", "--from", name, "--yes") // the fake site cannot be looked at: it was fetched by then
	if f.opened.Restore == nil || filepath.Base(f.opened.Restore.Path) != name {
		t.Errorf("restored is %+v", f.opened.Restore)
	}
	if err := os.RemoveAll(mount); err != nil {
		t.Fatal(err)
	}
	if _, errs := kiban(fleet, exitFailed, "backup", "lab", "--scheduled"); !strings.Contains(errs, "mounted") {
		t.Errorf("a mount that is missing: %s", errs)
	}
	if out, _ := kiban(fleet, exitFailed, "backup", "list", "lab"); !strings.Contains(out, name) {
		t.Errorf("what is here is not listed:\n%s", out)
	}
}

func TestScheduledBackupNeedsAPlace(t *testing.T) {
	_, s := streaming(backupArchive(t))
	var out, errs bytes.Buffer
	streams := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
		Size: func() (int, int) { return 80, 24 }}
	if code := run(t.Context(), streams, []string{"--fleet", t.TempDir(), "backup", "lab", "--scheduled"}, s); code != exitFailed ||
		!strings.Contains(errs.String(), "nowhere to go") || out.Len() > 0 {
		t.Errorf("exit %d\n%s", code, errs.String())
	}
}
