package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// standingHosts are what the machines tell of themselves behind a failed upgrade.
type standingHosts map[string]lifecycle.HostState

func (h standingHosts) HostFacts(_ context.Context, host string) (lifecycle.HostState, error) {
	return h[host], nil
}

// TestControllerFindingNamesTheWaysOn: the log, etcd's members, whether the former version may run again, and else the backup with its
// command.
func TestControllerFindingNamesTheWaysOn(t *testing.T) {
	backup := lifecycle.KeptBackup{Name: "tokyo-v1.35.7.tar.gz.age", Place: "s3://b", Version: older, Taken: "2026-11-21T02:00:00Z",
		Encrypted: true}
	for name, c := range map[string]struct {
		host    lifecycle.HostState
		other   *lifecycle.HostState // the other controller; nil: it is at the former version
		members []lifecycle.EtcdMember
		backup  bool
		detail  string
		hint    []string
		not     string
	}{
		"it may go back": {host: lifecycle.HostState{Former: older, Binary: newer, RanKnown: true},
			members: []lifecycle.EtcdMember{{Name: "c1", PeerAddress: "10.0.0.1"}}, backup: true,
			detail: "etcd's only member, c1 at 10.0.0.1",
			hint: []string{"declare " + older.String() + ", its former version",
				"declare a fixed version of v1.36"}, not: "kiban restore"},
		"it may, and the other controller is upgraded": {host: lifecycle.HostState{Former: older, Binary: newer, RanKnown: true}, backup: true,
			other: &lifecycle.HostState{ServiceName: "k0scontroller", Binary: newer, Running: newer},
			hint: []string{"may not go back to " + older.String(), "c2 has " + newer.String() + ", and kiban plans no downgrade",
				"a fixed version of v1.36 that is newer than " + newer.String(), "kiban restore tokyo"}, not: "its former version"},
		"it has acted as the former version": {host: lifecycle.HostState{Former: older, Binary: newer, RanKnown: true, PinHeld: true,
			Ran: []string{lifecycle.PartAPIServer}, Config: pinnedAt("1.35")},
			hint: []string{"run the same command again", "with nothing lost: kiban back tokyo", "declare a fixed version"},
			not:  "may not go back"},
		"it may, and the other controller is silent": {host: lifecycle.HostState{Former: older, Binary: newer, RanKnown: true},
			other: &lifecycle.HostState{Problem: lifecycle.HostUnreachable, Why: "connection refused"},
			hint:  []string{"may be declared again can't be told: c2"}, not: "Or declare"},
		"it may not": {host: lifecycle.HostState{Former: older, Binary: newer, RanKnown: true, Ran: []string{lifecycle.PartAPIServer}},
			members: []lifecycle.EtcdMember{{Name: "c1", PeerAddress: "10.0.0.1"}, {Name: "c2", PeerAddress: "10.0.0.2"}}, backup: true,
			detail: "c1 at 10.0.0.1 (does not come up), c2 at 10.0.0.2",
			hint: []string{"may not go back", "may have written",
				"kiban restore tokyo --from tokyo-v1.35.7.tar.gz.age --identity KEY.txt", "s3://b"}},
		"it may not, and there is no backup": {host: lifecycle.HostState{Former: older, Binary: newer},
			hint: []string{"can't be told", "kiban backup list tokyo"}},
		"the new one is not in place": {host: lifecycle.HostState{Former: older, Binary: older},
			hint: []string{"run the same command again"}, not: "its former version"},
		"it does not answer": {host: lifecycle.HostState{Problem: lifecycle.HostUnreachable, Why: "connection refused"}, backup: true,
			hint: []string{"can't be told: connection refused"}, not: "its former version"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := talking{world: newWorld(), lines: []string{"panic: no such flag"}}
				w.gates[lifecycle.GateAPIReady] = func(lifecycle.Gate) lifecycle.GateResult {
					return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "connection refused"}
				}
				w.gates[lifecycle.GateEtcdQuorum] = func(lifecycle.Gate) lifecycle.GateResult {
					return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "etcd's members are not known"}
				}
				site := lifecycle.Site{Name: "tokyo"}
				site.Cluster.Hosts = []lifecycle.Host{{Name: "c1", Role: lifecycle.RoleController, Address: "10.0.0.1"},
					{Name: "c2", Role: lifecycle.RoleController, Address: "10.0.0.2"}}
				p := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}}, Steps: []lifecycle.Step{{ID: "c1/upgrade", Stage: "s",
					Action: lifecycle.ActionUpgrade, Target: "c1", From: older, Version: newer,
					After: []lifecycle.Gate{{Kind: lifecycle.GateAPIReady, Target: "c1", Timeout: time.Minute}}}}}
				d := w.deps()
				if c.other == nil {
					c.other = &lifecycle.HostState{ServiceName: "k0scontroller", Binary: older, Running: older}
				}
				d.Hosts, d.Members = standingHosts{"c1": c.host, "c2": *c.other}, c.members
				d.Backup = func(before lifecycle.Version) (lifecycle.KeptBackup, bool) {
					return backup, c.backup && before == newer
				}
				found := one(t, Run(t.Context(), site, p, d))
				for _, want := range []string{"panic: no such flag", c.detail} {
					if !strings.Contains(found.Detail, want) {
						t.Errorf("does not say %q: %s", want, found.Detail)
					}
				}
				for _, want := range c.hint {
					if !strings.Contains(found.Hint, want) {
						t.Errorf("no way %q: %s", want, found.Hint)
					}
				}
				if back, fixed := strings.Index(found.Hint, " go back"), strings.Index(found.Hint, "declare a fixed"); back > fixed {
					t.Errorf("forward comes before back: %s", found.Hint)
				}
				if c.not != "" && strings.Contains(found.Hint, c.not) {
					t.Errorf("it says %q: %s", c.not, found.Hint)
				}
			})
		})
	}
}

// pinnedAt is a k0s.yaml that has its programs act as that release.
func pinnedAt(minor string) []byte {
	arg := `{"extraArgs":{"emulated-version":"` + minor + `"}}`
	return []byte(`{"spec":{"api":` + arg + `,"controllerManager":` + arg + `,"scheduler":` + arg + `}}`)
}

// refusing is a fence that lets the upgrade through, and nothing after it.
type refusing struct{ asked int }

func (f *refusing) Check(context.Context, lifecycle.Step) error {
	if f.asked++; f.asked > 1 {
		return errors.New("it can't be told whether the run still has the lock")
	}
	return nil
}

func (*refusing) Guard(ctx context.Context, _ lifecycle.Step) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// TestALostLockHidesNoCause: why a machine did not come up is told though the lock can't be read any more; its way back is not taken.
func TestALostLockHidesNoCause(t *testing.T) {
	for _, role := range []lifecycle.Role{lifecycle.RoleController, lifecycle.RoleWorker} {
		t.Run(string(role), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := talking{world: newWorld(), lines: []string{"panic: no such flag"}}
				w.errs["w1/upgrade"] = errors.New("k0s does not start")
				site := lifecycle.Site{Name: "tokyo"}
				site.Cluster.Hosts = []lifecycle.Host{{Name: "w1", Role: role}}
				step := lifecycle.Step{ID: "w1/upgrade", Stage: "s", Action: lifecycle.ActionUpgrade, Target: "w1", From: older,
					Version: newer}
				if role == lifecycle.RoleWorker {
					step.OnFailure = []lifecycle.Step{{ID: "w1/restore-former", Action: lifecycle.ActionRestoreFormer, Target: "w1",
						Version: older}}
				}
				d := w.deps()
				d.Fence = &refusing{}
				found := one(t, Run(t.Context(), site, lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}},
					Steps: []lifecycle.Step{step}}, d))
				if !strings.Contains(found.Detail, "panic: no such flag") || !strings.Contains(found.Summary, "did not come up") {
					t.Errorf("the cause is hidden: %+v", found)
				}
				if slices.Contains(w.log, "w1/restore-former") {
					t.Errorf("it acted without the lock: %v", w.log)
				}
			})
		})
	}
}
