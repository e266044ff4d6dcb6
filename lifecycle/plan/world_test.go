package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// world is a model of a site: machines, etcd, nodes. Actions change it in the small parts in which real ones can be cut off. It knows
// nothing of how plans are made.
type world struct {
	site  lifecycle.Site
	hosts map[string]*lifecycle.HostState
	nodes map[string]*lifecycle.NodeState
	etcd  []string // members, by host
	// peers are the addresses that members joined at.
	peers map[string]string
	// drained are nodes without pods; lost is what must not happen and did.
	drained map[string]bool
	lost    []string
	// budgets are what the API would tell of disruption budgets.
	budgets []lifecycle.Budget
	// What watch compares with: whether etcd had its quorum, how many nodes were out of service, which ones an administrator had cordoned.
	hadQuorum bool
	wereOut   int
	closed    map[string]bool
	// wereNotReady are nodes that were not Ready when the run began.
	wereNotReady map[string]bool
	stuck        []lifecycle.StuckPod
	// former are the files that are kept with a former k0s, by host.
	former map[string][]lifecycle.FileState
	// kept is what hosts ran with before a change, while it is kept.
	kept map[string]lifecycle.HostState
	// loaded is what k0s read of the declared files when it last started, by host and path.
	loaded map[string]map[string]string
	// pinned is what the cluster keeps of its pin, later how long after the clock it is; acts is what the programs of controllers act as,
	// rewritten whose k0s.yaml was written since their k0s changed, and unpinned which have ever run a version as what it is since.
	pinned              lifecycle.Pinned
	later               time.Duration
	acts                map[string]string
	rewritten, unpinned map[string]bool
	// asked are the steps by which this run has asked a staged k0s about its machine.
	asked map[string]bool
}

func freshWorld(site lifecycle.Site) *world {
	w := &world{hosts: map[string]*lifecycle.HostState{}, nodes: map[string]*lifecycle.NodeState{}, drained: map[string]bool{},
		loaded: map[string]map[string]string{}, peers: map[string]string{}, former: map[string][]lifecycle.FileState{},
		kept: map[string]lifecycle.HostState{}, acts: map[string]string{}, rewritten: map[string]bool{}, unpinned: map[string]bool{}}
	w.declare(site)
	return w
}

// declare changes what is declared. Hosts that are new to the world are fresh machines.
func (w *world) declare(site lifecycle.Site) {
	w.site = site
	for _, h := range site.Cluster.Hosts {
		if w.hosts[h.Name] == nil {
			w.hosts[h.Name] = &lifecycle.HostState{Name: h.Name, Hostname: h.Name, Arch: "amd64", FreeBytes: 10 << 30,
				Service: lifecycle.ServiceAbsent}
		}
	}
}

func (w *world) clone() *world {
	c := *w
	c.hosts, c.nodes, c.drained = map[string]*lifecycle.HostState{}, map[string]*lifecycle.NodeState{}, map[string]bool{}
	for k, v := range w.hosts {
		h := *v
		h.Staged, h.Files = slices.Clone(h.Staged), slices.Clone(h.Files)
		c.hosts[k] = &h
	}
	for k, v := range w.nodes {
		n := *v
		c.nodes[k] = &n
	}
	for k, v := range w.drained {
		c.drained[k] = v
	}
	c.loaded = maps.Clone(w.loaded) // what is in it is never changed
	c.peers, c.former, c.kept = maps.Clone(w.peers), maps.Clone(w.former), maps.Clone(w.kept)
	c.acts, c.rewritten, c.unpinned = maps.Clone(w.acts), maps.Clone(w.rewritten), maps.Clone(w.unpinned)
	c.etcd, c.lost = slices.Clone(w.etcd), slices.Clone(w.lost)
	return &c
}

// quorum reports whether etcd has it, without the given host.
func (w *world) quorum(without string) bool {
	n := 0
	for _, m := range w.etcd {
		if m != without && w.hosts[m] != nil && !w.hosts[m].Running.IsZero() {
			n++
		}
	}
	return n > len(w.etcd)/2
}

// serves reports whether the host's API server answers.
func (w *world) serves(host string) bool {
	return slices.Contains(w.etcd, host) && w.quorum("") && !w.hosts[host].Running.IsZero()
}

func (w *world) apiUp() bool { return slices.ContainsFunc(w.etcd, w.serves) }

// observe is what kiban would see.
func (w *world) observe() lifecycle.State {
	st := lifecycle.State{Site: w.site.Name, ObservedAt: clock.Add(w.later)}
	st.API.NotYet = true
	for _, h := range w.site.Cluster.Hosts {
		s := *w.hosts[h.Name]
		s.Staged, s.Files = slices.Clone(s.Staged), slices.DeleteFunc(slices.Clone(s.Files), func(f lifecycle.FileState) bool {
			return !slices.ContainsFunc(h.Files, func(d lifecycle.HostFile) bool { return d.Path == f.Path })
		})
		s.PinHeld = !s.Former.IsZero() && lifecycle.Emulated(s.Config) != "" && !w.rewritten[h.Name]
		st.Hosts = append(st.Hosts, s)
		if h.Role.IsController() && s.Installed() {
			st.API.NotYet = false
		}
	}
	if !w.apiUp() {
		st.API.Unknown = "no API server answers"
		return st
	}
	st.API.ClusterUID = "7d0f"
	st.Past.Pinned.Value = w.pinned
	for _, h := range w.site.Cluster.Hosts {
		if h.Role.IsController() && w.hosts[h.Name].Installed() {
			st.API.Servers = append(st.API.Servers, lifecycle.APIServer{Host: h.Name, Ready: w.serves(h.Name),
				Version: w.hosts[h.Name].Running.Kubelet(), Emulates: w.acts[h.Name]})
		}
	}
	for _, name := range sorted(w.nodes) {
		st.Nodes = append(st.Nodes, *w.nodes[name])
	}
	for _, m := range w.etcd {
		st.Etcd.Members = append(st.Etcd.Members, lifecycle.EtcdMember{Name: m, PeerAddress: w.peers[m]})
	}
	st.Budgets, st.Stuck = w.budgets, w.stuck
	return st
}

// parts are the small parts of a step's action, each of which a SIGKILL can come behind. A part that is done already changes nothing. One
// that keeps what a machine ran with does so first.
func (w *world) parts(s lifecycle.Step) []func(*world) {
	if !s.Keeps {
		does := w.actions(s)
		changes := s.Action == lifecycle.ActionUpgrade || s.Action == lifecycle.ActionReinstall || s.Action == lifecycle.ActionConfigure
		if s.Action == lifecycle.ActionFiles {
			decl, _ := w.site.Cluster.Host(s.Target)
			changes = restarts(decl.FileChanges(*w.hosts[s.Target]))
		}
		if len(does) > 0 && changes && !w.hosts[s.Target].Kept.IsZero() {
			does = append([]func(*world){func(w *world) { w.hosts[s.Target].Kept = time.Time{} }}, does...)
		}
		return does
	}
	return append([]func(*world){func(w *world) { w.keepSettings(s.Target) }}, w.actions(s)...)
}

// keepSettings keeps what a machine runs with, unless it keeps something already.
func (w *world) keepSettings(h string) {
	if s := w.hosts[h]; s.Kept.IsZero() {
		w.kept[h] = *s
		s.Kept = clock
	}
}

// restoreSettings puts back what is kept.
func (w *world) restoreSettings(h string) {
	s := w.hosts[h]
	if s.Kept.IsZero() {
		return
	}
	had := w.kept[h]
	s.Arguments, s.Environment, s.Config, s.ConfigDigest, s.Files = had.Arguments, had.Environment, had.Config, had.ConfigDigest, had.Files
}

func (w *world) actions(s lifecycle.Step) []func(*world) {
	h := s.Target
	decl, _ := w.site.Cluster.Host(h)
	stop := func(w *world) { w.stop(h) }
	binary := func(w *world) { w.install(h, s.Version) }
	unit := func(w *world) { w.unit(decl) }
	start := func(w *world) { w.start(decl) }
	register := func(w *world) { w.register(decl) }
	anyFile := func(lifecycle.FileChange) bool { return true }
	quiet := func(c lifecycle.FileChange) bool { return !c.PutStopped() }
	versioned := w.putFiles(decl.At(s.Version), lifecycle.FileChange.PutStopped)[1:]
	switch s.Action {
	case lifecycle.ActionPrepare:
		return w.putFiles(decl.At(w.hosts[h].Binary), quiet)
	case lifecycle.ActionFiles:
		if s.Stopped && !w.hosts[h].Running.IsZero() {
			return []func(*world){func(*world) {}}
		}
		at, which := w.hosts[h].Binary, anyFile
		if !s.Version.IsZero() {
			at = s.Version
			if !w.hosts[h].Running.IsZero() {
				which = quiet
			}
		}
		put := w.putFiles(decl.At(at), which)
		if s.Version.IsZero() && !w.hosts[h].Running.IsZero() &&
			slices.ContainsFunc(decl.At(at).FileChanges(*w.hosts[h]), lifecycle.FileChange.Restarts) {
			return append(append([]func(*world){stop}, put...), start, register)
		}
		return append(put, func(*world) {})
	case lifecycle.ActionBackup:
		return []func(*world){func(w *world) {}}
	case lifecycle.ActionUpload:
		return []func(*world){func(w *world) { w.hosts[h].Staged = append(w.hosts[h].Staged, s.Version) }}
	case lifecycle.ActionPreflight:
		return []func(*world){func(w *world) {
			if !slices.Contains(w.hosts[h].Staged, s.Version) {
				w.fail("%s: %s is asked and was not staged", h, s.Version)
			}
			w.asked[h+"@"+s.Version.String()] = true
		}}
	case lifecycle.ActionConfigure:
		return []func(*world){func(w *world) {
			if s.Stopped && !w.hosts[h].Running.IsZero() {
				return
			}
			w.hosts[h].Config, w.hosts[h].ConfigDigest = decl.Config, decl.ConfigDigest
			if !s.Emulates.IsZero() {
				held, err := lifecycle.Emulating(decl.Config, s.Emulates)
				if err != nil {
					panic(err)
				}
				w.hosts[h].Config, w.hosts[h].ConfigDigest = held, lifecycle.Digest(held)
			}
			w.rewritten[h] = true
			if s.Version.IsZero() && !w.hosts[h].Running.IsZero() {
				w.stop(h)
				w.start(decl)
			}
		}, register}
	case lifecycle.ActionInitialize, lifecycle.ActionJoinController:
		return slices.Concat([]func(*world){func(w *world) { w.hosts[h].Token = s.Action == lifecycle.ActionJoinController }, binary}, versioned,
			[]func(*world){unit, start, func(w *world) { w.joinEtcd(h) }, register, func(w *world) { w.hosts[h].Token = false }})
	case lifecycle.ActionJoinWorker:
		return slices.Concat([]func(*world){func(w *world) { w.hosts[h].Token = true }, binary}, versioned, []func(*world){unit, start, register,
			func(w *world) { w.hosts[h].Token = false }})
	case lifecycle.ActionUpgrade:
		keep := func(w *world) {
			if (len(s.OnFailure) > 0 || decl.Role.IsController()) && !w.hosts[h].Binary.IsZero() && w.hosts[h].Binary != s.Version {
				w.hosts[h].Former, w.former[h] = w.hosts[h].Binary, slices.Clone(w.hosts[h].Files)
				w.rewritten[h], w.unpinned[h] = false, false
			}
		}
		begin := func(w *world) {
			if w.hosts[h].Binary != s.Version && !w.asked[h+"@"+s.Version.String()] {
				w.fail("%s changes to %s, which was not asked about it", h, s.Version)
			}
			keep(w)
		}
		return slices.Concat([]func(*world){begin, stop, binary}, versioned, []func(*world){unit, start, register})
	case lifecycle.ActionPin, lifecycle.ActionSoak, lifecycle.ActionCommit, lifecycle.ActionUnpin:
		return []func(*world){func(w *world) { w.notePin(s) }}
	case lifecycle.ActionRestoreFormer:
		if w.unpinned[h] && s.Version.MinorsAhead(w.hosts[h].Binary) != 0 {
			w.fail("%s goes back to %s, and has run a newer one as what it is", h, s.Version)
		}
		return []func(*world){stop, func(w *world) { w.putBack(h, s.Version) }, start, register}
	case lifecycle.ActionRestoreSettings:
		return []func(*world){stop, func(w *world) { w.restoreSettings(h) }, start, func(w *world) { w.hosts[h].Kept = time.Time{} }, register}
	case lifecycle.ActionForgetSettings:
		return []func(*world){func(w *world) {
			if n := w.nodes[h]; w.hosts[h].Running.IsZero() || n != nil && !n.Ready {
				w.fail("%s: what it ran with is forgotten while it is not well", h)
			}
			w.hosts[h].Kept = time.Time{}
		}}
	case lifecycle.ActionForgetFormer:
		return []func(*world){func(w *world) { w.forget(h) }}
	case lifecycle.ActionReinstall:
		return slices.Concat([]func(*world){stop}, versioned, []func(*world){unit, start, register})
	case lifecycle.ActionStart:
		return []func(*world){start, register}
	case lifecycle.ActionRestart:
		return []func(*world){stop, start, register}
	case lifecycle.ActionLabel:
		return []func(*world){func(w *world) { w.label(h, s.Node) }}
	case lifecycle.ActionCordon:
		return []func(*world){func(w *world) { w.cordon(h) }}
	case lifecycle.ActionDrain:
		return []func(*world){func(w *world) {}, func(w *world) { w.drain(h) }}
	case lifecycle.ActionUncordon:
		return []func(*world){func(w *world) { w.uncordon(h) }}
	case lifecycle.ActionLeaveEtcd:
		return []func(*world){func(w *world) {
			w.etcd = slices.DeleteFunc(slices.Clone(w.etcd), func(m string) bool { return m == h })
		}}
	case lifecycle.ActionReset:
		return []func(*world){stop, func(w *world) {
			w.hosts[h].ServiceName, w.hosts[h].Service, w.hosts[h].Arguments = "", lifecycle.ServiceAbsent, nil
		},
			func(w *world) { w.hosts[h].Data = false }, // `k0s reset` has wiped; its binary and configuration are still there
			func(w *world) {
				*w.hosts[h] = lifecycle.HostState{Name: h, Hostname: h, Arch: "amd64", FreeBytes: 10 << 30, Service: lifecycle.ServiceAbsent}
			}}
	case lifecycle.ActionDeleteNode:
		return []func(*world){func(w *world) {
			if !w.hosts[h].Running.IsZero() {
				w.fail("%s: its node is deleted while its kubelet runs", h)
			}
			delete(w.nodes, h)
		}}
	case lifecycle.ActionCompactEtcd:
		return []func(*world){func(w *world) {
			for _, m := range w.etcd {
				w.etcdOf(m).InUse = w.hosts[m].Etcd.Quota / 10
			}
		}}
	case lifecycle.ActionDefragment:
		return []func(*world){func(w *world) {
			for _, m := range w.etcd {
				if len(w.etcd) > 2 && !w.serves(m) {
					w.fail("%s answers nobody while %s is away", h, m)
				}
			}
			e := w.etcdOf(h)
			e.Size = e.InUse
		}}
	case lifecycle.ActionDisarmEtcd:
		return []func(*world){func(w *world) {
			for _, m := range w.etcd {
				if w.hosts[m].Etcd.NearlyFull() {
					w.fail("the alarm is taken back while %s is full", m)
				}
			}
			for _, m := range w.etcd {
				w.etcdOf(m).Alarms = nil
			}
		}}
	case lifecycle.ActionTidy:
		return []func(*world){func(w *world) { w.hosts[h].Token, w.hosts[h].Staged = false, nil }}
	}
	panic("no such action: " + s.Action)
}

// notePin is what becomes of the cluster's record.
func (w *world) notePin(s lifecycle.Step) {
	now := clock.Add(w.later)
	switch {
	case s.Action == lifecycle.ActionPin && !w.pinned.Open():
		w.pinned = lifecycle.Pinned{Former: s.From, To: s.Version, Since: now}
	case s.Action == lifecycle.ActionPin:
		w.pinned.Soaks = time.Time{}
	case s.Action == lifecycle.ActionSoak && w.pinned.Soaks.IsZero():
		w.pinned.Soaks = now
	case s.Action == lifecycle.ActionCommit:
		w.pinned.Ended, w.pinned.End = now, lifecycle.EndCommit
	case s.Action == lifecycle.ActionUnpin:
		w.pinned.Ended, w.pinned.End = now, lifecycle.EndBack
	}
}

// etcdOf is the host's etcd, to be changed.
func (w *world) etcdOf(h string) *lifecycle.EtcdStatus {
	e := *w.hosts[h].Etcd
	w.hosts[h].Etcd = &e
	return &e
}

// putFiles are the parts of putting a host's files that differ, one by one.
func (w *world) putFiles(decl lifecycle.Host, which func(lifecycle.FileChange) bool) []func(*world) {
	parts := []func(*world){func(*world) {}}
	if decl.Name == "" {
		return parts
	}
	for _, c := range decl.FileChanges(*w.hosts[decl.Name]) {
		if !which(c) {
			continue
		}
		parts = append(parts, func(w *world) {
			s := w.hosts[decl.Name]
			if !c.Fits(s.Running) {
				w.fail("%s: %s is put while k0s %s runs, which does not take it", decl.Name, c.Path, s.Running)
			}
			s.Files = slices.DeleteFunc(slices.Clone(s.Files), func(f lifecycle.FileState) bool { return f.Path == c.Path })
			s.Files = append(s.Files, lifecycle.FileState{Path: c.Path, Digest: c.Digest, Mode: c.Mode, Owner: c.Owner, Group: c.Group})
			slices.SortFunc(s.Files, func(a, b lifecycle.FileState) int { return strings.Compare(a.Path, b.Path) })
		})
	}
	return parts
}

func (w *world) stop(h string) {
	s := w.hosts[h]
	if n := w.nodes[h]; n != nil {
		if n.Ready && !w.drained[h] && w.mustDrain(h) {
			w.fail("%s stops under its pods", h)
		}
		n.Ready = false
	}
	if s.Installed() {
		s.Service = lifecycle.ServiceStopped
	}
	s.Running = lifecycle.Version{}
}

// mustDrain reports whether the host's pods must have moved away before k0s stops. A plain restart (configure) leaves pods running;
// where no other node is open they have nowhere to move to.
func (w *world) mustDrain(h string) bool {
	decl, _ := w.site.Cluster.Host(h)
	for name, n := range w.nodes {
		if name != h && (!n.Unschedulable || !n.Mark.IsZero()) && decl.Role == lifecycle.RoleWorker {
			return true
		}
	}
	return false
}

func (w *world) install(h string, v lifecycle.Version) {
	s := w.hosts[h]
	if s.Binary == v {
		return
	}
	if !slices.Contains(s.Staged, v) {
		w.fail("%s: %s is installed but was not staged", h, v)
	}
	s.BinaryProblem, s.Binary, s.Staged = "", v, slices.DeleteFunc(s.Staged, func(o lifecycle.Version) bool { return o == v })
}

func (w *world) putBack(h string, v lifecycle.Version) {
	s := w.hosts[h]
	if s.Former != v && s.Binary != v {
		w.fail("%s: %s is to be put back, but %s was kept", h, v, s.Former)
	}
	if s.Former == v {
		s.Files = w.former[h]
	}
	s.Binary, s.Former = v, lifecycle.Version{}
}

func (w *world) forget(h string) {
	if n := w.nodes[h]; n != nil && !n.Ready {
		w.fail("%s: its way back is removed while its node is not Ready", h)
	}
	w.hosts[h].Former = lifecycle.Version{}
}

func (w *world) unit(decl lifecycle.Host) {
	s := w.hosts[decl.Name]
	s.ServiceName, s.Arguments = "k0sworker", decl.Arguments
	if decl.Environment != "" {
		s.Environment = decl.Environment
	}
	if decl.Role.IsController() {
		s.ServiceName = "k0scontroller"
	}
	if s.Service == lifecycle.ServiceAbsent {
		s.Service = lifecycle.ServiceStopped
	}
}

func (w *world) start(decl lifecycle.Host) {
	s := w.hosts[decl.Name]
	if !s.Installed() || s.Binary.IsZero() {
		w.fail("%s: k0s is started but not installed", decl.Name)
		return
	}
	s.Service, s.Running, s.Data = lifecycle.ServiceRunning, s.Binary, true
	s.ServiceSince = clock.Add(-time.Second)
	if w.load(s); decl.Role.IsController() {
		own := lifecycle.EmulatedMinor(s.Running)
		if w.acts[decl.Name] = lifecycle.Emulated(s.Config); w.acts[decl.Name] == "" {
			w.acts[decl.Name] = own
		}
		w.unpinned[decl.Name] = w.unpinned[decl.Name] || w.acts[decl.Name] == own && s.Running != s.Former
	}
	for _, f := range decl.Files { // with another content the file is of the former form
		if have := s.File(f.Path).Digest; !f.Since.IsZero() && have != "" && (have == f.Digest) != f.Fits(s.Running) {
			w.fail("%s: k0s %s starts with %s of the wrong version", decl.Name, s.Running, f.Path)
		}
	}
	if decl.Role == lifecycle.RoleWorker {
		for _, c := range w.site.Cluster.Hosts {
			if c.Role.IsController() && newerKubernetes(s.Running, w.hosts[c.Name].Running) && !w.hosts[c.Name].Running.IsZero() {
				w.fail("%s: its kubelet %s is newer than the API server of %s, %s", decl.Name, s.Running, c.Name, w.hosts[c.Name].Running)
			}
		}
	}
}

// load has k0s read the files, and the arguments, which may name some.
func (w *world) load(s *lifecycle.HostState) {
	w.loaded[s.Name] = map[string]string{}
	for _, f := range s.Files {
		w.loaded[s.Name][f.Path] = f.Digest
	}
	for _, a := range s.Arguments {
		if _, file, ok := strings.Cut(a, "-file="); ok && w.loaded[s.Name][file] == "" {
			w.fail("%s: k0s starts with %s, which is not there", s.Name, a)
		}
	}
}

// stale are the files that k0s runs without having read them as they are declared.
func (w *world) stale() []string {
	var out []string
	for _, h := range w.site.Cluster.Hosts {
		for _, f := range h.Files {
			if f.Restart && !h.Reset && w.loaded[h.Name][f.Path] != f.Digest {
				out = append(out, h.Name+":"+f.Path)
			}
		}
	}
	return out
}

func (w *world) register(decl lifecycle.Host) {
	s := w.hosts[decl.Name]
	if !decl.Role.RunsWorkloads() || !w.apiUp() || s.Running.IsZero() {
		return
	}
	if w.nodes[decl.Name] == nil {
		w.nodes[decl.Name] = &lifecycle.NodeState{Name: decl.Name, Labels: nodeLabels(s.Arguments), Taints: nodeTaints(s.Arguments)}
	}
	w.nodes[decl.Name].Ready, w.nodes[decl.Name].Kubelet = true, s.Running.Kubelet()
	if !w.nodes[decl.Name].Unschedulable {
		w.drained[decl.Name] = false
	}
}

// label writes labels and taints on a node.
func (w *world) label(name string, c lifecycle.NodeChange) {
	n := *w.nodes[name]
	n.Labels = maps.Clone(n.Labels)
	if n.Labels == nil {
		n.Labels = map[string]string{}
	}
	maps.Copy(n.Labels, c.Labels)
	for _, key := range c.Unlabel {
		delete(n.Labels, key)
	}
	n.Labelled = slices.Concat(n.Labelled, slices.Sorted(maps.Keys(c.Labels)))
	n.Tainted = slices.Concat(n.Tainted, c.Taints)
	n.Taints = slices.DeleteFunc(slices.Concat(n.Taints, c.Taints), func(t string) bool { return slices.Contains(c.Untaint, t) })
	slices.Sort(n.Taints)
	w.nodes[name] = &n
}

func (w *world) joinEtcd(h string) {
	if !slices.Contains(w.etcd, h) {
		host, _ := w.site.Cluster.Host(h)
		w.etcd, w.peers[h] = append(w.etcd, h), host.ClusterAddress()
		slices.Sort(w.etcd)
	}
}

func (w *world) cordon(h string) {
	n := w.nodes[h]
	if n.Unschedulable && n.Mark.IsZero() {
		w.fail("%s: kiban cordons a node that an administrator has cordoned", h)
	}
	n.Unschedulable, n.Mark = true, lifecycle.Mark{Run: "run"}
}

func (w *world) drain(h string) {
	if !w.nodes[h].Unschedulable {
		w.fail("%s is drained but not cordoned", h)
	}
	if !w.nodes[h].Ready {
		w.fail("%s is drained, but has no kubelet to end its pods", h)
	}
	w.drained[h] = true
}

func (w *world) uncordon(h string) {
	n := w.nodes[h]
	if n.Mark.IsZero() {
		w.fail("%s: kiban uncordons a node without its mark", h)
	}
	if !n.Ready {
		w.fail("%s is uncordoned but not Ready", h)
	}
	n.Unschedulable, n.Mark = false, lifecycle.Mark{}
	w.drained[h] = false
}

func (w *world) fail(format string, args ...any) {
	w.lost = append(w.lost, fmt.Sprintf(format, args...))
}

// heal lets pass what comes about by itself: a controller gets into etcd, a kubelet becomes Ready.
func (w *world) heal() {
	for _, h := range w.site.Cluster.Hosts {
		if s := w.hosts[h.Name]; h.Role.IsController() && !s.Running.IsZero() && (len(w.etcd) == 0 || w.quorum("")) && !s.Token && !h.Reset {
			w.joinEtcd(h.Name)
		}
		if w.nodes[h.Name] != nil || h.Role.IsController() {
			w.register(h)
		}
	}
}

// met is the model's answer to a gate.
func (w *world) met(g lifecycle.Gate) bool {
	h := w.hosts[g.Target]
	switch g.Kind {
	case lifecycle.GateEtcdQuorum:
		others := slices.DeleteFunc(slices.Clone(w.etcd), func(m string) bool { return m == g.Target })
		return (w.quorum(g.Target) || len(w.etcd) < 3) && !slices.ContainsFunc(others, func(m string) bool { return w.hosts[m].Running.IsZero() })
	case lifecycle.GateAPIServers:
		others := slices.DeleteFunc(slices.Clone(w.etcd), func(m string) bool { return m == g.Target })
		return !slices.ContainsFunc(others, func(m string) bool { return !w.serves(m) })
	case lifecycle.GateAPIReady:
		return w.serves(g.Target)
	case lifecycle.GateEtcdMember:
		return slices.Contains(w.etcd, g.Target)
	case lifecycle.GateEtcdLeft:
		return !slices.Contains(w.etcd, g.Target)
	case lifecycle.GateEmulates:
		return w.acts[g.Target] == lifecycle.EmulatedMinor(g.Version)
	case lifecycle.GateK0sRuns:
		return h.Running == g.Version
	case lifecycle.GateNodeReady:
		return w.nodes[g.Target] != nil && w.nodes[g.Target].Ready && w.nodes[g.Target].Kubelet == g.Version.Kubelet()
	case lifecycle.GateNodesReady:
		for name, n := range w.nodes {
			if excused := n.Unschedulable && (!n.Mark.IsZero() || w.wereNotReady[name]); !n.Ready && !excused {
				return false
			}
		}
	}
	return true
}

// String is the world without what a second look would not show again.
func (w *world) String() string {
	st := w.observe()
	st.API.Servers = nil
	b, err := json.MarshalIndent(st, "", " ")
	if err != nil {
		panic(err)
	}
	return string(b)
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// execute runs a plan in the model as apply would: stages one after another, within one several targets up to its width, in an order
// that pick chooses. It stops after the given number of parts, and reports how many there were.
func (w *world) execute(t *testing.T, p lifecycle.Plan, pick func(n int) int, limit int) (parts int, finished bool) {
	t.Helper()
	w.begin()
	w.asked = map[string]bool{}
	for _, stage := range p.Stages {
		var waiting []string
		queue := map[string][]lifecycle.Step{}
		for _, s := range p.Steps {
			if s.Stage == stage.ID {
				if queue[s.Target] == nil {
					waiting = append(waiting, s.Target)
				}
				queue[s.Target] = append(queue[s.Target], s)
			}
		}
		width := stage.Width
		if width == 0 {
			width = len(waiting)
		}
		type flight struct {
			steps []lifecycle.Step
			parts []func(*world)
		}
		running := map[string]*flight{}
		for len(waiting) > 0 || len(running) > 0 {
			w.heal()
			for len(running) < width && len(waiting) > 0 {
				running[waiting[0]] = &flight{steps: queue[waiting[0]]}
				waiting = waiting[1:]
			}
			names := sorted(running)
			first, moved := pick(len(names)), false
			for i := range names {
				name := names[(first+i)%len(names)]
				f := running[name]
				if f.parts == nil {
					if !w.allMet(f.steps[0].Before) {
						continue // it waits; another may go on
					}
					w.onceAsked(p, f.steps[0])
					f.parts = w.parts(f.steps[0])
				}
				if len(f.parts) > 0 {
					f.parts[0](w)
					f.parts, parts, moved = f.parts[1:], parts+1, true
					w.watch(f.steps[0].ID, stage)
					if parts == limit {
						return parts, false
					}
					break
				}
				if !w.allMet(f.steps[0].After) {
					continue
				}
				f.parts, f.steps, moved = nil, f.steps[1:], true
				if len(f.steps) == 0 {
					delete(running, name)
				}
				break
			}
			if !moved {
				for _, name := range names {
					f := running[name]
					t.Errorf("%s waits for ever: before %v, after %v", f.steps[0].ID, f.steps[0].Before, f.steps[0].After)
				}
				t.Fatalf("plan:\n%s\nworld:\n%s", outline(p), w)
			}
		}
	}
	return parts, true
}

// watch looks at what must hold at every moment.
func (w *world) watch(step string, stage lifecycle.Stage) {
	if !w.quorum("") && w.hadQuorum && len(w.etcd) > 2 {
		w.fail("%s: etcd has lost its quorum", step)
	}
	if w.hadQuorum = w.quorum(""); len(w.etcd) < 3 {
		w.hadQuorum = false
	}
	out := 0
	for _, h := range w.site.Cluster.Workers() {
		if n := w.nodes[h.Name]; n != nil && (!n.Ready || !n.Mark.IsZero()) {
			out++
		}
	}
	if out > max(w.wereOut, w.site.Policy.Workers.AtOnce(len(w.site.Cluster.Workers()))) {
		w.fail("%s: %d workers are out of service at once", step, out)
	}
	for _, h := range sorted(w.closed) {
		if n := w.nodes[h]; n != nil && (!n.Unschedulable || !n.Mark.IsZero()) {
			w.fail("%s: %s is no longer cordoned by its administrator alone", step, h)
		}
	}
}

// begin notes how things stand before a plan is carried out.
func (w *world) begin() {
	w.hadQuorum, w.wereOut, w.closed = w.quorum("") && len(w.etcd) > 2, 0, map[string]bool{}
	w.wereNotReady = map[string]bool{}
	for name, n := range w.nodes {
		w.wereNotReady[name] = !n.Ready
		if !n.Ready || !n.Mark.IsZero() {
			w.wereOut++
		}
		if n.Unschedulable && n.Mark.IsZero() {
			w.closed[name] = true
		}
	}
}

func (w *world) allMet(gs []lifecycle.Gate) bool {
	return !slices.ContainsFunc(gs, func(g lifecycle.Gate) bool { return !w.met(g) })
}

// makePlan is Make without choices of an operator's.
// onceAsked holds that no machine is disturbed for a version before every new k0s of the plan was asked about its machine.
func (w *world) onceAsked(p lifecycle.Plan, s lifecycle.Step) {
	if !strings.Contains(s.Stage, "@") && // stages of a version are named by it: "workers@v1.36.3+k0s.2"
		s.Action != lifecycle.ActionUpgrade {
		return
	}
	for _, ask := range p.Steps {
		if ask.Action == lifecycle.ActionPreflight && !w.asked[ask.Target+"@"+ask.Version.String()] {
			w.fail("%s begins before %s", s.ID, ask.ID)
		}
	}
}

func makePlan(site lifecycle.Site, state lifecycle.State) lifecycle.Plan {
	return Make(site, state, lifecycle.PlanOptions{})
}
