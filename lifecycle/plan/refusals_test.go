package plan

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestRefusals holds what is said for everything that stops a plan, or that a reviewer must know.
func TestRefusals(t *testing.T) {
	seen := func(host string, edit func(*lifecycle.HostState)) func(*lifecycle.State) {
		return func(st *lifecycle.State) {
			for i := range st.Hosts {
				if st.Hosts[i].Name == host {
					edit(&st.Hosts[i])
				}
			}
		}
	}
	problem := func(p lifecycle.HostProblem, why string) func(*lifecycle.HostState) {
		return func(h *lifecycle.HostState) { *h = lifecycle.HostState{Name: h.Name, Problem: p, Why: why} }
	}
	node := func(name string, edit func(*lifecycle.NodeState)) func(*lifecycle.State) {
		return func(st *lifecycle.State) {
			for i := range st.Nodes {
				if st.Nodes[i].Name == name {
					edit(&st.Nodes[i])
				}
			}
		}
	}
	budget := func(allowed, healthy, desired int) func(*lifecycle.State) {
		return func(st *lifecycle.State) {
			st.Budgets = []lifecycle.Budget{{Namespace: "shop", Name: "web", Rule: "minAvailable 3", Allowed: allowed, Healthy: healthy,
				Desired: desired, Expected: 3, Owner: "Deployment shop/web",
				Pods: []lifecycle.BudgetPod{{Name: "web-1", Node: "worker-1", Ready: true}, {Name: "web-2", Node: "worker-2", Ready: true},
					{Name: "web-3", Node: "elsewhere"}}}}
		}
	}
	cgroupV1 := func(st *lifecycle.State) {
		for i := range st.Hosts {
			st.Hosts[i].CgroupV1 = true
		}
	}
	// midUpgrade: the control plane is through, but one of its controllers is away; these workers are still behind.
	midUpgrade := func(behind ...string) func(*lifecycle.State) {
		return func(st *lifecycle.State) {
			for _, w := range behind {
				seen(w, func(h *lifecycle.HostState) { h.Binary, h.Running = v135, v135 })(st)
			}
			seen("controller-3", problem(lifecycle.HostUnreachable, "no route to host"))(st)
		}
	}
	const unreached = "no answer from 10.0.0.12:22 within 10s"
	// stranded: an interrupted run took the worker out of service, and now it does not answer.
	stranded := func(worker string) func(*lifecycle.State) {
		return func(st *lifecycle.State) {
			seen(worker, problem(lifecycle.HostUnreachable, unreached))(st)
			node(worker, func(n *lifecycle.NodeState) {
				n.Ready, n.Unschedulable, n.Mark = false, true, lifecycle.Mark{Run: "r1"}
			})(st)
		}
	}
	serial := func(s *lifecycle.Site) { s.Policy.Workers.MaxUnavailable = "1" }
	upgrade := newSite(v136, 3, 2)
	for name, c := range map[string]struct {
		was      lifecycle.Version // the version that is there; zero: nothing is
		site     lifecycle.Site
		observed func(*lifecycle.State)
		// bare: the plan has no steps, for there is no way to list.
		bare bool
		stop bool
	}{
		"unpinned":          {was: v136, site: newSite(lifecycle.Version{}, 3, 2), bare: true, stop: true},
		"downgrade":         {was: v136, site: newSite(v135, 3, 2), bare: true, stop: true},
		"missing-hop":       {was: v134, site: upgrade, bare: true, stop: true},
		"known-bad-version": {was: v134, site: newSite(v("v1.35.1+k0s.0"), 1, 0)},
		"kubelet-newer-than-api": {was: v135, site: upgrade,
			observed: seen("worker-1", func(h *lifecycle.HostState) { h.Binary, h.Running = v136, v136 })},
		"unreachable-controller": {was: v135, site: upgrade, observed: seen("controller-2", problem(lifecycle.HostUnreachable, unreached)),
			stop: true},
		"unreachable-controller-of-which-version": {was: v136, site: upgrade, observed: midUpgrade("worker-1", "worker-2"), stop: true},
		"unreachable-controller-that-had-it":      {was: v136, site: upgrade, observed: midUpgrade("worker-2")},
		"unreachable-and-left-out": {was: v136, site: newSite(v136, 1, 4, serial, eachHost(lifecycle.RoleWorker, argument("--profile=dense"))),
			observed: stranded("worker-2"), stop: true},
		"unreachable-and-left-out-with-room": {was: v136, site: newSite(v136, 1, 4, eachHost(lifecycle.RoleWorker, argument("--profile=dense"))),
			observed: stranded("worker-2")},
		"unreachable-and-left-out-of-no-matter": {was: v136, site: newSite(v136, 1, 4, serial), observed: stranded("worker-2")},
		"unreachable-worker": {was: v135, site: upgrade, observed: seen("worker-2", problem(lifecycle.HostUnreachable, unreached)),
			stop: true},
		"unreachable-but-not-needed": {was: v136, site: upgrade, observed: seen("worker-2", problem(lifecycle.HostUnreachable, unreached))},
		"unreachable-to-be-removed": {was: v136, site: newSite(v136, 3, 2, host("worker-2", reset)),
			observed: seen("worker-2", problem(lifecycle.HostUnreachable, unreached)), stop: true},
		"unreachable-at-bootstrap": {site: upgrade, observed: seen("controller-1", problem(lifecycle.HostUnreachable, unreached)), stop: true},
		"host-key": {was: v136, site: upgrade,
			observed: seen("worker-1", problem(lifecycle.HostKeyUnknown, "the key SHA256:abc is not in known_hosts")), stop: true},
		"auth": {was: v136, site: upgrade, observed: seen("worker-1", problem(lifecycle.HostAuth, "publickey refused")),
			stop: true},
		"sudo": {was: v136, site: upgrade,
			observed: seen("worker-1", problem(lifecycle.HostSudo, "sudo: a password is required")), stop: true},
		"facts": {was: v136, site: upgrade,
			observed: seen("worker-1", problem(lifecycle.HostFacts, "its answer ends in the middle")), stop: true},
		"api-unknown": {was: v136, site: upgrade, stop: true, observed: func(st *lifecycle.State) {
			st.API, st.Nodes, st.Etcd = lifecycle.APIState{Unknown: "connection refused by 3 API servers"}, nil, lifecycle.EtcdState{}
			for i := range st.Hosts {
				st.Hosts[i].ServiceSince = clock.Add(-3600e9)
			}
		}},
		"nobody-answers": {was: v136, site: upgrade, stop: true, observed: func(st *lifecycle.State) {
			st.API, st.Nodes, st.Etcd = lifecycle.APIState{Unknown: "no controller answered"}, nil, lifecycle.EtcdState{Unknown: "nobody answered"}
			for i := range st.Hosts {
				st.Hosts[i] = lifecycle.HostState{Name: st.Hosts[i].Name, Problem: lifecycle.HostUnreachable, Why: "no route to host"}
			}
		}},
		"no-keys": {was: v136, site: upgrade, observed: seen("worker-1", problem(lifecycle.HostNoKeys, "there is no file known_hosts here")),
			stop: true},
		"no-login": {was: v136, site: upgrade, observed: seen("worker-1", problem(lifecycle.HostNoLogin, "there is no key /keys/id")),
			stop: true},
		"no-keys-anywhere": {was: v136, site: upgrade, observed: keptOut(lifecycle.HostNoKeys, "there is no file known_hosts here"),
			stop: true},
		"let-in-nowhere": {was: v136, site: upgrade, observed: keptOut(lifecycle.HostAuth, "it refuses user root"), stop: true},
		"role":           {was: v136, site: newSite(v136, 3, 2, host("controller-3", role(lifecycle.RoleWorker))), stop: true},
		"hostname": {was: v136, site: upgrade, observed: seen("worker-1", func(h *lifecycle.HostState) { h.Hostname = "node-17" }),
			stop: true},
		"clock":     {was: v136, site: upgrade, observed: seen("worker-1", func(h *lifecycle.HostState) { h.ClockOffset = -95 }), stop: true},
		"cgroup-v1": {was: v134, site: newSite(v135, 1, 2), observed: cgroupV1, stop: true},
		"disk": {was: v135, site: upgrade, observed: seen("worker-1", func(h *lifecycle.HostState) { h.FreeBytes = 100 << 20 }),
			stop: true},
		"binary-broken": {was: v136, site: upgrade, observed: seen("worker-1",
			func(h *lifecycle.HostState) { h.Binary, h.BinaryProblem = lifecycle.Version{}, "exec format error" }), stop: true},
		"binary-newer": {was: v135, site: newSite(v135, 3, 2), observed: seen("worker-1", func(h *lifecycle.HostState) { h.Binary = v136 })},
		"foreign-data": {site: upgrade, observed: seen("worker-1", func(h *lifecycle.HostState) { h.Data = true }), stop: true},
		"foreign-worker": {site: upgrade, observed: seen("worker-1", func(h *lifecycle.HostState) {
			h.ServiceName, h.Service, h.Binary = "k0sworker", lifecycle.ServiceStopped, v135
		}), stop: true},
		"fresh-but-in-etcd": {was: v136, site: upgrade, observed: seen("controller-2",
			func(h *lifecycle.HostState) { *h = lifecycle.HostState{Name: h.Name, FreeBytes: 1 << 40} }), stop: true},
		"etcd-unknown": {was: v135, site: upgrade,
			observed: func(st *lifecycle.State) { st.Etcd = lifecycle.EtcdState{Unknown: "k0s etcd member-list failed"} }, stop: true},
		"etcd-undeclared": {was: v136, site: upgrade, observed: func(st *lifecycle.State) {
			st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: "old", PeerAddress: "10.0.0.99"})
		}},
		"etcd-of-two": {was: v135, site: newSite(v136, 2, 0), stop: true},
		"etcd-of-two-files": {was: v136, site: newSite(v136, 2, 0, eachHost(lifecycle.RoleController, file("/etc/k0s/audit.yaml", "2", true))),
			stop: true},
		"node-undeclared": {was: v136, site: upgrade, observed: func(st *lifecycle.State) {
			st.Nodes = append(st.Nodes, lifecycle.NodeState{Name: "stranger", Ready: true})
		}},
		"remove-one-of-two": {was: v136, site: newSite(v136, 2, 0, host("controller-2", reset)), stop: true},
		"immutable-config": {was: v136, site: newSite(v136, 3, 1,
			eachHost(lifecycle.RoleController, config(`{"spec":{"network":{"podCIDR":"10.50.0.0/16","provider":"calico"}}}`))), stop: true},
		"address-moved": {was: v135, site: newSite(v136, 3, 1, eachHost(lifecycle.RoleController, private)), stop: true},
		"address-moved-while-dark": {was: v136, site: newSite(v136, 3, 1, host("controller-1", private)), stop: true,
			observed: func(st *lifecycle.State) {
				st.API, st.Nodes, st.Etcd = lifecycle.APIState{Unknown: "connection refused by 3 API servers"}, nil, lifecycle.EtcdState{}
				for i := range st.Hosts {
					st.Hosts[i].ServiceSince = clock.Add(-3600e9)
					st.Hosts[i].Config = []byte(clusterConfig(`{"spec":{"network":{"provider":"kuberouter"},"storage":{"etcd":{"peerAddress":"10.0.0.11"}}}}`))
				}
			}},
		"address-of-ssh-moved": {was: v135, site: newSite(v136, 3, 1,
			host("controller-2", func(h *lifecycle.Host) { h.Address = "203.0.113.12" })), stop: true},
		"address-of-ssh-moved-quietly": {was: v136, site: newSite(v136, 3, 1,
			host("controller-2", func(h *lifecycle.Host) { h.Address = "203.0.113.12" }))},
		"taints-registered": {was: v136, site: newSite(v136, 1, 1, host("worker-1", argument("--taints=tier=gold:NoExecute")))},
		"not-ready": {was: v136, site: upgrade,
			observed: node("worker-1", func(n *lifecycle.NodeState) { n.Ready, n.Why = false, "KubeletNotReady: CNI is not ready" })},
		"not-ready-cordoned": {was: v136, site: upgrade, observed: node("worker-1", func(n *lifecycle.NodeState) {
			n.Ready, n.Unschedulable, n.Mark = false, true, lifecycle.Mark{Run: "r1"}
		})},
		"not-serving": {was: v136, site: upgrade, observed: func(st *lifecycle.State) {
			st.API.Servers[1] = lifecycle.APIServer{Host: "controller-2", Why: "[-]etcd failed"}
		}},
		"budget-never":         {was: v135, site: upgrade, observed: budget(0, 3, 3), stop: true},
		"budget-waits":         {was: v135, site: upgrade, observed: budget(0, 2, 2)},
		"budget-not-disturbed": {was: v136, site: upgrade, observed: budget(0, 3, 3)},
		"stuck-bare": {was: v135, site: upgrade, observed: func(st *lifecycle.State) {
			st.Stuck = []lifecycle.StuckPod{{Namespace: "shop", Name: "job", Node: "worker-1", Bare: true}}
		}, stop: true},
		"stuck-emptydir": {was: v135, site: newSite(v136, 3, 2, func(s *lifecycle.Site) { s.Policy.Drain.DeleteEmptyDirData = false }),
			observed: func(st *lifecycle.State) {
				st.Stuck = []lifecycle.StuckPod{{Namespace: "shop", Name: "cache-0", Node: "worker-1", EmptyDir: true}}
			}, stop: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := freshWorld(c.site)
			if !c.was.IsZero() {
				before := c.site
				before.Cluster.Version = c.was
				w = built(t, membersOf(before))
				w.declare(c.site)
			}
			st := w.observe()
			if c.observed != nil {
				c.observed(&st)
			}
			p := makePlan(c.site, st)
			orderly(t, p)
			if stops := p.Diagnostics.Err() != nil; stops != c.stop {
				t.Errorf("it stops: %t, want %t", stops, c.stop)
			}
			if len(p.Diagnostics) == 0 && name != "budget-not-disturbed" {
				t.Error("nothing is said")
			}
			if c.bare && !p.Empty() {
				t.Errorf("steps are listed for a version that cannot be reached: %v", p.Steps)
			}
			golden(t, "refuse-"+name, p)
		})
	}
}

// membersOf is a site's cluster as it was before the edit that is refused: plain hosts by name, none to be removed, default configuration.
func membersOf(s lifecycle.Site) lifecycle.Site {
	before := newSite(s.Cluster.Version, 0, 0)
	for _, h := range s.Cluster.Hosts {
		plain := newSite(s.Cluster.Version, 5, 5)
		for _, d := range plain.Cluster.Hosts {
			if d.Name == h.Name {
				before.Cluster.Hosts = append(before.Cluster.Hosts, d)
			}
		}
	}
	return before
}

// private gives a host another address for the cluster's own traffic.
func private(h *lifecycle.Host) {
	h.PrivateAddress = strings.Replace(h.Address, "10.0.0.", "192.168.0.", 1)
}

// An address that was there from the start is no change, however it is written; and what is not known to differ is not refused.
func TestAddressesThatStay(t *testing.T) {
	alone := host("controller-1", edits(role(lifecycle.RoleSingle), private))
	upper := host("controller-1", func(h *lifecycle.Host) { h.Name, h.PrivateAddress = "controller-1", "FD00:0:0::1" })
	for name, c := range map[string]struct {
		was, is  lifecycle.Site
		observed func(*lifecycle.State)
	}{
		"private from the start": {was: newSite(v135, 3, 1, eachHost(lifecycle.RoleController, private)),
			is: newSite(v136, 3, 1, eachHost(lifecycle.RoleController, private))},
		"a single node": {was: newSite(v135, 1, 0, alone), is: newSite(v136, 1, 0, alone)},
		"a single node with its own datastore": {was: newSite(v135, 1, 0, alone), is: newSite(v136, 1, 0, alone),
			observed: func(st *lifecycle.State) { st.Etcd = lifecycle.EtcdState{} }},
		"a datastore of its own, another address": {was: newSite(v135, 1, 1),
			is:       newSite(v136, 1, 1, eachHost(lifecycle.RoleController, private)),
			observed: func(st *lifecycle.State) { st.Etcd = lifecycle.EtcdState{} }},
		"written in another way": {was: newSite(v135, 1, 0, upper), is: newSite(v136, 1, 0, upper), observed: func(st *lifecycle.State) {
			st.Etcd.Members[0] = lifecycle.EtcdMember{Name: "Controller-1", PeerAddress: "fd00::1"}
		}},
		"by the name of the machine": {was: newSite(v135, 1, 0),
			is: newSite(v136, 1, 0, host("controller-1", func(h *lifecycle.Host) { h.Address = "controller-1.example.com" }))},
		"not known": {was: newSite(v136, 3, 0), is: newSite(v136, 3, 0, host("controller-1", private)), observed: func(st *lifecycle.State) {
			st.Etcd = lifecycle.EtcdState{Unknown: "k0s etcd member-list failed"}
		}},
	} {
		w := built(t, c.was)
		w.declare(c.is)
		st := w.observe()
		if c.observed != nil {
			c.observed(&st)
		}
		for _, d := range makePlan(c.is, st).Diagnostics {
			if strings.Contains(d.Summary, "etcd member is at") {
				t.Errorf("%s: %s: %s", name, d.Subject, d.Summary)
			}
		}
	}
}

// keptOut has no machine let kiban in, though all of them may be well: the API, to which the way leads through them, was not asked.
func keptOut(p lifecycle.HostProblem, why string) func(*lifecycle.State) {
	return func(st *lifecycle.State) {
		st.API, st.Nodes, st.Etcd = lifecycle.APIState{Unknown: "controller-1, controller-2, controller-3: " + why}, nil,
			lifecycle.EtcdState{Unknown: "nobody answered"}
		for i := range st.Hosts {
			st.Hosts[i] = lifecycle.HostState{Name: st.Hosts[i].Name, Problem: p, Why: why}
		}
	}
}

// TestNodeTaskIsKeptOut: a key that is missing here is not a control plane that an apply would bring back.
func TestNodeTaskIsKeptOut(t *testing.T) {
	site := newSite(v136, 3, 2)
	st := built(t, site).observe()
	keptOut(lifecycle.HostNoLogin, "there is no key id here")(&st)
	p := Node(site, st, lifecycle.NodeTask{Verb: lifecycle.NodeDrain, Host: "worker-1"})
	if err := p.Diagnostics.Err(); err == nil || strings.Contains(err.Error(), "does not answer") ||
		!strings.Contains(err.Error(), "nothing to log in with") {
		t.Errorf("%v", err)
	}
}
