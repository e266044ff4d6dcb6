package readiness

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// TestWhatIsNotSeenIsNotReady: a machine or an API that does not answer keeps a site from being called ready.
func TestWhatIsNotSeenIsNotReady(t *testing.T) {
	seen := lifecycle.HostState{Name: "w1", Running: lifecycle.Version{Major: 1, Minor: 36}, ServiceName: "k0sworker"}
	away := lifecycle.HostState{Name: "w2", Problem: lifecycle.HostUnreachable, Why: "no route to host"}
	for name, tt := range map[string]struct {
		state lifecycle.State
		ready bool
		want  string
	}{
		"all seen":       {lifecycle.State{Hosts: []lifecycle.HostState{seen}}, true, ""},
		"a machine away": {lifecycle.State{Hosts: []lifecycle.HostState{seen, away}}, false, "what 1 of 2 machines are like"},
		"no API": {lifecycle.State{Hosts: []lifecycle.HostState{seen}, API: lifecycle.APIState{Unknown: "refused"}}, false,
			"what runs in the cluster"},
		"no cluster yet": {lifecycle.State{Hosts: []lifecycle.HostState{seen}, API: lifecycle.APIState{NotYet: true}}, false,
			"what runs in the cluster"},
		"nothing at all": {lifecycle.State{Hosts: []lifecycle.HostState{away}, API: lifecycle.APIState{Unknown: "refused"}}, false,
			"no route to host"},
		"external, no API": {lifecycle.State{API: lifecycle.APIState{Unknown: "forbidden"}}, false, "forbidden"},
	} {
		got := Check(Input{Site: lifecycle.Site{Name: "lab"}, State: tt.state, Target: lifecycle.Version{Major: 1, Minor: 37}, Now: now})
		said := ""
		for _, u := range got.Unseen {
			said += u.What + ": " + u.Why + "\n"
		}
		if got.IsReady() != tt.ready || !strings.Contains(said, tt.want) {
			t.Errorf("%s: ready %v, unseen %q", name, got.IsReady(), said)
		}
	}
}

// TestCertificates: those that the upgrade renews are no finding, an authority that has ended is in the way.
func TestCertificates(t *testing.T) {
	life := func(name string, by lifecycle.Renewal, left time.Duration) lifecycle.Certificate {
		return lifecycle.Certificate{Name: name, Renewed: by, NotBefore: now.Add(left - 365*24*time.Hour), NotAfter: now.Add(left)}
	}
	day := 24 * time.Hour
	for name, tt := range map[string]struct {
		certificate lifecycle.Certificate
		want        lifecycle.Rank
	}{
		"k0s's own, near":        {life("server", lifecycle.RenewedByStart, 5*day), ""},
		"k0s's own, ended":       {life("server", lifecycle.RenewedByStart, -day), ""},
		"authority, far":         {life("ca", lifecycle.RenewedByHand, 200*day), ""},
		"authority, in time":     {life("ca", lifecycle.RenewedByHand, 80*day), lifecycle.RankGood},
		"authority, soon":        {life("ca", lifecycle.RenewedByHand, 20*day), lifecycle.RankAttention},
		"authority, ended":       {life("ca", lifecycle.RenewedByHand, -day), lifecycle.RankBlocks},
		"kubelet's, in its time": {life("kubelet-client", lifecycle.RenewedByKubelet, 60*day), ""},
		"kubelet's, late":        {life("kubelet-client", lifecycle.RenewedByKubelet, 6*day), lifecycle.RankAttention},
	} {
		in := Input{Site: lifecycle.Site{Name: "lab"}, Now: now, State: lifecycle.State{Hosts: []lifecycle.HostState{{Name: "c1",
			Certificates: []lifecycle.Certificate{tt.certificate}}}}}
		r := &report{}
		certificates(in, r)
		var got lifecycle.Rank
		if len(r.Findings) > 0 {
			got = r.Findings[0].Rank
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestFindingsAreWhole: whatever a rule finds names its rule, rank, subject and remedy, so that nobody is left with a riddle.
func TestFindingsAreWhole(t *testing.T) {
	for _, f := range planted(t).Findings {
		if f.Rule == "" || f.Subject == "" || f.Summary == "" || f.Remedy == "" || len(f.Seen) == 0 ||
			!slices.Contains(lifecycle.Ranks(), f.Rank) {
			t.Errorf("%+v lacks something", f)
		}
		if strings.Contains(f.Summary, "\n") || strings.HasSuffix(f.Summary, ".") || !begins(f.Remedy) {
			t.Errorf("%s: %q / %q: a summary is a line without a full stop, a remedy begins with a capital or a command", f.Rule, f.Summary,
				f.Remedy)
		}
	}
}

// begins reports whether a remedy is a sentence or a command of kiban.
func begins(remedy string) bool {
	return strings.HasPrefix(remedy, "kiban ") || strings.ToUpper(remedy[:1]) == remedy[:1]
}

// planted is what is found at a site with every trouble that these tests plant.
func planted(t *testing.T) lifecycle.Readiness {
	t.Helper()
	in := Input{Site: lifecycle.Site{Name: "lab"}, Target: lifecycle.Version{Major: 1, Minor: 37}, Now: now}
	in.State.Hosts = []lifecycle.HostState{{Name: "c1", Certificates: []lifecycle.Certificate{
		{Name: "ca", Renewed: lifecycle.RenewedByHand, NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(0, 0, 9)}}}}
	r := Check(in)
	if len(r.Findings) == 0 {
		t.Fatal("nothing was found")
	}
	return r
}
