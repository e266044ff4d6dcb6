package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// verdict is what a decision must come to: the state, and words that its reason must have.
type verdict struct {
	state lifecycle.GateState
	words string
}

func (v verdict) check(t *testing.T, got lifecycle.GateResult) {
	t.Helper()
	if got.State != v.state || !strings.Contains(got.Reason, v.words) {
		t.Errorf("got %s: %q\nwant %s with %q", got.State, got.Reason, v.state, v.words)
	}
}

func version(t *testing.T, s string) lifecycle.Version {
	t.Helper()
	v, err := lifecycle.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func controllers(names ...string) lifecycle.Cluster {
	var c lifecycle.Cluster
	for i, n := range names {
		c.Hosts = append(c.Hosts, lifecycle.Host{Name: n, Role: lifecycle.RoleController, Address: "10.0.0." + string(rune('1'+i))})
	}
	return c
}

func members(c lifecycle.Cluster, names ...string) lifecycle.EtcdState {
	var e lifecycle.EtcdState
	for _, n := range names {
		h, _ := c.Host(n)
		e.Members = append(e.Members, lifecycle.EtcdMember{Name: n, PeerAddress: h.Address})
	}
	return e
}

func servers(down string, names ...string) []lifecycle.APIServer {
	var out []lifecycle.APIServer
	for _, n := range names {
		s := lifecycle.APIServer{Host: n, Ready: n != down, Version: "v1.36.3+k0s"}
		if n == down {
			s.Why = "failing checks: etcd"
		}
		out = append(out, s)
	}
	return out
}

func TestHazard_H2_QuorumHoldsWithoutTheTarget(t *testing.T) {
	three, two, one := controllers("c1", "c2", "c3"), controllers("c1", "c2"), controllers("c1")
	renamed := members(three, "c1", "c2", "c3")
	renamed.Members[1].Name = "os-name" // the member has the machine's own hostname: its address tells who it is
	stranger := members(three, "c1", "c2", "c3")
	stranger.Members = append(stranger.Members, lifecycle.EtcdMember{Name: "old", PeerAddress: "10.9.9.9"})
	for name, tc := range map[string]struct {
		cluster lifecycle.Cluster
		etcd    lifecycle.EtcdState
		servers []lifecycle.APIServer
		target  string
		want    verdict
	}{
		"all three serve": {three, members(three, "c1", "c2", "c3"), servers("", "c1", "c2", "c3"), "c2",
			verdict{lifecycle.GateMet, "2 of 3 members serve without c2"}},
		"the target may be down": {three, members(three, "c1", "c2", "c3"), servers("c2", "c1", "c2", "c3"), "c2",
			verdict{lifecycle.GateMet, "without c2"}},
		"another is down": {three, members(three, "c1", "c2", "c3"), servers("c3", "c1", "c2", "c3"), "c2",
			verdict{lifecycle.GateWaiting, "c3 is not ready (failing checks: etcd)"}},
		"another was not asked": {three, members(three, "c1", "c2", "c3"), servers("", "c1", "c2"), "c2",
			verdict{lifecycle.GateWaiting, "c3 was not asked"}},
		"no target, one down": {three, members(three, "c1", "c2", "c3"), servers("c3", "c1", "c2", "c3"), "",
			verdict{lifecycle.GateWaiting, "c3"}},
		"no target, all well": {three, members(three, "c1", "c2", "c3"), servers("", "c1", "c2", "c3"), "",
			verdict{lifecycle.GateMet, "all of 3 members serve"}},
		"member named otherwise":       {three, renamed, servers("", "c1", "c2", "c3"), "c2", verdict{lifecycle.GateMet, "without c2"}},
		"member of no declared host":   {three, stranger, servers("", "c1", "c2", "c3"), "c2", verdict{lifecycle.GateWaiting, "old at 10.9.9.9"}},
		"two cannot lose one":          {two, members(two, "c1", "c2"), servers("", "c1", "c2"), "c2", verdict{lifecycle.GateFailed, "needs 2"}},
		"a third that has yet to join": {three, members(three, "c1"), servers("c3", "c1", "c2", "c3"), "c2", verdict{lifecycle.GateMet, ""}},
		"a single controller":          {one, members(one, "c1"), servers("", "c1"), "c1", verdict{lifecycle.GateSkipped, "only member"}},
		"members unknown": {three, lifecycle.EtcdState{Unknown: "c1: no answer"}, nil, "c2",
			verdict{lifecycle.GateWaiting, "c1: no answer"}},
		"no etcd of its own": {three, lifecycle.EtcdState{}, nil, "c2", verdict{lifecycle.GateSkipped, "does not run etcd"}},
	} {
		t.Run(name, func(t *testing.T) { tc.want.check(t, decideQuorum(tc.cluster, tc.etcd, tc.servers, tc.target)) })
	}
}

func TestEtcdMembership(t *testing.T) {
	c := controllers("c1", "c2")
	c2, _ := c.Host("c2")
	elsewhere := lifecycle.EtcdState{Members: []lifecycle.EtcdMember{{Name: "c2", PeerAddress: "10.9.9.9"}}}
	verdict{lifecycle.GateMet, "10.0.0.2"}.check(t, decideMember(c2, members(c, "c1", "c2")))
	verdict{lifecycle.GateWaiting, "not among etcd's members: c1"}.check(t, decideMember(c2, members(c, "c1")))
	verdict{lifecycle.GateFailed, "10.9.9.9"}.check(t, decideMember(c2, elsewhere))
	capitals := lifecycle.EtcdState{Members: []lifecycle.EtcdMember{{Name: "C2", PeerAddress: "10.9.9.9"}}}
	verdict{lifecycle.GateFailed, "10.9.9.9"}.check(t, decideMember(c2, capitals))
	verdict{lifecycle.GateWaiting, "still in etcd"}.check(t, decideLeft(c, capitals, "c2"))
	verdict{lifecycle.GateMet, "10.0.0.2"}.check(t, decideMember(lifecycle.Host{Name: "c2", Address: "c2.example.com"},
		members(c, "c1", "c2")))
	verdict{lifecycle.GateSkipped, ""}.check(t, decideMember(c2, lifecycle.EtcdState{}))
	verdict{lifecycle.GateWaiting, "no answer"}.check(t, decideMember(c2, lifecycle.EtcdState{Unknown: "no answer"}))

	verdict{lifecycle.GateMet, "c1"}.check(t, decideLeft(c, members(c, "c1"), "c2"))
	verdict{lifecycle.GateWaiting, "still in etcd"}.check(t, decideLeft(c, members(c, "c1", "c2"), "c2"))
	verdict{lifecycle.GateWaiting, "still in etcd"}.check(t, decideLeft(c, elsewhere, "c2"))
	verdict{lifecycle.GateWaiting, "no answer"}.check(t, decideLeft(c, lifecycle.EtcdState{Unknown: "no answer"}, "c2"))
	verdict{lifecycle.GateSkipped, ""}.check(t, decideLeft(c, lifecycle.EtcdState{}, "c2"))
}

func TestAPIServers(t *testing.T) {
	for name, tc := range map[string]struct {
		servers []lifecycle.APIServer
		target  string
		absent  []string
		want    verdict
	}{
		"all ready":          {servers("", "c1", "c2"), "", nil, verdict{lifecycle.GateMet, "2 API servers ready"}},
		"the target is down": {servers("c2", "c1", "c2"), "c2", nil, verdict{lifecycle.GateMet, "1 API server ready"}},
		"another is down":    {servers("c1", "c1", "c2"), "c2", nil, verdict{lifecycle.GateWaiting, "c1 is not ready (failing checks: etcd)"}},
		"one has not joined": {servers("c2", "c1", "c2"), "", []string{"c2"}, verdict{lifecycle.GateMet, "not joined yet: c2"}},
		"the only one":       {servers("", "c1"), "c1", nil, verdict{lifecycle.GateSkipped, "only API server"}},
		"nothing is known":   {nil, "", nil, verdict{lifecycle.GateWaiting, "no API server"}},
	} {
		t.Run(name, func(t *testing.T) { tc.want.check(t, decideServers(tc.servers, tc.target, tc.absent)) })
	}
	g := lifecycle.Gate{Kind: lifecycle.GateAPIReady, Target: "c1", Version: version(t, "v1.36.3+k0s.2")}
	verdict{lifecycle.GateMet, "v1.36.3"}.check(t, decideAPIReady(servers("", "c1"), g))
	verdict{lifecycle.GateWaiting, "etcd"}.check(t, decideAPIReady(servers("c1", "c1"), g))
	verdict{lifecycle.GateFailed, "c1"}.check(t, decideAPIReady(servers("", "c2"), g))
	g.Version = version(t, "v1.36.4+k0s.0")
	verdict{lifecycle.GateWaiting, "want v1.36.4"}.check(t, decideAPIReady(servers("", "c1"), g))
}

func TestAbsentControllers(t *testing.T) {
	c := controllers("c1", "c2")
	c.Hosts = append(c.Hosts, lifecycle.Host{Name: "w1", Role: lifecycle.RoleWorker, Address: "10.0.0.9"})
	if got := absent(c, members(c, "c1")); len(got) != 1 || got[0] != "c2" {
		t.Errorf("got %v, want c2 only", got)
	}
	if got := absent(c, lifecycle.EtcdState{}); got != nil {
		t.Errorf("without etcd nobody is known to be absent, got %v", got)
	}
}

// TestHazard_H36_LeaseCountsWhenRenewed guards H36: a lease counts only when it was renewed after it was first seen.
func TestHazard_H36_LeaseCountsWhenRenewed(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 1, 2, 12, 0, s, 0, time.UTC) }
	cp := func(kcm, sched int, stale ...string) plane {
		return plane{stale: stale, leases: []lifecycle.Lease{
			{Name: "kube-controller-manager", Holder: "c1", Renewed: at(kcm)}, {Name: "kube-scheduler", Holder: "c2", Renewed: at(sched)}}}
	}
	unheld := cp(1, 1)
	unheld.leases[1].Holder = ""
	for name, tc := range map[string]struct {
		looks []plane
		want  verdict
	}{
		"first look proves nothing": {[]plane{cp(50, 50)},
			verdict{lifecycle.GateWaiting, "has not renewed its lease yet"}},
		"both advanced": {[]plane{cp(1, 1), cp(3, 3)},
			verdict{lifecycle.GateMet, "both leases are renewed"}},
		"a dead holder's lease stays": {[]plane{cp(1, 1), cp(1, 3)},
			verdict{lifecycle.GateWaiting, "kube-controller-manager (c1)"}},
		"a holder whose clock was set back": {[]plane{cp(50, 50), cp(20, 20)}, verdict{lifecycle.GateMet, ""}},
		"advanced in different looks":       {[]plane{cp(1, 1), cp(3, 1), cp(3, 3)}, verdict{lifecycle.GateMet, ""}},
		"nobody holds it": {[]plane{cp(0, 0), unheld},
			verdict{lifecycle.GateWaiting, "nobody holds the lease of kube-scheduler"}},
		"no lease yet": {[]plane{{}}, verdict{lifecycle.GateWaiting, "no lease yet"}},
		"endpoints lag in two looks": {[]plane{cp(1, 1, "shop/a: gone"), cp(3, 3, "shop/a: gone")},
			verdict{lifecycle.GateWaiting, "shop/a: gone"}},
		"endpoints are looked at once, and lag": {[]plane{cp(1, 1), cp(3, 3, "shop/b: gone")},
			verdict{lifecycle.GateWaiting, "shop/b: gone"}},
		"endpoints lag in this look only": {[]plane{cp(1, 1), cp(3, 3), cp(5, 5, "shop/b: gone")}, verdict{lifecycle.GateMet, ""}},
		"endpoints have followed":         {[]plane{cp(1, 1, "shop/a: gone"), cp(3, 3)}, verdict{lifecycle.GateMet, ""}},
		"endpoints lag again, a look after": {[]plane{cp(1, 1), cp(3, 3, "shop/b: gone"), cp(5, 5, "shop/b: gone")},
			verdict{lifecycle.GateWaiting, "shop/b: gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{}
			c := checker(w, lifecycle.Site{})
			c.Baseline(lifecycle.State{})
			var got lifecycle.GateResult
			for _, w.plane = range tc.looks {
				got = c.Check(t.Context(), lifecycle.Gate{Kind: lifecycle.GateLeaders}, at(0))
			}
			tc.want.check(t, got)
		})
	}
}

// TestHazard_H25_ExactVersionHeldForAWhile guards H25 and H37: the exact version, from a service that stays up.
func TestHazard_H25_ExactVersionHeldForAWhile(t *testing.T) {
	v := version(t, "v1.36.3+k0s.2")
	start := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	up := func(restarts int, edit ...func(*lifecycle.HostState)) lifecycle.HostState {
		h := lifecycle.HostState{Name: "w1", ServiceName: "k0sworker", Service: lifecycle.ServiceRunning, Running: v, ServiceSince: start,
			Restarts: restarts}
		for _, e := range edit {
			e(&h)
		}
		return h
	}
	service := func(s lifecycle.ServiceState) func(*lifecycle.HostState) {
		return func(h *lifecycle.HostState) { h.Service = s }
	}
	running := func(s string) func(*lifecycle.HostState) {
		return func(h *lifecycle.HostState) {
			h.Running = lifecycle.Version{}
			if s != "" {
				h.Running = version(t, s)
			}
		}
	}
	restarted := func(h *lifecycle.HostState) { h.ServiceSince = start.Add(4 * time.Second) }
	run := func(id string) func(*lifecycle.HostState) { return func(h *lifecycle.HostState) { h.Run = id } }
	for name, tc := range map[string]struct {
		looks []lifecycle.HostState // two seconds apart
		want  verdict
	}{
		"first look: not long enough": {[]lifecycle.HostState{up(0)},
			verdict{lifecycle.GateWaiting, "steady since 12:00:00; it must be for 5s"}},
		"steady":                    {[]lifecycle.HostState{up(0), up(0), up(0), up(0)}, verdict{lifecycle.GateMet, "v1.36.3+k0s.2"}},
		"old restarts do not count": {[]lifecycle.HostState{up(7), up(7), up(7), up(7)}, verdict{lifecycle.GateMet, ""}},
		"restarted in between": {[]lifecycle.HostState{up(0), up(0), up(1, restarted), up(1, restarted)},
			verdict{lifecycle.GateWaiting, "steady since 12:00:04"}},
		"its clock is set in between": {[]lifecycle.HostState{up(0, run("a")), up(0, run("a")), up(0, run("a"), restarted),
			up(0, run("a"), restarted)},
			verdict{lifecycle.GateMet, ""}},
		"started by hand, its clock set back by as much": {[]lifecycle.HostState{up(0, run("a")), up(0, run("a")), up(0, run("b")),
			up(0, run("b"))},
			verdict{lifecycle.GateWaiting, "steady since 12:00:04"}},
		"status stopped in between": {[]lifecycle.HostState{up(0), up(0), up(0, running("")), up(0)},
			verdict{lifecycle.GateWaiting, "steady since 12:00:06"}},
		"status does not answer yet": {[]lifecycle.HostState{up(0, running(""))}, verdict{lifecycle.GateWaiting, "does not answer yet"}},
		"another build of the version": {[]lifecycle.HostState{up(0, running("v1.36.3+k0s.1"))},
			verdict{lifecycle.GateWaiting, "answers v1.36.3+k0s.1, want v1.36.3+k0s.2"}},
		"starting": {[]lifecycle.HostState{up(0, service(lifecycle.ServiceStarting))},
			verdict{lifecycle.GateWaiting, "is starting"}},
		"stopped": {[]lifecycle.HostState{up(0, service(lifecycle.ServiceStopped))},
			verdict{lifecycle.GateWaiting, "is stopped"}},
		"no service": {[]lifecycle.HostState{up(0, service(lifecycle.ServiceAbsent))},
			verdict{lifecycle.GateWaiting, "no k0s service"}},
		"systemd gave up": {[]lifecycle.HostState{up(0, service(lifecycle.ServiceFailed))},
			verdict{lifecycle.GateFailed, "journalctl -u k0sworker"}},
		"crash loop while we look": {[]lifecycle.HostState{up(0), up(3)}, verdict{lifecycle.GateFailed, "crashes again and again"}},
		"crash loop before we looked": {[]lifecycle.HostState{up(3, service(lifecycle.ServiceStarting))},
			verdict{lifecycle.GateFailed, "crashes again and again"}},
		"started by hand: count restarts": {[]lifecycle.HostState{up(5), up(1), up(2)}, verdict{lifecycle.GateWaiting, "steady"}},
	} {
		t.Run(name, func(t *testing.T) {
			g := lifecycle.Gate{Kind: lifecycle.GateK0sRuns, Target: "w1", Version: v, For: 5 * time.Second}
			var seen *steady
			now := start
			for i, h := range tc.looks {
				now = start.Add(time.Duration(i) * 2 * time.Second)
				s := observe(seen, h, g, now)
				seen = &s
			}
			tc.want.check(t, decideK0sRuns(tc.looks[len(tc.looks)-1], g, *seen, now))
		})
	}
}

// TestHazard_H37_ReadyFromBeforeTheRestartIsNoProof guards H37: a Ready condition from before the restart is no proof.
func TestHazard_H37_ReadyFromBeforeTheRestartIsNoProof(t *testing.T) {
	v := version(t, "v1.36.3+k0s.2")
	start := time.Date(2026, 1, 2, 12, 3, 10, 400_000_000, time.UTC)
	node := func(edit ...func(*lifecycle.NodeState)) lifecycle.NodeState {
		n := lifecycle.NodeState{Name: "w1", Ready: true, Heartbeat: start.Truncate(time.Second), Kubelet: "v1.36.3+k0s"}
		for _, e := range edit {
			e(&n)
		}
		return n
	}
	host := lifecycle.HostState{Name: "w1", ServiceSince: start}
	for name, tc := range map[string]struct {
		node lifecycle.NodeState
		host lifecycle.HostState
		want verdict
	}{
		"fresh, to the second": {node(), host, verdict{lifecycle.GateMet, "Ready at v1.36.3+k0s"}},
		"stale": {node(func(n *lifecycle.NodeState) { n.Heartbeat = start.Add(-6 * time.Second) }), host,
			verdict{lifecycle.GateWaiting, "heartbeat 12:03:04 is older than the service's start 12:03:10"}},
		"not ready": {node(func(n *lifecycle.NodeState) { n.Ready, n.Why = false, "KubeletNotReady: no network" }), host,
			verdict{lifecycle.GateWaiting, "no network"}},
		"old kubelet": {node(func(n *lifecycle.NodeState) { n.Kubelet = "v1.35.7+k0s" }), host,
			verdict{lifecycle.GateWaiting, "want v1.36.3+k0s"}},
		"unreachable": {node(), lifecycle.HostState{Problem: lifecycle.HostUnreachable, Why: "no route"},
			verdict{lifecycle.GateWaiting, "no route"}},
		"start unknown": {node(), lifecycle.HostState{}, verdict{lifecycle.GateWaiting, "does not say"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.check(t, decideNodeReady(tc.node, tc.host, lifecycle.Gate{Kind: lifecycle.GateNodeReady, Target: "w1", Version: v}))
		})
	}
	if r := decideNodeReady(node(), lifecycle.HostState{Problem: lifecycle.HostUnreachable}, lifecycle.Gate{}); !r.Unreached {
		t.Error("a machine that does not answer is not told of as such")
	}
	if r := decideNodeReady(node(), lifecycle.HostState{Problem: lifecycle.HostFacts}, lifecycle.Gate{}); r.Unreached {
		t.Error("a machine that answers counts as out of reach")
	}
}

func TestNodesReady(t *testing.T) {
	ours := lifecycle.Mark{Run: "r1"}
	ready := lifecycle.NodeState{Name: "w1", Ready: true}
	for name, tc := range map[string]struct {
		node lifecycle.NodeState
		was  bool
		want verdict
	}{
		"ready": {ready, false, verdict{lifecycle.GateMet, "2 nodes Ready"}},
		"not ready": {lifecycle.NodeState{Name: "w2", Why: "gone"}, false,
			verdict{lifecycle.GateWaiting, "w2 is not Ready (gone)"}},
		"kiban's own": {lifecycle.NodeState{Name: "w2", Unschedulable: true, Mark: ours}, false,
			verdict{lifecycle.GateMet, "1 cordoned by kiban"}},
		"cordoned, was not ready": {lifecycle.NodeState{Name: "w2", Unschedulable: true}, true,
			verdict{lifecycle.GateMet, "left out: w2, not Ready since before the run"}},
		"cordoned, was ready": {lifecycle.NodeState{Name: "w2", Unschedulable: true}, false, verdict{lifecycle.GateWaiting, "w2"}},
		"not cordoned, was not ready": {lifecycle.NodeState{Name: "w2"}, true,
			verdict{lifecycle.GateWaiting, "cordon it to have it left out"}},
		"mark left behind, not cordoned": {lifecycle.NodeState{Name: "w2", Mark: ours}, false, verdict{lifecycle.GateWaiting, "w2"}},
		"administrator's cordon and ready": {lifecycle.NodeState{Name: "w2", Unschedulable: true, Ready: true}, false,
			verdict{lifecycle.GateMet, "2 nodes Ready"}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.want.check(t, decideNodesReady([]lifecycle.NodeState{ready, tc.node}, func(string) bool { return tc.was }))
		})
	}
	verdict{lifecycle.GateMet, "every daemon set's pod on w1"}.check(t, decideDaemonSets(nil, "w1"))
	verdict{lifecycle.GateWaiting, "proxy has no pod"}.check(t, decideDaemonSets([]string{"kube-system/proxy has no pod"}, "w1"))
}

func TestBudgets(t *testing.T) {
	web := lifecycle.Budget{Namespace: "shop", Name: "web", Rule: "minAvailable 2", Healthy: 2, Desired: 2, Expected: 3,
		Pods: []lifecycle.BudgetPod{{Name: "web-1", Node: "w1", Ready: true}}}
	with := func(edit func(*lifecycle.Budget)) []lifecycle.Budget {
		b := web
		edit(&b)
		return []lifecycle.Budget{b}
	}
	low := with(func(b *lifecycle.Budget) { b.Healthy = 1 })
	verdict{lifecycle.GateMet, "1 budget healthy"}.check(t,
		decideBudgets(with(func(*lifecycle.Budget) {}), func(string) bool { return false }))
	verdict{lifecycle.GateWaiting, "shop/web has 1 of 3 pods healthy and wants 2"}.check(t,
		decideBudgets(low, func(string) bool { return false }))
	verdict{lifecycle.GateMet, "not when the run began: shop/web"}.check(t, decideBudgets(low, func(b string) bool { return b == "shop/web" }))
	verdict{lifecycle.GateMet, "0 budgets"}.check(t, decideBudgets(nil, func(string) bool { return false }))

	verdict{lifecycle.GateWaiting, "shop/web lets no pod go now"}.check(t, decideRoom(with(func(*lifecycle.Budget) {}), "w1"))
	verdict{lifecycle.GateMet, "0 budgets"}.check(t, decideRoom(with(func(*lifecycle.Budget) {}), "w2"))
	verdict{lifecycle.GateMet, "1 budget"}.check(t, decideRoom(with(func(b *lifecycle.Budget) { b.Allowed = 1 }), "w1"))
	verdict{lifecycle.GateFailed, "never lets web-1 leave w1"}.check(t, decideRoom(with(func(b *lifecycle.Budget) { b.Desired = 3 }), "w1"))

	pod := func(edit func(*lifecycle.Budget, *lifecycle.BudgetPod)) []lifecycle.Budget {
		return with(func(b *lifecycle.Budget) {
			b.Healthy, b.Pods = 0, slices.Clone(b.Pods)
			edit(b, &b.Pods[0])
		})
	}
	verdict{lifecycle.GateMet, "0 budgets"}.check(t,
		decideRoom(pod(func(b *lifecycle.Budget, p *lifecycle.BudgetPod) { b.Desired, p.Ready, p.Free = 3, false, true }), "w1"))
	verdict{lifecycle.GateMet, "0 budgets"}.check(t,
		decideRoom(pod(func(b *lifecycle.Budget, p *lifecycle.BudgetPod) { b.Desired, p.Ready, b.AlwaysAllow = 3, false, true }), "w1"))
	verdict{lifecycle.GateWaiting, "shop/web lets no pod go now"}.check(t,
		decideRoom(pod(func(_ *lifecycle.Budget, p *lifecycle.BudgetPod) { p.Ready = false }), "w1"))
	other := web
	other.Name, other.Allowed = "web-too", 1
	verdict{lifecycle.GateFailed, "shop/web-1 on w1 is under several disruption budgets (web, web-too)"}.check(t,
		decideRoom([]lifecycle.Budget{web, other}, "w1"))
}
