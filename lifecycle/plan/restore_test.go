package plan

import (
	"slices"
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// fallen is a site whose controllers were reset and whose workers run on, each looking for the API at the first controller.
func fallen(site lifecycle.Site, workers lifecycle.Version) lifecycle.State {
	st := lifecycle.State{Site: site.Name, ObservedAt: clock, API: lifecycle.APIState{NotYet: true}}
	for _, h := range site.Cluster.Hosts {
		s := lifecycle.HostState{Name: h.Name, Hostname: h.Name, Arch: "amd64", FreeBytes: 10 << 30, Service: lifecycle.ServiceAbsent}
		if !h.Role.IsController() {
			s.ServiceName, s.Service, s.Data, s.K0sRole = "k0sworker", lifecycle.ServiceRunning, true, "worker"
			s.Binary, s.Running, s.Arguments, s.Server = workers, workers, h.Arguments, "https://10.0.0.11:6443"
		}
		st.Hosts = append(st.Hosts, s)
	}
	return st
}

func backupOf(site string, version lifecycle.Version) lifecycle.Backup {
	return lifecycle.Backup{Name: "the.tar.gz.age", Site: site, Version: version, Digest: "sha256:abc"}
}

// with edits one host of a state.
func with(name string, edit func(*lifecycle.HostState)) func(*lifecycle.State) {
	return func(st *lifecycle.State) {
		i := slices.IndexFunc(st.Hosts, func(h lifecycle.HostState) bool { return h.Name == name })
		edit(&st.Hosts[i])
	}
}

// order lists a plan's steps without what makes the machines ready.
func order(p lifecycle.Plan) []string {
	var out []string
	for _, s := range p.Steps {
		if s.Action != lifecycle.ActionPrepare && !(s.Action == lifecycle.ActionUpload && s.Stage == "binaries") &&
			s.Action != lifecycle.ActionConfigure {
			out = append(out, s.ID)
		}
	}
	return out
}

func TestRestore(t *testing.T) {
	site := newSite(v135, 3, 2)
	for _, tt := range []struct {
		name   string
		seen   func(*lifecycle.State)
		rejoin bool
		want   string
		says   string // a warning
	}{
		{name: "everything", want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/restart " +
			"worker-2/restart"},
		{name: "asked to join anew", rejoin: true,
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/reset worker-1/stage " +
				"worker-1/join-worker worker-2/reset worker-2/stage worker-2/join-worker", says: "its pods end"},
		{name: "a worker that is newer", seen: with("worker-1", func(h *lifecycle.HostState) { h.Binary, h.Running = v136, v136 }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/reset worker-1/stage " +
				"worker-1/join-worker worker-2/restart", says: "its pods end"},
		{name: "a worker that is older", seen: with("worker-1", func(h *lifecycle.HostState) { h.Binary, h.Running = v134, v134 }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/restart worker-2/restart"},
		{name: "a worker of controllers that are no more",
			seen: with("worker-2", func(h *lifecycle.HostState) { h.Server = "https://10.9.9.9:6443" }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/restart worker-2/reset worker-2/stage " +
				"worker-2/join-worker"},
		{name: "a worker with a load balancer of its own",
			seen: with("worker-2", func(h *lifecycle.HostState) { h.Server = "https://[::1]:7443" }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/restart worker-2/restart"},
		{name: "a worker that is stopped", seen: with("worker-1",
			func(h *lifecycle.HostState) { h.Service, h.Running = lifecycle.ServiceStopped, lifecycle.Version{} }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/restart worker-2/restart"},
		{name: "a new worker", seen: with("worker-1", func(h *lifecycle.HostState) {
			*h = lifecycle.HostState{Name: h.Name, FreeBytes: 10 << 30, Service: lifecycle.ServiceAbsent}
		}), want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/join-worker worker-2/restart"},
		{name: "a worker that is away", seen: with("worker-1",
			func(h *lifecycle.HostState) { h.Problem, h.Why = lifecycle.HostUnreachable, "timeout" }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-2/restart", says: "cannot be reached"},
		{name: "a worker's remains", seen: with("worker-1",
			func(h *lifecycle.HostState) { h.ServiceName, h.Service = "", lifecycle.ServiceAbsent }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-2/restart", says: "left out"},
		{name: "interrupted after the data", seen: with("controller-1",
			func(h *lifecycle.HostState) { h.Data, h.Restored, h.Binary = true, "sha256:abc", v135 }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/restart worker-2/restart"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := fallen(site, v135)
			if tt.seen != nil {
				tt.seen(&st)
			}
			p := Restore(site, st, backupOf("lab", v135), tt.rejoin)
			if got := strings.Join(order(p), " "); got != tt.want {
				t.Errorf("the steps are\n%s, want\n%s", got, tt.want)
			}
			if err := p.Diagnostics.Err(); err != nil {
				t.Errorf("it stops: %v", err)
			}
			if tt.says != "" && !strings.Contains(p.Diagnostics.Error(), tt.says) {
				t.Errorf("nothing says %q: %v", tt.says, p.Diagnostics)
			}
			orderly(t, p)
		})
	}
}

// A worker that is set up anew gets its k0s after the reset, which leaves none; and only then.
func TestRestoreStagesAfterTheReset(t *testing.T) {
	site := newSite(v135, 1, 1)
	p := Restore(site, fallen(site, v136), backupOf("lab", v135), false)
	var ids []string
	for _, s := range p.Steps {
		if s.Target == "worker-1" && s.Action != lifecycle.ActionPrepare {
			ids = append(ids, s.ID)
		}
	}
	if !slices.Equal(ids, []string{"worker-1/reset", "worker-1/stage", "worker-1/join-worker"}) {
		t.Errorf("%v", ids)
	}
	if join, _ := p.Step("worker-1/join-worker"); !slices.Contains(join.Needs, "worker-1/stage") || join.Version != v135 {
		t.Errorf("%+v", join)
	}
}

// What is filled from the backup must be whole before anything else follows.
func TestRestoredControllerIsWhole(t *testing.T) {
	site := newSite(v135, 1, 1)
	p := Restore(site, fallen(site, v135), backupOf("lab", v135), false)
	s, ok := p.Step("controller-1/restore")
	if !ok || s.Version != v135 || !strings.Contains(s.Reason, "the.tar.gz.age") ||
		!strings.Contains(strings.Join(s.Changes, " "), "sha256:abc") {
		t.Fatalf("%+v", s)
	}
	var kinds []lifecycle.GateKind
	for _, g := range s.After {
		kinds = append(kinds, g.Kind)
	}
	for _, want := range []lifecycle.GateKind{lifecycle.GateK0sRuns, lifecycle.GateAPIReady, lifecycle.GateEtcdMember, lifecycle.GateLeaders} {
		if !slices.Contains(kinds, want) {
			t.Errorf("nothing waits for %s", want)
		}
	}
	again, _ := p.Step("worker-1/restart")
	if len(again.After) != 2 || again.After[1].Kind != lifecycle.GateNodeReady {
		t.Errorf("the worker is not waited for: %+v", again.After)
	}
}

// TestRestoreThatWasInterruptedHasAWayOn: workers that are newer than the restored control plane are named, with what is done to them, by
// the restore that is refused and by the plan that goes on from it. Neither sends to the other alone.
func TestRestoreThatWasInterruptedHasAWayOn(t *testing.T) {
	site := newSite(v135, 3, 2)
	reset := "on worker-1, whose k0s is newer than the control plane may be, systemctl stop k0sworker && k0s reset"
	st := fallen(site, v135)
	with("worker-1", func(h *lifecycle.HostState) { h.Binary, h.Running = v136, v136 })(&st)
	with("controller-1", func(h *lifecycle.HostState) {
		h.ServiceName, h.Service, h.Data, h.Binary, h.Running = "k0scontroller", lifecycle.ServiceRunning, true, v135, v135
	})(&st)
	again := Restore(site, st, backupOf("lab", v135), false)
	if !slices.ContainsFunc(again.Diagnostics, func(d lifecycle.Diagnostic) bool {
		return d.Summary == "a controller runs" && strings.Contains(d.Hint, reset) && strings.Contains(d.Hint, "kiban apply")
	}) {
		t.Errorf("the restore: %+v", again.Diagnostics)
	}
	w := built(t, newSite(v136, 3, 2))
	w.declare(site)
	for _, c := range []string{"controller-1", "controller-2", "controller-3"} {
		w.hosts[c].Binary, w.hosts[c].Running = v135, v135
	}
	w.hosts["worker-2"].Binary, w.hosts["worker-2"].Running = v135, v135
	p := makePlan(site, w.observe())
	if !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool {
		return strings.Contains(d.Summary, "downgrade") && strings.Contains(d.Hint, reset)
	}) {
		t.Errorf("the plan: %+v", p.Diagnostics)
	}
	w.hosts["controller-2"].Binary, w.hosts["controller-2"].Running = v136, v136
	if p := makePlan(site, w.observe()); strings.Contains(p.Diagnostics[0].Hint, "reset") {
		t.Errorf("a controller is newer, too: %+v", p.Diagnostics)
	}
}

// TestAWorkerWhoseTokenIsSpentIsJoinedAnew: it can't start without credentials, whether or not the cluster has a node of its name, as a
// restored one has. With its token, or with credentials, it is started.
func TestAWorkerWhoseTokenIsSpentIsJoinedAnew(t *testing.T) {
	for _, spent := range []bool{true, false} {
		for _, registered := range []bool{true, false} {
			w := built(t, newSite(v135, 1, 2))
			h := w.hosts["worker-1"]
			w.drained["worker-1"] = true // its pods are gone
			w.stop("worker-1")
			h.Service, h.Restarts, h.Spent = lifecycle.ServiceStarting, 9, spent
			if !registered {
				delete(w.nodes, "worker-1")
			}
			p := makePlan(w.site, w.observe())
			want := "start"
			if spent || !registered {
				want = "join-worker"
			}
			if got := ids(p, "worker-1"); !slices.Contains(got, want) || p.Diagnostics.Err() != nil {
				t.Errorf("spent %t, registered %t: %v, want %s: %v", spent, registered, got, want, p.Diagnostics)
			}
		}
	}
}

// TestWhatMendsAMachineIsNotDenied: a controller whose API server is not ready is left alone, unless the plan restarts k0s there.
func TestWhatMendsAMachineIsNotDenied(t *testing.T) {
	for changed, want := range map[bool]string{false: "so kiban leaves it alone.", true: "This plan restarts k0s there (configure)"} {
		w := built(t, newSite(v136, 3, 1))
		if changed {
			h := w.hosts["controller-2"]
			h.Config, h.ConfigDigest = []byte(`{"spec":{"api":{"extraArgs":{"proffiling":"true"}}}}`), "sha256:other"
		}
		st := w.observe()
		st.API.Servers[1] = lifecycle.APIServer{Host: "controller-2", Why: "connection refused"}
		p := makePlan(w.site, st)
		if !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool {
			return d.Subject == "controller-2" && strings.Contains(d.Hint, want) && strings.Contains(d.Hint, "kiban node logs")
		}) {
			t.Errorf("changed %t: %+v\n%s", changed, p.Diagnostics, outline(p))
		}
	}
}

// TestAControllerThatIsBackIsTold: one that was taken out and is switched on again looks like one whose join was cut off. The finding names
// both, what the records have of it, and the way.
func TestAControllerThatIsBackIsTold(t *testing.T) {
	w := built(t, newSite(v135, 3, 1))
	w.etcd = slices.DeleteFunc(w.etcd, func(m string) bool { return m == "controller-2" })
	w.hosts["controller-2"].Data = true
	st := w.observe()
	st.Past.Runs = []lifecycle.RunRecord{{ID: "r9", Doing: "node replace controller-2", Ended: clock}}
	p := makePlan(w.site, st)
	i := slices.IndexFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool { return strings.Contains(d.Summary, "etcd has no member of it") })
	if i < 0 {
		t.Fatalf("%v\n%s", p.Diagnostics, outline(p))
	}
	d := p.Diagnostics[i]
	if d.Severity != lifecycle.SeverityWarning || !strings.Contains(d.Detail, "`kiban node replace controller-2`, run r9") ||
		!strings.Contains(d.Hint, "kiban node remove lab controller-2") {
		t.Errorf("%+v", d)
	}
	if p := makePlan(w.site, built(t, newSite(v135, 3, 1)).observe()); len(p.Diagnostics) > 0 {
		t.Errorf("of a site that is well: %v", p.Diagnostics)
	}
}

// TestRestoreLooksIntoContainerdsFolder (H41): a worker that is set up anew would not start with a file that the restored version does not
// take, and that would show when it has been reset.
func TestRestoreLooksIntoContainerdsFolder(t *testing.T) {
	site := newSite(v135, 1, 2)
	st := fallen(site, v136)
	nvidia := func(h *lifecycle.HostState) {
		h.DropIns = []lifecycle.DropIn{{Path: "/etc/k0s/containerd.d/nvidia.toml", Digest: "sha256:n", Form: 3}}
	}
	with("worker-1", nvidia)(&st)
	p := Restore(site, st, backupOf("lab", v135), false)
	if !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool {
		return d.Severity == lifecycle.SeverityBlocked && d.Subject == "worker-1" && strings.Contains(d.Summary, "nvidia.toml") &&
			strings.Contains(d.Hint, "kiban ssh lab worker-1 -- sudo rm /etc/k0s/containerd.d/nvidia.toml")
	}) {
		t.Errorf("%+v", p.Diagnostics)
	}
	st = fallen(site, v135) // it is only restarted, with what it runs with
	with("worker-1", nvidia)(&st)
	if p := Restore(site, st, backupOf("lab", v135), false); p.Diagnostics.Err() != nil {
		t.Errorf("%+v", p.Diagnostics)
	}
}

func TestRestoreRefuses(t *testing.T) {
	site := newSite(v135, 3, 1)
	stopped := func(h *lifecycle.HostState) {
		h.ServiceName, h.Service, h.Data, h.Binary = "k0scontroller", lifecycle.ServiceStopped, true, v135
	}
	for _, tt := range []struct {
		name     string
		seen     func(*lifecycle.State)
		from     lifecycle.Backup
		severity lifecycle.Severity
		says     string
	}{
		{"a controller runs", with("controller-2",
			func(h *lifecycle.HostState) { stopped(h); h.Service, h.Running = lifecycle.ServiceRunning, v135 }), backupOf("lab", v135),
			lifecycle.SeverityBlocked, "controller-2: a controller runs"},
		{"a controller comes up", with("controller-1", func(h *lifecycle.HostState) { stopped(h); h.Service = lifecycle.ServiceStarting }),
			backupOf("lab", v135), lifecycle.SeverityBlocked, "controller-1: a controller runs"},
		{"a controller is away", with("controller-3", func(h *lifecycle.HostState) { h.Problem, h.Why = lifecycle.HostUnreachable, "timeout" }),
			backupOf("lab", v135), lifecycle.SeverityBlocked, "It may still run"},
		{"the first is away", with("controller-1", func(h *lifecycle.HostState) { h.Problem, h.Why = lifecycle.HostUnreachable, "timeout" }),
			backupOf("lab", v135), lifecycle.SeverityBlocked, "It may still run"},
		{"a controller is stopped", with("controller-1", stopped), backupOf("lab", v135), lifecycle.SeverityError, "a former control plane"},
		{"a controller's remains", with("controller-2", func(h *lifecycle.HostState) { h.Data = true }), backupOf("lab", v135),
			lifecycle.SeverityError, "a former control plane"},
		{"another backup's data", with("controller-1", func(h *lifecycle.HostState) { h.Data, h.Restored = true, "sha256:other" }),
			backupOf("lab", v135), lifecycle.SeverityError, "another backup"},
		{"the data on another controller", with("controller-2", func(h *lifecycle.HostState) { h.Data, h.Restored = true, "sha256:abc" }),
			backupOf("lab", v135), lifecycle.SeverityError, "a former control plane"},
		{"another site's", nil, backupOf("osaka", v135), lifecycle.SeverityError, "a backup of osaka"},
		{"an older version's", nil, backupOf("lab", v134), lifecycle.SeverityError, "taken at k0s " + v134.String()},
		{"a newer version's", nil, backupOf("lab", v136), lifecycle.SeverityError, "taken at k0s " + v136.String()},
		{"a worker that has become a controller", with("worker-1", func(h *lifecycle.HostState) {
			h.ServiceName, h.Service, h.Running = "k0scontroller", lifecycle.ServiceStopped, lifecycle.Version{}
		}), backupOf("lab", v135), lifecycle.SeverityError, "declared as worker"},
		{"a wrong clock", with("controller-1", func(h *lifecycle.HostState) { h.ClockOffset = 300 }), backupOf("lab", v135),
			lifecycle.SeverityError, "clock"},
		{"a key that is not known", with("controller-1", func(h *lifecycle.HostState) { h.Problem, h.Why = lifecycle.HostKeyUnknown, "changed" }),
			backupOf("lab", v135), lifecycle.SeverityError, "key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := fallen(site, v135)
			if tt.seen != nil {
				tt.seen(&st)
			}
			p := Restore(site, st, tt.from, false)
			found := slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool {
				return d.Severity == tt.severity && strings.Contains(d.Error(), tt.says)
			})
			if !found || p.Diagnostics.Err() == nil {
				t.Errorf("it does not stop with %q: %v", tt.says, p.Diagnostics)
			}
		})
	}
	p := Restore(site, fallen(site, v135), lifecycle.Backup{Name: "mine.tgz", Digest: "sha256:abc"}, false)
	if p.Diagnostics.Err() != nil || !p.Diagnostics.Has(lifecycle.SeverityWarning) {
		t.Errorf("a backup under another name: %v", p.Diagnostics)
	}
}

func TestBackupPlan(t *testing.T) {
	p := Backup(newSite(v135, 1, 1))
	if len(p.Steps) != 1 || p.Steps[0].Action != lifecycle.ActionBackup || p.Steps[0].Timeout == 0 || p.Stages[0].ID != p.Steps[0].Stage {
		t.Errorf("%+v", p)
	}
}
