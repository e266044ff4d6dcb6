package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/session"
)

// manySites are 300 sites of two waves.
func manySites() services {
	s := (&fakeSite{}).services()
	s.ListSites = func(string) (names []string, _ error) {
		for i := range 300 {
			names = append(names, fmt.Sprintf("site-%03d", i))
		}
		return names, nil
	}
	s.SiteInputs = func(lifecycle.Site) (map[string]string, error) { return nil, nil }
	s.LoadSite = func(_ context.Context, _, name string, _ session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		wave := 1
		if name >= "site-100" {
			wave = 2
		}
		return lifecycle.Site{Name: name, Wave: wave, Labels: map[string]string{"tier": "it's"}}, nil
	}
	s.ChildPipelines = wire().ChildPipelines
	return s
}

// TestPartsAreMadeAgain: the command in the pipeline that starts the parts makes those very parts, and refuses to make others.
func TestPartsAreMadeAgain(t *testing.T) {
	fleet := t.TempDir()
	t.Chdir(fleet)
	r := kibanIn(t, fleet, manySites(), nil, "ci", "generate", "apply", "--image", "registry.example.com/kiban:1.0.0", "-l", "tier!=no one")
	if r.code != exitFailed { // a selector that is none is no part of a script
		t.Errorf("exit %d", r.code)
	}
	r = kibanIn(t, fleet, manySites(), nil, "ci", "generate", "apply", "--image", "registry.example.com/kiban:1.0.0", "-l",
		"tier notin (one,two)")
	var first map[string]any
	if err := yaml.UnmarshalStrict([]byte(r.out), &first); err != nil || r.code != exitDone {
		t.Fatalf("exit %d, %v\n%s", r.code, err, r.err)
	}
	script := first["parts"].(map[string]any)["script"].([]any)[0].(string)
	const words = "kiban ci generate apply --image registry.example.com/kiban:1.0.0 --lab-image registry.example.com/kiban:1.0.0-lab " +
		"--selector 'tier notin (one,two)' --parts parts --expect "
	if !strings.HasPrefix(script, strings.Replace(words, "--lab-image registry.example.com/kiban:1.0.0-lab ", "", 1)) {
		t.Fatal(script)
	}
	_, digest, _ := strings.Cut(script, "--expect ")
	again := []string{"ci", "generate", "apply", "--image", "registry.example.com/kiban:1.0.0", "-l", "tier notin (one,two)",
		"--parts", "parts", "--expect", digest}
	if r := kibanIn(t, fleet, manySites(), nil, again...); r.code != exitDone || r.out != "" {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	files, _ := filepath.Glob("parts/apply-*.yml")
	started := strings.Count(r.out, "artifact: parts/apply-")
	if started < 2 || len(files) != started {
		t.Errorf("%d parts are started, and %d were made", started, len(files))
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || !strings.Contains(string(b), "apply:site-") || !strings.Contains(r.out, f) {
			t.Errorf("%s: %v", f, err)
		}
	}
	again[4] = "registry.example.com/kiban:1.0.1"
	if r := kibanIn(t, fleet, manySites(), nil, again...); r.code != exitFailed ||
		!strings.Contains(r.err, "no longer those that it was made for") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}

type noParts struct{ asked *int }

func (n noParts) EachPart(context.Context, string, int64, func([]byte) error) (lifecycle.Diagnostics, error) {
	*n.asked++
	return lifecycle.Diagnostics{lifecycle.Warnf("plan 2 of 2", "the plans of this part are not there")}, nil
}

// TestNoteOfParts: sites whose part left nothing are in the note as not planned, not left out.
func TestNoteOfParts(t *testing.T) {
	plans, asked := t.TempDir(), 0
	s := (&fakeSite{}).services()
	s.OpenParts = func(lifecycle.ForgeServer, *slog.Logger) (forge.Parts, error) { return noParts{&asked}, nil }
	env := map[string]string{"CI_PIPELINE_ID": "7", "CI_PROJECT_ID": "42", "CI_API_V4_URL": "https://gitlab.example/api/v4"}
	r := kibanIn(t, t.TempDir(), s, func(s *Streams) { s.Getenv = func(k string) string { return env[k] } },
		"ci", "note", "--plans", plans, "--parts", "--print", "lab")
	if r.code != exitDone || asked != 1 || !strings.Contains(r.out, "`lab`") || !strings.Contains(r.out, "could not be planned") ||
		!strings.Contains(r.err, "the plans of this part are not there") {
		t.Errorf("exit %d, asked %d times\n%s%s", r.code, asked, r.out, r.err)
	}
}
