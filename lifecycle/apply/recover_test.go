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

// talking machines have logs.
type talking struct {
	*world
	lines []string
	err   error
}

func (t talking) LastLog(context.Context, string, int) ([]string, error) { return t.lines, t.err }

func (t talking) deps() Deps {
	d := t.world.deps()
	d.Logs = t
	return d
}

var (
	older = lifecycle.Version{Major: 1, Minor: 35, Patch: 7}
	newer = lifecycle.Version{Major: 1, Minor: 36, Patch: 3}
)

// returning is a rollout whose upgrades have a way back and a gate behind them, as the plan makes them.
func returning(n int, stage lifecycle.Stage) lifecycle.Plan {
	p := rollout(n, stage)
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Action != lifecycle.ActionUpgrade {
			continue
		}
		s.From, s.Version = older, newer
		s.After = []lifecycle.Gate{{Kind: lifecycle.GateNodeReady, Target: s.Target, Version: newer, Timeout: time.Minute}}
		s.OnFailure = []lifecycle.Step{{ID: s.Target + "/restore-former", Stage: s.Stage, Action: lifecycle.ActionRestoreFormer, Target: s.Target,
			Version: older, From: newer,
			Reason: "back", After: []lifecycle.Gate{{Kind: lifecycle.GateNodeReady, Target: s.Target, Version: older, Timeout: time.Minute}}}}
	}
	return p
}

// neverReadyAt makes a gate that no node at that version meets.
func (w *world) neverReadyAt(bad ...lifecycle.Version) {
	w.gates[lifecycle.GateNodeReady] = func(g lifecycle.Gate) lifecycle.GateResult {
		if slices.Contains(bad, g.Version) {
			return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "node " + g.Target + " is not Ready"}
		}
		return lifecycle.GateResult{State: lifecycle.GateMet}
	}
}

func one(t *testing.T, err error) lifecycle.Diagnostic {
	t.Helper()
	ds := lifecycle.AsDiagnostics(err, "")
	if len(ds) != 1 {
		t.Fatalf("findings %+v, want one", ds)
	}
	return ds[0]
}

// TestWorkerGetsItsFormerK0sAgain: what the plan shows for the failure is what runs; the node is back in service, the run has failed, and
// no other node was started.
func TestWorkerGetsItsFormerK0sAgain(t *testing.T) {
	for name, fail := range map[string]func(*world){
		"gate":   func(w *world) { w.neverReadyAt(newer) },
		"action": func(w *world) { w.errs["w1/upgrade"] = errors.New("exec format error") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := talking{world: newWorld(), lines: []string{"level=error", "kubelet: no such flag"}}
				fail(w.world)
				w.takes["w1/restore-former"] = 10 * time.Second
				d := one(t, Run(t.Context(), lifecycle.Site{}, returning(3, lifecycle.Stage{Width: 1}), w.deps()))
				if want := []string{"w1/cordon", "w1/drain", "w1/upgrade", "w1/restore-former", "w1/uncordon"}; !slices.Equal(w.log, want) {
					t.Errorf("did %v, want %v", w.log, want)
				}
				if len(w.out) != 0 {
					t.Errorf("out of service: %v", w.out)
				}
				if d.Severity != lifecycle.SeverityError || d.Subject != "w1" ||
					!strings.Contains(d.Summary, "runs "+older.String()+" again and is back in service") {
					t.Errorf("finding %+v", d)
				}
				for _, want := range []string{"w1/upgrade", "kubelet: no such flag"} {
					if name == "gate" && !strings.Contains(d.Detail, want) {
						t.Errorf("does not say %q: %s", want, d.Detail)
					}
				}
				if told := w.events[len(w.events)-10]; told.Step != "" || told.Diagnostic == nil || told.Diagnostic.Summary != d.Summary {
					t.Errorf("the way back is not summed up in the journal: %+v", told)
				}
				if w.count(lifecycle.EventSkipped) != 8 || w.count(lifecycle.EventStarted) != 5 {
					t.Errorf("%d skipped, %d started", w.count(lifecycle.EventSkipped), w.count(lifecycle.EventStarted))
				}
			})
		})
	}
}

// TestAStoppedRolloutNamesWhatStaysUpgraded: that no other node is begun does not mean that the others are as they were.
func TestAStoppedRolloutNamesWhatStaysUpgraded(t *testing.T) {
	for failing, want := range map[string]string{"w1": "no other node is begun. Find out",
		"w3": "no other node is begun. What this run has upgraded stays so: w1, w2. Find out"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.errs[failing+"/upgrade"] = errors.New("exec format error")
			d := one(t, Run(t.Context(), lifecycle.Site{}, returning(4, lifecycle.Stage{Width: 1}), w.deps()))
			if !strings.Contains(d.Hint, want) {
				t.Errorf("%s fails: %s", failing, d.Hint)
			}
		})
	}
}

// TestAChangeThatIsNotMetIsNamed: where k0s does not come up with what a step changed, the finding says what that was, and how it is taken
// back. Neither is said where the step changes nothing, or the machine was out of reach.
func TestAChangeThatIsNotMetIsNamed(t *testing.T) {
	change := "spec.api.extraArgs.proffiling: (none) -> true"
	for name, c := range map[string]struct {
		action  lifecycle.Action
		changes []string
		lost    bool
		others  []lifecycle.Host
		hint    string
		not     string
	}{
		"one of two": {action: lifecycle.ActionConfigure, changes: []string{change}, not: "the only controller",
			others: []lifecycle.Host{{Name: "c2", Role: lifecycle.RoleController}}, hint: "take it back where it is declared"},
		"the only one": {action: lifecycle.ActionConfigure, changes: []string{change}, hint: "c1 is the only controller",
			others: []lifecycle.Host{{Name: "w1", Role: lifecycle.RoleWorker}}},
		"arguments":       {action: lifecycle.ActionReinstall, changes: []string{change}, hint: "take it back where it is declared"},
		"files":           {action: lifecycle.ActionFiles, changes: []string{change}, hint: "take it back where it is declared"},
		"an upgrade":      {action: lifecycle.ActionUpgrade, changes: []string{change}, hint: "is at fault, declare"},
		"nothing changed": {action: lifecycle.ActionStart, hint: "See to what the reason names", not: "take it back"},
		"out of reach": {action: lifecycle.ActionConfigure, changes: []string{change}, lost: true, hint: "See to what the reason names",
			not: "take it back"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := talking{world: newWorld(), lines: []string{"unknown flag"}}
				w.gates[lifecycle.GateAPIReady] = func(lifecycle.Gate) lifecycle.GateResult {
					return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "connection refused", Unreached: c.lost}
				}
				site := lifecycle.Site{Name: "tokyo"}
				site.Cluster.Hosts = append(c.others, lifecycle.Host{Name: "c1", Role: lifecycle.RoleController})
				d := one(t, Run(t.Context(), site, lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}}, Steps: []lifecycle.Step{{
					ID: "c1/" + string(c.action), Stage: "s", Action: c.action, Target: "c1", Version: newer, Changes: c.changes,
					After: []lifecycle.Gate{{Kind: lifecycle.GateAPIReady, Target: "c1", Timeout: time.Minute}}}}}, w.deps()))
				if told := strings.Contains(d.Detail, change); told != (len(c.changes) > 0) || !strings.Contains(d.Detail, "unknown flag") {
					t.Errorf("detail: %s", d.Detail)
				}
				if !strings.Contains(d.Hint, c.hint) || (c.not != "" && strings.Contains(d.Hint, c.not)) {
					t.Errorf("hint: %s", d.Hint)
				}
			})
		})
	}
}

// TestARestoreThatIsDoneIsNotRepeated: once the control plane is restored, what goes on is apply, whatever failed or was interrupted later.
func TestARestoreThatIsDoneIsNotRepeated(t *testing.T) {
	for failing, want := range map[string]string{
		"c1/restore": "Run the same command again", "w1/reset": "kiban apply tokyo` goes on from here, and not the restore. Before it, on w1",
		"w1/join-worker": "kiban apply tokyo` goes on from here, and not the restore.",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.errs[failing] = lifecycle.Errorf("", "it failed").Try("Run the same command again when the cause is gone.")
			var steps []lifecycle.Step
			for _, s := range []struct {
				target string
				action lifecycle.Action
			}{{"c1", lifecycle.ActionRestore}, {"w1", lifecycle.ActionReset}, {"w1", lifecycle.ActionJoinWorker}} {
				steps = append(steps, lifecycle.Step{ID: s.target + "/" + string(s.action), Stage: "s", Target: s.target, Action: s.action})
			}
			d := one(t, Run(t.Context(), lifecycle.Site{Name: "tokyo"},
				lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}}, Steps: steps}, w.deps()))
			if !strings.Contains(d.Hint, want) || (failing == "w1/join-worker" && strings.Contains(d.Hint, "Before it")) {
				t.Errorf("%s: %s", failing, d.Hint)
			}
		})
	}
}

// TestALostConnectionIsNoWordAgainstTheVersion: a machine that was out of reach during its upgrade is taken back where it can be, and
// nobody is sent to find out why the version does not come up.
func TestALostConnectionIsNoWordAgainstTheVersion(t *testing.T) {
	lost := lifecycle.Errorf("w1", "the connection was lost during upgrade").Because("it does not answer any more").
		Try("See to it.").Hiding(lifecycle.ErrConnectionLost)
	for name, c := range map[string]struct {
		fail          func(*world)
		summary, hint string
	}{
		"in the action": {func(w *world) { w.errs["w1/upgrade"] = lost }, "it runs " + older.String() + " again", "nothing is known against"},
		"behind it": {func(w *world) {
			w.gates[lifecycle.GateNodeReady] = func(g lifecycle.Gate) lifecycle.GateResult {
				return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "not reached", Unreached: g.Version == newer}
			}
		}, "could not be taken back", "Mend the machine"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				c.fail(w)
				d := one(t, Run(t.Context(), lifecycle.Site{}, returning(2, lifecycle.Stage{Width: 1}), w.deps()))
				if !strings.HasPrefix(d.Summary, "the connection to w1 was lost during its upgrade") || !strings.Contains(d.Summary, c.summary) ||
					!strings.Contains(d.Hint, c.hint) || strings.Contains(d.Summary+d.Hint, "come up") {
					t.Errorf("finding %+v", d)
				}
			})
		})
	}
}

// TestNoNodeStartsDuringTheWayBack: the run has failed from the moment on that the first step has.
func TestNoNodeStartsDuringTheWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.errs["w1/upgrade"] = errors.New("no")
		w.takes["w1/restore-former"], w.takes["w2/drain"] = 10*time.Minute, time.Minute
		w.takes["w1/upgrade"] = time.Second // it fails when the other one is under way, not before
		err := Run(t.Context(), lifecycle.Site{}, returning(4, lifecycle.Stage{Width: 2}), w.deps())
		if err == nil || slices.Contains(w.log, "w3/cordon") {
			t.Errorf("error %v, did %v", err, w.log)
		}
		if !slices.Contains(w.log, "w2/uncordon") {
			t.Errorf("the other node under way did not finish: %v", w.log)
		}
	})
}

// TestWayBackThatFailsLeavesTheMark: the node stays out, and the finding says why on both counts.
func TestWayBackThatFailsLeavesTheMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := talking{world: newWorld(), err: errors.New("no route to host")}
		w.neverReadyAt(newer, older)
		d := one(t, Run(t.Context(), lifecycle.Site{}, returning(2, lifecycle.Stage{Width: 1}), w.deps()))
		if slices.Contains(w.log, "w1/uncordon") || slices.Contains(w.log, "w2/cordon") {
			t.Errorf("did %v", w.log)
		}
		for _, want := range []string{"The way back failed: w1/restore-former", "no route to host", "w1/upgrade: not met"} {
			if !strings.Contains(d.Detail, want) {
				t.Errorf("does not say %q: %s", want, d.Detail)
			}
		}
		if !strings.Contains(d.Summary, "could not be taken back") || !strings.Contains(d.Hint, "stays cordoned with kiban's mark") {
			t.Errorf("finding %+v", d)
		}
	})
}

// TestInterruptedUpgradeIsNotTakenBack: the next run carries it on.
func TestInterruptedUpgradeIsNotTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.neverReadyAt(newer)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := Run(ctx, lifecycle.Site{}, returning(2, lifecycle.Stage{Width: 1}), w.deps())
		if !errors.Is(err, ErrInterrupted) || slices.Contains(w.log, "w1/restore-former") || slices.Contains(w.log, "w1/uncordon") {
			t.Errorf("error %v, did %v", err, w.log)
		}
	})
}

// TestControllerIsNotTakenBack: the rollout stops, and the finding says how the control plane stands and how to go on.
func TestControllerIsNotTakenBack(t *testing.T) {
	for state, want := range map[lifecycle.GateState]string{lifecycle.GateMet: "The cluster works without it: etcd has quorum (2 of 3 " +
		"members serve", lifecycle.GateWaiting: "may not work without it"} {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := talking{world: newWorld(), lines: []string{"etcd: panic"}}
				w.gates[lifecycle.GateAPIReady] = func(lifecycle.Gate) lifecycle.GateResult {
					return lifecycle.GateResult{State: lifecycle.GateWaiting, Reason: "connection refused"}
				}
				w.gates[lifecycle.GateEtcdQuorum] = func(lifecycle.Gate) lifecycle.GateResult {
					return lifecycle.GateResult{State: state, Reason: "2 of 3 members serve without c1, 2 are needed"}
				}
				site := lifecycle.Site{}
				p := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}}}
				for _, c := range []string{"c1", "c2"} {
					site.Cluster.Hosts = append(site.Cluster.Hosts, lifecycle.Host{Name: c, Role: lifecycle.RoleController})
					p.Steps = append(p.Steps, lifecycle.Step{ID: c + "/upgrade", Stage: "s", Action: lifecycle.ActionUpgrade, Target: c, From: older,
						Version: newer,
						After:   []lifecycle.Gate{{Kind: lifecycle.GateAPIReady, Target: c, Timeout: time.Minute}}})
				}
				d := one(t, Run(t.Context(), site, p, w.deps()))
				if !slices.Equal(w.log, []string{"c1/upgrade"}) {
					t.Errorf("did %v", w.log)
				}
				for _, want := range []string{want, "etcd: panic", "connection refused"} {
					if !strings.Contains(d.Detail, want) {
						t.Errorf("does not say %q: %s", want, d.Detail)
					}
				}
				if !strings.Contains(d.Hint, "same command again") || !strings.Contains(d.Hint, "not taken back") {
					t.Errorf("hint %s", d.Hint)
				}
			})
		})
	}
}

// TestControllerThatWasStartedAsItWas: where the new k0s was never started, the finding says so, and not that it can't be taken back.
func TestControllerThatWasStartedAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := talking{world: newWorld(), lines: []string{"starting"}}
		w.errs["c1/upgrade"] = lifecycle.Errorf("c1", "k0s cannot be installed; the former one was started again").Because("exec format error").
			Try("See why.").From(lifecycle.ErrStartedAsItWas)
		site := lifecycle.Site{}
		site.Cluster.Hosts = []lifecycle.Host{{Name: "c1", Role: lifecycle.RoleController}}
		p := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s", Width: 1}}, Steps: []lifecycle.Step{{ID: "c1/upgrade", Stage: "s",
			Action: lifecycle.ActionUpgrade, Target: "c1", From: older, Version: newer}}}
		d := one(t, Run(t.Context(), site, p, w.deps()))
		if d.Summary != "k0s cannot be installed; the former one was started again" || d.Hint != "See why." ||
			!strings.Contains(d.Detail, "exec format error") {
			t.Errorf("the finding is %+v", d)
		}
	})
}

// What starts k0s and fails tells what k0s said last; nothing else asks for its log.
func TestLogOfWhatStartsK0s(t *testing.T) {
	starts := []lifecycle.Action{lifecycle.ActionConfigure, lifecycle.ActionInitialize, lifecycle.ActionJoinController,
		lifecycle.ActionJoinWorker, lifecycle.ActionRestore,
		lifecycle.ActionRestart, lifecycle.ActionUpgrade, lifecycle.ActionReinstall, lifecycle.ActionStart, lifecycle.ActionFiles,
		lifecycle.ActionRestoreFormer, lifecycle.ActionRestoreSettings}
	for _, a := range lifecycle.Actions() {
		if a.Doer() != lifecycle.DoerMachines {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			w.errs["w1/"+string(a)] = errors.New("exit status 1")
			plan := lifecycle.Plan{Stages: []lifecycle.Stage{{ID: "s"}},
				Steps: []lifecycle.Step{{ID: "w1/" + string(a), Stage: "s", Action: a, Target: "w1"}}}
			err := Run(t.Context(), lifecycle.Site{}, plan, talking{world: w, lines: []string{"etcd: no space left on device"}}.deps())
			if tells := strings.Contains(lifecycle.AsDiagnostics(err, "")[0].Detail, "no space left"); tells != slices.Contains(starts, a) {
				t.Errorf("%s: tells the log: %t", a, tells)
			}
		})
	}
}

// TestAChangeThatDoesNotComeUpIsTakenBack: the machine runs with what it had before, is back in service, and the finding says what was
// put back; no other machine is begun. Where that fails, too, it says so.
func TestAChangeThatDoesNotComeUpIsTakenBack(t *testing.T) {
	for name, tt := range map[string]struct {
		fails error
		want  []string
		log   string
	}{
		"back": {nil, []string{"w1 did not come up with its change; it runs with what it had before again and is back in service",
			"what the turn had changed", "+ --bad=true", "~ /etc/k0s/a.yaml", "Correct the change where it is declared"},
			"w1/cordon w1/drain w1/reinstall w1/restore-settings w1/uncordon"},
		"neither": {errors.New("disk full"), []string{"could not be given what it ran with before", "disk full", "stays cordoned"},
			"w1/cordon w1/drain w1/reinstall w1/restore-settings"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld()
			p := rollout(2, lifecycle.Stage{Width: 1})
			for i := range p.Steps {
				s := &p.Steps[i]
				if s.Action != lifecycle.ActionUpgrade {
					continue
				}
				s.Action, s.ID, s.Changes, s.Keeps = lifecycle.ActionReinstall, s.Target+"/reinstall", []string{"+ --bad=true"}, true
				s.OnFailure = []lifecycle.Step{{ID: s.Target + "/restore-settings", Stage: s.Stage, Target: s.Target,
					Action: lifecycle.ActionRestoreSettings, Changes: []string{"~ /etc/k0s/a.yaml", "+ --bad=true"}}}
			}
			for i := range p.Steps {
				p.Steps[i].Needs = nil
			}
			w.errs["w1/reinstall"] = errors.New("k0s does not start")
			if tt.fails != nil {
				w.errs["w1/restore-settings"] = tt.fails
			}
			d := one(t, Run(t.Context(), lifecycle.Site{}, p, w.deps()))
			text := d.Summary + "\n" + d.Detail + "\n" + d.Hint
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("%s: does not say %q:\n%s", name, want, text)
				}
			}
			if got := strings.Join(w.log, " "); got != tt.log {
				t.Errorf("%s: did %s, want %s", name, got, tt.log)
			}
		})
	}
}
