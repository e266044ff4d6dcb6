package lifecycle

import (
	"slices"
	"testing"
	"time"
)

func TestRehearsalSentence(t *testing.T) {
	done := Rehearsal{Steps: 41, Done: 41, Result: RunDone, Expected: 72 * time.Minute,
		Services: []RehearsedService{{Namespace: "shop", Name: "web", Requests: 52000}, {Namespace: "shop", Name: "api", Requests: 310}}}
	waited, gated, lost, blocked, failed, unasked, quick := done, done, done, done, done, done, done
	gated.Waits = []RehearsedWait{{Gate: "addons are healthy", Took: 2 * time.Minute}}
	waited.Waits = []RehearsedWait{{Gate: "budgets", For: "shop/web", Took: 2 * time.Minute}, {Gate: "node worker-1 Ready",
		Took: time.Minute}}
	lost.Services = []RehearsedService{{Requests: 1234567, Lost: 1002}}
	blocked.Done, blocked.Result = 12, RunBlocked
	blocked.Blocks = []RehearsedBlock{{Diagnostic: Blockedf("", "the budget of shop/web allows no disruption"), Step: "worker-3/drain"}}
	failed.Done, failed.Result = 0, RunFailed
	unasked.Services = nil
	nothing, stopped := Rehearsal{Result: RunDone}, Rehearsal{Result: RunBlocked}
	stopped.Blocks = []RehearsedBlock{{Diagnostic: Blockedf("", "k0s does not go back")}}
	quick.Expected, quick.Steps, quick.Done = 20*time.Second, 1, 1
	for _, c := range []struct {
		of      Rehearsal
		want    string
		through bool
	}{
		{done, "rehearsed: 41 of 41 steps, 0 of 52,310 requests lost, about 1 h 12 min", true},
		{waited, "rehearsed: 41 of 41 steps, 0 of 52,310 requests lost, about 1 h 12 min, 3 min of it waiting for shop/web", true},
		{gated, "rehearsed: 41 of 41 steps, 0 of 52,310 requests lost, about 1 h 12 min, 2 min of it waiting until addons are healthy", true},
		{lost, "rehearsed: 41 of 41 steps, 1,002 of 1,234,567 requests lost, about 1 h 12 min", false},
		{blocked, "rehearsed: 12 of 41 steps, then blocked by worker-3/drain: the budget of shop/web allows no disruption, " +
			"0 of 52,310 requests lost", false},
		{failed, "rehearsed: 0 of 41 steps, then failed, 0 of 52,310 requests lost", false},
		{unasked, "rehearsed: 41 of 41 steps, no Service answered to be asked, about 1 h 12 min", true},
		{nothing, "nothing to rehearse: the plan has no step", true},
		{stopped, "nothing was rehearsed: blocked by k0s does not go back", false},
		{quick, "rehearsed: 1 of 1 step, 0 of 52,310 requests lost, less than a minute", true},
	} {
		if got := c.of.Sentence(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		if c.of.Through() != c.through {
			t.Errorf("%s: through is %t", c.want, !c.through)
		}
	}
}

func TestDisturbed(t *testing.T) {
	events := []Event{
		{Kind: EventPlanned, Step: "controller-1/stage", Target: "controller-1"},
		{Kind: EventPlanned, Step: "controller-1/upgrade", Target: "controller-1", Disrupts: true},
		{Kind: EventPlanned, Step: "worker-2/cordon", Target: "worker-2", Action: ActionCordon},
		{Kind: EventPlanned, Step: "worker-2/drain", Target: "worker-2", Disrupts: true},
		{Kind: EventPlanned, Step: "worker-1/drain", Target: "worker-1", Disrupts: true},
		{Kind: EventStarted, Step: "controller-1/stage", Target: "controller-1"},
		{Kind: EventStarted, Step: "controller-1/upgrade", Target: "controller-1"},
		{Kind: EventStarted, Step: "worker-2/cordon", Target: "worker-2", Action: ActionCordon},
		{Kind: EventStarted, Step: "worker-1/drain", Target: "worker-1"},
		{Kind: EventStarted, Step: "worker-2/drain", Target: "worker-2"},
		{Kind: EventStarted, Step: "worker-9/restore-former", Target: "worker-9", Disrupts: true},
	}
	if got, want := Disturbed(events), []string{"controller-1", "worker-2", "worker-1", "worker-9"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestRehearsedBlockSaysOfWhat: which machine, budget or step is in the way is said once; that it is the site's is known.
func TestRehearsedBlockSaysOfWhat(t *testing.T) {
	for want, b := range map[string]RehearsedBlock{
		"worker-2: the host cannot be reached": {Diagnostic: Blockedf("worker-2", "the host cannot be reached")},
		"worker-2/drain: it took too long":     {Diagnostic: Blockedf("worker-2", "it took too long"), Step: "worker-2/drain"},
		"worker-2/drain: not met: a budget": {Diagnostic: Errorf("worker-2", "worker-2/drain: not met: a budget"),
			Step: "worker-2/drain"},
		"k0s does not go back":                      {Diagnostic: Blockedf("tokyo", "k0s does not go back")},
		"the budget of shop/web allows no eviction": {Diagnostic: Blockedf("shop/web", "the budget of shop/web allows no eviction")},
		"no version is declared":                    {Diagnostic: Blockedf("", "no version is declared")},
	} {
		if got := b.What("tokyo"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
