package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Logs tells what a node's k0s said last.
type Logs interface {
	// LastLog gives the last lines of the log of the host's k0s service, oldest first, without secrets.
	LastLog(ctx context.Context, host string, lines int) ([]string, error)
}

// logLines is how much of a node's log a finding holds.
const logLines = 15

// recover deals with a step that failed after it had begun to act: it adds to the findings what the node's k0s said and how it stands, and
// takes the step's way back, if it has one. The findings are the run's already, so no other target starts meanwhile. left are the steps
// that the target still had before it.
//
// An interrupted step is left as it is: the next run finds it and carries on.
func (r *run) recover(ctx context.Context, s lifecycle.Step, ds lifecycle.Diagnostics, left []lifecycle.Step) {
	if ctx.Err() != nil || !s.Action.StartsK0s() {
		return
	}
	if err := r.permitted(ctx, s); err != nil {
		r.find(lifecycle.AsDiagnostics(err, s.Target+" is left as it is")...)
		return // it is another run's to see to
	}
	told, log := ds[len(ds)-1], r.lastLog(ctx, s)
	earlier := ds
	host, _ := r.site.Cluster.Host(s.Target)
	switch {
	case len(s.OnFailure) > 0:
		told.Severity, told.Detail = lifecycle.SeverityError, sentence(ds)+log
		r.wayBack(ctx, s, &told, left)
	case errors.Is(told, lifecycle.ErrStartedAsItWas):
		earlier = ds[len(ds)-1:] // it runs as before: the finding says all
	case s.Action == lifecycle.ActionUpgrade && host.Role.IsController():
		told.Detail = sentence(ds) + log
		r.standing(ctx, s, &told)
	case log == "":
		return
	default:
		told.Detail += log
		earlier = ds[len(ds)-1:]
	}
	r.retell(earlier, told)
	// It is the run's word, not the step's: that has ended.
	_ = r.emit(lifecycle.Event{Kind: lifecycle.EventProgress, Message: told.Summary, Diagnostic: &told}) // an error is kept in sinkErr
}

// wayBack carries out what the plan has for the failure of the step, then returns the node to service by the plan's own uncordon.
func (r *run) wayBack(ctx context.Context, s lifecycle.Step, told *lifecycle.Diagnostic, left []lifecycle.Step) {
	former := s.OnFailure[0].Version
	stays := fmt.Sprintf("The node stays cordoned with kiban's mark. Mend the machine, then run the same command again: "+
		"it carries on from there. "+
		"`journalctl -u k0sworker` on %s says more.", s.Target)
	for _, back := range s.OnFailure {
		if _, ds := r.step(ctx, back); len(ds) > 0 {
			told.Summary = fmt.Sprintf("%s did not come up with k0s %s, and could not be taken back to %s", s.Target, s.Version, former)
			told.Detail += "\nThe way back failed: " + sentence(ds)
			told.Hint = stays
			return
		}
	}
	told.Summary = fmt.Sprintf("%s did not come up with k0s %s; it runs %s again", s.Target, s.Version, former)
	told.Hint = fmt.Sprintf("The rollout has stopped and the other nodes are as they were. "+
		"Find out from the log why %s does not come up there; `kiban plan` shows what remains, and the "+
		"same command tries again.", s.Version)
	i := slices.IndexFunc(left, func(o lifecycle.Step) bool { return o.Action == lifecycle.ActionUncordon })
	if i < 0 {
		return // an administrator has cordoned it
	}
	uncordon := left[i]
	acted, ds := r.step(ctx, uncordon)
	switch {
	case len(ds) == 0:
		r.set(uncordon.ID, done)
		told.Summary += " and is back in service"
	case acted:
		r.set(uncordon.ID, failed)
		told.Detail += "\nIt is back in service, but: " + sentence(ds)
	default:
		told.Detail += "\nIt could not be returned to service: " + sentence(ds)
		told.Hint = stays
	}
}

// standing tells how the control plane stands without a controller that did not come up, and how to go on. A controller that was started
// with its new version is never taken back: its etcd and the API's objects may have moved on.
func (r *run) standing(ctx context.Context, s lifecycle.Step, told *lifecycle.Diagnostic) {
	told.Summary = fmt.Sprintf("controller %s did not come up with k0s %s", s.Target, s.Version)
	quorum := r.Gates.Check(ctx, lifecycle.Gate{Kind: lifecycle.GateEtcdQuorum, Target: s.Target}, r.Now())
	switch quorum.State {
	case lifecycle.GateMet:
		told.Detail += "\nThe cluster works without it: etcd has quorum (" + quorum.Reason + ")."
	default:
		told.Detail += "\nThe cluster may not work without it: etcd: " + quorum.Reason + "."
	}
	told.Hint = fmt.Sprintf("The rollout has stopped; no other controller and no worker was touched after it. "+
		"A controller is not taken back to an older version, for its data may have moved on. "+
		"Find the cause in the log, mend %s and run the same command again: it carries on from there. If the machine is lost, replace it; "+
		"the backup that was taken before this upgrade is the way back for the whole control plane.", s.Target)
}

// lastLog is what the node's k0s said last, as a paragraph of a finding. A log that cannot be had says why.
func (r *run) lastLog(ctx context.Context, s lifecycle.Step) string {
	if r.Logs == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	lines, err := r.Logs.LastLog(ctx, s.Target, logLines)
	switch {
	case err != nil:
		return fmt.Sprintf("\nThe log of k0s on %s cannot be read: %v", s.Target, err)
	case len(lines) == 0:
		return ""
	}
	return fmt.Sprintf("\nThe last lines of the log of k0s on %s:\n  %s", s.Target, strings.Join(lines, "\n  "))
}

// retell puts one finding in the place of those that the run has of the failure.
func (r *run) retell(earlier lifecycle.Diagnostics, told lifecycle.Diagnostic) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.findings = append(slices.DeleteFunc(r.findings, func(d lifecycle.Diagnostic) bool {
		return slices.ContainsFunc(earlier, func(e lifecycle.Diagnostic) bool {
			return d.Subject == e.Subject && d.Summary == e.Summary && d.Detail == e.Detail
		})
	}), told)
}

// sentence is findings in running text.
func sentence(ds lifecycle.Diagnostics) string {
	var all []string
	for _, d := range ds {
		text := d.Summary
		if d.Detail != "" {
			text += ": " + d.Detail
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}
