package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/session"
)

// twoSites are lab and osaka, of which osaka may not be readable.
func twoSites(f *fakeSite, unread error) services {
	s := f.services()
	s.ListSites = func(string) ([]string, error) { return []string{"lab", "osaka"}, nil }
	load := s.LoadSite
	s.LoadSite = func(ctx context.Context, fleet, name string, opts session.LoadOptions) (lifecycle.Site, lifecycle.Diagnostics) {
		site, ds := load(ctx, fleet, name, opts)
		site.Name = name
		if name == "osaka" && unread != nil {
			return site, lifecycle.AsDiagnostics(unread, unread.Error())
		}
		return site, ds
	}
	return s
}

func TestStatusOfAllSites(t *testing.T) {
	f := &fakeSite{state: twoMachines(ofK0s(36, 3)), locks: []lifecycle.Lock{{Holder: "20261128-1900", Epoch: 1, Renewed: time.Now()}}}
	r := kibanIn(t, t.TempDir(), twoSites(f, nil), nil, "status")
	if r.code != exitDone || strings.Count(r.out, "\n") != 3 || !strings.Contains(r.out, "osaka  v1.36.3") ||
		!strings.Contains(r.out, "run 20261128-1900 is changing it") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	r = kibanIn(t, t.TempDir(), twoSites(f, errors.New("the overlay is broken")), nil, "status", "-o", "json")
	if r.code != exitFailed || !strings.Contains(r.out, `"failed": "the overlay is broken"`) || !strings.Contains(r.out, `"reached": 2`) ||
		!strings.Contains(r.err, "Nothing is known of 1 of 2 sites.") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := kibanIn(t, t.TempDir(), twoSites(f, nil), nil, "status", "osaka"); r.code != exitDone || !strings.Contains(r.out, "Site osaka") {
		t.Errorf("one site: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestRunsOfAllSites(t *testing.T) {
	f := &fakeSite{runs: []lifecycle.RunRecord{{ID: "20261128-1900", Site: "lab"}, {ID: "20261128-1901", Site: "osaka"}}}
	r := kibanIn(t, t.TempDir(), twoSites(f, nil), nil, "runs")
	if r.code != exitDone || f.runsAsked != 2 || !strings.Contains(r.out, "SITE   RUN") || !strings.Contains(r.out, "osaka  20261128-1901") {
		t.Errorf("exit %d, asked %d times\n%s%s", r.code, f.runsAsked, r.out, r.err)
	}
}

// A list of several sites says whose each run is, though only one has any, and which sites could not be asked, in their order. It is no
// success then.
func TestRunsOfSitesThatCannotBeAsked(t *testing.T) {
	fleet := t.TempDir()
	keepJournal(t, fleet, "osaka", 0, wholeRun()...)
	f := &fakeSite{runsErr: errors.New("no controller runs yet")}
	r := kibanIn(t, fleet, twoSites(f, nil), nil, "runs")
	lab, osaka := strings.Index(r.err, "on lab"), strings.Index(r.err, "on osaka")
	if r.code != exitFailed || !strings.Contains(r.out, "SITE   RUN") || lab < 0 || osaka < lab ||
		!strings.Contains(r.err, "2 of 2 sites could not be asked.") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := kibanIn(t, fleet, twoSites(f, nil), nil, "runs", "lab"); r.code != exitFailed { // nothing is known of it
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// TestSeveralSites: one after another; a plan that fails is told and the others are made, an apply that fails is the last.
func TestSeveralSites(t *testing.T) {
	f := &fakeSite{plans: []lifecycle.Plan{planOf("f", "worker-1/upgrade")}}
	r := kibanIn(t, t.TempDir(), twoSites(f, nil), nil, "plan", "lab", "osaka", "--detailed-exitcode")
	if r.code != exitChanges || f.made != 2 || !strings.Contains(r.err, "osaka, 2 of 2 sites") {
		t.Errorf("plan: exit %d, %d plans\n%s%s", r.code, f.made, r.out, r.err)
	}
	r = kibanIn(t, t.TempDir(), twoSites(f, errors.New("the overlay is broken")), nil, "plan", "osaka", "lab")
	if r.code != exitFailed || f.made != 3 || !strings.Contains(r.err, "the overlay is broken") {
		t.Errorf("plan: exit %d, %d plans\n%s%s", r.code, f.made, r.out, r.err)
	}
	r = kibanIn(t, t.TempDir(), twoSites(f, nil), nil, "apply", "lab", "osaka", "-y")
	if r.code != exitDone || len(f.applied) != 2 {
		t.Errorf("apply: exit %d, %d applied\n%s%s", r.code, len(f.applied), r.out, r.err)
	}
	f.applied = nil
	r = kibanIn(t, t.TempDir(), twoSites(f, errors.New("the overlay is broken")), nil, "apply", "osaka", "lab", "-y")
	if r.code != exitFailed || f.applied != nil || !strings.Contains(r.err, "Not begun: lab.") {
		t.Errorf("apply: exit %d, %d applied\n%s%s", r.code, len(f.applied), r.out, r.err)
	}
	r = kibanIn(t, t.TempDir(), twoSites(f, nil), nil, "apply", "lab", "osaka", "--plan", "x")
	if r.code != exitFailed || !strings.Contains(r.err, "--plan goes with one site, not with 2") {
		t.Errorf("apply --plan: exit %d\n%s", r.code, r.err)
	}
}

func TestNodeLogs(t *testing.T) {
	r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "node", "logs", "lab", "worker-1", "-n", "7")
	if r.code != exitDone || r.out != "the last 7 of worker-1\n" {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := (&fakeSite{}).kiban(t, t.TempDir(), nil, "node", "logs", "lab", "worker-9"); r.code != exitFailed || r.out != "" {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
}

// TestSSH: the program gets what reaches the machine and the command behind --; its exit code is kiban's, without a word of kiban's.
func TestSSH(t *testing.T) {
	s := (&fakeSite{}).services()
	s.SSHArguments = func(_ lifecycle.Site, host string) ([]string, error) { return []string{"-l", "root", "--", host}, nil }
	var ran []string
	s.RunProgram = func(_ context.Context, name string, args []string) (int, error) {
		ran = append([]string{name}, args...)
		return 7, nil
	}
	r := kibanIn(t, t.TempDir(), s, nil, "ssh", "lab", "Worker-1", "--", "ls", "-l")
	if want := []string{"ssh", "-l", "root", "--", "worker-1", "ls", "-l"}; r.code != 7 || !slices.Equal(ran, want) || r.out+r.err != "" {
		t.Errorf("exit %d, ran %q\n%s%s", r.code, ran, r.out, r.err)
	}
	ran = nil
	if r := kibanIn(t, t.TempDir(), s, nil, "ssh", "lab", "worker-9"); r.code != exitFailed || ran != nil {
		t.Errorf("exit %d, ran %q", r.code, ran)
	}
}

// TestKeepKubeconfig: nobody else may read it, what is there stays, and what can't be read is left alone.
func TestKeepKubeconfig(t *testing.T) {
	home := t.TempDir()
	a := &app{Streams: Streams{Out: &strings.Builder{}, Getenv: func(k string) string { return map[string]string{"HOME": home}[k] }}}
	ours := []byte("contexts: [{name: lab, context: {cluster: lab, user: lab-admin}}]\ncurrent-context: lab\n")
	opts := &kubeconfigOptions{app: a, Site: "lab", Merge: true}
	if err := a.keepKubeconfig(opts, ours); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(home, ".kube", "config")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info, err)
	}
	if err := os.WriteFile(file,
		[]byte("current-context: other\ncontexts: [{name: other}, {name: lab}]\nusers: [{name: me, user: {token: t}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.keepKubeconfig(opts, ours); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(b), "current-context: other") || !strings.Contains(string(b), "user: lab-admin") ||
		!strings.Contains(string(b), "token: t") || strings.Count(string(b), "name: lab\n") != 1 {
		t.Errorf("%v\n%s", err, b)
	}
	if err := os.WriteFile(file, []byte("contexts: nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.keepKubeconfig(opts, ours); err == nil {
		t.Error("what is no kubeconfig was merged with")
	}
}
