package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
	"kiban.dev/kiban/lifecycle/session"
)

// TestA3_TwoTokens: what finds reviews of production is a token that no merge request's job has; elsewhere the other one does, with a
// warning.
func TestA3_TwoTokens(t *testing.T) {
	server := mergedServer(t, clusterPlan("worker-1/upgrade"))
	for name, tt := range map[string]struct {
		tier          string
		unread        bool
		notes, review string
		code          int
		says          string
	}{
		"production with its own":       {tier: "production", notes: "glpat-n", review: "glpat-x"},
		"production with its own alone": {tier: "production", review: "glpat-x"},
		"production without": {tier: "production", notes: "glpat-x", code: exitFailed,
			says: "must be found with a token of its own"},
		"production with the same twice": {tier: "production", notes: "glpat-x", review: "glpat-x", code: exitFailed,
			says: "hold the same token"},
		"one that can't be read, without":  {unread: true, notes: "glpat-x", code: exitFailed, says: "must be found with a token of its own"},
		"another tier with its own":        {tier: "lab", notes: "glpat-n", review: "glpat-x"},
		"another tier without, and warned": {tier: "lab", notes: "glpat-x", says: "with the token that writes notes"},
		"no token at all":                  {tier: "lab", code: exitFailed, says: "there is no token for GitLab"},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"CI_API_V4_URL": server.URL + "/api/v4", "CI_PROJECT_ID": "7", "CI_COMMIT_SHA": "c0ffee",
				"CI_COMMIT_BRANCH": "main", "KIBAN_GITLAB_TOKEN": tt.notes, "KIBAN_GITLAB_REVIEW_TOKEN": tt.review}
			services := (&fakeSite{}).services()
			services.OpenForge = wire().OpenForge
			services.ListSites = func(string) ([]string, error) { return []string{"lab"}, nil }
			services.LoadSite = func(context.Context, string, string, session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
				if tt.unread {
					return lifecycle.Site{Name: "lab"}, lifecycle.Diagnostics{lifecycle.Errorf("lab", "broken")}
				}
				return lifecycle.Site{Name: "lab", Labels: map[string]string{"tier": tt.tier}}, nil
			}
			var stdout, stderr strings.Builder
			s := Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Size: func() (int, int) { return 80, 24 },
				Getenv: func(k string) string { return env[k] }}
			out := filepath.Join(t.TempDir(), "reviewed")
			code := run(t.Context(), s, []string{"--fleet", t.TempDir(), "ci", "reviewed", "lab", "--out", out}, services)
			said := strings.Join(strings.Fields(stderr.String()), " ")
			if code != tt.code || !strings.Contains(said, tt.says) || strings.Contains(said, "glpat-") {
				t.Errorf("exit %d, want %d\n%s", code, tt.code, stderr.String())
			}
			if tt.says != "" && !strings.Contains(said, "KIBAN_GITLAB_REVIEW_TOKEN") {
				t.Errorf("it does not say what to set:\n%s", stderr.String())
			}
			if tt.says == "" && strings.Contains(said, "warning") {
				t.Errorf("it warns:\n%s", stderr.String())
			}
		})
	}
}

// TestA3_SignaturesAreDemanded: in a fleet that asks for signatures a plan without one is one that nobody reviewed, whoever brings it.
func TestA3_SignaturesAreDemanded(t *testing.T) {
	plan := clusterPlan("worker-1/upgrade")
	server := mergedServer(t, plan)
	f := &fakeSite{allows: lifecycle.Fleet{SignedReviews: true}, plans: []lifecycle.Plan{plan}}
	services := f.services()
	services.OpenForge = wire().OpenForge
	env := map[string]string{"CI_API_V4_URL": server.URL + "/api/v4", "CI_PROJECT_ID": "7", "CI_COMMIT_SHA": "c0ffee",
		"CI_COMMIT_BRANCH": "main", "KIBAN_GITLAB_REVIEW_TOKEN": "glpat-x"}
	var stdout, stderr strings.Builder
	s := Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr, Size: func() (int, int) { return 80, 24 },
		Getenv: func(k string) string { return env[k] }}
	out := filepath.Join(t.TempDir(), "reviewed")
	code := run(t.Context(), s, []string{"--fleet", t.TempDir(), "ci", "reviewed", "lab", "--out", out}, services)
	if _, err := os.Stat(review.ReviewedFile(out, "lab")); code != exitDone || !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(stderr.String(), "it is not signed, and fleet.yaml asks for that") {
		t.Errorf("exit %d, %v\n%s", code, err, stderr.String())
	}

	for signed, want := range map[string]int{"": exitStale, "https://gitlab.example": exitDone} {
		f := &fakeSite{allows: lifecycle.Fleet{SignedReviews: true}, plans: []lifecycle.Plan{plan}}
		file := filepath.Join(t.TempDir(), "lab.json")
		if err := review.WriteReviewed(filepath.Dir(file), lifecycle.ReviewedPlan{Kind: lifecycle.ReviewedPlanKind, Where: mergeRequestURL,
			Plan:     plan,
			Evidence: lifecycle.ReviewEvidence{SignedBy: signed}}); err != nil {
			t.Fatal(err)
		}
		r := f.kiban(t, t.TempDir(), nil, "apply", "lab", "--yes", "--reviewed", file)
		if r.code != want || (len(f.applied) > 0) != (want == exitDone) ||
			strings.Contains(r.err, "it is not signed") != (want == exitStale) {
			t.Errorf("signed by %q: exit %d, want %d\n%s", signed, r.code, want, r.err)
		}
	}
}
