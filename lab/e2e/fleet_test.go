package e2e

import (
	"strings"
	"testing"
)

// The small engine, end to end: it applies what may go; a machine on which the version fails holds the site until somebody lifts that, on
// record, and then it goes on from where it was.
func TestFleetApplyHoldsWhatFailed(t *testing.T) {
	t.Parallel()
	b := start(t, "127.252.0", 1, 2)
	b.apply(0)
	cs, _ := b.admin()

	b.Version = v136
	b.write()
	b.fault("worker-1", "never-ready")
	r := b.must(1, b.kiban("fleet", "apply", "--yes"))
	b.says(r, "1 site applied: 1 failed. Now: 1 held.")
	held := b.must(0, b.kiban("fleet", "holds")).stdout
	if !strings.Contains(held, "upgrade of a worker to "+v136) {
		t.Errorf("what holds the site is told as %s", held)
	}
	mark := b.mark()
	b.says(b.must(3, b.kiban("fleet", "apply", "--yes")), "No site was applied. Now: 1 held.")
	b.untouched(mark, "fleet apply of a site that is held")

	b.mend("worker-1")
	lines := strings.Split(strings.TrimSpace(held), "\n")
	id, _, _ := strings.Cut(lines[len(lines)-1], " ")
	b.must(0, b.kiban("fleet", "holds", "lift", id, "--why", "it was planted"))
	b.says(b.must(0, b.kiban("fleet", "next")), "1 go.")
	b.says(b.must(0, b.kiban("fleet", "apply", "--yes")), "1 site applied: 1 done. Now: 1 done.")
	b.nodesAt(cs, v136, 2)
	b.emptyPlan()
	b.says(b.must(0, b.kiban("fleet", "apply", "--yes")), "No site was applied. Now: 1 done.")
}
