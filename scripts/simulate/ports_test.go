package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
	"kiban.dev/kiban/lifecycle/check"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/observe"
	"kiban.dev/kiban/lifecycle/session"
)

// ports are what a session stands on, in the simulated world.
func (p *process) ports() session.Parts {
	l := session.LockIn(p.site, func(host string) lock.Place { return place{p, host} }, cluster{place{p, "api"}})
	return session.Parts{Site: site{p}, Lock: locker{p, l}, Runner: runner{p}, Records: records{}}
}

type site struct{ *process }

func (s site) Observe(ctx context.Context) (lifecycle.State, error) {
	connect := func(lifecycle.Credentials) (observe.API, error) { return api(s), nil }
	return observe.Observe(ctx, s.process.site, machines(s), connect, nil)
}

func (s site) Credentials(context.Context) (lifecycle.Credentials, error) {
	return lifecycle.Credentials{}, nil
}
func (s site) Close() error { return nil }

// machines are the machines over SSH.
type machines struct{ *process }

func (m machines) Facts(ctx context.Context) (out lifecycle.MachineFacts, err error) {
	err = m.ask(ctx, "facts", "", func() {
		for _, h := range m.site.Cluster.Hosts {
			st := m.look(h)
			out.Hosts = append(out.Hosts, st)
			if h.Role.IsController() && !h.Reset && !st.Running.IsZero() {
				out.Credentials = lifecycle.Credentials{Key: []byte("an administrator's")}
			}
		}
		out.Etcd = m.members(out.Hosts)
	})
	return out, err
}

// look is what a host says to this process. It is called with sim.mu held.
func (m machines) look(h lifecycle.Host) lifecycle.HostState {
	if err := m.reach(h.Name); err != nil {
		return lifecycle.HostState{Name: h.Name, Problem: lifecycle.HostUnreachable, Why: err.Error()}
	}
	return m.sim.w.machines[h.Name].look(time.Now(), h)
}

// members are etcd's, as the first controller says that can.
func (m machines) members(hosts []lifecycle.HostState) lifecycle.EtcdState {
	var why string
	for i, st := range hosts {
		h := m.site.Cluster.Hosts[i]
		if !h.Role.IsController() {
			continue
		}
		switch {
		case !st.Reached():
			why = h.Name + ": " + st.Why
		case !st.Installed():
		case st.Running.IsZero():
			why = h.Name + ": k0s does not run"
		case !slices.Contains(m.sim.w.etcd, h.Name) || !m.sim.w.quorum(""):
			why = h.Name + ": etcd has no quorum"
		default:
			var out lifecycle.EtcdState
			for _, name := range m.sim.w.etcd {
				out.Members = append(out.Members, lifecycle.EtcdMember{Name: name, PeerAddress: m.sim.w.peers[name]})
			}
			return out
		}
	}
	return lifecycle.EtcdState{Unknown: why}
}

func (m machines) HostFacts(ctx context.Context, host string) (st lifecycle.HostState, err error) {
	h, ok := m.site.Cluster.Host(host)
	if !ok {
		return st, fmt.Errorf("no host %s", host)
	}
	err = m.ask(ctx, "host "+host, "", func() { st = m.look(h) })
	return st, err
}

func (m machines) EtcdMembers(ctx context.Context) (etcd lifecycle.EtcdState, err error) {
	err = m.ask(ctx, "members", "", func() {
		var hosts []lifecycle.HostState
		for _, h := range m.site.Cluster.Hosts {
			hosts = append(hosts, m.look(h))
		}
		etcd = m.members(hosts)
	})
	return etcd, err
}

// Do carries out a step on its machine, command by command.
func (m machines) Do(ctx context.Context, s lifecycle.Step, _ func(string)) error {
	w := m.sim.w
	decl, _ := m.site.Cluster.Host(s.Target)
	target := m.on(s)
	var parts []part
	if err := m.ask(ctx, "facts of "+s.ID, target, func() { parts = w.parts(s, decl, m.site) }); err != nil {
		return err
	}
	var failed error
	for i, one := range parts {
		key := fmt.Sprintf("%s %d", s.ID, i)
		_, refused := lifecycle.Refused(ctx)
		switch {
		case failed != nil && (!one.after || refused):
		case failed != nil:
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			_ = m.command(last, key, target, s, one)
			cancel()
		case one.until != nil:
			failed = m.wait(ctx, key, target, one)
		default:
			failed = m.command(ctx, key, target, s, one)
		}
	}
	return failed
}

// on is the machine that a step's commands go to: to leave etcd is asked of another controller, and so is a backup.
func (m machines) on(s lifecycle.Step) string {
	if s.Action != lifecycle.ActionLeaveEtcd && s.Action != lifecycle.ActionBackup {
		return s.Target
	}
	target := ""
	m.sim.with(func() {
		for _, h := range m.site.Cluster.Hosts {
			if h.Role.IsController() && h.Name != s.Target && (target == "" || !m.sim.w.serves(target)) {
				target = h.Name
			}
		}
	})
	return target
}

func (m machines) command(ctx context.Context, key, target string, s lifecycle.Step, one part) error {
	epoch := m.epoch()
	return m.send(ctx, key, target, func() error {
		w := m.sim.w
		host := w.machines[target]
		if host.epoch > epoch {
			m.sim.record("%s: %s: %s is refused on %s, which knows epoch %d, not %d", m.name, s.ID, one.name, target, host.epoch, epoch)
			return fmt.Errorf("%s knows epoch %d", target, host.epoch)
		}
		host.epoch = epoch
		if one.writes && host.full {
			return fmt.Errorf("%s: no space left on device", target)
		}
		changes := s.Action != lifecycle.ActionBackup
		if changes {
			m.acts(target, &host.era)
		}
		had := w.quorum("") && len(w.etcd) > 2
		err := one.do()
		m.sim.record("%s: %s: %s on %s%s", m.name, s.ID, one.name, target, failure(err))
		if had && !w.quorum("") && !m.excused(target) {
			m.sim.fail("%s: %s: etcd has lost its quorum", m.name, s.ID)
		}
		return err
	})
}

func failure(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}

// excused reports whether another member of etcd went away so lately that no gate can have seen it.
func (m machines) excused(target string) bool {
	for _, name := range m.sim.w.etcd {
		o := m.sim.w.machines[name]
		if name != target && o.running(time.Now()).IsZero() && !m.settledFor(o.downSince, 2*time.Minute) {
			return true
		}
	}
	return false
}

func (m machines) wait(ctx context.Context, key, target string, one part) error {
	deadline := time.Now().Add(one.limit)
	for {
		done := false
		err := m.ask(ctx, key, target, func() { done = one.until() })
		switch {
		case done:
			return nil
		case ctx.Err() != nil || errors.Is(err, errKilled):
			return err
		case time.Now().After(deadline):
			return errors.Join(errors.New(one.name+": not within its time"), err)
		case !m.sim.sleep(ctx, time.Second):
			return ctx.Err()
		}
	}
}

// api is the Kubernetes API.
type api struct{ *process }

func (a api) Facts(ctx context.Context) (out lifecycle.ClusterFacts, err error) {
	err = a.ask(ctx, "cluster", "api", func() {
		out.API = lifecycle.APIState{ClusterUID: "7d0f", Site: "lab", Servers: a.servers()}
		for _, name := range sorted(a.sim.w.nodes) {
			out.Nodes = append(out.Nodes, a.sim.w.nodes[name].NodeState)
		}
		out.Budgets = a.sim.w.budgets()
	})
	return out, err
}

// servers are the API servers of declared controllers. It is called with sim.mu held.
func (a api) servers() []lifecycle.APIServer {
	var out []lifecycle.APIServer
	for _, h := range a.site.Cluster.Hosts {
		m := a.sim.w.machines[h.Name]
		if !h.Role.IsController() {
			continue
		}
		s := lifecycle.APIServer{Host: h.Name, Why: "connection refused"}
		if a.sim.w.serves(h.Name) && !a.sim.net[a.who+" api"] {
			s.Ready, s.Why, s.Version = true, "", m.running(time.Now()).Kubelet()
		}
		out = append(out, s)
	}
	return out
}

func (a api) Servers(ctx context.Context) (out []lifecycle.APIServer) {
	if err := a.ask(ctx, "servers", "", func() { out = a.servers() }); err != nil {
		for _, h := range a.site.Cluster.Hosts {
			if h.Role.IsController() {
				out = append(out, lifecycle.APIServer{Host: h.Name, Why: err.Error()})
			}
		}
	}
	return out
}

func (a api) LeaderLeases(ctx context.Context) (out []lifecycle.Lease, err error) {
	err = a.ask(ctx, "leases", "api", func() {
		for _, name := range []string{"kube-controller-manager", "kube-scheduler"} {
			out = append(out, lifecycle.Lease{Name: name, Holder: "someone", Renewed: a.sim.w.leases})
		}
	})
	return out, err
}

func (a api) StaleEndpoints(ctx context.Context) ([]string, error) {
	return nil, a.ask(ctx, "endpoints", "api", func() {})
}

func (a api) Node(ctx context.Context, name string) (out lifecycle.NodeState, err error) {
	found := false
	err = a.ask(ctx, "node "+name, "api", func() {
		if n := a.sim.w.nodes[name]; n != nil {
			out, found = n.NodeState, true
		}
	})
	if err == nil && !found {
		err = fmt.Errorf("no node %s", name)
	}
	return out, err
}

func (a api) Nodes(ctx context.Context) (out []lifecycle.NodeState, err error) {
	err = a.ask(ctx, "nodes", "api", func() {
		for _, name := range sorted(a.sim.w.nodes) {
			out = append(out, a.sim.w.nodes[name].NodeState)
		}
	})
	return out, err
}

func (a api) DaemonPods(ctx context.Context, node string) (bad []string, err error) {
	err = a.ask(ctx, "daemons "+node, "api", func() {
		if n := a.sim.w.nodes[node]; n == nil || !n.Ready {
			bad = []string{"kube-proxy"}
		}
	})
	return bad, err
}

func (a api) Budgets(ctx context.Context) (out []lifecycle.Budget, err error) {
	err = a.ask(ctx, "budgets", "api", func() { out = a.sim.w.budgets() })
	return out, err
}

// patch writes a node on the condition that it is as it was read, as the real client does; edit says what is to become of it.
func (a api) patch(ctx context.Context, what, name string, edit func(n *node) (func(), error)) error {
	for range 5 {
		version, wrong := 0, error(nil)
		var write func()
		err := a.ask(ctx, what+" reads "+name, "api", func() {
			n := a.sim.w.nodes[name]
			if n == nil {
				wrong = fmt.Errorf("no node %s", name)
				return
			}
			version = n.version
			write, wrong = edit(n)
		})
		if err == nil && (wrong != nil || write == nil) {
			return wrong
		}
		moved := false
		if err == nil {
			err = a.send(ctx, what+" "+name, "api", func() error {
				n := a.sim.w.nodes[name]
				if n == nil || n.version != version {
					moved = true
					return nil
				}
				a.acts("node "+name, &n.era)
				write()
				n.version++
				a.sim.record("%s: %s %s", a.name, what, name)
				return nil
			})
		}
		if err == nil && !moved {
			return nil
		}
		if ctx.Err() != nil || errors.Is(err, errKilled) {
			return errors.Join(err, ctx.Err())
		}
		if !a.sim.sleep(ctx, 500*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("%s %s: it was not taken", what, name)
}

func (a api) Cordon(ctx context.Context, name string, mark lifecycle.Mark) error {
	return a.patch(ctx, "cordon", name, func(n *node) (func(), error) {
		if n.Unschedulable && n.Mark.IsZero() {
			return nil, lifecycle.Blockedf(name, "the node is cordoned already, and not by kiban")
		}
		if n.Unschedulable && n.Mark.Run == mark.Run && n.Mark.Reason == mark.Reason {
			return nil, nil
		}
		return func() {
			n.late = time.Time{}
			if a.over {
				n.late = time.Now()
			} else {
				a.leaves(n)
			}
			n.Unschedulable, n.Mark = true, mark
		}, nil
	})
}

// leaves holds what must hold when a node is taken out of service. A cordon that arrives when its run is over can't be taken back by
// anybody, and disturbs no pod; a run that had the lock before it came does not count it.
func (a api) leaves(n *node) {
	w, out := a.sim.w, 0
	for _, h := range w.site.Cluster.Hosts { // those that are to leave, too
		if o := w.nodes[h.Name]; h.Role == lifecycle.RoleWorker && o != nil && (o == n || !o.Mark.IsZero() && !o.late.After(a.took)) {
			out++
		}
	}
	if decl, declared := a.site.Cluster.Host(n.Name); declared && decl.Role == lifecycle.RoleWorker {
		if most := max(a.out, a.site.Policy.Workers.AtOnce(len(a.site.Cluster.Workers()))); out > most {
			a.sim.fail("%s: %d workers are out of service at once, %d may be", a.name, out, most)
		}
	}
	for _, name := range sorted(w.nodes) {
		o := w.nodes[name]
		if o != n && n.Ready && !o.Ready && !o.Unschedulable && a.settledFor(o.changed, 2*time.Minute) {
			a.sim.fail("%s takes %s out of service while %s is not Ready", a.name, n.Name, name)
		}
	}
}

func (a api) Uncordon(ctx context.Context, name string) error {
	return a.patch(ctx, "uncordon", name, func(n *node) (func(), error) {
		if n.Mark.IsZero() {
			return nil, nil
		}
		return func() { n.Unschedulable, n.Mark = false, lifecycle.Mark{} }, nil
	})
}

// Label is not called: no site here declares labels.
func (a api) Label(_ context.Context, name string, _ lifecycle.NodeChange) error {
	return fmt.Errorf("%s: nobody declares labels", name)
}

func (a api) Drain(ctx context.Context, name string, policy lifecycle.Drain, _ func(string)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, policy.Timeout, errors.New("the drain did not end in time"))
	defer cancel()
	for first := true; ; {
		left := 0
		var open error
		err := a.send(ctx, "drain "+name, "api", func() (err error) {
			n := a.sim.w.nodes[name]
			if open = openFor(n); first && open != nil {
				return nil
			}
			first = false
			if left, err = a.sim.w.evict(name); left == 0 && open == nil && n != nil {
				n.drained = time.Now()
			}
			return err
		})
		switch {
		case err == nil && (first || left == 0) && open != nil:
			return open
		case err == nil && left == 0:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errKilled):
			return err
		case !a.sim.sleep(ctx, policy.EvictionRetry):
			return context.Cause(ctx)
		}
	}
}

// openFor refuses to drain a node that takes new pods, as the real client does at its first look and at its last.
func openFor(n *node) error {
	if n == nil || n.Unschedulable {
		return nil
	}
	return lifecycle.Blockedf(n.Name, "the node is open for new pods, so it cannot be drained")
}

func (a api) DeleteNode(ctx context.Context, name string) error {
	return a.send(ctx, "delete node "+name, "api", func() error {
		w := a.sim.w
		n := w.nodes[name]
		if n == nil {
			return nil
		}
		a.acts("node "+name, &n.era)
		if !w.machines[name].running(time.Now()).IsZero() {
			a.sim.fail("%s: the node of %s is deleted while its kubelet runs", a.name, name)
		}
		delete(w.nodes, name)
		delete(w.closed, name)
		a.sim.record("%s: delete node %s", a.name, name)
		return nil
	})
}

// place is a place of the site's lock, as the process reaches it. Times in it are by its operator's clock.
type place struct {
	p  *process
	on string // "api", or a machine
}

type cluster struct{ place }

// Connected reports whether the process knows how to reach the API.
func (c cluster) Connected() (yes bool) {
	c.p.sim.with(func() { yes = c.p.connected })
	return yes
}

// keeper is where it is kept. It is called with sim.mu held.
func (l place) keeper() keeper {
	if l.on == "api" {
		return &l.p.sim.w.lease
	}
	return l.p.sim.w.machines[l.on]
}

func (l place) ReadLock(ctx context.Context) (out lifecycle.Lock, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = l.p.ask(ctx, "lock "+l.on, l.on, func() {
		out = l.keeper().readLock()
	})
	return l.p.sim.byClock(out, -l.p.sim.clock(l.p.who)), err
}

func (l place) WriteLock(ctx context.Context, want lifecycle.Lock) (out lifecycle.Lock, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	want = l.p.sim.byClock(want, l.p.sim.clock(l.p.who))
	var got lifecycle.Lock
	err = l.p.send(ctx, "lock "+l.on, l.on, func() error {
		k := l.keeper()
		before := k.readLock()
		now, err := k.writeLock(want)
		if err == nil {
			got = now
		}
		if err == nil && before.Holder != want.Holder {
			l.p.sim.record("%s: the lock in %s goes from %q to %q", l.p.name, l.on, before.Holder, want.Holder)
		}
		return err
	})
	if err != nil {
		return lifecycle.Lock{}, err
	}
	return l.p.sim.byClock(got, -l.p.sim.clock(l.p.who)), nil
}

// clock is an operator's clock minus true time.
func (s *sim) clock(who string) time.Duration {
	if !s.rules.clocks {
		return 0
	}
	step := time.Since(s.began) / (10 * time.Minute) // it is set now and then
	return []time.Duration{0, time.Hour, -time.Hour, 45 * time.Second, 0}[s.rand(fmt.Sprint("clock of ", who, step)).IntN(5)]
}

func (s *sim) byClock(l lifecycle.Lock, d time.Duration) lifecycle.Lock {
	if !l.Renewed.IsZero() {
		l.Renewed = l.Renewed.Add(d)
	}
	if !l.Since.IsZero() {
		l.Since = l.Since.Add(d)
	}
	return l
}

// locker notes who takes the lock, and in which order.
type locker struct {
	p *process
	session.Locker
}

// Contend has the holder called by a name that is the same each time that the seed is played.
func (l locker) Contend(claim lock.Claim) session.Contender {
	claim.Lock.Holder, claim.Lock.Process = l.p.name, l.p.name
	claim.Gone = l.p.sees
	return contender{l.p, l.Locker.Contend(claim)}
}

type contender struct {
	p *process
	session.Contender
}

func (c contender) Take(ctx context.Context, seen lifecycle.State) (*lock.Fence, func(), error) {
	fence, release, err := c.Contender.Take(ctx, seen)
	if err == nil {
		c.p.sim.with(func() {
			c.p.sim.era++
			c.p.era, c.p.took = c.p.sim.era, time.Now()
			c.p.sim.record("%s has the lock, the %dth", c.p.name, c.p.era)
		})
	}
	return fence, release, err
}

// runner carries plans out with the real engine and the real gates.
type runner struct{ p *process }

func (r runner) Run(ctx context.Context, plan lifecycle.Plan, run session.Run) error {
	p := r.p
	p.sim.with(func() {
		p.out = 0
		for _, n := range p.sim.w.nodes {
			if !n.Mark.IsZero() {
				p.out++
			}
		}
		p.sim.record("%s carries out %d steps", p.name, len(plan.Steps))
	})
	gates := check.New(p.site, machines{p}, api{p}, api{p}, time.Now)
	gates.Baseline(run.Seen)
	deps := apply.Deps{Machines: machines{p}, Nodes: api{p}, Gates: gates, Sink: run.Sink, RunID: run.ID, Stop: run.Stop,
		Poll: 2 * time.Second}
	if run.Fence != nil {
		p.fence = run.Fence
		deps.Fence = &queue{Fence: run.Fence}
	}
	return apply.Run(ctx, p.site, plan, deps)
}

type records struct{}

func (records) Runs(context.Context) ([]lifecycle.RunRecord, error)               { return nil, nil }
func (records) UpdateTold(context.Context, func(map[string]lifecycle.Told)) error { return nil }
func (records) Soak(context.Context) (lifecycle.Soak, error)                      { return lifecycle.Soak{}, nil }
func (records) KeepSoak(context.Context, func(lifecycle.Soak) lifecycle.Soak) (lifecycle.Soak, error) {
	return lifecycle.Soak{}, nil
}
