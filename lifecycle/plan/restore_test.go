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
				"worker-1/join-worker worker-2/reset worker-2/stage worker-2/join-worker"},
		{name: "a worker that is newer", seen: with("worker-1", func(h *lifecycle.HostState) { h.Binary, h.Running = v136, v136 }),
			want: "controller-1/restore controller-2/join-controller controller-3/join-controller worker-1/reset worker-1/stage " +
				"worker-1/join-worker worker-2/restart"},
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
