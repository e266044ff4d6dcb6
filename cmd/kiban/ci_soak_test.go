package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// fakeSoak is what the fake's cluster keeps of how long it ran what.
type fakeSoak struct {
	soak     lifecycle.Soak
	soakErr  error
	soakKept int
}

func (f *fakeSoak) Soak(context.Context) (lifecycle.Soak, error) { return f.soak, f.soakErr }

func (f *fakeSoak) KeepSoak(_ context.Context, next func(lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error) {
	if f.soakErr != nil {
		return lifecycle.Soak{}, f.soakErr
	}
	f.soak = next(f.soak)
	f.soakKept++
	return f.soak, nil
}

func (f *fakeSite) Pinned(context.Context) (lifecycle.Pinned, error) { return f.pinned, nil }

func (f *fakeSite) KeepPinned(_ context.Context, next func(lifecycle.Pinned) lifecycle.Pinned) error {
	f.pinned = next(f.pinned)
	return nil
}

// twoMachines is the fake's site as it is when all is well.
func twoMachines(version lifecycle.Version) lifecycle.State {
	host := lifecycle.HostState{ServiceName: "k0sworker", Service: lifecycle.ServiceRunning, Binary: version, Running: version}
	st := lifecycle.State{Site: "lab", Nodes: []lifecycle.NodeState{{Name: "worker-1", Ready: true, Kubelet: version.Kubelet()}}}
	for _, name := range []string{"controller-1", "worker-1"} {
		host.Name = name
		st.Hosts = append(st.Hosts, host)
	}
	return st
}

func ofK0s(minor, patch int) lifecycle.Version {
	return lifecycle.Version{Major: 1, Minor: minor, Patch: patch}
}

// ranFor is an account of a site that has run a version until now.
func ranFor(site, version string, runs bool, d time.Duration) lifecycle.Soak {
	now := time.Now().UTC().Truncate(time.Second)
	v := lifecycle.SoakVersion{Name: "k0s", Version: version, Runs: runs, Longest: d}
	if runs {
		v.Since = now.Add(-d)
	}
	return lifecycle.Soak{Format: lifecycle.SoakFormat, Site: site, Observed: now, Healthy: true, Versions: []lifecycle.SoakVersion{v}}
}

func TestCISoak(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(35, 7)), fakeSoak: fakeSoak{soak: ranFor("lab", "v1.35.7+k0s.0", true, 20*time.Hour)}}
	r := f.kiban(t, t.TempDir(), nil, "ci", "soak", "lab")
	if r.code != 0 || !strings.HasPrefix(r.out, "lab is healthy.\n") ||
		!strings.Contains(r.out, "k0s   v1.35.7+k0s.0  runs  20h00m       20h00m\n") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	if f.soakKept != 0 {
		t.Error("a look without --record was recorded")
	}
	f.state.Nodes[0].Ready = false
	r = f.kiban(t, t.TempDir(), nil, "ci", "soak", "lab", "--record", "-o", "json")
	var got lifecycle.Soak
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v:\n%s%s", r.code, err, r.out, r.err)
	}
	if got.Healthy || got.Reason != "node worker-1 is not Ready" || got.Site != "lab" || got.Format != "1.0" || f.soakKept != 1 ||
		!f.soak.Versions[0].Since.IsZero() {
		t.Errorf("printed %+v, kept %+v", got, f.soak)
	}

	// A record that can't be read is a warning, one that can't be written a failure; and where there is no cluster, nothing can be kept.
	f.soakErr = errors.New("forbidden")
	if r := f.kiban(t, t.TempDir(), nil, "ci", "soak", "lab"); r.code != 0 || !strings.Contains(r.err, "forbidden") ||
		!strings.Contains(r.out, "lab is not healthy: node worker-1 is not Ready.") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	if r := f.kiban(t, t.TempDir(), nil, "ci", "soak", "lab", "--record"); r.code != exitFailed || !strings.Contains(r.err, "forbidden") ||
		!strings.Contains(r.err, "lab is not healthy: node worker-1 is not Ready.") || !strings.Contains(r.err, "kiban status lab") {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
	f.state = lifecycle.State{API: lifecycle.APIState{NotYet: true}}
	if r := f.kiban(t, t.TempDir(), nil, "ci", "soak", "lab", "--record"); r.code != 0 ||
		r.out != "lab is not healthy: there is no cluster yet.\n" {
		t.Errorf("exit %d:\n%s%s", r.code, r.out, r.err)
	}
}

// renewing is the fake with a lock that is renewed each time that it is looked at.
type renewing struct {
	*fakeSite
	looks int
	dead  bool
}

func (r *renewing) Locks(context.Context, lifecycle.State) ([]lifecycle.Lock, error) {
	if !r.dead {
		r.looks++
	}
	return []lifecycle.Lock{{Holder: "20261122-060000-abcdef", Epoch: 3, Beat: fmt.Sprint(r.looks)}}, nil
}

// What is wrong while a run is at work is its doing; what a killed one left is the site's.
func TestCISoakDuringARun(t *testing.T) {
	for name, tt := range map[string]struct {
		ready, dead bool
		kept        int
	}{
		"at work, and something is wrong": {},
		"killed, and something is wrong":  {dead: true, kept: 1},
		"at work, and nothing is wrong":   {ready: true, kept: 1},
	} {
		f := &fakeSite{state: twoMachines(ofK0s(35, 7))}
		f.state.Nodes[0].Ready = tt.ready
		services := f.services()
		services.OpenSite = func(site lifecycle.Site, opts session.Options) (*session.Session, error) {
			parts := f.parts()
			parts.Lock = &renewing{fakeSite: f, dead: tt.dead}
			return session.With(site, opts, parts), nil
		}
		var out, errs bytes.Buffer
		a := &app{Streams: Streams{Out: &out, Err: &errs, Getenv: func(string) string { return "" }}.cleaned(), services: services,
			fleet: t.TempDir()}
		err := ciSoakRun(t.Context(), &ciSoakOptions{app: a, output: output{form: "text"}, Site: "lab", Record: true, Watch: time.Millisecond})
		if err != nil || f.soakKept != tt.kept || strings.Contains(errs.String(), "20261122-060000-abcdef is changing lab") != (tt.kept == 0) {
			t.Errorf("%s: kept %d times, want %d; %v\n%s%s", name, f.soakKept, tt.kept, err, out.String(), errs.String())
		}
	}
}
