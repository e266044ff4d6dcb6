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

// A site that was renamed since is rolled back by its present name, to what it declared under its former one.
func TestRollbackAfterARename(t *testing.T) {
	const uid = "6f4ac2f4-0000-4000-8000-000000000001"
	overlay := func(root, name, uid string) {
		folder := filepath.Join(root, "overlays", name)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"kustomization.yaml": "resources:\n- site.yaml\n",
			"site.yaml": "apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata: {name: " + name + "}\nspec:\n  provider: external\n" +
				"  api:\n    clusterUID: " + uid + "\n    kubeconfig: {fileEnv: KUBECONFIG_LAB}\n"} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name, then string // the UID that the site of then declares
		code       int
		says       string
	}{
		{"the same cluster", uid, exitDone, "osaka was called lab then."},
		{"another cluster", "6f4ac2f4-0000-4000-8000-000000000002", exitFailed, `there is no site "osaka"`},
	} {
		fleet := t.TempDir()
		overlay(fleet, "osaka", uid)
		f, real := &fakeSite{plans: []lifecycle.Plan{planOf("f", "addon/x/apply")}}, wire()
		s := f.services()
		s.ListSites, s.LoadSite, s.SiteInputs, s.SiteReads = real.ListSites, real.LoadSite, real.SiteInputs, real.SiteReads
		s.Checkout = func(_, revision, into string) (string, error) {
			overlay(into, "lab", tt.then)
			return "full-" + revision, nil
		}
		opened := ""
		s.OpenSite = func(site lifecycle.Site, opts session.Options) (*session.Session, error) {
			opened = site.Name
			return f.open(site, opts), nil
		}
		var out, errs strings.Builder
		streams := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
			Size: func() (int, int) { return 80, 24 }}
		code := run(t.Context(), streams, []string{"--fleet", fleet, "rollback", "osaka", "--to", "v1", "--yes"}, s)
		if code != tt.code || !strings.Contains(errs.String(), tt.says) || (opened == "osaka") != (code == exitDone) {
			t.Errorf("%s: exit %d, opened %q:\n%s%s", tt.name, code, opened, out.String(), errs.String())
		}
	}
}
