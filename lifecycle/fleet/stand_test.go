package fleet

import (
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

func TestStandingTable(t *testing.T) {
	found := lifecycle.Diagnostics{lifecycle.Warnf("worker-7", "the disk is nearly full"), lifecycle.Errorf("worker-3", "no answer")}
	sites := []Standing{
		{Site: "osaka", Declared: "v1.36.3+k0s.0", Running: []string{"v1.36.3+k0s.0"}, Machines: 3, Reached: 3, Nodes: 2, Ready: 2,
			Proven: "2026-11-22T09:00:00Z"},
		{Site: "tokyo-prod", Declared: "v1.37.1+k0s.0", Running: []string{"v1.36.3+k0s.0", "v1.37.1+k0s.0"}, Machines: 23, Reached: 22,
			Nodes: 20,
			Ready: 19, Problems: found, Run: "20261128"},
		{Site: "lab", Declared: "v1.37.1+k0s.0", Machines: 3, Reached: 3, NotYet: true},
		{Site: "new", Declared: "v1.37.1+k0s.0", Machines: 3, API: "c1, c2: there is no file known_hosts here", ShutOut: true,
			Problems: lifecycle.Diagnostics{lifecycle.Errorf("c1", "this computer has no known_hosts file of the site"),
				lifecycle.Errorf("c2", "this computer has no known_hosts file of the site")}},
		{Site: "soaks", Declared: "v1.37.1+k0s.0", Running: []string{"v1.36.3+k0s.0", "v1.37.1+k0s.0"}, Soak: &lifecycle.HealthySoak{}},
		{Site: "soaks-ill", Soak: &lifecycle.HealthySoak{Until: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}, Problems: found},
		{Site: "far", Failed: "it did not answer within 45s"},
		StandMadeUp(lifecycle.Site{Name: "first", Cluster: lifecycle.Cluster{Hosts: make([]lifecycle.Host, 5)}},
			lifecycle.Warnf("first", "the machines of first are made up")),
	}
	head, rows := StandingTable(sites, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
	got := head + "\n" + strings.Join(rows, "\n")
	const want = "SITE\tK0S\tMACHINES\tNODES\tPROVEN\tSTANDS\n" +
		"osaka\tv1.36.3\t3 of 3\t2 of 2\t3 h\twell\n" +
		"tokyo-prod\tv1.36.3,v1.37.1 of v1.37.1\t22 of 23\t19 of 20\tnever\t" +
		"run 20261128 is changing it; 2 problems, of which the first: worker-3: no answer\n" +
		"lab\t(v1.37.1)\t3 of 3\t-\t-\tno cluster yet\n" +
		"new\t(v1.37.1)\t0 of 3\t-\t-\tthis computer has no known_hosts file of the site (2 machines)\n" +
		"soaks\tv1.36.3,v1.37.1 of v1.37.1\t-\t-\tnever\tsoaks, and can go back until somebody commits it\n" +
		"soaks-ill\t-\t-\t-\tnever\tsoaks, and can go back until 2026-11-24 09:00 UTC; 2 problems, of which the first: worker-3: no answer\n" +
		"far\t-\t-\t-\t-\tnot known: it did not answer within 45s\n" +
		"first\t-\t0 of 5\t-\t-\tthe machines of first are made up"
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// TestStandOfASoak: the line of a site says that it soaks, beside what is wrong.
func TestStandOfASoak(t *testing.T) {
	site := lifecycle.Site{Name: "lab", Policy: lifecycle.Policy{ControlPlane: lifecycle.TwoStep{Soak: time.Hour}}}
	former, to := lifecycle.Version{Major: 1, Minor: 35}, lifecycle.Version{Major: 1, Minor: 36}
	site.Cluster.Version = to
	site.Cluster.Hosts = []lifecycle.Host{{Name: "c", Role: lifecycle.RoleController}}
	held, _ := lifecycle.Emulating([]byte(`{}`), former)
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	st := lifecycle.State{ObservedAt: at, Hosts: []lifecycle.HostState{
		{Name: "c", ServiceName: "k0scontroller", Running: to, Binary: to, Former: former, Config: held, PinHeld: true}}}
	st.Past.Pinned.Value = lifecycle.Pinned{Former: former, To: to, Since: at, Soaks: at}
	if got := Stand(site, st, nil, nil).Verdict(); got != "soaks, and can go back until 2026-11-03 10:00 UTC" {
		t.Error(got)
	}
	st.Hosts[0].Former = lifecycle.Version{}
	if got := Stand(site, st, nil, nil); got.Soak != nil {
		t.Errorf("it can't go back, and soaks well: %+v", got.Soak)
	}
}

// TestKnown: what could not be asked is not known; a site without a cluster is.
func TestKnown(t *testing.T) {
	for _, tt := range []struct {
		s    Standing
		want bool
	}{
		{Standing{Failed: "no"}, false},
		{Standing{Machines: 3, API: "no way to it"}, false},
		{Standing{Machines: 3, Reached: 1, API: "no way to it"}, true},
		{Standing{API: "no way to it"}, false}, // machines of someone else
		{Standing{Nodes: 2}, true},
		{Standing{Machines: 5, API: "made up", MadeUp: true}, true}, // there is nobody to ask
		{Standing{Machines: 5, MadeUp: true, Failed: "no"}, false},
	} {
		if got := tt.s.Known(); got != tt.want {
			t.Errorf("%+v: %t", tt.s, got)
		}
	}
}
