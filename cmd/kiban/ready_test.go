package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// endingAuthority is a controller whose authority has so long to go.
func endingAuthority(left time.Duration) lifecycle.HostState {
	return lifecycle.HostState{Name: "ctrl", Running: lifecycle.Version{Major: 1, Minor: 36, Patch: 3}, ServiceName: "k0scontroller",
		Certificates: []lifecycle.Certificate{{Name: "ca", Renewed: lifecycle.RenewedByHand, NotBefore: time.Now().AddDate(-10, 0, 0),
			NotAfter: time.Now().Add(left)}}}
}

func endingIn(left time.Duration) []lifecycle.HostState {
	return []lifecycle.HostState{endingAuthority(left)}
}

// TestReady: what is in the way ends it with 3, and so does what could not be looked at; what only needs attention with 0.
func TestReady(t *testing.T) {
	away := lifecycle.HostState{Name: "w1", Problem: lifecycle.HostUnreachable, Why: "no route to host"}
	for name, tt := range map[string]struct {
		hosts []lifecycle.HostState
		args  string
		code  int
		want  []string
		plan  lifecycle.Diagnostics
	}{
		"attention": {hosts: endingIn(9*24*time.Hour + time.Hour), code: exitDone, want: []string{"k0s v1.36.3+k0s.0 -> v1.37.0+k0s.0",
			"1 to see to",
			"ctrl: the certificate ca ends on", "in 9 days", "Looked at: 1 of 1 machine"}},
		"in the way": {hosts: endingIn(-time.Hour), code: exitBlocked, want: []string{"Not ready: 1 finding in the way", "ended on"}},
		"what stops the plan": {hosts: endingIn(9999 * time.Hour), code: exitBlocked, want: []string{"Not ready: 1 finding in the way",
			"shop/web: the budget lets no pod go", "4 of 4 must be there", "Try: Loosen it."},
			plan: lifecycle.Diagnostics{lifecycle.Blockedf("shop/web",
				"the budget lets no pod go").Because("4 of 4 must be there").Try("Loosen it."),
				lifecycle.Warnf("w1", "it is odd")}},
		"not seen": {hosts: append(endingIn(9999*time.Hour), away), code: exitBlocked, want: []string{"Not known to be ready",
			"w1: no route to host", "Blocked: not known to be ready for v1.37.0+k0s.0: 1 thing could not be looked at"}},
		"nothing": {hosts: []lifecycle.HostState{away}, args: "--to 1.37", code: exitFailed, want: []string{"nothing is known of what"}},
		"markdown": {hosts: endingIn(-time.Hour), args: "-o markdown", code: exitBlocked,
			want: []string{"| In the way | **ctrl**: the certificate ca"}},
		"json": {hosts: endingIn(-time.Hour), args: "-o json", code: exitBlocked,
			want: []string{`"rank": "blocks"`, `"rule": "certificate"`, `"format": "1.0"`, `"verdict": "not ready"`}},
		"a minor release": {hosts: endingIn(9999 * time.Hour), args: "--to 1.37", code: exitDone,
			want: []string{"-> v1.37.0+k0s.0", "Ready: nothing that was looked at breaks"}},
		"one that nobody knows": {hosts: endingIn(9999 * time.Hour), args: "--to 1.41", code: exitBlocked,
			want: []string{"-> v1.41.0+k0s.0", "Not known to be ready", "this kiban knows of no such release"}},
		"another major":   {hosts: endingIn(9999 * time.Hour), args: "--to 2.0", code: exitFailed, want: []string{"there is no Kubernetes 2.0"}},
		"without its v":   {hosts: endingIn(9999 * time.Hour), args: "--to 1.36.4+k0s.0", code: exitDone, want: []string{"-> v1.36.4+k0s.0"}},
		"an empty one":    {args: "--to=", code: exitFailed, want: []string{"--to is empty"}},
		"no version":      {args: "--to latest", code: exitFailed, want: []string{`"latest" is not a version`}},
		"older":           {hosts: endingIn(9999 * time.Hour), args: "--to 1.35", code: exitFailed, want: []string{"which is newer than"}},
		"an older patch":  {hosts: endingIn(9999 * time.Hour), args: "--to v1.36.2", code: exitFailed, want: []string{"which is newer than"}},
		"the one it has":  {hosts: endingIn(9999 * time.Hour), args: "--to 1.36", code: exitDone, want: []string{"to k0s v1.36.3+k0s.0"}},
		"nobody tells it": {args: "", code: exitFailed, want: []string{"which version?"}},
	} {
		f := &fakeSite{state: lifecycle.State{Hosts: tt.hosts}, plans: []lifecycle.Plan{{Diagnostics: tt.plan}}}
		if name == "nothing" {
			f.state.API.Unknown = "no controller answered"
		}
		r := f.kiban(t, t.TempDir(), nil, append([]string{"ready", "lab"}, strings.Fields(tt.args)...)...)
		if r.code != tt.code {
			t.Errorf("%s: exit code %d, want %d\n%s%s", name, r.code, tt.code, r.out, r.err)
		}
		for _, want := range tt.want {
			if !strings.Contains(r.out+r.err, want) {
				t.Errorf("%s: no %q in\n%s%s", name, want, r.out, r.err)
			}
		}
	}
}

// TestReadyOfSeveral: a site that can't be looked at is told as such, also to programs, and fails the verb whatever is in the way of
// another.
func TestReadyOfSeveral(t *testing.T) {
	f := &fakeSite{state: lifecycle.State{Hosts: endingIn(-time.Hour)}, plans: []lifecycle.Plan{{}}}
	looks := 0
	f.observed = func() error {
		if looks++; looks%2 == 0 {
			return lifecycle.Errorf("ext", "no kubeconfig")
		}
		return nil
	}
	r := f.kiban(t, t.TempDir(), nil, "ready", "lab", "ext", "-o", "json")
	var sites []struct{ Site, Verdict, Error string }
	if err := json.Unmarshal([]byte(r.out), &sites); err != nil || len(sites) != 2 {
		t.Fatalf("%v\n%s", err, r.out)
	}
	if r.code != exitFailed || sites[0].Verdict != "not ready" || sites[1].Site != "ext" ||
		!strings.Contains(sites[1].Error, "no kubeconfig") || strings.Count(r.err, "no kubeconfig") != 1 ||
		strings.Count(r.err, "not ready for") != 1 {
		t.Errorf("exit code %d, %+v\n%s", r.code, sites, r.err)
	}
	looks = 1
	r = f.kiban(t, t.TempDir(), nil, "ready", "ext", "-o", "json")
	if r.code != exitFailed || !strings.Contains(r.out, `"error": "ext: no kubeconfig"`) || strings.Count(r.err, "no kubeconfig") != 1 {
		t.Errorf("one alone: exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

// TestReadyCommandLine: names, or --all, not both.
func TestReadyCommandLine(t *testing.T) {
	a := &app{Streams: Streams{Getenv: func(string) string { return "" }}, services: (&fakeSite{}).services()}
	a.fleet = t.TempDir()
	a.ListSites = func(string) ([]string, error) { return []string{"lab", "osaka"}, nil }
	for args, want := range map[string]string{"tokyo --to 1.37": "tokyo 1.37", "--all": "lab,osaka ", "a b": "a,b ", "a --all": "not both",
		"": "which site?"} {
		var got string
		cmd := newReady(a, func(_ context.Context, o *readyOptions) error {
			got = strings.Join(o.Sites, ",") + " " + o.To
			return nil
		})
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(strings.Fields(args))
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
}

// TestReadyFix: what is of a removed API is written anew, and told; what is left alone is told with the reason.
func TestReadyFix(t *testing.T) {
	dir := t.TempDir()
	f := &fakeSite{state: lifecycle.State{Hosts: endingIn(9999 * time.Hour)}, plans: []lifecycle.Plan{{}}}
	if err := os.MkdirAll(filepath.Join(dir, "overlays/lab"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"pdb.yaml": "apiVersion: policy/v1beta1 # soon gone\nkind: PodDisruptionBudget\nmetadata: {name: web}\n",
		"psp.yaml": "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: all}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "overlays/lab", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := f.kiban(t, dir, nil, "ready", "lab", "--fix")
	const want = "\nChanged:\n  overlays/lab/pdb.yaml:1: PodDisruptionBudget web is of policy/v1 now\n" +
		"\nLeft as it is:\n  overlays/lab/psp.yaml:1: PodSecurityPolicy all is left at policy/v1beta1: it has no successor\n"
	if r.code != exitDone || !strings.HasSuffix(r.err, want) {
		t.Errorf("exit code %d, %q is not the end of\n%s%s", r.code, want, r.out, r.err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "overlays/lab/pdb.yaml")); err != nil ||
		string(b) != "apiVersion: policy/v1 # soon gone\nkind: PodDisruptionBudget\nmetadata: {name: web}\n" {
		t.Errorf("%q, %v", b, err)
	}
	// what was changed stands behind what is in the way, too; the second time there is nothing left to change
	f.state.Hosts = endingIn(-time.Hour)
	if err := os.Remove(filepath.Join(dir, "overlays/lab/psp.yaml")); err != nil {
		t.Fatal(err)
	}
	r = f.kiban(t, dir, nil, "ready", "lab", "--fix")
	if r.code != exitBlocked || strings.Count(r.err, "not ready for") != 1 || !strings.HasSuffix(r.err, "\nChanged: nothing. "+
		"No file has an object whose API v1.37.0+k0s.0 stops serving.\n") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
}

// TestReadyNamesWhatTheSourceLacks: however the version is written.
func TestReadyNamesWhatTheSourceLacks(t *testing.T) {
	for _, to := range []string{"1.36.9", "v1.36.9", "v1.36.9+k0s.0"} {
		f := &fakeSite{state: lifecycle.State{Hosts: endingIn(9999 * time.Hour)}, plans: []lifecycle.Plan{{}}}
		f.missing = func(_ context.Context, v lifecycle.Version, _ string) (lifecycle.Diagnostic, bool) {
			return lifecycle.Warnf("lab", "the source of k0s has no %s", v), v.String() == "v1.36.9+k0s.0"
		}
		r := f.kiban(t, t.TempDir(), nil, "ready", "lab", "--to", to)
		if r.code != exitBlocked || !strings.Contains(r.out, "Not ready: 1 finding in the way") ||
			!strings.Contains(r.out, "lab: the source of k0s has no v1.36.9+k0s.0\n      what it has of v1.36: v1.36.3+k0s.2,") {
			t.Errorf("%s: exit code %d\n%s%s", to, r.code, r.out, r.err)
		}
	}
}
