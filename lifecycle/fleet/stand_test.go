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
		"far\t-\t-\t-\t-\tnot known: it did not answer within 45s\n" +
		"first\t-\t0 of 5\t-\t-\tthe machines of first are made up"
	if got != want {
		t.Errorf("got\n%s", got)
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
