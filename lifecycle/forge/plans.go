package forge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// notPlanned is told of a site whose job left no plan.
const notPlanned = "it could not be planned: the log of its job says why"

// ReadPlans reads a folder of plans, a file or two a site, and adds the sites that should be there and are not.
func ReadPlans(dir string, expected []string) ([]SitePlan, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, lifecycle.Errorf(dir, "the folder of plans can't be read").From(err).
			Try("Let the plan jobs keep it as an artifact. When no site had to be planned: mkdir -p " + dir)
	}
	found := map[string]SitePlan{}
	for _, e := range entries {
		name, isPlan := planOfSite(e.Name())
		if e.IsDir() || !isPlan {
			continue
		}
		p, err := ReadPlan(filepath.Join(dir, e.Name()), name)
		if err != nil {
			return nil, err
		}
		if was, twice := found[name]; !twice || was.Missing != "" {
			found[name] = p
		}
	}
	for _, name := range expected {
		if _, there := found[name]; !there {
			found[name] = SitePlan{Site: lifecycle.Site{Name: name}, Missing: notPlanned}
		}
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []SitePlan
	for _, name := range names {
		out = append(out, found[name])
	}
	return out, nil
}

// WithGone adds the sites whose overlays the merge request deletes. They have no plan, whatever a file says.
func WithGone(plans []SitePlan, names []string) []SitePlan {
	plans = slices.DeleteFunc(plans, func(p SitePlan) bool { return slices.Contains(names, p.Site.Name) })
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		plans = append(plans, SitePlan{Site: lifecycle.Site{Name: name}, Gone: true})
	}
	return plans
}

// planOfSite is the site whose plan a file holds.
func planOfSite(file string) (string, bool) {
	for _, ext := range []string{".json", ".plan"} {
		if name, ok := strings.CutSuffix(file, ext); ok && name != "" {
			return name, true
		}
	}
	return "", false
}

// ReadPlan reads a plan as --out saves it or as -o json prints it. What is no plan of this site says so in the note: one job's broken
// artifact must not keep the others' from being told.
func ReadPlan(path, name string) (SitePlan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return SitePlan{}, lifecycle.Errorf(path, "a plan can't be read").From(err)
	}
	return ParsePlan(b, name, filepath.Base(path)), nil
}

// ParsePlan is ReadPlan of the file's contents.
func ParsePlan(b []byte, name, file string) SitePlan {
	s := SitePlan{Site: lifecycle.Site{Name: name}}
	if len(bytes.TrimSpace(b)) == 0 {
		s.Missing = notPlanned
		return s
	}
	var saved lifecycle.SavedPlan
	if err := json.Unmarshal(b, &saved); err != nil {
		s.Missing = "its plan was cut off: " + err.Error()
		return s
	}
	plan := saved.Plan
	if saved.Kind != lifecycle.SavedPlanKind {
		plan = lifecycle.Plan{}
		if err := json.Unmarshal(b, &plan); err != nil {
			s.Missing = "its plan can't be read: " + err.Error()
			return s
		}
	}
	switch {
	case !lifecycle.SameMajor(plan.Format, lifecycle.PlanFormat):
		s.Missing = fmt.Sprintf("its plan has the format %q; this kiban reads %s", plan.Format, lifecycle.PlanFormat)
	case plan.Site != name:
		s.Missing = fmt.Sprintf("%s is a plan of %q", file, plan.Site)
	default:
		s.Plan = plan
	}
	return s
}

// ReviewedPlans are the plans that a merge request showed. Of one that can't be read, Missing says why. A job's name may be anything:
// those that name no site are passed over.
func ReviewedPlans(of lifecycle.ReviewedSites) []SitePlan {
	var out []SitePlan
	for _, s := range of.Sites {
		if filepath.Base(s.Name) != s.Name {
			continue
		}
		p := ParsePlan(s.Plan, s.Name, s.Name+".json")
		p.Missing, p.Evidence = cmp.Or(s.Missing, p.Missing), s.Evidence
		if p.Missing == "" && s.Rehearsal != nil {
			p.Evidence.Rehearsed, p.Evidence.NotRehearsed = rehearsed(p, s.Rehearsal)
		}
		out = append(out, p)
	}
	return out
}
