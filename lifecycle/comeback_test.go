package lifecycle

import (
	"strings"
	"testing"
	"time"
)

func mustVersion(t *testing.T, s string) Version {
	t.Helper()
	v, err := ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMayGoBack: a controller goes back only where nothing can have been written that its former k0s can't read, by what its machine tells.
func TestMayGoBack(t *testing.T) {
	for name, c := range map[string]struct {
		former, binary string
		ran            []string
		known          bool
		ok             bool
		why            string
	}{
		"nothing is kept":      {binary: "v1.36.3+k0s.0", known: true, why: "no former k0s"},
		"nothing is installed": {former: "v1.35.7+k0s.0", known: true, why: "does not say"},
		"a patch": {former: "v1.36.2+k0s.0", binary: "v1.36.3+k0s.0", ran: []string{PartAPIServer}, ok: true,
			why: "patch releases"},
		"another build": {former: "v1.36.3+k0s.0", binary: "v1.36.3+k0s.1", ok: true, why: "patch releases"},
		"nothing was started": {former: "v1.35.7+k0s.0", binary: "v1.36.3+k0s.0", known: true, ok: true,
			why: "neither etcd nor an API server"},
		"the log does not tell": {former: "v1.35.7+k0s.0", binary: "v1.36.3+k0s.0", why: "can't be told"},
		"the API server was started": {former: "v1.35.7+k0s.0", binary: "v1.36.3+k0s.0", known: true, ran: []string{PartEtcd,
			PartAPIServer}, why: "may have written"},
		"etcd was, of the same minor": {former: "v1.35.7+k0s.0", binary: "v1.36.3+k0s.0", known: true, ran: []string{PartEtcd},
			ok: true, why: "no API server"},
		"etcd was, of another minor": {former: "v1.33.9+k0s.0", binary: "v1.34.1+k0s.0", known: true, ran: []string{PartEtcd},
			why: "another minor release"},
		"etcd was, of 3.7": {former: "v1.36.3+k0s.0", binary: "v1.37.0+k0s.0", known: true, ran: []string{PartEtcd},
			why: "another minor release"},
		"etcd was, and is not known of": {former: "v1.38.3+k0s.0", binary: "v1.39.0+k0s.0", known: true, ran: []string{PartEtcd},
			why: "another minor release"},
		"kine was": {former: "v1.35.7+k0s.0", binary: "v1.36.3+k0s.0", known: true, ran: []string{PartKine},
			why: "may have written"},
	} {
		t.Run(name, func(t *testing.T) {
			h := HostState{Ran: c.ran, RanKnown: c.known}
			if c.former != "" {
				h.Former = mustVersion(t, c.former)
			}
			if c.binary != "" {
				h.Binary = mustVersion(t, c.binary)
			}
			if ok, why := h.MayGoBack(); ok != c.ok || !strings.Contains(why, c.why) {
				t.Errorf("%t, %q", ok, why)
			}
		})
	}
}

// TestLost: a site without a controller had a cluster when anything says so, and only then.
func TestLost(t *testing.T) {
	v := mustVersion(t, "v1.36.3+k0s.0")
	hosts := []Host{{Name: "c1", Role: RoleController, Address: "10.0.0.1", PrivateAddress: "192.168.0.1",
		Config: []byte(`{"spec":{"api":{"externalAddress":"api.example.com"}}}`)}, {Name: "w1", Role: RoleWorker, Address: "10.0.0.2"}}
	worker := func(server string) []HostState {
		return []HostState{{Name: "c1"}, {Name: "w1", ServiceName: "k0sworker", Server: server}}
	}
	ran := []RunRecord{{ID: "r2", Doing: "backup", Steps: 1, Done: 1}, {ID: "r1", Doing: "apply", Done: 3, Machines: 2, After: []Version{v},
		Ended: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}}
	kept := []KeptBackup{{Name: "s-v1.36.3+k0s.0-x.tar.gz.age", Place: "s3://b", Version: v, Taken: "2026-11-21T02:00:00Z",
		Encrypted: true}}
	for name, c := range map[string]struct {
		site     Site
		state    State
		lost     bool
		doubt    bool
		evidence string
		until    string
		says     []string
	}{
		"a site that never had one":     {state: State{API: APIState{NotYet: true}, Hosts: []HostState{{Name: "c1"}, {Name: "w1"}}}},
		"one whose cluster is there":    {state: State{Hosts: worker("https://10.0.0.1:6443"), Past: Past{Backups: kept}}},
		"one whose API does not answer": {state: State{API: APIState{Unknown: "away"}, Past: Past{Backups: kept, Runs: ran}}},
		"someone else's machines": {site: Site{Provider: ProviderExternal}, state: State{API: APIState{NotYet: true},
			Past: Past{Runs: ran}}},
		"a worker of another cluster":   {state: State{API: APIState{NotYet: true}, Hosts: worker("https://10.9.9.9:6443")}},
		"a run that only took a backup": {state: State{API: APIState{NotYet: true}, Past: Past{Runs: ran[:1]}}},
		"a worker, by address": {state: State{API: APIState{NotYet: true}, Hosts: worker("https://10.0.0.1:6443")},
			lost: true, evidence: "w1"},
		"a worker, by private address": {state: State{API: APIState{NotYet: true}, Hosts: worker("https://192.168.0.1:6443")},
			lost: true, evidence: "w1"},
		"a worker, by external address": {state: State{API: APIState{NotYet: true}, Hosts: worker("https://api.example.com:6443")},
			lost: true, evidence: "w1"},
		"a worker that does not say whose": {state: State{API: APIState{NotYet: true}, Hosts: worker("https://localhost:7443")},
			lost: true, doubt: true, evidence: "do not say which", says: []string{"take them out of the overlay", "--from FILE"}},
		"a declared cluster": {site: Site{API: Access{ClusterUID: "7d0f"}}, state: State{API: APIState{NotYet: true}}, lost: true,
			evidence: "7d0f"},
		"a run": {state: State{API: APIState{NotYet: true}, Past: Past{Runs: ran}}, lost: true, evidence: "Run r1",
			until: "2026-11-20 10:00 UTC"},
		"a backup": {state: State{API: APIState{NotYet: true}, Past: Past{Runs: ran, Backups: kept}}, lost: true, evidence: "s3://b",
			until: "2026-11-21 02:00 UTC", says: []string{"kiban restore tokyo --from s-v1.36.3+k0s.0-x.tar.gz.age --identity KEY.txt",
				"--new-cluster",
				"set spec.k0s.version to v1.36.3+k0s.0 in the overlay first"}},
		"a worker that is newer than the backup": {state: State{API: APIState{NotYet: true}, Past: Past{Backups: kept}, Hosts: []HostState{
			{Name: "c1"}, {Name: "w1", ServiceName: "k0sworker", Server: "https://10.0.0.1:6443", Running: mustVersion(t, "v1.37.2+k0s.0"),
				Binary: mustVersion(t, "v1.37.2+k0s.0")}}}, lost: true, evidence: "w1",
			says: []string{"It sets w1 up anew", "their pods end"}},
		"a worker that is as the backup": {state: State{API: APIState{NotYet: true}, Past: Past{Backups: kept}, Hosts: []HostState{
			{Name: "c1"}, {Name: "w1", ServiceName: "k0sworker", Server: "https://10.0.0.1:6443", Running: v, Binary: v}}}, lost: true,
			evidence: "w1", says: []string{"they come back with it"}},
		"a backup, and workers that do not say whose": {state: State{API: APIState{NotYet: true}, Hosts: worker(""),
			Past: Past{Backups: kept}},
			lost: true, evidence: "w1"},
	} {
		t.Run(name, func(t *testing.T) {
			c.site.Name, c.site.Cluster.Hosts = "tokyo", hosts
			l, lost := Lost(c.site, c.state)
			if lost != c.lost || lost && l.Doubt != c.doubt {
				t.Fatalf("lost %t: %+v", lost, l)
			}
			if !lost {
				return
			}
			if got := strings.Join(l.Evidence, "\n"); !strings.Contains(got, c.evidence) {
				t.Errorf("evidence: %s", got)
			}
			d := l.Finding(c.site, c.state.Past)
			for _, want := range append(c.says, "restore") {
				if !strings.Contains(d.Hint, want) {
					t.Errorf("no %q in %s", want, d.Hint)
				}
			}
			if d.Severity != SeverityBlocked || !strings.Contains(d.Summary, c.until) || strings.Contains(d.Error()+d.Hint, "k0s reset") {
				t.Errorf("%s: %s", d.Summary, d.Hint)
			}
		})
	}
}

// TestFailedUpgradeIsRemembered by machine and version.
func TestFailedUpgradeIsRemembered(t *testing.T) {
	v := mustVersion(t, "v1.36.3+k0s.0")
	p := Past{Runs: []RunRecord{{ID: "r2"}, {ID: "r1", FailedUpgrades: []FailedUpgrade{{Host: "w1", Version: v, Why: "it crashed"}}}}}
	if f, r, ok := p.FailedUpgrade("w1", v); !ok || f.Why != "it crashed" || r.ID != "r1" {
		t.Errorf("%+v %s %t", f, r.ID, ok)
	}
	if _, _, ok := p.FailedUpgrade("w2", v); ok {
		t.Error("another machine")
	}
	if _, _, ok := p.FailedUpgrade("w1", mustVersion(t, "v1.36.4+k0s.0")); ok {
		t.Error("another version")
	}
}
