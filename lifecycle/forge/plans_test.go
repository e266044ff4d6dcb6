package forge

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// plansDir is a folder as plan jobs leave it: a plan that was printed, one that was saved, one of a job that failed, one that was cut off.
func plansDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of := func(site string) lifecycle.Plan {
		return lifecycle.Plan{Format: lifecycle.PlanFormat, Site: site,
			Steps: []lifecycle.Step{{ID: "worker-1/upgrade", Target: "worker-1", Action: lifecycle.ActionUpgrade}}}
	}
	write("lab.json", of("lab"))
	write("osaka.plan", lifecycle.SavedPlan{Kind: lifecycle.SavedPlanKind, Plan: of("osaka")})
	write("tokyo.json", of("lab"))
	write("future.json", lifecycle.Plan{Format: "2.0", Site: "future"})
	write("report.txt", "no plan")
	for name, text := range map[string]string{"oslo.json": "", "berlin.json": `{"format":"1.0","si`, "lab.plan": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestReadPlans(t *testing.T) {
	plans, err := ReadPlans(plansDir(t), []string{"lab", "gone"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, p := range plans {
		got[p.Site.Name] = p.Missing
		if p.Missing == "" && p.Plan.Empty() {
			t.Errorf("%s has neither a plan nor a reason", p.Site.Name)
		}
	}
	for name, want := range map[string]string{"lab": "", "osaka": "", "oslo": notPlanned, "gone": notPlanned, "berlin": "its plan was cut off",
		"tokyo": `tokyo.json is a plan of "lab"`, "future": `its plan has the format "2.0"`} {
		why, there := got[name]
		if !there || !strings.HasPrefix(why, want) || (want == "") != (why == "") {
			t.Errorf("%s: got %q, want %q", name, why, want)
		}
	}
	if len(got) != 7 {
		t.Errorf("got %v", got)
	}
	if _, err := ReadPlans(filepath.Join(t.TempDir(), "none"), nil); err == nil {
		t.Error("a folder that is not there is no fleet without changes")
	}
}
