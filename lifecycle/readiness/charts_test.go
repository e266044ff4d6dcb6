package readiness

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// addonUnit is an addon of a chart as it was seen: installed with one version and range, declared with another.
func addonUnit(installed, installedFor, declared, declaredFor string) lifecycle.UnitState {
	u := lifecycle.UnitState{Name: "addon/a", Declared: true, Chart: "a", Version: declared, KubeVersion: declaredFor, AppVersion: "1.0"}
	if installed != "" {
		u.Release = lifecycle.Release{Name: "a", Chart: "a", Version: installed, KubeVersion: installedFor}
	}
	return u
}

func judgeCharts(u lifecycle.UnitState, from, to string, path ...string) lifecycle.Readiness {
	parse := func(v string) lifecycle.Version {
		out, err := lifecycle.ParseVersion(v)
		if err != nil {
			panic(err)
		}
		return out
	}
	r := &report{}
	in := Input{Site: lifecycle.Site{Name: "lab"}, State: lifecycle.State{Units: []lifecycle.UnitState{u}}, Target: parse(to)}
	for _, p := range path {
		in.Site.Policy.Path = append(in.Site.Policy.Path, parse(p))
	}
	r.Site, r.From, r.To = in.Site.Name, parse(from), in.Target
	charts(in, r)
	return r.Readiness
}

// TestCharts finds an order of an addon and Kubernetes in which both charts are made for what they run on, or says that there is none.
func TestCharts(t *testing.T) {
	for name, tt := range map[string]struct {
		unit    lifecycle.UnitState
		summary string // with rank and version
		remedy  string
	}{
		"no range":                   {addonUnit("1", "", "1", ""), "", ""},
		"made for all":               {addonUnit("1", ">=1.25.0-0", "1", ">=1.25.0-0"), "", ""},
		"the next first, as planned": {addonUnit("1", "<1.36.0-0", "2", ">=1.30.0-0"), "", ""},
		"a range that is none":       {addonUnit("1", "new ones", "1", "new ones"), "", ""},
		"one that stays, and ends": {addonUnit("1", "<1.37.0-0", "1", "<1.37.0-0"),
			"blocks: a 1 is not made for Kubernetes v1.37.2, and can't be changed there v1.37",
			"Declare a version of the chart that is made for all of v1.34 to v1.37, and merge that first."},
		"one that misses a hop": {addonUnit("1", "!=1.36.3", "1", "!=1.36.3"),
			"needs attention: a 1 is not made for Kubernetes v1.36.3, and can't be changed there v1.36",
			"Declare a version of the chart that is made for all of v1.34 to v1.37, and merge that first."},
		"Kubernetes first": {addonUnit("1", ">=1.30.0", "2", ">=1.37.0"),
			"blocks: a 2 is not made for Kubernetes v1.34.4 v1.34",
			"Kubernetes first, to v1.37, with a 1; then a 2. Each is a merge request of its own."},
		"in between": {addonUnit("1", "<1.37.0-0", "2", ">=1.35.0"),
			"blocks: a 2 is not made for Kubernetes v1.34.4 v1.34",
			"Kubernetes first, to v1.35, with a 1; then a 2; then Kubernetes to v1.37. Each is a merge request of its own."},
		"there is no order": {addonUnit("1", "<1.35.0-0", "3", ">=1.36.0"),
			"blocks: no order of the addon and Kubernetes works from v1.34 to v1.37 v1.34",
			"Find versions of the chart between 1 and 3 whose ranges meet, and go by them in turns with Kubernetes."},
		"the next ends": {addonUnit("1", "", "2", "<1.36.0-0"),
			"blocks: no order of the addon and Kubernetes works from v1.34 to v1.37 v1.36",
			"Find versions"},
		"a new one, for later": {addonUnit("", "", "2", ">=1.35.0"),
			"blocks: a 2 is not made for Kubernetes v1.34.4 v1.34",
			"Upgrade Kubernetes first, and declare the addon in a merge request after that."},
		"a new one, that ends before": {addonUnit("", "", "2", "<1.36.0-0"),
			"blocks: a 2 is not made for Kubernetes v1.36.3 v1.36",
			"Declare a version of the chart that is made for all of v1.34 to v1.37, and merge that first."},
	} {
		got := judgeCharts(tt.unit, "v1.34.4+k0s.0", "v1.37.2+k0s.0", "v1.36.3+k0s.1")
		if said := strings.Join(told(got), "; "); said != tt.summary || len(got.Unseen) > 0 {
			t.Errorf("%s: said %q, want %q", name, said, tt.summary)
		}
		for _, f := range got.Findings {
			if !strings.HasPrefix(f.Remedy, tt.remedy) || f.Owner != "addon a" || len(f.Seen) == 0 {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

// TestChartsThatAreNotSeen: of a chart that is not here it is not said that it fits.
func TestChartsThatAreNotSeen(t *testing.T) {
	away := addonUnit("1", "", "2", "")
	away.Diagnostics = lifecycle.Diagnostics{lifecycle.Errorf("addon a", "chart a 2 is not in the bundle")}
	unknown := addonUnit("1", "", "2", "")
	unknown.Unknown = "no answer"
	for _, u := range []lifecycle.UnitState{away, unknown} {
		got := judgeCharts(u, "v1.36.3+k0s.0", "v1.37.2+k0s.0")
		if len(got.Findings) > 0 || len(got.Unseen) != 1 || got.Unseen[0].What != "whether addon a is made for v1.37" || got.Unseen[0].Why == "" {
			t.Errorf("%+v", got)
		}
	}
	left := addonUnit("1", "<1.36.0", "", "")
	left.Declared, left.Chart = false, ""
	if got := judgeCharts(left, "v1.36.3+k0s.0", "v1.37.2+k0s.0"); len(got.Findings) > 0 {
		t.Errorf("an addon that goes: %v", told(got))
	}
}

// TestPublished holds addons against what their makers publish, which their charts do not say.
func TestPublished(t *testing.T) {
	argo := lifecycle.UnitState{Name: "addon/argocd", Declared: true, Chart: "argo-cd", Version: "9.0.0", KubeVersion: ">=1.25.0-0",
		AppVersion: "v3.5.1"}
	if got := told(judgeCharts(argo, "v1.35.4+k0s.0", "v1.36.3+k0s.0")); len(got) > 0 {
		t.Errorf("one that was tested with it: %v", got)
	}
	want := "needs attention: argo-cd 3.5 is tested with Kubernetes 1.33 to 1.36; v1.37 is not among them v1.37"
	if got := strings.Join(told(judgeCharts(argo, "v1.36.3+k0s.0", "v1.37.2+k0s.0")), ""); got != want {
		t.Errorf("said %q", got)
	}
	for _, app := range []string{"", "latest", "v9.9.9"} {
		argo.AppVersion = app
		if got := told(judgeCharts(argo, "v1.36.3+k0s.0", "v1.37.2+k0s.0")); len(got) > 0 {
			t.Errorf("%q: %v", app, got)
		}
	}
	for _, row := range readTested() {
		if row.Source == "" || row.Read == "" || row.Says == "" || len(row.Versions) == 0 {
			t.Errorf("%s has no source, day or versions", row.Chart)
		}
		for _, v := range row.Versions {
			if minorNumber(v.From) < 20 || minorNumber(v.To) < minorNumber(v.From) || v.App == "" {
				t.Errorf("%s: %+v", row.Chart, v)
			}
		}
	}
	if len(readTested()) < 2 {
		t.Error("the data cannot be read")
	}
}
