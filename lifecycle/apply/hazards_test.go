package apply

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// The hazards are those of running k0sctl as it is (docs/hazards.md).

// closedByAdministrator is a rollout whose first node somebody else has cordoned: its turn has neither cordon nor uncordon.
func closedByAdministrator(n int) lifecycle.Plan {
	p := rollout(n, lifecycle.Stage{Width: 1})
	p.Steps = slices.DeleteFunc(p.Steps, func(s lifecycle.Step) bool {
		return s.Target == "w1" && (s.Action == lifecycle.ActionCordon || s.Action == lifecycle.ActionUncordon)
	})
	return p
}

// H23: whatever goes wrong, no node is opened that this run has not closed.
func TestHazard_H23_NobodyElsesCordonIsLifted(t *testing.T) {
	for _, fails := range []string{"", "w1/drain", "w1/upgrade", "w2/drain"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			if fails != "" {
				w.errs[fails] = errors.New("no")
			}
			if err := Run(t.Context(), lifecycle.Site{}, closedByAdministrator(2), w.deps()); (err != nil) != (fails != "") {
				t.Fatal(err)
			}
			if slices.Contains(w.log, "w1/uncordon") {
				t.Errorf("after %q failed: %v", fails, w.log)
			}
		})
	}
}

// H4, H5: what failed is left as it is, for the next run to go on from. Nothing is done to a machine that the plan does not say.
func failureIsLeft(t *testing.T, target string, a lifecycle.Action) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		failed := target + "/" + string(a)
		w.errs[failed] = errors.New("it does not come up")
		p := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}}, Steps: []lifecycle.Step{
			{ID: target + "/stage", Stage: "s", Target: target, Action: lifecycle.ActionUpload},
			{ID: failed, Stage: "s", Target: target, Action: a},
		}}
		if err := Run(t.Context(), lifecycle.Site{}, p, w.deps()); err == nil || !strings.Contains(err.Error(), "it does not come up") {
			t.Errorf("error %v", err)
		}
		if want := []string{target + "/stage", failed}; !slices.Equal(w.log, want) {
			t.Errorf("did %v, want %v", w.log, want)
		}
	})
}

func TestHazard_H4_FailedWorkerIsLeftAsItIs(t *testing.T) {
	failureIsLeft(t, "w1", lifecycle.ActionJoinWorker)
}

func TestHazard_H5_FailedFirstControllerIsLeftAsItIs(t *testing.T) {
	failureIsLeft(t, "c1", lifecycle.ActionInitialize)
}

// H32: where a stage sets no limit there is one all the same.
func TestHazard_H32_NoStageIsUnlimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		const targets = 200
		for i := range targets {
			w.takes[fmt.Sprintf("w%d/drain", i+1)] = time.Minute
		}
		if err := Run(t.Context(), lifecycle.Site{}, rollout(targets, lifecycle.Stage{Width: 0}), w.deps()); err != nil {
			t.Fatal(err)
		}
		if w.maxOut != 64 {
			t.Errorf("%d of %d targets were under way at once, want 64", w.maxOut, targets)
		}
	})
}
