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
	told, log := ds[len(ds)-1], changedBy(s)+r.lastLog(ctx, s)
	earlier := ds
	host, _ := r.site.Cluster.Host(s.Target)
	refused := r.stillPermitted(ctx, s)
	switch {
	case errors.Is(refused, lifecycle.ErrLockTaken):
		told = takenFrom(s, ds, log, lifecycle.AsDiagnostics(refused, "the lock was taken")[0])
	case errors.Is(told, lifecycle.ErrStartedAsItWas):
		earlier = ds[len(ds)-1:] // it runs as before: the finding says all
	case len(s.OnFailure) > 0:
		told.Severity, told.Detail = lifecycle.SeverityError, sentence(ds)+log
		r.wayBack(ctx, s, &told, left, refused)
	case s.Action == lifecycle.ActionUpgrade && host.Role.IsController():
		told.Detail = sentence(ds) + log
		r.standing(ctx, s, &told)
	case log == "":
		return
	default:
		told.Detail += log
		if len(s.Changes) > 0 && !errors.Is(told, lifecycle.ErrConnectionLost) {
			told.Hint = r.takingBack(s)
		}
		earlier = ds[len(ds)-1:]
	}
	r.retell(earlier, told)
	// It is the run's word, not the step's: that has ended.
	_ = r.emit(lifecycle.Event{Kind: lifecycle.EventProgress, Message: told.Summary, Diagnostic: &told}) // an error is kept in sinkErr
}

// stillPermitted reports whether the run may act after the step failed. Where that decides only what is told, nobody waits for long: a
// machine that is out of reach may be among those that are asked.
func (r *run) stillPermitted(ctx context.Context, s lifecycle.Step) error {
	if len(s.OnFailure) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = lifecycle.Within(ctx, 15*time.Second, "no answer")
		defer cancel()
	}
	return r.permitted(ctx, s)
}

// takenFrom tells of a step that failed when the lock was no longer this run's: whoever took it may be why, so nothing is said against the
// version, and the machine is theirs to see to.
func takenFrom(s lifecycle.Step, ds lifecycle.Diagnostics, log string, taken lifecycle.Diagnostic) lifecycle.Diagnostic {
	taken.Subject = s.Target
	taken.Summary = strings.Replace(taken.Summary, "nothing more is done: ", "", 1) + " during " + s.ID + ", which is left as it is"
	return taken.Because("What the step came to: " + sentence(ds) + log)
}

// wayBack carries out what the plan has for the failure of the step, then returns the node to service by the plan's own uncordon. refused
// says why the run may not act; nil: it may.
func (r *run) wayBack(ctx context.Context, s lifecycle.Step, told *lifecycle.Diagnostic, left []lifecycle.Step, refused error) {
	way := r.wayOf(s)
	if refused != nil { // it is another run's to see to, and the cause is told all the same
		told.Summary = way.what + ", and is left as it is"
		told.Detail += "\nIt was not taken back: " + sentence(lifecycle.AsDiagnostics(refused, "the lock is not this run's"))
		told.Hint = "When the lock can be had, run the same command again: it takes the machine back, or carries on."
		return
	}
	stays := r.stays(s)
	lost := errors.Is(*told, lifecycle.ErrConnectionLost)
	if lost {
		way.what = lostDuring(s)
	}
	for _, back := range s.OnFailure {
		if _, ds := r.step(ctx, back); len(ds) > 0 {
			told.Summary = way.what + ", and could not be " + way.taken
			told.Detail += "\nThe way back failed: " + sentence(ds)
			told.Hint = stays
			return
		}
	}
	told.Summary = way.what + "; it " + way.again
	told.Detail += way.back
	if lost {
		way.why = "Find out why the connection broke off: nothing is known against " + way.suspect
	}
	told.Hint = "The rollout has stopped: no other node is begun. " + r.upgraded() + way.why +
		"; `kiban plan` shows what remains, and the same command tries again."
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

// upgraded names what this run has upgraded before the failure, for that stays so. Empty: nothing.
func (r *run) upgraded() string {
	var names []string
	for _, s := range r.plan.Steps {
		if s.Action == lifecycle.ActionUpgrade && r.result(s.ID) == done && !slices.Contains(names, s.Target) {
			names = append(names, s.Target)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "What this run has upgraded stays so: " + lifecycle.Few(names) + ". "
}

// standing tells how the control plane stands without a controller that did not come up, and the ways on. Nothing is done to it: what it
// may be started with next, people declare.
func (r *run) standing(ctx context.Context, s lifecycle.Step, told *lifecycle.Diagnostic) {
	told.Summary = fmt.Sprintf("controller %s did not come up with k0s %s", s.Target, s.Version)
	lost := errors.Is(*told, lifecycle.ErrConnectionLost)
	quorum := r.Gates.Check(ctx, lifecycle.Gate{Kind: lifecycle.GateEtcdQuorum, Target: s.Target}, r.Now())
	switch {
	case quorum.State == lifecycle.GateMet:
		told.Detail += "\nThe cluster works without it: etcd has quorum (" + quorum.Reason + ")."
	case len(r.Members) == 1:
		told.Detail += fmt.Sprintf("\nIt holds etcd's only member, %s at %s, which does not answer: "+
			"the cluster has no API until it is back. Pods on the workers go on running.", r.Members[0].Name, r.Members[0].PeerAddress)
	default:
		told.Detail += "\nThe cluster may not work without it: etcd: " + quorum.Reason + "."
	}
	if len(r.Members) > 1 {
		told.Detail += "\nEtcd's members: " + r.members(s.Target) + "."
	}
	stopped := "The rollout has stopped; no other controller and no worker was touched after it. It is not taken back by itself."
	if lost {
		told.Summary = lostDuring(s)
		told.Hint = stopped + " Find out whether the machine is well and can be reached, and run the same command again: " +
			"it carries on from there. " +
			"If the machine is lost, replace it: kiban node replace " + r.site.Name + " " + s.Target + "."
		return
	}
	others, unknown := r.others(ctx, s.Target)
	back, pinned := r.goingBack(ctx, s, others, unknown)
	fix := fmt.Sprintf("declare %s: the next plan installs that in its place and does not start %s again",
		lifecycle.FixedVersion(s.Version, others), s.Version)
	if pinned {
		fix = "go back first, then declare " + lifecycle.FixedVersion(s.Version, others)
	}
	told.Hint = stopped + "\n" + fmt.Sprintf(
		"- If the cause is on %[1]s, mend it and run the same command again: it carries on from there.\n%[4]s"+
			"- If %[2]s is at fault, %[3]s.\n"+
			"- If the machine is lost, replace it: kiban node replace %[5]s %[1]s.",
		s.Target, s.Version, fix, back, r.site.Name)
}

// lostDuring says that a machine was out of reach before its upgrade was done. That is no word against the version.
func lostDuring(s lifecycle.Step) string {
	if s.Action != lifecycle.ActionUpgrade {
		return fmt.Sprintf("the connection to %s was lost during %s", s.Target, s.ID)
	}
	return fmt.Sprintf("the connection to %s was lost during its upgrade to k0s %s", s.Target, s.Version)
}

// members names etcd's members, the one that does not come up as such.
func (r *run) members(down string) string {
	var all []string
	for _, m := range r.Members {
		text := m.Name + " at " + m.PeerAddress
		if owner, ok := r.site.Cluster.EtcdOwner(m); ok && owner.Name == down {
			text += " (does not come up)"
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// Hosts tells how a machine stands.
type Hosts interface {
	HostFacts(ctx context.Context, host string) (lifecycle.HostState, error)
}

// others are the versions of the other controllers, and those that did not say theirs. No worker has a newer one than all controllers.
func (r *run) others(ctx context.Context, but string) (have map[string]lifecycle.Version, unknown []string) {
	if r.Hosts == nil {
		return nil, nil
	}
	ctx, cancel := lifecycle.Within(ctx, time.Minute, "no answer")
	defer cancel()
	have = map[string]lifecycle.Version{}
	for _, host := range r.site.Cluster.Hosts {
		if host.Name == but || host.Reset || !host.Role.IsController() {
			continue
		}
		if h, err := r.Hosts.HostFacts(ctx, host.Name); err != nil || !h.Reached() {
			unknown = append(unknown, host.Name)
		} else {
			have[host.Name] = h.Level()
		}
	}
	return have, unknown
}

// goingBack says whether declaring the controller's former version has it run again, by what is on the machine and which versions the
// others have, and else which backup leads back. Of those in unknown it is not known. pinned: it acted as the former one alone.
func (r *run) goingBack(ctx context.Context, s lifecycle.Step, others map[string]lifecycle.Version, unknown []string) (
	text string, pinned bool) {
	if r.Hosts == nil || s.From.IsZero() || s.From == s.Version {
		return "", false
	}
	ctx, cancel := lifecycle.Within(ctx, time.Minute, "no answer")
	defer cancel()
	h, err := r.Hosts.HostFacts(ctx, s.Target)
	switch {
	case err == nil && h.Reached():
	case err == nil:
		err = errors.New(h.Why)
		fallthrough
	default:
		return fmt.Sprintf("- Whether it may go back to %s can't be told: %v.\n", s.From, err), false
	}
	if h.Binary == h.Former {
		return "", false // the new one never came into its place, so there is nothing to go back from
	}
	if h.PinHeld && lifecycle.Emulated(h.Config) == lifecycle.EmulatedMinor(h.Former) {
		return fmt.Sprintf("- Back to %s, with nothing lost: kiban back %s. It says what may be in the way.\n", h.Former, r.site.Name), true
	}
	return r.declaringFormer(s, h, others, unknown), false
}

// declaringFormer is goingBack where the newer version did not act as the former one.
func (r *run) declaringFormer(s lifecycle.Step, h lifecycle.HostState, others map[string]lifecycle.Version, unknown []string) string {
	ok, why := h.MayDeclareFormer(others)
	switch {
	case ok && len(unknown) > 0:
		return fmt.Sprintf("- Whether %s, its former version, may be declared again can't be told: %s did not say which version they have.\n",
			h.Former, lifecycle.Enumerate(unknown))
	case ok:
		return fmt.Sprintf("- Or declare %s, its former version: the next plan starts that again. It may: %s.\n", h.Former, why)
	}
	text := fmt.Sprintf("- It may not go back to %s by itself: %s. ", s.From, why)
	if r.Backup == nil {
		return text + "A backup leads back.\n"
	}
	b, found := r.Backup(s.Version)
	if !found {
		return text + fmt.Sprintf("No backup from before is known here: kiban backup list %s.\n", r.site.Name)
	}
	return text + fmt.Sprintf("The backup of %s leads back, in %s; what was stored since is lost: "+
		"declare %s, reset the controllers, then %s\n", b.Taken, b.Place, b.Version, lifecycle.RestoreCommand(r.site.Name, b))
}

// changedBy is what the step changes, as a paragraph of a finding: often that is why k0s does not come up. Secrets are masked in it.
func changedBy(s lifecycle.Step) string {
	changes := s.Changes
	if len(changes) == 0 {
		return ""
	}
	if most := 10; len(changes) > most {
		changes = append(slices.Clone(changes[:most]), fmt.Sprintf("and %d more: kiban show has them", len(changes)-most))
	}
	return "\nThis step changes:\n  " + strings.Join(changes, "\n  ")
}

// takingBack are the ways on where k0s does not come up after a step that changed what it runs with. Without an API there is no plan that
// takes a change back, so with one controller that is done by hand.
func (r *run) takingBack(s lifecycle.Step) string {
	text := fmt.Sprintf("The rollout has stopped: no other machine is begun.\n"+
		"- If the change is at fault, take it back where it is declared, then run the same command again: it puts %s as it was.\n"+
		"- If the cause is on %[1]s, mend it and run the same command again: it carries on from here.\n"+
		"- To see why: kiban node logs %[2]s %[1]s.", s.Target, r.site.Name)
	host, _ := r.site.Cluster.Host(s.Target)
	only := !slices.ContainsFunc(r.site.Cluster.Hosts, func(h lifecycle.Host) bool {
		return h.Name != s.Target && !h.Reset && h.Role.IsController()
	})
	if host.Role.IsController() && only {
		text += fmt.Sprintf("\n%s is the only controller: if its API stays away and the plan does nothing about it, "+
			"take the change back on the machine, too, and restart k0s there.", s.Target)
	}
	return text
}

// lastLog is what the node's k0s said last, as a paragraph of a finding. A log that cannot be had says why.
func (r *run) lastLog(ctx context.Context, s lifecycle.Step) string {
	if r.Logs == nil {
		return ""
	}
	ctx, cancel := lifecycle.Within(ctx, 15*time.Second, "no answer")
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
