package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// TestCINotePromotion: a site whose versions have not soaked is blocked, and the note says for how long, or what is not known.
func TestCINotePromotion(t *testing.T) {
	v, err := lifecycle.ParseVersion("v1.98.3+k0s.0")
	if err != nil {
		t.Fatal(err)
	}
	soak := func(site string, healthyFor time.Duration) string {
		now := time.Now()
		b, err := json.Marshal(lifecycle.Soak{Format: lifecycle.SoakFormat, Site: site, Observed: now, Healthy: true,
			Versions: []lifecycle.SoakVersion{{Name: "k0s", Version: v.String(), Since: now.Add(-healthyFor), Longest: healthyFor, Runs: true}}})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, tt := range []struct {
		name, file string
		want       []string // in the note
		told       string   // on stderr
	}{
		{"long enough", soak("staging", 80*time.Hour), []string{"1 site safe",
			"Promotion is met: staging has run k0s v1.98.3+k0s.0, healthy, for 80h of 72h"}, ""},
		{"not yet", soak("staging", 20*time.Hour), []string{"1 site blocked",
			"promotion: staging has run k0s v1.98.3+k0s.0, healthy, for 20h of 72h, so at the earliest "}, ""},
		{"nothing there", "-", []string{"1 site blocked", "nothing is known of staging"}, ""},
		{"a job that failed", "", []string{"1 site blocked", "nothing is known of staging"}, ""},
		{"cut off", `{"format":`, []string{"1 site blocked", "nothing is known of staging"}, "how long staging ran its versions can't be read"},
		{"of another site", soak("osaka", 80*time.Hour), []string{"1 site blocked", "nothing is known of staging"}, `it is of "osaka"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			plan := planOf("f", "worker-1/upgrade")
			plan.Target, plan.Hops = v, []lifecycle.Version{v}
			b, err := json.Marshal(plan)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string]string{"plans/lab.json": string(b), "soak/staging.json": tt.file}
			if tt.file == "-" {
				delete(files, "soak/staging.json")
			}
			for name, text := range files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			services := (&fakeSite{}).services()
			site := lifecycle.Site{Name: "lab", Promotion: lifecycle.Promotion{From: []string{"staging"}, Soak: 72 * time.Hour}}
			services.LoadSite = func(context.Context, string, string, session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
				return site, nil
			}
			var out, errs strings.Builder
			s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
				Size: func() (int, int) { return 80, 24 }}
			code := run(t.Context(), s, []string{"--fleet", dir, "ci", "note", "--plans", filepath.Join(dir, "plans"), "--soak",
				filepath.Join(dir, "soak"), "--print"}, services)
			if code != exitDone || !strings.Contains(errs.String(), tt.told) || tt.told == "" && errs.Len() > 0 {
				t.Errorf("exit %d: %s", code, errs.String())
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("does not say %q:\n%s", want, out.String())
				}
			}
		})
	}
}
