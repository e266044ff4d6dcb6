package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// planKind marks a file as a saved plan.
const planKind = "kiban.dev/plan"

// savedPlan is the envelope of a plan on disk. Everything that apply rests on is in the plan itself; the rest is for people.
type savedPlan struct {
	Kind    string         `json:"kind"`
	Kiban   string         `json:"kiban"`
	SavedAt time.Time      `json:"savedAt"`
	Plan    lifecycle.Plan `json:"plan"`
}

func savePlan(path string, plan lifecycle.Plan, now time.Time) error {
	b, err := json.MarshalIndent(savedPlan{Kind: planKind, Kiban: buildInfo().Version, SavedAt: now.UTC().Truncate(time.Second), Plan: plan}, "", "  ")
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the plan could not be saved", Detail: err.Error(), Subject: path, Cause: err}
	}
	return nil
}

func readPlan(path string) (lifecycle.Plan, error) {
	bad := func(why string, cause error) error {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "this is not a saved plan that kiban can read", Detail: why, Subject: path,
			Hint: "Save one with: kiban plan SITE --out FILE", Cause: cause}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return lifecycle.Plan{}, bad(err.Error(), err)
	}
	var s savedPlan
	if err := json.Unmarshal(b, &s); err != nil {
		return lifecycle.Plan{}, bad(err.Error(), err)
	}
	if s.Kind != planKind {
		return lifecycle.Plan{}, bad(fmt.Sprintf("its kind is %q, not %q", s.Kind, planKind), nil)
	}
	if major(s.Plan.Format) != major(lifecycle.PlanFormat) {
		return lifecycle.Plan{}, bad(fmt.Sprintf("its format is %q; this kiban reads %s", s.Plan.Format, lifecycle.PlanFormat), nil)
	}
	return s.Plan, nil
}

func major(format string) string {
	m, _, _ := strings.Cut(format, ".")
	return m
}
