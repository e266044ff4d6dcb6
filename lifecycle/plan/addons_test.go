package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func altered(kind lifecycle.ChangeKind, ref lifecycle.ObjectRef, fields ...lifecycle.FieldChange) lifecycle.ObjectChange {
	return lifecycle.ObjectChange{ObjectRef: ref, Change: kind, Fields: fields}
}

func ref(api, kind, namespace, name string) lifecycle.ObjectRef {
	return lifecycle.ObjectRef{APIVersion: api, Kind: kind, Namespace: namespace, Name: name}
}

var (
	speaker   = ref("apps/v1", "DaemonSet", "metallb-system", "speaker")
	namespace = ref("v1", "Namespace", "", "metallb-system")
	settings  = ref("v1", "ConfigMap", "shop", "settings")
)

// metallb is an addon that is in place.
func metallb(edit ...func(*lifecycle.UnitState)) lifecycle.UnitState {
	u := lifecycle.UnitState{Name: "addon/metallb", Declared: true, Installed: true, Chart: "metallb", Version: "0.16.2", Digest: "sha256:m",
		Unchanged: 20, Timeout: 10 * time.Minute,
		Release: lifecycle.Release{Name: "metallb", Chart: "metallb", Version: "0.16.2", Revision: 3, Status: "deployed"},
		Health:  lifecycle.Health{Status: lifecycle.HealthCurrent}}
	for _, e := range edit {
		e(&u)
	}
	return u
}

func image(kind lifecycle.ChangeKind) lifecycle.ObjectChange {
	return altered(kind, speaker, lifecycle.FieldChange{Field: "spec.template.spec.containers[name=speaker].image", From: `"a:1"`,
		To: `"a:2"`})
}

func bump(u *lifecycle.UnitState) {
	u.Release.Version, u.Changed, u.Changes = "0.16.1", "chart 0.16.1 -> 0.16.2", []lifecycle.ObjectChange{image(lifecycle.ChangeUpdate)}
}

// seen is what is observed of a site that is up, with units.
func seen(t *testing.T, site lifecycle.Site, units ...lifecycle.UnitState) lifecycle.State {
	t.Helper()
	st := built(t, site).observe()
	st.Units = units
	return st
}

func planned(t *testing.T, site lifecycle.Site, st lifecycle.State, options ...lifecycle.PlanOptions) lifecycle.Plan {
	t.Helper()
	p := Make(site, st, append(options, lifecycle.PlanOptions{})[0])
	orderly(t, p)
	return p
}

func TestAddons(t *testing.T) {
	site := newSite(v135, 1, 2)
	drifted := func(u *lifecycle.UnitState) {
		c := altered(lifecycle.ChangeUpdate, speaker, lifecycle.FieldChange{Field: "spec.x", From: "1", To: "2", By: "kubectl-edit", At: clock})
		c.Drift = true
		u.Changes = []lifecycle.ObjectChange{c}
	}
	left := lifecycle.UnitState{Name: "addon/datadog", Installed: true, Digest: "sha256:d",
		Release: lifecycle.Release{Version: "3.2.0", Status: "deployed"},
		Changes: []lifecycle.ObjectChange{altered(lifecycle.ChangeDelete, settings), altered(lifecycle.ChangeKeep, namespace)}}
	cases := map[string][]lifecycle.UnitState{
		"addons-in-place": {metallb()},
		"addons-new": {
			{Name: "objects", Declared: true, Changes: []lifecycle.ObjectChange{altered(lifecycle.ChangeCreate, settings)}},
			metallb(func(u *lifecycle.UnitState) {
				u.Installed, u.Release, u.Health = false, lifecycle.Release{}, lifecycle.Health{}
				u.Changes = []lifecycle.ObjectChange{altered(lifecycle.ChangeCreate, namespace), altered(lifecycle.ChangeCreate, speaker)}
			}),
			{Name: "addon/shop", Declared: true, DependsOn: []string{"addon/metallb"},
				Changes: []lifecycle.ObjectChange{altered(lifecycle.ChangeCreate, settings)}},
			{Name: "tenant/product-a", Declared: true, Changes: []lifecycle.ObjectChange{altered(lifecycle.ChangeCreate, settings)}},
		},
		"addons-bump":    {metallb(bump)},
		"addons-drifted": {metallb(drifted)},
		"addons-cut-off": {metallb(func(u *lifecycle.UnitState) { u.Changed = "the run that last applied it has not come to its end" })},
		"addons-adopted": {metallb(func(u *lifecycle.UnitState) { u.Adopts = true })},
		"addons-left":    {metallb(), left},
	}
	for name, units := range cases {
		t.Run(name, func(t *testing.T) { golden(t, name, planned(t, site, seen(t, site, units...))) })
	}
}

// A step carries the hooks that its chart runs, because they are things that run; the plan means something else with others.
func TestStepsCarryHooks(t *testing.T) {
	site := newSite(v135, 1, 2)
	for _, edit := range []func(*lifecycle.UnitState){bump, func(u *lifecycle.UnitState) {
		u.Declared, u.Changes = false, []lifecycle.ObjectChange{altered(lifecycle.ChangeDelete, settings)}
	}} {
		u := metallb(edit)
		without := planned(t, site, seen(t, site, u))
		u.Hooks = []string{"Job metallb/init, before upgrade"}
		p := planned(t, site, seen(t, site, u))
		if len(p.Steps) != 1 || !slices.Equal(p.Steps[0].Hooks, u.Hooks) || p.Meaning() == without.Meaning() {
			t.Errorf("the plan's steps are %+v", p.Steps)
		}
	}
}

// What a step brings is a version that the site does not have: not the one whose values change, is adopted or is finished.
func TestChartsThatAreBrought(t *testing.T) {
	site := newSite(v135, 1, 1)
	for name, tt := range map[string]struct {
		edit func(*lifecycle.UnitState)
		want lifecycle.ChartVersion
	}{
		"another version": {bump, lifecycle.ChartVersion{Name: "metallb", Version: "0.16.2"}},
		"a new chart": {func(u *lifecycle.UnitState) { u.Installed, u.Release = false, lifecycle.Release{} },
			lifecycle.ChartVersion{Name: "metallb", Version: "0.16.2"}},
		"another chart": {func(u *lifecycle.UnitState) { u.Release.Chart, u.Changed = "metal", "its chart is another" },
			lifecycle.ChartVersion{Name: "metallb", Version: "0.16.2"}},
		"other values": {func(u *lifecycle.UnitState) { u.Changes = []lifecycle.ObjectChange{image(lifecycle.ChangeUpdate)} },
			lifecycle.ChartVersion{}},
		"adopted": {func(u *lifecycle.UnitState) { u.Adopts = true }, lifecycle.ChartVersion{}},
		"cut off": {func(u *lifecycle.UnitState) {
			u.Changed, u.Release.Status = "the run that last applied it has not come to its end", "pending-upgrade"
		}, lifecycle.ChartVersion{}},
		"no chart": {func(u *lifecycle.UnitState) {
			u.Chart, u.Version, u.Release, u.Changes = "", "", lifecycle.Release{},
				[]lifecycle.ObjectChange{altered(lifecycle.ChangeCreate, settings)}
		}, lifecycle.ChartVersion{}},
	} {
		p := planned(t, site, seen(t, site, metallb(tt.edit)))
		if len(p.Steps) != 1 || p.Steps[0].Brings != tt.want {
			t.Errorf("%s: %+v, want one step that brings %+v", name, p.Steps, tt.want)
		}
	}
}

// Addons come before the version changes, every node waits for them, and what a chart makes of the new version is for the next plan.
func TestAddonsAroundAnUpgrade(t *testing.T) {
	site := newSite(v135, 1, 2)
	st := seen(t, site, metallb(bump, func(u *lifecycle.UnitState) { u.Rerenders = true }),
		metallb(func(u *lifecycle.UnitState) {
			u.Name, u.Health = "addon/datadog", lifecycle.Health{Status: lifecycle.HealthInProgress, Why: "0 of 2 pods are ready"}
		}))
	golden(t, "addons-with-upgrade", planned(t, newSite(v136, 1, 2), st))
}

func TestTenantsThatLeft(t *testing.T) {
	site := newSite(v135, 1, 1)
	gone := lifecycle.UnitState{Name: "tenant/product-a", Installed: true, Digest: "sha256:t",
		Changes: []lifecycle.ObjectChange{altered(lifecycle.ChangeDelete, settings),
			altered(lifecycle.ChangeDelete, ref("v1", "Namespace", "", "product-a"))}}
	st := seen(t, site, gone)
	golden(t, "tenant-left", planned(t, site, st))
	golden(t, "tenant-pruned", planned(t, site, st, lifecycle.PlanOptions{PruneTenants: true}))
}

// A cluster that does not exist yet gets its addons in the same plan.
func TestAddonsOfANewSite(t *testing.T) {
	site := newSite(v135, 1, 1)
	st := freshWorld(site).observe()
	st.Units = []lifecycle.UnitState{{Name: "addon/metallb", Declared: true, NotYet: true, Chart: "metallb", Version: "0.16.2",
		Timeout: time.Minute,
		Changes: []lifecycle.ObjectChange{altered(lifecycle.ChangeCreate, speaker)}}}
	golden(t, "addons-of-a-new-site", planned(t, site, st))
}

func TestExternalSites(t *testing.T) {
	site := lifecycle.Site{Name: "aws", Provider: lifecycle.ProviderExternal, Digest: "sha256:site"}
	up := lifecycle.State{Site: "aws", API: lifecycle.APIState{ClusterUID: "7d0f", Servers: []lifecycle.APIServer{{Host: "eks", Ready: true}}},
		Nodes: []lifecycle.NodeState{{Name: "ip-10-0-0-1", Ready: true}}, Units: []lifecycle.UnitState{metallb(bump)}}
	golden(t, "external", planned(t, site, up))
	down := lifecycle.State{Site: "aws", API: lifecycle.APIState{Unknown: "connection refused"},
		Units: []lifecycle.UnitState{{Name: "addon/metallb", Declared: true, Unknown: "connection refused"}}}
	golden(t, "external-dark", planned(t, site, down))
}

// What is wrong is said before anything is done, and nothing is planned for a cluster that is not the site's.
func TestUnitsRefused(t *testing.T) {
	site := newSite(v135, 1, 1)
	site.API.ClusterUID = "7d0f"
	site.Addons = []lifecycle.Addon{{Name: "metallb", Namespace: "metallb-system",
		Chart: &lifecycle.Chart{Name: "metallb", Version: "0.16.2", Release: "metallb"}}}
	cases := map[string]struct {
		edit  func(*lifecycle.State)
		says  string
		steps bool
	}{
		"another site's cluster": {func(s *lifecycle.State) { s.API.Site = "osaka" }, "it is site osaka", false},
		"another cluster":        {func(s *lifecycle.State) { s.API.ClusterUID = "beef" }, "another cluster", false},
		"k0s looks after it": {func(s *lifecycle.State) { s.API.ForeignCharts = []string{"metallb-system/metallb"} },
			"k0s's own Helm controller", true},
		"a unit is not known": {func(s *lifecycle.State) {
			s.Units = append(s.Units, lifecycle.UnitState{Name: "objects", Declared: true, Unknown: "timeout"})
		}, "not known", true},
		"a unit's own finding": {func(s *lifecycle.State) {
			s.Units[0].Diagnostics = lifecycle.Diagnostics{{Severity: lifecycle.SeverityError, Summary: "a secret is missing", Hint: "Set it."}}
		}, "a secret is missing", true},
	}
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			st := seen(t, newSite(v135, 1, 1), metallb(bump))
			if base := planned(t, site, st); base.Diagnostics.Err() != nil || len(base.Steps) != 1 {
				t.Fatalf("without it: %v, %d steps", base.Diagnostics, len(base.Steps))
			}
			tt.edit(&st)
			p := planned(t, site, st)
			if p.Diagnostics.Err() == nil || !strings.Contains(p.Diagnostics.Error(), tt.says) {
				t.Errorf("found %v", p.Diagnostics)
			}
			if (len(p.Steps) > 0) != tt.steps {
				t.Errorf("%d steps are listed", len(p.Steps))
			}
		})
	}
}

func TestDisrupts(t *testing.T) {
	labels := altered(lifecycle.ChangeUpdate, speaker, lifecycle.FieldChange{Field: "metadata.labels.x"})
	for name, tt := range map[string]struct {
		changes []lifecycle.ObjectChange
		want    bool
	}{
		"a pod template":         {[]lifecycle.ObjectChange{image(lifecycle.ChangeUpdate)}, true},
		"labels of the workload": {[]lifecycle.ObjectChange{labels}, false},
		"a new workload":         {[]lifecycle.ObjectChange{altered(lifecycle.ChangeCreate, speaker)}, false},
		"a workload that goes":   {[]lifecycle.ObjectChange{altered(lifecycle.ChangeDelete, speaker)}, true},
		"another object":         {[]lifecycle.ObjectChange{altered(lifecycle.ChangeDelete, settings)}, false},
	} {
		if got := disturbs(tt.changes); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A site without addons has no gate that looks at them.
func TestGateOnlyWhereThereAreAddons(t *testing.T) {
	old, next := newSite(v135, 1, 2), newSite(v136, 1, 2)
	gates := func(units ...lifecycle.UnitState) (n int) {
		for _, s := range planned(t, next, seen(t, old, units...)).Steps {
			for _, g := range slices.Concat(s.Before, s.After) {
				if g.Kind == lifecycle.GateUnits {
					n++
				}
			}
		}
		return n
	}
	if n := gates(); n != 0 {
		t.Errorf("%d gates without addons", n)
	}
	if n := gates(metallb()); n != 6 { // before and after each of three machines
		t.Errorf("%d gates with an addon, want 6", n)
	}
}

// Pods of addons are restarted within a window only; what restarts none does not wait for one.
func TestAddonsKeepToWindows(t *testing.T) {
	site := newSite(v135, 1, 2)
	site.Policy.Windows = []lifecycle.Window{{Days: []time.Weekday{time.Sunday}, Start: 60, End: 300, TimeZone: "Asia/Tokyo"}}
	labels := func(u *lifecycle.UnitState) {
		u.Changes = []lifecycle.ObjectChange{altered(lifecycle.ChangeUpdate, speaker, lifecycle.FieldChange{Field: "metadata.labels.x"})}
	}
	for name, tt := range map[string]struct {
		edit func(*lifecycle.UnitState)
		want bool
	}{"an image": {bump, true}, "labels": {labels, false}} {
		steps := planned(t, site, seen(t, site, metallb(tt.edit))).Steps
		if len(steps) != 1 {
			t.Fatalf("%s: %d steps", name, len(steps))
		}
		got := slices.ContainsFunc(steps[0].Before, func(g lifecycle.Gate) bool { return g.Kind == lifecycle.GateWindow })
		if got != tt.want {
			t.Errorf("%s: a window is waited for: %v", name, got)
		}
	}
}
