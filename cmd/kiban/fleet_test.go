package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/session"
)

// collectable are lab and osaka, which can be collected from; unread keeps the overlay of osaka from being read.
func collectable(f *fakeSite, unread error) services {
	f.planners.Make = func(site lifecycle.Site, _ lifecycle.State, _ lifecycle.PlanOptions) lifecycle.Plan {
		return lifecycle.Plan{Site: site.Name, Steps: []lifecycle.Step{{ID: "worker-1/upgrade", Reason: "because"}}}
	}
	s := twoSites(f, unread)
	s.SiteReads = func(string, string) ([]string, bool) { return []string{"clusters/components/metallb"}, true }
	return s
}

// collectedIn reads what a collect left, by site.
func collectedIn(t *testing.T, dir string) map[string]fleets.Collected {
	t.Helper()
	all, found, err := fleets.ReadCollected(dir, time.Now())
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	out := map[string]fleets.Collected{}
	for _, c := range all {
		out[c.Site] = c
	}
	return out
}

func TestFleetCollect(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3)), runs: []lifecycle.RunRecord{{ID: "20261128-1900", Site: "lab"}},
		uses: []lifecycle.TenantUse{{Tenant: "shop", Namespace: "shop"}}, locks: []lifecycle.Lock{{Holder: "r", Epoch: 1, Renewed: time.Now()}}}
	f.state.ObservedAt = time.Now().UTC()
	fleet := t.TempDir()
	dir := filepath.Join(fleet, ".kiban", "collected")
	r := kibanIn(t, fleet, collectable(f, nil), nil, "fleet", "collect")
	if r.code != exitDone || r.out != dir+"\n" || f.soakKept != 0 || f.applied != nil {
		t.Fatalf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	before := collectedIn(t, dir)
	lab := before["lab"]
	if s, now := lab.Standing.Now(); !now || s.Reached != 2 || s.Run != "r" || len(before) != 2 {
		t.Errorf("%+v", lab.Standing)
	}
	if d, now := lab.Drift.Now(); !now || d.Steps != 1 || lab.Declared.Value.Components[0] != "metallb" || len(lab.Runs.Value) != 1 ||
		len(lab.Tenants.Value) != 1 || !lab.Soak.Value.Observed.Equal(f.state.ObservedAt.Truncate(time.Second)) {
		t.Errorf("%+v", lab)
	}
	for _, file := range []string{"", "lab.json"} {
		if st, err := os.Stat(filepath.Join(dir, file)); err != nil || st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v: others may read it", file, st.Mode(), err)
		}
	}
	// One that can't be read: the others are written, its file says why, and keeps what was known, as of then.
	r = kibanIn(t, fleet, collectable(f, errors.New("the overlay is broken")), nil, "fleet", "collect")
	if r.code != exitFailed || !strings.Contains(r.err, "Nothing could be learnt of 1 of 2 sites.") ||
		!strings.Contains(r.err, "the overlay is broken") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	osaka := collectedIn(t, dir)["osaka"]
	s, at, had := osaka.Standing.Last()
	if _, now := osaka.Standing.Now(); now || osaka.Failed != "the overlay is broken" || !had || s.Reached != 2 ||
		!at.Equal(before["osaka"].Asked) {
		t.Errorf("%+v", osaka)
	}
	// A site that takes too long is one of which nothing is learnt.
	f.observed = func() error { return context.DeadlineExceeded }
	if r := kibanIn(t, fleet, collectable(f, nil), nil, "fleet", "collect", "lab"); r.code != exitFailed {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if c := collectedIn(t, dir)["lab"]; c.Failed != "no answer came in time" || c.Standing.Value.Reached != 2 {
		t.Errorf("%+v", c)
	}
}

// What is interrupted leaves the files as they are, and nothing beside them.
func TestFleetCollectInterrupted(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3))}
	fleet := t.TempDir()
	services := collectable(f, nil)
	if r := kibanIn(t, fleet, services, nil, "fleet", "collect"); r.code != exitDone {
		t.Fatalf("exit %d\n%s", r.code, r.err)
	}
	dir := filepath.Join(fleet, ".kiban", "collected")
	before, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	load := services.LoadSite
	services.LoadSite = func(c context.Context, fleet, name string, o session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		stop()
		return load(c, fleet, name, o)
	}
	s := Streams{In: strings.NewReader(""), Out: &strings.Builder{}, Err: &strings.Builder{}, Getenv: func(string) string { return "" },
		Size: func() (int, int) { return 80, 24 }}
	if code := run(ctx, s, []string{"--fleet", fleet, "fleet", "collect"}, services); code == exitDone {
		t.Error("an interrupted collect is done")
	}
	after, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	entries, _ := os.ReadDir(dir)
	if err != nil || string(after) != string(before) || len(entries) != 2 {
		t.Errorf("%v, %v: the file is not as it was", err, entries)
	}
}

// Sites that have left the fleet are told; what is not certain is not removed.
func TestFleetCollectPrune(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3))}
	fleet := t.TempDir()
	services := collectable(f, nil)
	kibanIn(t, fleet, services, nil, "fleet", "collect")
	names, listErr := []string{"lab"}, error(lifecycle.Errorf("overlays/x", "this overlay has no kustomization.yaml"))
	services.ListSites = func(string) ([]string, error) { return names, listErr }
	osaka := filepath.Join(fleet, ".kiban", "collected", "osaka.json")
	for _, tt := range []struct {
		args []string
		err  error
		code int
		says string
		gone bool
	}{
		{nil, nil, exitDone, "osaka has left the fleet: its file stays", false},
		{[]string{"--prune"}, listErr, exitFailed, "osaka has left the fleet: its file stays", false},
		{[]string{"--prune"}, nil, exitDone, "osaka has left the fleet: its file was removed.", true},
	} {
		listErr = tt.err
		r := kibanIn(t, fleet, services, nil, append([]string{"fleet", "collect"}, tt.args...)...)
		if _, err := os.Stat(osaka); r.code != tt.code || !strings.Contains(r.err, tt.says) || (err != nil) != tt.gone {
			t.Errorf("%v: exit %d, %v\n%s", tt.args, r.code, err, r.err)
		}
	}
}

func TestFleetMetrics(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3))}
	fleet := t.TempDir()
	kibanIn(t, fleet, collectable(f, nil), nil, "fleet", "collect")
	if err := os.WriteFile(filepath.Join(fleet, ".kiban", "collected", "cut.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(fleet, "kiban.prom")
	r := kibanIn(t, fleet, collectable(f, nil), nil, "fleet", "metrics", "--out", out)
	if r.code != exitDone || r.out != "" || !strings.Contains(r.err, "cut.json") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	b, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	got, err := parser.TextToMetricFamilies(b)
	if err != nil || len(got["kiban_site_info"].GetMetric()) != 2 ||
		got["kiban_fleet_unreadable_files"].GetMetric()[0].GetGauge().GetValue() != 1 {
		t.Errorf("%v: %v", err, got)
	}
	if r := kibanIn(t, t.TempDir(), collectable(f, nil), nil, "fleet", "metrics"); r.code != exitFailed ||
		!strings.Contains(r.err, "kiban fleet collect --out") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}

// TestCollectedFormHasItsFields: who reads the files without kiban goes by these names.
func TestCollectedFormHasItsFields(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3))}
	fleet := t.TempDir()
	kibanIn(t, fleet, collectable(f, nil), nil, "fleet", "collect")
	b, err := os.ReadFile(filepath.Join(fleet, ".kiban", "collected", "lab.json"))
	if err != nil {
		t.Fatal(err)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(b, &top); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "fleet.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range top {
		if !slices.Contains([]string{"apiVersion", "kind"}, name) && !strings.Contains(string(page), "| `"+name+"` |") {
			t.Errorf("docs/fleet.md has no row of %s", name)
		}
	}
}
