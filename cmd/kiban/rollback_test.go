package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

func TestRollbackVerb(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		runs []lifecycle.RunRecord
		code int
		at   string // the revision that is read
		says string
	}{
		{name: "to a revision", args: []string{"--to", "v1", "--yes"}, code: exitDone, at: "v1", says: "revert it there too"},
		{name: "to the one before", args: []string{"--yes"}, code: exitDone, at: "aaa", says: "revision full-aaa",
			runs: []lifecycle.RunRecord{{Revision: "bbb", Digest: "2", Result: lifecycle.RunDone},
				{Revision: "aaa", Digest: "1", Result: lifecycle.RunDone}}},
		{name: "nothing before", args: []string{"--yes"}, code: exitFailed, says: "no revision before"},
		{name: "a revision that is not there", args: []string{"--to", "gone", "--yes"}, code: exitFailed, at: "gone", says: "cannot be read"},
		{name: "nobody there", args: []string{"--to", "v1"}, code: exitFailed, at: "v1", says: "nobody is here"},
		{name: "what is wrong with the revision is said first", args: []string{"--to", "gone"}, code: exitFailed, at: "gone",
			says: "cannot be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/reinstall")}, runs: tt.runs}
			s := f.services()
			at, folder := "", ""
			s.Checkout = func(_, revision, into string) (string, error) {
				at, folder = revision, into
				if revision == "gone" {
					return "", errors.New("reference not found")
				}
				return "full-" + revision, nil
			}
			load := s.LoadSite
			var loaded []string
			s.LoadSite = func(ctx context.Context, fleet, name string, opts session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
				loaded = append(loaded, fleet)
				return load(ctx, fleet, name, opts)
			}
			fleet := t.TempDir()
			var out, errs strings.Builder
			streams := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
				Size: func() (int, int) { return 80, 24 }}
			code := run(t.Context(), streams, append([]string{"--fleet", fleet, "rollback", "lab"}, tt.args...), s)
			if code != tt.code || at != tt.at || !strings.Contains(errs.String(), tt.says) {
				t.Errorf("exit %d, want %d, at %q, saying %q:\n%s", code, tt.code, at, tt.says, errs.String())
			}
			if done := len(f.applied) > 0; done != (tt.code == exitDone) {
				t.Errorf("carried out: %t", done)
			}
			if tt.code == exitDone && (len(loaded) == 0 || loaded[len(loaded)-1] != folder) {
				t.Errorf("the site was read in %v, not in %s", loaded, folder)
			}
			if _, err := os.Stat(filepath.Clean(folder)); folder != "" && err == nil {
				t.Error("the folder is left behind")
			}
		})
	}
}
