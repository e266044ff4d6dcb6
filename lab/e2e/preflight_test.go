package e2e

import (
	"strings"
	"testing"
)

// The new k0s is asked about each machine before the first is disturbed: where it refuses one, the run stops there with all refusals, and
// the same command goes on once the machines are mended.
func TestUpgradeStopsBeforeTheFirstCordonWhereTheNewK0sRefusesAMachine(t *testing.T) {
	t.Parallel()
	b := start(t, "127.242.0", 1, 3)
	b.apply(0)
	cs, _ := b.admin()
	b.Version = v136
	b.write()
	for _, host := range []string{"worker-2", "worker-3"} {
		b.fault(host, "unfit", v136)
	}
	m := b.mark()
	r := b.apply(3)
	for _, want := range []string{"k0s " + v136 + " refuses this machine", "CONFIG_CGROUP_SCHED", "worker-2", "worker-3"} {
		if !strings.Contains(r.stdout+r.stderr, want) {
			t.Errorf("the refusal does not say %q: %s", want, r)
		}
	}
	if c := b.changes(m); strings.Contains(c, " stop ") || strings.Contains(c, "systemctl") {
		t.Errorf("something was touched:\n%s", c)
	}
	for _, host := range []string{"controller-1", "worker-1", "worker-2"} {
		if got := strings.Count(b.commandsOf(m, host), "sysinfo -o json"); got != 1 {
			t.Errorf("%s was asked %d times", host, got)
		}
	}
	b.nodesAt(cs, v135, 3)

	b.mend("worker-2")
	b.mend("worker-3")
	b.apply(0)
	b.nodesAt(cs, v136, 3)
	b.emptyPlan()
}
