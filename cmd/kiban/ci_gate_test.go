package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// gatedFleet is lab, which waits for staging.
type gatedFleet struct {
	lab, staging *fakeSite
	promotion    lifecycle.Promotion
	version      lifecycle.Version // that lab declares
	unreachable  error             // of staging
	dir          string            // the evidence
}

// newGatedFleet is one whose lab is about to get k0s 1.36.
func newGatedFleet(t *testing.T) *gatedFleet {
	t.Helper()
	plan := planOf("f", "worker-1/upgrade")
	plan.Target, plan.Hops = ofK0s(36, 3), []lifecycle.Version{ofK0s(36, 3)}
	return &gatedFleet{lab: &fakeSite{state: twoMachines(ofK0s(35, 7)), plans: []lifecycle.Plan{plan}}, staging: &fakeSite{},
		promotion: lifecycle.Promotion{From: []string{"staging"}, Soak: 72 * time.Hour, Source: "overlays/lab/site.yaml:7"}, dir: t.TempDir()}
}

// gate runs the verb.
func (g *gatedFleet) gate(t *testing.T, args ...string) result {
	t.Helper()
	services := g.lab.services()
	load := services.LoadSite
	services.LoadSite = func(ctx context.Context, fleet, name string, opts session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		site, ds := load(ctx, fleet, name, opts)
		site.Name, site.Cluster.Version = name, g.version
		if name == "lab" {
			site.Promotion = g.promotion
		}
		return site, ds
	}
	services.OpenSite = func(site lifecycle.Site, opts session.Options) (*session.Session, error) {
		if site.Name == "lab" {
			return g.lab.open(site, opts), nil
		}
		return g.staging.open(site, opts), g.unreachable
	}
	var out, errs bytes.Buffer
	s := Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(string) string { return "" },
		Size: func() (int, int) { return 80, 24 }}
	code := run(t.Context(), s, append([]string{"--fleet", t.TempDir(), "ci", "gate", "lab"}, args...), services)
	return result{code, out.String(), errs.String()}
}

// tell puts evidence into the folder.
func (g *gatedFleet) tell(t *testing.T, s lifecycle.Soak) {
	t.Helper()
	b, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(filepath.Join(g.dir, s.Site+".json"), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestCIGate(t *testing.T) {
	const wanted = "v1.36.3+k0s.0"
	for name, tt := range map[string]struct {
		change   func(g *gatedFleet)
		evidence lifecycle.Soak
		code     int
		out, err []string
	}{
		"met": {evidence: ranFor("staging", wanted, true, 80*time.Hour),
			out: []string{"met: staging has run k0s v1.36.3+k0s.0, healthy, for 80h of 72h\n"}},
		"not yet": {evidence: ranFor("staging", wanted, true, 20*time.Hour), code: exitBlocked,
			out: []string{"too early: staging has run k0s v1.36.3+k0s.0, healthy, for 20h of 72h\n"},
			err: []string{"Blocked: staging has run k0s v1.36.3+k0s.0, healthy, for 20h of 72h", "at the earliest",
				"Then retry the job soak:staging, and after it this one.", "kiban ci soak staging"}},
		"never run there": {evidence: ranFor("staging", "v1.35.7+k0s.0", true, 80*time.Hour), code: exitBlocked,
			err: []string{"staging has never run k0s v1.36.3+k0s.0", "overlays/lab/site.yaml:7",
				"for long enough, retry the job soak:staging, and after it this one.", "spec.promotion"}},
		"the plan brings nothing": {change: func(g *gatedFleet) { g.lab.plans = []lifecycle.Plan{planOf("f", "worker-1/start")} },
			out: []string{"nothing has to be waited for"}},
		"nobody is waited for": {change: func(g *gatedFleet) { g.promotion = lifecycle.Promotion{} },
			out: []string{"lab waits for no other site.\n"}},
		"back to what it ran": {change: func(g *gatedFleet) { g.lab.soak = ranFor("lab", wanted, false, time.Hour) },
			out: []string{"skipped: lab has taken k0s v1.36.3+k0s.0 before: to go back to it, or to finish what was begun, it waits for nobody\n"}},
		"to finish what was begun": {change: func(g *gatedFleet) {
			g.lab.state.Hosts[0].Binary, g.lab.state.Hosts[0].Running = ofK0s(36, 3), ofK0s(36, 3)
		}, out: []string{"skipped: lab has taken k0s v1.36.3+k0s.0 before"}},
		"a machine is not known, so its version may be brought": {change: func(g *gatedFleet) {
			g.lab.plans = []lifecycle.Plan{planOf("f", "worker-1/start")}
			g.lab.state.Hosts[1] = lifecycle.HostState{Name: "worker-1", Problem: lifecycle.HostUnreachable, Why: "timeout"}
			g.version = ofK0s(36, 3)
		}, evidence: ranFor("staging", wanted, true, time.Hour), code: exitBlocked,
			out: []string{"too early: staging has run k0s v1.36.3+k0s.0, healthy, for 1h of 72h"}},
	} {
		g := newGatedFleet(t)
		if tt.change != nil {
			tt.change(g)
		}
		if tt.evidence.Site != "" {
			g.tell(t, tt.evidence)
		}
		r := g.gate(t, "--soak", g.dir)
		if r.code != tt.code || g.lab.soakKept+g.staging.soakKept != 0 || g.lab.applied != nil {
			t.Errorf("%s: exit %d, want %d:\n%s%s", name, r.code, tt.code, r.out, r.err)
		}
		for _, want := range tt.out {
			if !strings.Contains(r.out, want) {
				t.Errorf("%s: stdout has no %q:\n%s", name, want, r.out)
			}
		}
		for _, want := range tt.err {
			if !strings.Contains(r.err, want) {
				t.Errorf("%s: stderr has no %q:\n%s", name, want, r.err)
			}
		}
	}
}

// What the folder does not tell, the sites are asked; what it tells wrongly is no evidence.
func TestCIGateEvidence(t *testing.T) {
	g := newGatedFleet(t)
	if err := os.WriteFile(filepath.Join(g.dir, "staging.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	g.staging.state, g.staging.soak = twoMachines(ofK0s(36, 3)), ranFor("staging", "v1.36.3+k0s.0", true, 80*time.Hour)
	if r := g.gate(t, "--soak", g.dir); r.code != 0 || !strings.Contains(r.out, "met: staging has run") || g.staging.soakKept != 0 {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	g.staging.state.Nodes[0].Ready = false
	if r := g.gate(t); r.code != exitBlocked || !strings.Contains(r.err,
		"staging runs k0s v1.36.3+k0s.0, and is not healthy: node worker-1 is not Ready") ||
		!strings.Contains(r.err, "for long enough, retry this job.") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	g.unreachable = errors.New("no kubeconfig")
	if r := g.gate(t); r.code != exitBlocked || !strings.Contains(r.err, "no kubeconfig") ||
		!strings.Contains(r.err, "nothing is known of staging") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	old := ranFor("staging", "v1.36.3+k0s.0", true, 80*time.Hour)
	old.Observed = old.Observed.Add(-25 * time.Hour)
	g.tell(t, old)
	if r := g.gate(t, "--soak", g.dir); r.code != exitBlocked || !strings.Contains(r.err, "retry the job soak:staging") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	if err := os.WriteFile(filepath.Join(g.dir, "staging.json"), []byte(`{"site":"staging`), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := g.gate(t, "--soak", g.dir); r.code != exitFailed || !strings.Contains(r.err, "Retry the job soak:staging") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
}
