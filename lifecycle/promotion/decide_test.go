package promotion

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// upgrade is a plan that brings k0s v1.36 to prod.
func upgrade(t testing.TB) lifecycle.Plan {
	t.Helper()
	return lifecycle.Plan{Site: "prod", Target: v(t, v136), Hops: []lifecycle.Version{v(t, v136)},
		Steps: []lifecycle.Step{{ID: "w1/upgrade", Action: lifecycle.ActionUpgrade}}}
}

// account is what is known of staging, which was looked at just before noon of the fourth day.
func account(healthy bool, versions ...lifecycle.SoakVersion) lifecycle.Soak {
	s := lifecycle.Soak{Format: "1.0", Site: "staging", Observed: day(77 * hour), Healthy: healthy, Versions: versions}
	if !healthy {
		s.Reason = "node w1 is not Ready"
	}
	return s
}

func TestDecide(t *testing.T) {
	of := func(version string, runs bool, since time.Time, longest time.Duration) lifecycle.SoakVersion {
		return lifecycle.SoakVersion{Name: "k0s", Version: version, Runs: runs, Since: since, Longest: longest}
	}
	never := time.Time{}
	for name, tt := range map[string]struct {
		soaks map[string]lifecycle.Soak
		now   time.Duration // zero: 78h
		state lifecycle.GateState
		says  string
		until time.Time
	}{
		"long enough": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(5*hour), 72*hour))}, 0, lifecycle.GateMet,
			"staging has run k0s v1.36.3+k0s.2, healthy, for 72h of 72h", never},
		"still at it": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(57*hour), 20*hour))}, 0, lifecycle.GateWaiting,
			"staging has run k0s v1.36.3+k0s.2, healthy, for 20h of 72h", day((57 + 72) * hour)},
		"only what was seen counts": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(6*hour), 71*hour))}, 79 * hour,
			lifecycle.GateWaiting, "for 71h of 72h", day(78 * hour)},
		"it was away, and its best stretch counts": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(76*hour), 75*hour))},
			0, lifecycle.GateMet,
			"for 75h of 72h", never},
		"two stretches are not added up": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(36*hour), 71*hour))}, 0,
			lifecycle.GateWaiting, "for 71h of 72h", day(108 * hour)},
		"not healthy now": {map[string]lifecycle.Soak{"staging": account(false, of(v136, true, never, 100*hour))}, 0, lifecycle.GateFailed,
			"staging runs k0s v1.36.3+k0s.2, and is not healthy: node w1 is not Ready", never},
		"it has moved past it": {map[string]lifecycle.Soak{"staging": account(true, of("v1.36.4+k0s.0", true, day(76*hour), hour),
			of(v136, false, never, 80*hour))}, 0, lifecycle.GateMet, "for 80h", never},
		"moved past it, and not healthy with the next": {map[string]lifecycle.Soak{"staging": account(false,
			of("v1.36.4+k0s.0", true, never, hour), of(v136, false, never, 80*hour))}, 0,
			lifecycle.GateMet, "for 80h", never},
		"moved past it too soon": {map[string]lifecycle.Soak{"staging": account(true, of("v1.36.4+k0s.0", true, day(76*hour), hour),
			of(v136, false, never, 8*hour))}, 0, lifecycle.GateFailed,
			"for 8h of 72h, and no longer runs it", never},
		"never run there": {map[string]lifecycle.Soak{"staging": account(true, of(v135, true, day(0), 77*hour))}, 0, lifecycle.GateFailed,
			"staging has never run k0s v1.36.3+k0s.2", never},
		"nothing is known": {nil, 0, lifecycle.GateFailed, "nothing is known of staging", never},
		"the evidence is old": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(0), 77*hour))}, 102 * hour,
			lifecycle.GateFailed,
			"staging was looked at 25h ago; evidence older than 24h does not count: retry the job soak:staging", never},
		"the evidence is from the future": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(0), 77*hour))}, 50 * hour,
			lifecycle.GateFailed, "a clock is wrong", never},
		"a clock that is a little off": {map[string]lifecycle.Soak{"staging": account(true, of(v136, true, day(0), 77*hour))},
			77*hour - time.Minute, lifecycle.GateMet, "77h of 72h", never},
		"another site's evidence": {map[string]lifecycle.Soak{"staging": {Format: "1.0", Site: "other", Observed: day(77 * hour)}}, 0,
			lifecycle.GateFailed, "is of another site", never},
		"another format": {map[string]lifecycle.Soak{"staging": {Format: "2.0", Site: "staging", Observed: day(77 * hour)}}, 0,
			lifecycle.GateFailed, `has the format "2.0"`, never},
		"back to what it ran": {map[string]lifecycle.Soak{"prod": {Format: "1.0", Site: "prod",
			Versions: []lifecycle.SoakVersion{of(v136, false, never, hour)}}}, 0, lifecycle.GateSkipped,
			"prod has taken k0s v1.36.3+k0s.2 before", never},
		"to finish what was begun": {map[string]lifecycle.Soak{"staging": account(false, of(v136, true, never, 0)),
			"prod": {Format: "1.0", Site: "prod", Versions: []lifecycle.SoakVersion{of(v136, true, never, 0)}}}, 0,
			lifecycle.GateSkipped, "to finish what was begun", never},
	} {
		now := tt.now
		if now == 0 {
			now = 78 * hour
		}
		got := Decide(lifecycle.Promotion{From: []string{"staging"}, Soak: 72 * hour}, upgrade(t), tt.soaks, day(now))
		if len(got) != 1 || got[0].State != tt.state || !strings.Contains(got[0].Reason, tt.says) || !got[0].Until.Equal(tt.until) {
			t.Errorf("%s: got %+v; want %s, %q, %s", name, got, tt.state, tt.says, tt.until)
		}
	}
}

// Every version against every site: one that lacks a site is not there yet.
func TestDecideAllOfAll(t *testing.T) {
	plan := upgrade(t)
	plan.Steps = append(plan.Steps, lifecycle.Step{ID: "addon/metallb/apply",
		Brings: lifecycle.ChartVersion{Name: "metallb", Version: "0.16.2"}})
	soak := account(true, lifecycle.SoakVersion{Name: "k0s", Version: v136, Runs: true, Since: day(0), Longest: 77 * hour})
	got := Decide(lifecycle.Promotion{From: []string{"staging", "canary"}, Soak: hour}, plan, map[string]lifecycle.Soak{"staging": soak},
		day(78*hour))
	var lines []string
	for _, p := range got {
		lines = append(lines, strings.Join([]string{p.Name, p.Version, p.From, string(p.State)}, " "))
	}
	want := []string{"k0s v1.36.3+k0s.2 staging met", "k0s v1.36.3+k0s.2 canary failed", "chart/metallb 0.16.2 staging failed",
		"chart/metallb 0.16.2 canary failed"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
	if got := Decide(lifecycle.Promotion{}, plan, nil, day(0)); got != nil {
		t.Errorf("a site that waits for nobody: %+v", got)
	}
}

func TestBrought(t *testing.T) {
	chart := func(name, version string) lifecycle.Step {
		return lifecycle.Step{Action: lifecycle.ActionApply, Brings: lifecycle.ChartVersion{Name: name, Version: version}}
	}
	for name, tt := range map[string]struct {
		plan lifecycle.Plan
		want string
	}{
		"nothing": {lifecycle.Plan{Target: v(t, v136)}, ""},
		"values, and a machine that joins": {lifecycle.Plan{Target: v(t, v136),
			Steps: []lifecycle.Step{{Action: lifecycle.ActionJoinWorker, Version: v(t, v136)}, {Action: lifecycle.ActionApply, Chart: "0.16.2"}}},
			""},
		"an upgrade": {upgrade(t), "k0s v1.36.3+k0s.2"},
		"a cluster that is set up": {lifecycle.Plan{Target: v(t, v136),
			Steps: []lifecycle.Step{{Action: lifecycle.ActionInitialize}, chart("metallb", "0.16.2")}}, "k0s v1.36.3+k0s.2, chart metallb 0.16.2"},
		"a chart twice, in two versions": {lifecycle.Plan{Steps: []lifecycle.Step{chart("web", "1"), chart("web", "1"), chart("web", "2")}},
			"chart web 1, chart web 2"},
	} {
		var got []string
		for _, v := range Brought(tt.plan) {
			got = append(got, label(v))
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestUnseen(t *testing.T) {
	site := staging()
	site.Cluster.Version = v(t, v136)
	site.Addons = []lifecycle.Addon{{Name: "metallb", Chart: &lifecycle.Chart{Name: "metallb", Version: "0.16.2"}}, {Name: "argocd"}}
	st := well(t, v136, "metallb 0.16.1")
	if got := Unseen(site, st); len(got) != 0 {
		t.Errorf("all is seen, and got %v", got)
	}
	// Whoever stops the API of a site makes its next plan one that only starts it again.
	if got := Unseen(site, well(t, v135, "metallb 0.16.1")); len(got) != 1 || label(got[0]) != "k0s "+v136 {
		t.Errorf("the machines have another version, and got %v", got)
	}
	st.Units[0].Unknown, st.Hosts[1].Problem = "refused", lifecycle.HostUnreachable
	got := Unseen(site, st)
	if len(got) != 2 || label(got[0]) != "k0s "+v136 || label(got[1]) != "chart metallb 0.16.2" {
		t.Errorf("got %v", got)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s", 900 * time.Millisecond: "0s", 10 * time.Second: "10s", 20 * time.Minute: "20m",
		hour: "1h", 90 * time.Minute: "1h30m",
		72*hour - time.Second: "71h59m", 72 * hour: "72h", 10*hour + 59*time.Second: "10h"} {
		if got := span(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}
