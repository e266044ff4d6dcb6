package simulate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// world is what is there. Everything in it is changed under sim.mu.
type world struct {
	sim      *sim
	site     lifecycle.Site // as the repository's head declares it
	machines map[string]*machine
	named    []string // the machines in order
	nodes    map[string]*node
	etcd     []string // members, by host
	peers    map[string]string
	lease    lease // the site's lock, as the API keeps it
	pods     []*pod
	apps     []app
	leases   time.Time // when the leaders renewed last
	// onPowerCut hears of a machine that goes off; it may be nil.
	onPowerCut func(*machine)
	// silent: the API answers nobody.
	silent bool
	// closed are nodes that an administrator has cordoned.
	closed map[string]bool
}

// node is a Kubernetes node. version changes with each write of it, changed is when it became Ready or stopped to be.
type node struct {
	lifecycle.NodeState
	version int
	runs    lifecycle.Version
	changed time.Time
	// opened is when an administrator opened it by hand, drained when kiban last emptied it.
	opened, drained time.Time
	// late is when a cordon closed it whose run was over by then. Its pods stay, and whoever takes the lock after that counts it as out.
	late time.Time
	era  int
}

// app is a workload with a disruption budget; pod one of its pods. A pod without a node waits for one.
type app struct {
	name              string
	replicas, desired int
}

type pod struct {
	name, app, node string
	ready           time.Time
}

func errorf(format string, args ...any) error { return fmt.Errorf(format, args...) }

func newWorld(s *sim, site lifecycle.Site) *world {
	w := &world{sim: s, machines: map[string]*machine{}, nodes: map[string]*node{}, peers: map[string]string{}, closed: map[string]bool{}}
	w.declare(site)
	return w
}

// declare changes what the repository says. Hosts that are new to the world are fresh machines.
func (w *world) declare(site lifecycle.Site) {
	w.site = site
	for _, h := range site.Cluster.Hosts {
		if w.machines[h.Name] == nil {
			w.machines[h.Name] = freshMachine(h.Name)
		}
		w.peers[h.Name] = h.ClusterAddress()
	}
	w.named = slices.Sorted(maps.Keys(w.machines))
}

func (w *world) now() time.Time { return time.Now() }

func (w *world) fail(format string, args ...any) { w.sim.fail(format, args...) }

func (w *world) between(key string, low, high time.Duration) time.Duration {
	return w.sim.between(key, low, high)
}

// names are the machines in order.
func (w *world) names() []string { return w.named }

func (w *world) controllers() []*machine {
	var out []*machine
	for _, name := range w.names() {
		if m := w.machines[name]; m.disk.ServiceName == "k0scontroller" {
			out = append(out, m)
		}
	}
	return out
}

// quorum reports whether etcd has it, without the given member.
func (w *world) quorum(without string) bool {
	n := 0
	for _, member := range w.etcd {
		if m := w.machines[member]; member != without && !m.running(w.now()).IsZero() {
			n++
		}
	}
	return n > len(w.etcd)/2
}

// serves reports whether the host's API server answers.
func (w *world) serves(name string) bool {
	return slices.Contains(w.etcd, name) && w.quorum("") && !w.machines[name].running(w.now()).IsZero()
}

func (w *world) apiUp() bool { return !w.silent && slices.ContainsFunc(w.etcd, w.serves) }

func (w *world) backup() error {
	if !w.apiUp() {
		return errors.New("no controller answers that could be backed up")
	}
	return nil
}

func (w *world) leave(name string) error {
	if !w.apiUp() {
		return errors.New("etcd has no quorum")
	}
	if slices.Equal(w.etcd, []string{name}) {
		return errors.New("it is the last member of etcd")
	}
	w.etcd = slices.DeleteFunc(slices.Clone(w.etcd), func(m string) bool { return m == name })
	if m := w.machines[name]; m != nil {
		m.joined = false
	}
	return nil
}

func (w *world) reboot(m *machine) {
	w.power(m, false)
	go func() {
		time.Sleep(w.between(m.name+" is away", 15*time.Second, time.Minute))
		w.sim.with(func() { w.power(m, true) })
	}()
}

// live lets pass what comes about by itself: machines join with their tokens, kubelets and leaders report, pods find nodes.
func (w *world) live() {
	now := w.now()
	for _, name := range w.names() {
		m := w.machines[name]
		v := m.running(now)
		if v.IsZero() {
			continue
		}
		m.downSince = time.Time{}
		if !m.joined && m.disk.Token && now.Before(m.tokenUntil) && w.apiUp() {
			m.joined = true
		}
		if !m.joined {
			continue
		}
		if m.disk.ServiceName == "k0scontroller" && !slices.Contains(w.etcd, name) && w.quorum("") {
			w.etcd = append(slices.Clone(w.etcd), name)
			slices.Sort(w.etcd)
			w.sim.record("%s is a member of etcd", name)
		}
		w.report(m, v)
	}
	if w.apiUp() {
		w.leases = now
		w.schedule(now)
	}
}

// report has a machine's kubelet say that its node is Ready.
func (w *world) report(m *machine, v lifecycle.Version) {
	if m.disk.ServiceName != "k0sworker" {
		if decl, ok := w.site.Cluster.Host(m.name); !ok || !decl.Role.RunsWorkloads() {
			return
		}
	}
	if !w.apiUp() {
		return
	}
	n := w.nodes[m.name]
	if n == nil {
		n = &node{NodeState: lifecycle.NodeState{Name: m.name, InternalIP: w.peers[m.name]}}
		w.nodes[m.name] = n
		w.sim.record("%s is a node", m.name)
	}
	if !n.Ready {
		n.Ready, n.Why, n.changed = true, "", w.now()
		n.version++
	}
	if n.runs != v {
		n.runs, n.Kubelet = v, v.Kubelet()
	}
	n.Heartbeat = w.now().Add(m.skew)
}

// schedule gives pods that have lost their node another, and those that have none one.
func (w *world) schedule(now time.Time) {
	for _, p := range w.pods {
		if n := w.nodes[p.node]; p.node != "" && (n == nil || !n.Ready && now.Sub(n.changed) > 5*time.Minute) {
			p.node = ""
		}
		if p.node != "" {
			continue
		}
		if best := w.roomiest(); best != "" {
			p.node, p.ready = best, now.Add(w.between(p.name+" starts", 2*time.Second, 12*time.Second))
		}
	}
}

func (w *world) roomiest() string {
	best, least := "", 0
	for _, name := range slices.Sorted(maps.Keys(w.nodes)) {
		n := w.nodes[name]
		if !n.Ready || n.Unschedulable {
			continue
		}
		load := 0
		for _, p := range w.pods {
			if p.node == name {
				load++
			}
		}
		if best == "" || load < least {
			best, least = name, load
		}
	}
	return best
}

func (w *world) healthy(p *pod) bool {
	n := w.nodes[p.node]
	return p.node != "" && n != nil && n.Ready && !w.now().Before(p.ready)
}

// budgets are what the API tells of them.
func (w *world) budgets() []lifecycle.Budget {
	var out []lifecycle.Budget
	for _, a := range w.apps {
		b := lifecycle.Budget{Namespace: "shop", Name: a.name, Rule: fmt.Sprintf("minAvailable %d", a.desired), Desired: a.desired,
			Expected: a.replicas, Owner: "Deployment shop/" + a.name}
		for _, p := range w.pods {
			if p.app != a.name {
				continue
			}
			ok := w.healthy(p)
			if ok {
				b.Healthy++
			}
			b.Pods = append(b.Pods, lifecycle.BudgetPod{Name: p.name, Node: p.node, Ready: ok})
		}
		b.Allowed = max(0, b.Healthy-b.Desired)
		out = append(out, b)
	}
	return out
}

// evict asks for the eviction of one pod of the node that a budget lets go. It reports how many are left, and how many may go now.
func (w *world) evict(node string) (left int, err error) {
	n := w.nodes[node]
	if n == nil {
		return 0, nil
	}
	moved := false
	for _, p := range w.pods {
		if p.node != node {
			continue
		}
		for _, b := range w.budgets() {
			if !moved && b.Name == p.app && (b.Allowed > 0 || !w.healthy(p) && b.Healthy >= b.Desired) {
				p.node, moved = "", true
			}
		}
		if p.node == node {
			left++
		}
	}
	return left, nil
}

// keeper keeps the site's lock, as it is written on the condition that it is as it was read.
type keeper interface {
	readLock() lifecycle.Lock
	writeLock(want lifecycle.Lock) (lifecycle.Lock, error)
}

// lease is the lock in the API. It stays when nobody holds it, for the epoch.
type lease struct {
	lock   lifecycle.Lock
	writes int
}

func (l *lease) readLock() lifecycle.Lock {
	now := l.lock
	now.Where = "lease kube-system/kiban"
	return now
}

func (l *lease) writeLock(want lifecycle.Lock) (lifecycle.Lock, error) {
	if want.Version != l.lock.Version {
		return lifecycle.Lock{}, lifecycle.ErrLockMoved
	}
	l.writes++
	want.Version, want.Beat = fmt.Sprint(l.writes), fmt.Sprint(l.writes)
	l.lock = want
	return l.readLock(), nil
}

// A machine keeps the lock under /run: of one that nobody holds the epoch alone, which is that of the last change if that was greater.

func (m *machine) readLock() lifecycle.Lock {
	now := m.lock
	now.Where = "/run/kiban on " + m.name
	if !now.Held() {
		now.Epoch, now.Version = m.epoch, fmt.Sprintf(" %d", m.epoch)
	}
	return now
}

func (m *machine) writeLock(want lifecycle.Lock) (lifecycle.Lock, error) {
	was, count, _ := strings.Cut(want.Version, " ")
	n, _ := strconv.Atoi(count) // none is 0
	switch {
	case want.Holder == was && was != "": // a renewal
		if m.lock.Holder != was {
			return lifecycle.Lock{}, lifecycle.ErrLockMoved
		}
		want.Epoch = max(want.Epoch, m.lock.Epoch)
	case !want.Held():
		if was == "" {
			return m.readLock(), nil
		}
		if m.lock.Holder != was {
			return lifecycle.Lock{}, lifecycle.ErrLockMoved
		}
		m.lock, m.epoch = lifecycle.Lock{}, max(m.epoch, want.Epoch)
		return m.readLock(), nil
	default:
		if m.readLock().Version != want.Version {
			return lifecycle.Lock{}, lifecycle.ErrLockMoved
		}
		n, m.epoch = 0, max(m.epoch, want.Epoch)
	}
	want.Version = fmt.Sprintf("%s %d", want.Holder, n+1)
	want.Beat = want.Version
	m.lock = want
	return m.readLock(), nil
}
