package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/readiness"
)

// askedSite is a site that tells all, or does not, and counts what is asked of it.
type askedSite struct {
	Runner
	state lifecycle.State
	looks atomic.Int64
	kept  atomic.Int64
	// fails are the questions that are not answered; "hangs" has that of soak wait for ever.
	fails map[string]error
}

func (a *askedSite) Observe(context.Context) (lifecycle.State, error) {
	a.looks.Add(1)
	seen := a.state
	seen.Hosts = slices.Clone(seen.Hosts)
	return seen, a.fails["look"]
}
func (a *askedSite) Credentials(context.Context) (lifecycle.Credentials, error) {
	return lifecycle.Credentials{}, nil
}
func (a *askedSite) Close() error { return nil }
func (a *askedSite) Locks(context.Context, lifecycle.State) ([]lifecycle.Lock, error) {
	return []lifecycle.Lock{{Holder: "r"}}, a.fails["locks"]
}

func (a *askedSite) Runs(context.Context) ([]lifecycle.RunRecord, error) {
	return []lifecycle.RunRecord{{ID: "r"}}, a.fails["runs"]
}

func (a *askedSite) UpdateTold(context.Context, func(map[string]lifecycle.Told)) error {
	a.kept.Add(1)
	return nil
}

func (a *askedSite) Soak(ctx context.Context) (lifecycle.Soak, error) {
	if a.fails["hangs"] != nil {
		<-ctx.Done()
		return lifecycle.Soak{}, lifecycle.WhyEnded(ctx)
	}
	return lifecycle.Soak{}, a.fails["soak"]
}

func (a *askedSite) KeepSoak(context.Context, func(lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error) {
	a.kept.Add(1)
	return lifecycle.Soak{}, nil
}

func (a *askedSite) Pinned(context.Context) (lifecycle.Pinned, error) {
	return lifecycle.Pinned{Format: "1.0", Since: time.Unix(1, 0)}, a.fails["pinned"]
}

func (a *askedSite) KeepPinned(context.Context, func(lifecycle.Pinned) lifecycle.Pinned) error {
	a.kept.Add(1)
	return nil
}

func (a *askedSite) TenantUse(context.Context) ([]lifecycle.TenantUse, error) {
	return []lifecycle.TenantUse{{Tenant: "shop"}}, a.fails["tenants"]
}

func (a *askedSite) Verify(context.Context, string, func(string)) ([]lifecycle.Promise, error) {
	a.kept.Add(1) // probes are objects
	return nil, nil
}

// survey asks a site with those failures, within a time.
func (a *askedSite) survey(t *testing.T, within time.Duration) (lifecycle.Survey, error) {
	t.Helper()
	site := lifecycle.Site{Name: "lab", Cluster: lifecycle.Cluster{Version: lifecycle.Version{Major: 1, Minor: 36, Patch: 3}}}
	site.Policy.ControlPlane.Soak = time.Hour // so that a pin may be there
	parts := Parts{Site: a, Lock: lockOf{a}, Runner: a, Records: a, Workloads: a, Pins: a}
	parts.Plans = Planners{
		Make: func(lifecycle.Site, lifecycle.State, lifecycle.PlanOptions) lifecycle.Plan {
			return lifecycle.Plan{Site: "lab"}
		},
		Ready: func(in readiness.Input) lifecycle.Readiness { return lifecycle.Readiness{Site: "lab", To: in.Target} },
	}
	s := With(site, Options{Fleet: t.TempDir()}, parts)
	ctx, cancel := lifecycle.Within(t.Context(), within, "no answer")
	defer cancel()
	return s.Survey(ctx)
}

// lockOf is the site's lock, which nobody takes.
type lockOf struct{ *askedSite }

func (lockOf) Contend(lock.Claim) Contender                                     { return nil }
func (lockOf) BreakLock(context.Context, lifecycle.State, lifecycle.Lock) error { return nil }

// TestSurvey: one look, nothing kept anywhere, and each part that does not answer says so for itself.
func TestSurvey(t *testing.T) {
	unknown := func(v lifecycle.Survey) map[string]string {
		return map[string]string{"locks": v.Locks.Unknown, "runs": v.Runs.Unknown, "soak": v.Soak.Unknown, "pinned": v.Pinned.Unknown,
			"tenants": v.Tenants.Unknown, "readiness": v.Readiness.Unknown, "backups": v.Backups.Unknown}
	}
	state := lifecycle.State{Site: "lab", ObservedAt: time.Unix(1000, 0), Hosts: []lifecycle.HostState{{Name: "c1",
		ServiceName: "k0scontroller", Running: lifecycle.Version{Major: 1, Minor: 36, Patch: 3}}}}
	refused := errors.New("it refused")
	for _, part := range []string{"", "locks", "runs", "soak", "pinned", "tenants"} {
		a := &askedSite{state: state, fails: map[string]error{part: refused}}
		v, err := a.survey(t, time.Minute)
		if err != nil || a.looks.Load() != 1 || a.kept.Load() != 0 {
			t.Errorf("%q: %v, %d looks, %d things kept", part, err, a.looks.Load(), a.kept.Load())
		}
		for name, why := range unknown(v) {
			if part == "locks" && len(v.Locks.Value) != 1 {
				t.Error("what one place of the lock says is lost where another does not answer")
			}
			if (why != "") != (name == part) || why != "" && !strings.Contains(why, "it refused") {
				t.Errorf("%q fails, and %s is unknown: %q", part, name, why)
			}
		}
		if part == "" && (len(v.Runs.Value) != 1 || v.Soak.Value.Observed.Unix() != 1000 || v.Readiness.Value.To.Minor != 37 ||
			v.Plan.Site != "lab" || !v.Pinned.Value.Open() || len(v.Tenants.Value) != 1 || len(v.Locks.Value) != 1) {
			t.Errorf("%+v", v)
		}
	}
	// What hangs costs what it would have told, and no more.
	a := &askedSite{state: state, fails: map[string]error{"hangs": refused}}
	v, err := a.survey(t, 2*time.Second)
	if err != nil || !strings.Contains(v.Soak.Unknown, "no answer within") || v.Runs.Unknown != "" || v.Tenants.Unknown != "" {
		t.Errorf("%v: soak %q, runs %q", err, v.Soak.Unknown, v.Runs.Unknown)
	}
	// Of a cluster that is not there, or does not answer, that is said.
	a = &askedSite{state: state}
	a.state.API.NotYet = true
	if v, err = a.survey(t, time.Minute); err != nil || v.Runs.Unknown != "there is no cluster yet" || v.Locks.Unknown != "" {
		t.Errorf("%v: %+v", err, v.Runs)
	}
	a.state.API = lifecycle.APIState{Unknown: "no route"}
	if v, err = a.survey(t, time.Minute); err != nil || v.Tenants.Unknown != "the API did not answer: no route" {
		t.Errorf("%v: %+v", err, v.Tenants)
	}
	a.state.Hosts[0].Problem = lifecycle.HostUnreachable
	if v, err = a.survey(t, time.Minute); err != nil || !v.Unseen() || v.Locks.Value != nil {
		t.Errorf("nobody answered, and more was asked: %v, %+v", err, v.Locks)
	}
	a.fails = map[string]error{"look": refused}
	if _, err = a.survey(t, time.Minute); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}
