package review

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Save writes a plan to a file, for an apply of exactly this plan. kiban is the version that made it.
func Save(path string, plan lifecycle.Plan, kiban string, now time.Time) error {
	saved := lifecycle.SavedPlan{Kind: lifecycle.SavedPlanKind, Kiban: kiban, SavedAt: now.UTC().Truncate(time.Second), Plan: plan}
	b, err := json.MarshalIndent(saved, "", "  ")
	if err != nil {
		return fmt.Errorf("save plan: %w", err)
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o600); err != nil {
		return lifecycle.Errorf(path, "the plan could not be saved").From(err)
	}
	return nil
}

// ReadSaved reads a plan that Save wrote.
func ReadSaved(path string) (lifecycle.Plan, error) {
	bad := unreadable(path, "this is not a saved plan that kiban can read", "Save one with: kiban plan SITE --out FILE")
	b, err := os.ReadFile(path)
	if err != nil {
		return lifecycle.Plan{}, bad(err.Error(), err)
	}
	var s lifecycle.SavedPlan
	if err := json.Unmarshal(b, &s); err != nil {
		return lifecycle.Plan{}, bad(err.Error(), err)
	}
	if why := misfit(s.Kind, lifecycle.SavedPlanKind, s.Plan); why != "" {
		return lifecycle.Plan{}, bad(why, nil)
	}
	return s.Plan, nil
}

// ReadReviewed reads a plan that was reviewed. A file that is not there says that nobody has reviewed one: the zero ReviewedPlan.
func ReadReviewed(path string) (r lifecycle.ReviewedPlan, err error) {
	bad := unreadable(path, "this is not a reviewed plan that kiban can read", "Have it fetched again: kiban ci reviewed SITE --out FOLDER")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, bad(err.Error(), err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, bad(err.Error(), err)
	}
	if why := misfit(r.Kind, lifecycle.ReviewedPlanKind, r.Plan); why != "" {
		return r, bad(why, nil)
	}
	return r, nil
}

func unreadable(path, summary, hint string) func(why string, cause error) error {
	return func(why string, cause error) error {
		return lifecycle.Errorf(path, "%s", summary).Because(why).Try(hint).Hiding(cause)
	}
}

// misfit says why a file of this kind with this plan is none of the wanted kind that can be read; "" when it is.
func misfit(kind, want string, p lifecycle.Plan) string {
	switch {
	case kind != want:
		return fmt.Sprintf("its kind is %q, not %q", kind, want)
	case !lifecycle.SameMajor(p.Format, lifecycle.PlanFormat):
		return fmt.Sprintf("its format is %q; this kiban reads %s", p.Format, lifecycle.PlanFormat)
	}
	return ""
}
