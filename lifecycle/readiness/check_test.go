package readiness

import (
	"fmt"
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

// TestOneCauseIsToldOnce: of a site that is down one thing is told, with all that could not be looked at because of it.
func TestOneCauseIsToldOnce(t *testing.T) {
	away := func(name, why string) lifecycle.HostState {
		return lifecycle.HostState{Name: name, Problem: lifecycle.HostUnreachable, Why: why, Etcd: &lifecycle.EtcdStatus{Unknown: "no answer"}}
	}
	seen := lifecycle.HostState{Name: "c3", Running: lifecycle.Version{Major: 1, Minor: 36}, ServiceName: "k0scontroller"}
	silent := func(names ...string) (out []lifecycle.From[[]lifecycle.APIRequest]) {
		for _, n := range names {
			out = append(out, lifecycle.From[[]lifecycle.APIRequest]{Name: n,
				Answer: lifecycle.Answer[[]lifecycle.APIRequest]{Unknown: "dial " + n}})
		}
		return out
	}
	const refused = "connection refused"
	apis := lifecycle.APIEvidence{Requests: silent("c1", "c2"),
		Kept:     lifecycle.Answer[[]lifecycle.APIRequest]{Unknown: "get configmap: refused"},
		Writes:   lifecycle.Answer[lifecycle.APIWrites]{Unknown: "list deployments: refused"},
		Releases: lifecycle.Answer[lifecycle.ReleaseAPIs]{Unknown: "list secrets: refused"},
		Calls:    []lifecycle.From[[]lifecycle.APICall]{{Name: "c1", Answer: lifecycle.Answer[[]lifecycle.APICall]{Unknown: "not reached"}}},
	}
	evidence := lifecycle.Evidence{APIs: &apis, Scheduling: &lifecycle.Answer[lifecycle.Scheduling]{Unknown: "list pods: refused"},
		Admission: &lifecycle.Answer[lifecycle.Admission]{Unknown: "list pods: refused"}}
	for name, tt := range map[string]struct {
		state lifecycle.State
		to    int
		want  []string // what, why and how many besides
	}{
		"all is down": {lifecycle.State{Hosts: []lifecycle.HostState{away("c1", "no route"), away("c2", "no route")},
			API: lifecycle.APIState{Unknown: refused}}, 37,
			[]string{"what 2 of 2 machines are like|c1, c2: no route; the API: connection refused|8"}},
		"the API is down": {lifecycle.State{Hosts: []lifecycle.HostState{seen}, API: lifecycle.APIState{Unknown: refused}}, 37,
			[]string{"what runs in the cluster|connection refused|5", "who asks for deprecated APIs, by the audit log|c1: not reached|0"}},
		"a controller is down": {lifecycle.State{Hosts: []lifecycle.HostState{seen, away("c1", "no route"), away("c2", "timeout")}}, 37,
			[]string{"what 2 of 3 machines are like|c1: no route; c2: timeout|3",
				"which deprecated APIs were asked for before API servers restarted|get configmap: refused|0"}},
		"a version that nobody knows": {lifecycle.State{Hosts: []lifecycle.HostState{seen}, API: lifecycle.APIState{Unknown: refused}}, 41,
			[]string{"what else v1.41 changes|this kiban knows of no such release|1"}},
	} {
		got := Check(Input{Site: lifecycle.Site{Name: "lab"}, State: tt.state, Target: lifecycle.Version{Major: 1, Minor: tt.to}, Now: now,
			Evidence: evidence})
		var said []string
		n := 0
		for _, u := range got.Unseen {
			said = append(said, fmt.Sprintf("%s|%s|%d", u.What, u.Why, len(u.Also)))
			n += 1 + len(u.Also)
		}
		for _, want := range tt.want {
			if !slices.Contains(said, want) {
				t.Errorf("%s: no %q in\n%s", name, want, strings.Join(said, "\n"))
			}
		}
		if got.NotSeen() != n || len(got.Unseen) > 7 || name == "all is down" && len(got.Unseen) != 1 {
			t.Errorf("%s: %d causes of %d, counted as %d: %+v", name, len(got.Unseen), n, got.NotSeen(), got.Unseen)
		}
	}
}
