package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

// notPlanned is told of a site whose job left no plan.
const notPlanned = "it could not be planned: the log of its job says why"

// readSitePlans reads a folder of plans, a file or two a site, and adds the sites that should be there and are not.
func readSitePlans(dir string, expected []string) ([]forge.SitePlan, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the folder of plans can't be read", Detail: err.Error(), Subject: dir,
			Hint: "Let the plan jobs keep it as an artifact. When no site had to be planned: mkdir -p " + dir, Cause: err}
	}
	found := map[string]forge.SitePlan{}
	for _, e := range entries {
		name, isPlan := planOfSite(e.Name())
		if e.IsDir() || !isPlan {
			continue
		}
		p, err := readSitePlan(filepath.Join(dir, e.Name()), name)
		if err != nil {
			return nil, err
		}
		if was, twice := found[name]; !twice || was.Missing != "" {
			found[name] = p
		}
	}
	for _, name := range expected {
		if _, there := found[name]; !there {
			found[name] = forge.SitePlan{Site: lifecycle.Site{Name: name}, Missing: notPlanned}
		}
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []forge.SitePlan
	for _, name := range names {
		out = append(out, found[name])
	}
	return out, nil
}

// withGone adds the sites whose overlays the merge request deletes. They have no plan, whatever a file says.
func withGone(plans []forge.SitePlan, names []string) []forge.SitePlan {
	plans = slices.DeleteFunc(plans, func(p forge.SitePlan) bool { return slices.Contains(names, p.Site.Name) })
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		plans = append(plans, forge.SitePlan{Site: lifecycle.Site{Name: name}, Gone: true})
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

// readSitePlan reads a plan as --out saves it or as -o json prints it. What is no plan of this site says so in the note: one job's broken
// artifact must not keep the others' from being told.
func readSitePlan(path, name string) (forge.SitePlan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return forge.SitePlan{}, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "a plan can't be read", Detail: err.Error(), Subject: path, Cause: err}
	}
	return parseSitePlan(b, name, filepath.Base(path)), nil
}

// parseSitePlan is readSitePlan of the file's contents.
func parseSitePlan(b []byte, name, file string) forge.SitePlan {
	s := forge.SitePlan{Site: lifecycle.Site{Name: name}}
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
