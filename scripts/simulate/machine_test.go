package simulate

import (
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// machine is one machine: what is on its disk, and what runs.
type machine struct {
	name string
	// disk is what it would say of itself; Running is derived when it is asked.
	disk lifecycle.HostState
	// kept is what it ran with before a change, for as long as the disk says that it is kept.
	kept lifecycle.HostState
	// keptAt is when that was, in true time.
	keptAt time.Time
	// on: it has power. starts is when the service was last started; boot how long k0s then takes to answer.
	on     bool
	starts time.Time
	boot   time.Duration
	boots  int
	// skew is its clock minus true time.
	skew time.Duration
	// full: its disk takes no more.
	full bool
	// joined: k0s has credentials of the cluster. byToken: its service is to join with a token; a controller's without begins a cluster.
	// tokenUntil is when the token on its disk stops to be good.
	joined     bool
	byToken    bool
	tokenUntil time.Time
	// loaded is what k0s read of the declared files when it last started.
	loaded map[string]string
	// downSince is since when k0s does not answer, though it once did.
	downSince time.Time
	// era is the latest take of the lock under which something was done here.
	era int
	// lock is the site's lock as /run keeps it, epoch the greatest with which the machine was changed since it booted.
	lock  lifecycle.Lock
	epoch int
}

func freshMachine(name string) *machine {
	return &machine{name: name, on: true, disk: blank(name)}
}

func blank(name string) lifecycle.HostState {
	return lifecycle.HostState{Name: name, Hostname: name, Arch: "amd64", FreeBytes: 10 << 30, Service: lifecycle.ServiceAbsent}
}

// running is the version that k0s answers with; zero while it does not.
func (m *machine) running(now time.Time) lifecycle.Version {
	if !m.on || m.disk.Service != lifecycle.ServiceRunning || now.Sub(m.starts) < m.boot {
		return lifecycle.Version{}
	}
	return m.disk.Running
}

// look is what the machine says of itself.
func (m *machine) look(now time.Time, decl lifecycle.Host) lifecycle.HostState {
	s := m.disk
	s.Running = m.running(now)
	s.Staged = slices.Clone(s.Staged)
	s.Arguments = slices.Clone(s.Arguments)
	s.Files = slices.DeleteFunc(slices.Clone(s.Files), func(f lifecycle.FileState) bool {
		return !slices.ContainsFunc(decl.Files, func(d lifecycle.HostFile) bool { return d.Path == f.Path })
	})
	s.BootID = m.name + "-" + string(rune('a'+m.boots%26))
	s.Epoch = m.epoch
	s.ClockOffset = int(m.skew / time.Second)
	s.ServiceSince = m.starts.Add(m.skew)
	s.KeptBefore = !s.Kept.IsZero() && m.starts.After(m.keptAt)
	if m.full {
		s.FreeBytes = 0
	}
	return s
}

// power switches the machine off, or on again: then what is under /run is gone, and the service starts if there is one.
func (w *world) power(m *machine, on bool) {
	if m.on == on {
		return
	}
	m.on = on
	if !on {
		w.down(m)
		if w.onPowerCut != nil {
			w.onPowerCut(m)
		}
		return
	}
	m.boots++
	m.lock, m.epoch = lifecycle.Lock{}, 0
	if m.disk.Installed() && !m.disk.Binary.IsZero() {
		w.start(m)
	}
}

// down is k0s that ends, for whatever reason.
func (w *world) down(m *machine) {
	if m.disk.Installed() {
		m.disk.Service = lifecycle.ServiceStopped
	}
	m.disk.Running = lifecycle.Version{}
	if m.downSince.IsZero() {
		m.downSince = w.now()
	}
	if n := w.nodes[m.name]; n != nil && n.Ready {
		n.Ready, n.Why, n.changed = false, "kubelet stopped posting node status", w.now()
	}
}

// start starts the service with what is on the disk.
func (w *world) start(m *machine) {
	m.disk.Service, m.disk.Running, m.disk.Data = lifecycle.ServiceRunning, m.disk.Binary, true
	m.starts, m.boot = w.now(), w.between(m.name+" boots", 2*time.Second, 15*time.Second)
	if m.disk.ServiceName == "k0scontroller" && !m.byToken && !m.joined {
		if len(w.etcd) > 0 {
			w.fail("%s begins a second cluster beside %v", m.name, w.etcd)
		}
		w.etcd, m.joined = []string{m.name}, true
	}
	m.loaded = map[string]string{}
	for _, f := range m.disk.Files {
		m.loaded[f.Path] = f.Digest
	}
	for _, a := range m.disk.Arguments {
		if _, file, ok := strings.Cut(a, "-file="); ok && m.loaded[file] == "" {
			w.fail("%s: k0s starts with %s, which is not there", m.name, a)
		}
	}
	w.skew(m)
}

// skew holds that no kubelet is newer than an API server, when either starts: that of a controller that comes back, too.
func (w *world) skew(started *machine) {
	for _, c := range w.controllers() {
		for _, name := range w.names() {
			m := w.machines[name]
			if m.disk.ServiceName != "k0sworker" || started != m && started != c || !m.joined || !c.joined {
				continue
			}
			if runs(m) && runs(c) && newerMinor(m.disk.Running, c.disk.Running) {
				w.fail("%s: its kubelet %s is newer than the API server of %s, %s", m.name, m.disk.Running, c.name, c.disk.Running)
			}
		}
	}
}

func runs(m *machine) bool { return m.on && m.disk.Service == lifecycle.ServiceRunning }

func newerMinor(a, b lifecycle.Version) bool { return a.Minor > b.Minor }

// part is what one remote command does. A kill, a lost connection or a pause falls between two.
type part struct {
	name string
	do   func() error
	// writes: it needs room on the disk. after: it is done also when the step was interrupted, unless the process is gone.
	writes, after bool
	// until: it is asked again until it says so, at most so long.
	until func() bool
	limit time.Duration
}

// parts are what a step does to a machine. One that changes with what k0s runs keeps that first.
func (w *world) parts(s lifecycle.Step, decl lifecycle.Host, site lifecycle.Site) []part {
	does := w.actions(s, decl, site)
	if len(does) == 0 {
		return does
	}
	m := w.machines[s.Target]
	if !s.Keeps {
		if m == nil || m.disk.Kept.IsZero() || !slices.Contains(changing(), s.Action) {
			return does
		}
		forget := part{name: "forget settings", do: func() error { m.disk.Kept = time.Time{}; return nil }}
		return append([]part{forget}, does...) // they are from before a change that has no such way back
	}
	keep := part{name: "keep settings", writes: true, do: func() error {
		if m.disk.Kept.IsZero() {
			m.kept, m.disk.Kept, m.keptAt = m.disk, w.now().Add(m.skew), w.now()
		}
		return nil
	}}
	return append([]part{keep}, does...)
}

// changing are the actions that change with what k0s runs.
func changing() []lifecycle.Action {
	return []lifecycle.Action{lifecycle.ActionUpgrade, lifecycle.ActionReinstall, lifecycle.ActionConfigure}
}

// restoreSettings puts back what is kept.
func (w *world) restoreSettings(m *machine) {
	if m.disk.Kept.IsZero() {
		return
	}
	m.disk.Arguments, m.disk.Environment, m.disk.Files = m.kept.Arguments, m.kept.Environment, m.kept.Files
	m.disk.Config, m.disk.ConfigDigest = m.kept.Config, m.kept.ConfigDigest
}

// actions are what an action does to a machine, of which what is done already is left out. They are made when the machine has been looked
// at.
func (w *world) actions(s lifecycle.Step, decl lifecycle.Host, site lifecycle.Site) []part {
	m := w.machines[s.Target]
	if s.Action == lifecycle.ActionBackup {
		return []part{{name: "backup", do: w.backup}}
	}
	if s.Action == lifecycle.ActionLeaveEtcd {
		return []part{{name: "etcd leave", do: func() error { return w.leave(s.Target) }}}
	}
	have := m.look(w.now(), decl)
	stop := part{name: "stop", do: func() error { w.stop(m, decl); return nil }}
	start := part{name: "start", do: func() error {
		if !m.disk.Installed() || m.disk.Binary.IsZero() {
			return errorf("%s: k0s is not installed", m.name)
		}
		if m.disk.Service != lifecycle.ServiceRunning {
			w.start(m)
		}
		return nil
	}}
	binary := func(v lifecycle.Version) part {
		return part{name: "install " + v.String(), do: func() error { return w.install(m, v) }}
	}
	unit := part{name: "unit", do: func() error {
		w.unit(m, decl)
		switch s.Action {
		case lifecycle.ActionInitialize:
			m.byToken = false
		case lifecycle.ActionJoinController, lifecycle.ActionJoinWorker:
			m.byToken = true
		}
		return nil
	}}
	running := have.Service == lifecycle.ServiceRunning
	if s.Stopped && m.disk.Service == lifecycle.ServiceRunning {
		return nil // it has come up meanwhile, or is about to: what it reads, it has read
	}
	switch s.Action {
	case lifecycle.ActionPrepare:
		return w.putFiles(m, decl, have)
	case lifecycle.ActionFiles:
		put := w.putFiles(m, decl, have)
		if s.Version.IsZero() && running && slices.ContainsFunc(decl.FileChanges(have), lifecycle.FileChange.Restarts) {
			return append(append([]part{stop}, put...), start)
		}
		return put
	case lifecycle.ActionUpload:
		return []part{{name: "upload " + s.Version.String(), writes: true, do: func() error {
			if !slices.Contains(m.disk.Staged, s.Version) {
				m.disk.Staged = append(m.disk.Staged, s.Version)
				slices.SortFunc(m.disk.Staged, func(a, b lifecycle.Version) int { return strings.Compare(a.String(), b.String()) })
			}
			return nil
		}}}
	case lifecycle.ActionPreflight:
		return []part{{name: "preflight of " + s.Version.String(), do: func() error {
			if !slices.Contains(m.disk.Staged, s.Version) && m.disk.Binary != s.Version {
				w.fail("%s: %s is asked and lies nowhere there", m.name, s.Version)
			}
			return nil
		}}}
	case lifecycle.ActionConfigure:
		if have.ConfigDigest == decl.ConfigDigest {
			return nil
		}
		write := part{name: "k0s.yaml", writes: true, do: func() error {
			m.disk.Config, m.disk.ConfigDigest = decl.Config,
				decl.ConfigDigest
			return nil
		}}
		if s.Version.IsZero() && running {
			return []part{stop, write, start}
		}
		return []part{write}
	case lifecycle.ActionInitialize:
		return w.initialize(m, decl, s, have, []part{stop, binary(s.Version), unit, start})
	case lifecycle.ActionJoinController, lifecycle.ActionJoinWorker:
		return w.join(m, decl, s, have, []part{stop, binary(s.Version), unit, start})
	case lifecycle.ActionUpgrade, lifecycle.ActionReinstall:
		return w.upgrade(m, decl, s, have, stop, binary, unit, start)
	case lifecycle.ActionRestoreFormer:
		return []part{stop, {name: "put back", do: func() error { return w.putBack(m, s.Version) }}, start}
	case lifecycle.ActionRestoreSettings:
		return []part{stop, {name: "put settings back", do: func() error { w.restoreSettings(m); return nil }}, start,
			{name: "forget settings", do: func() error { m.disk.Kept = time.Time{}; return nil }}}
	case lifecycle.ActionForgetSettings:
		return []part{{name: "forget settings", do: func() error { m.disk.Kept = time.Time{}; return nil }}}
	case lifecycle.ActionForgetFormer:
		return []part{{name: "forget former", do: func() error { w.forget(m); return nil }}}
	case lifecycle.ActionStart:
		return []part{start}
	case lifecycle.ActionReset:
		return []part{stop,
			{name: "k0s reset", do: func() error {
				m.disk.ServiceName, m.disk.Service, m.disk.Arguments = "", lifecycle.ServiceAbsent, nil
				return nil
			}},
			{name: "wipe data", do: func() error { m.disk.Data, m.joined = false, false; return nil }},
			{name: "remove k0s", do: func() error { m.disk, m.downSince = blank(m.name), time.Time{}; return nil }}}
	case lifecycle.ActionTidy:
		return []part{{name: "tidy", do: func() error {
			m.disk.Token, m.disk.Staged = false, nil
			return nil
		}}}
	case lifecycle.ActionReboot:
		return []part{{name: "reboot", do: func() error { w.reboot(m); return nil }}}
	}
	panic("no such action: " + s.Action)
}

func (w *world) initialize(m *machine, decl lifecycle.Host, s lifecycle.Step, have lifecycle.HostState, install []part) []part {
	if have.Service == lifecycle.ServiceRunning && have.Running == s.Version {
		return nil
	}
	if have.Service != lifecycle.ServiceRunning {
		install = install[1:] // nothing is to be stopped
	}
	return slices.Concat([]part{w.config(m, decl)}, install[:len(install)-1], w.putFiles(m, decl, have), install[len(install)-1:])
}

func (w *world) config(m *machine, decl lifecycle.Host) part {
	return part{name: "k0s.yaml", writes: true, do: func() error {
		if decl.Role.IsController() {
			m.disk.Config, m.disk.ConfigDigest = decl.Config, decl.ConfigDigest
		}
		return nil
	}}
}

func (w *world) join(m *machine, decl lifecycle.Host, s lifecycle.Step, have lifecycle.HostState, install []part) []part {
	member := func() bool { return w.nodes[m.name] != nil && m.joined }
	if decl.Role.IsController() {
		member = func() bool { return slices.Contains(w.etcd, m.name) && m.joined }
	}
	spend := part{name: "spend the token", after: true, do: func() error { m.disk.Token = false; return nil }}
	if have.Service == lifecycle.ServiceRunning && have.Running == s.Version && member() {
		if have.Token {
			return []part{spend}
		}
		return nil
	}
	token := part{name: "write a token", writes: true, do: func() error {
		if !w.apiUp() {
			return errorf("no controller answers that could make a token")
		}
		m.disk.Token, m.tokenUntil = true, w.now().Add(10*time.Minute)
		return nil
	}}
	if have.Service != lifecycle.ServiceRunning {
		install = install[1:]
	}
	wait := part{name: "wait until it has joined", until: member, limit: 5 * time.Minute}
	anew := slices.Concat(install[:len(install)-2], []part{w.config(m, decl), install[len(install)-2]}, w.putFiles(m, decl, have),
		install[len(install)-1:])
	if have.Service == lifecycle.ServiceRunning && have.Running == s.Version {
		unlessJoined(anew, member)
	}
	return slices.Concat([]part{token}, anew, []part{wait, spend})
}

// unlessJoined has the parts do nothing where the machine turns out to have joined by itself when the first of them comes.
func unlessJoined(parts []part, joined func() bool) {
	looked, has := false, false
	for i, p := range parts {
		parts[i].do = func() error {
			if !looked {
				looked, has = true, joined()
			}
			if has {
				return nil
			}
			return p.do()
		}
	}
}

func (w *world) upgrade(m *machine, decl lifecycle.Host, s lifecycle.Step, have lifecycle.HostState, stop part,
	binary func(lifecycle.Version) part, unit, start part) []part {
	v := s.Version
	if v.IsZero() {
		v = have.Binary
	}
	declared := have.Binary == v && slices.Equal(have.Arguments, decl.Arguments)
	if declared && have.Running == v {
		return nil
	}
	var parts []part
	if (len(s.OnFailure) > 0 || decl.Role.IsController()) && !have.Binary.IsZero() && have.Binary != v {
		parts = append(parts, part{name: "keep former", writes: true, do: func() error { m.disk.Former = m.disk.Binary; return nil }})
	}
	if have.Service == lifecycle.ServiceRunning {
		parts = append(parts, stop)
	}
	return append(parts, binary(v), unit, start)
}

// putFiles are the parts of putting a host's files that differ, one by one.
func (w *world) putFiles(m *machine, decl lifecycle.Host, have lifecycle.HostState) []part {
	var parts []part
	for _, c := range decl.FileChanges(have) {
		parts = append(parts, part{name: "put " + c.Path, writes: true, do: func() error {
			m.disk.Files = slices.DeleteFunc(slices.Clone(m.disk.Files), func(f lifecycle.FileState) bool { return f.Path == c.Path })
			m.disk.Files = append(m.disk.Files, lifecycle.FileState{Path: c.Path, Digest: c.Digest, Mode: c.Mode, Owner: c.Owner, Group: c.Group})
			slices.SortFunc(m.disk.Files, func(a, b lifecycle.FileState) int { return strings.Compare(a.Path, b.Path) })
			return nil
		}})
	}
	return parts
}

func (w *world) stop(m *machine, decl lifecycle.Host) {
	n := w.nodes[m.name]
	// Whoever opens a node between its drain and its turn's next step has pods come back: no look is late enough to see that.
	if n != nil && n.Ready && w.elsewhere(m.name) && decl.Role == lifecycle.RoleWorker && !n.opened.After(n.drained) {
		for _, p := range w.pods {
			if p.node == m.name {
				w.fail("%s stops under pod %s", m.name, p.name)
			}
		}
	}
	w.down(m)
}

// elsewhere reports whether pods of a node have another to move to, now or when kiban opens it again.
func (w *world) elsewhere(name string) bool {
	for other, n := range w.nodes {
		if other != name && (!n.Unschedulable || !n.Mark.IsZero()) {
			return true
		}
	}
	return false
}

func (w *world) install(m *machine, v lifecycle.Version) error {
	if m.disk.Binary == v {
		return nil
	}
	if !slices.Contains(m.disk.Staged, v) {
		return errorf("%s: k0s %s is not staged", m.name, v)
	}
	m.disk.Binary, m.disk.Staged = v, slices.DeleteFunc(slices.Clone(m.disk.Staged), func(o lifecycle.Version) bool { return o == v })
	return nil
}

func (w *world) putBack(m *machine, v lifecycle.Version) error {
	if m.disk.Former != v && m.disk.Binary != v {
		return errorf("%s: %s is to be put back, but %s was kept", m.name, v, m.disk.Former)
	}
	m.disk.Binary, m.disk.Former = v, lifecycle.Version{}
	return nil
}

func (w *world) forget(m *machine) { m.disk.Former = lifecycle.Version{} }

func (w *world) unit(m *machine, decl lifecycle.Host) {
	m.disk.ServiceName, m.disk.Arguments = "k0sworker", slices.Clone(decl.Arguments)
	if decl.Role.IsController() {
		m.disk.ServiceName = "k0scontroller"
	}
	if m.disk.Service == lifecycle.ServiceAbsent {
		m.disk.Service = lifecycle.ServiceStopped
	}
}
