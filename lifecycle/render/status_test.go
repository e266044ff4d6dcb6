package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/render/rendertest"
)

// stateOf is the state of a site where all is well.
func stateOf(t *testing.T, site lifecycle.Site) lifecycle.State {
	v := site.Cluster.Version
	st := lifecycle.State{Site: site.Name}
	st.API.ClusterUID = "u"
	for _, h := range site.Cluster.Hosts {
		hs := lifecycle.HostState{Name: h.Name, ServiceName: "k0sworker", Service: lifecycle.ServiceRunning, Binary: v, Running: v}
		if h.Role.IsController() {
			hs.ServiceName = "k0scontroller"
			st.API.Servers = append(st.API.Servers, lifecycle.APIServer{Host: h.Name, Ready: true, Version: v.Kubelet()})
			st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: h.Name, PeerAddress: h.Address})
		} else {
			st.Nodes = append(st.Nodes, lifecycle.NodeState{Name: h.Name, Ready: true, Kubelet: v.Kubelet(), InternalIP: h.Address})
		}
		st.Hosts = append(st.Hosts, hs)
	}
	return st
}

func TestStatus(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	site.Policy.ControlPlane = lifecycle.TwoStep{Soak: 48 * time.Hour}
	ill := stateOf(t, site)
	ill.Hosts[1].Service = lifecycle.ServiceStopped
	ill.Hosts[3].Running = rendertest.Version(t, "v1.35.7+k0s.0")
	ill.Hosts[5] = lifecycle.HostState{Name: "worker-3", Problem: lifecycle.HostUnreachable, Why: "dial tcp 10.1.0.103:22: i/o timeout"}
	ill.Hosts[6] = lifecycle.HostState{Name: "worker-4"}
	ill.API.Servers[1] = lifecycle.APIServer{Host: "controller-2", Why: "connection refused"}
	ill.Nodes[0].Unschedulable = true
	ill.Nodes[1].Unschedulable, ill.Nodes[1].Mark = true, lifecycle.Mark{Run: "20261121-1", Reason: "upgrade to v1.36.3+k0s.2"}
	ill.Nodes[2].Ready, ill.Nodes[2].Why = false, "NodeStatusUnknown: Kubelet stopped posting node status."
	ill.Nodes = append(ill.Nodes[:3], lifecycle.NodeState{Name: "worker-9", Ready: true, Kubelet: "v1.36.3+k0s"})
	ill.Etcd.Members = ill.Etcd.Members[:2]
	ill.Budgets = []lifecycle.Budget{{Namespace: "shop", Name: "web", Rule: "minAvailable 3", Healthy: 3, Desired: 3, Expected: 3,
		Owner: "Deployment shop/web"}}
	fresh := lifecycle.State{Site: site.Name, API: lifecycle.APIState{NotYet: true}}
	for _, h := range site.Cluster.Hosts {
		fresh.Hosts = append(fresh.Hosts, lifecycle.HostState{Name: h.Name})
	}
	full := stateOf(t, site)
	for i, size := range []int64{1 << 30, 1800 << 20, 0} {
		full.Hosts[i].Etcd = &lifecycle.EtcdStatus{Leads: i == 1, Size: size, InUse: 900 << 20, Quota: 2 << 30,
			Alarms: []string{lifecycle.EtcdNoSpace}}
	}
	full.Hosts[2].Etcd = &lifecycle.EtcdStatus{Unknown: "curl: it is not installed there"}
	soaks := soaking(t, site)
	for name, st := range map[string]lifecycle.State{"soaks": soaks, "well": stateOf(t, site), "ill": ill, "fresh": fresh, "full": full} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := StatusText(&b, site, st, observe.Problems(site, st), Style{}); err != nil {
				t.Fatal(err)
			}
			golden(t, "status_"+name+".txt", b.String())
		})
	}
	if ds := observe.Problems(site, stateOf(t, site)); len(ds) != 0 {
		t.Errorf("a site that is well has problems: %v", ds)
	}
}

// soaking is a site whose control plane soaks, while its workers wait.
func soaking(t *testing.T, site lifecycle.Site) lifecycle.State {
	st := stateOf(t, site)
	former := rendertest.Version(t, "v1.35.7+k0s.0")
	held, err := lifecycle.Emulating([]byte(`{}`), former)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	st.ObservedAt = at.Add(time.Hour)
	st.Past.Pinned.Value = lifecycle.Pinned{Former: former, To: site.Cluster.Version, Since: at, Soaks: at}
	for i, h := range site.Cluster.Hosts {
		if s := &st.Hosts[i]; h.Role.IsController() {
			s.Former, s.Config, s.PinHeld = former, held, true
		} else {
			s.Running, s.Binary = former, former
		}
	}
	for i := range st.Nodes {
		st.Nodes[i].Kubelet = former.Kubelet()
	}
	return st
}

// TestASoakThatIsWellIsNoProblem: what is wrong beside it is one as ever.
func TestASoakThatIsWellIsNoProblem(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	site.Policy.ControlPlane = lifecycle.TwoStep{Soak: 48 * time.Hour}
	st := soaking(t, site)
	if ds := observe.Problems(site, st); len(ds) != 0 {
		t.Errorf("it has problems: %v", ds)
	}
	st.Hosts[0].Service = lifecycle.ServiceStopped
	st.Hosts[3].Problem = lifecycle.HostUnreachable
	if ds := observe.Problems(site, st); len(ds) != 2 || ds[0].Subject != "controller-1" || ds[1].Subject != "worker-1" {
		t.Errorf("a service that stopped and a worker that is away: %v", ds)
	}
	st = soaking(t, site)
	st.Hosts[2].PinHeld = false
	if ds := observe.Problems(site, st); len(ds) != 1 || !strings.Contains(ds[0].Summary, "can no longer go back") {
		t.Errorf("it can't go back: %v", ds)
	}
}

// TestOnALowScreenTheProblemsAreSeen: what a terminal has no room for is the end of what is shown, so that is not what is wrong.
func TestOnALowScreenTheProblemsAreSeen(t *testing.T) {
	site := rendertest.Site(t, 3, 5)
	st := stateOf(t, site)
	found := lifecycle.Diagnostics{lifecycle.Errorf("worker-2", "not reached").Because("no route to host")}
	var b bytes.Buffer
	if err := StatusWatched(&b, site, st, found, Style{}.Within(80)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Join(frame("Every 5s", b.String(), 80, 24), "\n")
	if !strings.Contains(lines, "not reached") || !strings.Contains(lines, "no route to host") || !strings.Contains(lines, "lines more") {
		t.Errorf("24 rows show\n%s", lines)
	}
}

// Of all certificates that a kubelet does not renew, the first to end is told.
func TestStatusTellsTheFirstCertificateToEnd(t *testing.T) {
	site := rendertest.Site(t, 1, 1)
	st := stateOf(t, site)
	at := func(name string, day int, renewed lifecycle.Renewal) lifecycle.Certificate {
		return lifecycle.Certificate{Name: name, NotAfter: time.Date(2027, 2, day, 0, 0, 0, 0, time.UTC), Renewed: renewed}
	}
	st.Hosts[0].Certificates = []lifecycle.Certificate{at("ca", 9, lifecycle.RenewedByHand), at("server", 7, lifecycle.RenewedByStart)}
	st.Hosts[1].Certificates = []lifecycle.Certificate{at("kubelet-client", 3, lifecycle.RenewedByKubelet)}
	var b bytes.Buffer
	if err := StatusText(&b, site, st, nil, Style{}); err != nil {
		t.Fatal(err)
	}
	if want := "Certificates: the first ends on 2027-02-07 (server on controller-1)."; !strings.Contains(b.String(), want) {
		t.Errorf("nothing says %q:\n%s", want, b.String())
	}
	b.Reset()
	st.ObservedAt = time.Date(2027, 2, 8, 0, 0, 0, 0, time.UTC)
	if err := StatusText(&b, site, st, nil, Style{}); err != nil || !strings.Contains(b.String(), "the first ended on 2027-02-07") {
		t.Errorf("of one that has ended: %v\n%s", err, b.String())
	}
}

func TestDiagnostics(t *testing.T) {
	ds := lifecycle.Diagnostics{
		{Severity: lifecycle.SeverityError, Subject: "overlays/tokyo-prod/site.yaml:12", Summary: "the field maxUnavaliable is not known",
			Hint: "write maxUnavailable"},
		rendertest.BlockedFinding(),
		{Severity: lifecycle.SeverityWarning, Summary: "no subject, no detail"},
	}
	var b bytes.Buffer
	if err := Diagnostics(&b, ds, Style{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "diagnostics.txt", b.String())
}

// TestASoakThatIsOverNamesNoTimeAhead: the head says that it is over, and what ends it.
func TestASoakThatIsOverNamesNoTimeAhead(t *testing.T) {
	site := rendertest.Site(t, 3, 4)
	site.Policy.ControlPlane = lifecycle.TwoStep{Soak: 48 * time.Hour}
	st := soaking(t, site)
	st.ObservedAt = st.ObservedAt.Add(48 * time.Hour)
	var b bytes.Buffer
	if err := StatusText(&b, site, st, nil, Style{}); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{"the soak is over since 2026-11-05 09:00 UTC", "The next kiban apply tokyo-prod commits it",
		"In a fleet's pipeline that plan waits"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(said, "can go back until 2026") {
		t.Errorf("it names a time that is past:\n%s", b.String())
	}
}
