package journal

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Recorder makes the record of a run out of its events, one by one. The zero value is ready. It is not safe for use by several
// goroutines; a run hands its events over one at a time.
type Recorder struct {
	record   lifecycle.RunRecord
	hosts    map[string]lifecycle.Version       // what runs on each host by now
	installs map[string]lifecycle.Version       // what each step puts on its host
	planned  map[string]bool                    // steps
	back     map[string]bool                    // steps by which a control plane goes back
	begun    map[string]bool                    // steps
	done     map[string]bool                    // steps of the plan; not those of the way back after a failure
	touched  map[string]bool                    // machines
	failing  map[string]lifecycle.FailedUpgrade // by machine
	tried    map[string]lifecycle.Try           // by controller
	changes  map[string]string                  // what each step takes back, as Step.Change
	whys     map[string]string                  // why a machine's k0s did not come up, by machine
	took     map[lifecycle.Action]lifecycle.Took
	machines map[string]lifecycle.RunHost // as the run found them
	ended    bool
	skipped  bool
	harder   bool // a failure that was no block
}

// Record is the record of a run whose events are all there are.
func Record(events []lifecycle.Event) lifecycle.RunRecord {
	var r Recorder
	for _, e := range events {
		r.Add(e)
	}
	return r.Record()
}

// Add takes one event in.
func (r *Recorder) Add(e lifecycle.Event) {
	if r.record.ID == "" {
		r.record = lifecycle.RunRecord{Format: lifecycle.RunFormat, ID: e.Run, Site: e.Site, Began: e.Time}
		r.hosts, r.installs = map[string]lifecycle.Version{}, map[string]lifecycle.Version{}
		r.planned, r.back = map[string]bool{}, map[string]bool{}
		r.begun, r.done, r.touched = map[string]bool{}, map[string]bool{}, map[string]bool{}
		r.machines = map[string]lifecycle.RunHost{}
		r.took, r.failing = map[lifecycle.Action]lifecycle.Took{}, map[string]lifecycle.FailedUpgrade{}
		r.tried, r.changes, r.whys = map[string]lifecycle.Try{}, map[string]string{}, map[string]string{}
	}
	if !r.ended { // what follows the summary is about the record itself
		r.record.Ended = e.Time
	}
	switch e.Kind {
	case lifecycle.EventBegun:
		r.header(e.Header)
	case lifecycle.EventPlanned:
		r.record.Steps++
		r.planned[e.Step] = true
		r.back[e.Step] = e.Stage == lifecycle.StageBack
		r.installs[e.Step] = e.Version
		if e.Action.Installs() && r.record.Aim.Less(e.Version) {
			r.record.Aim = e.Version
		}
	case lifecycle.EventStarted:
		r.begun[e.Step] = true
		if !e.Version.IsZero() {
			r.installs[e.Step] = e.Version
		}
		r.changes[e.Step] = e.Change
		if e.Target != "" && !lifecycle.IsUnit(e.Target) {
			r.touched[e.Target] = true
		}
	case lifecycle.EventFinished:
		if r.planned[e.Step] {
			r.done[e.Step] = true
			r.time(e)
		}
		r.takenBack(e)
		r.changeTakenBack(e)
		r.cameUp(e, "")
		r.installed(e)
	case lifecycle.EventSkipped:
		r.skipped = true
	case lifecycle.EventFailed:
		r.record.Failed++
		lost := e.Lost || e.Diagnostic != nil && errors.Is(*e.Diagnostic, lifecycle.ErrConnectionLost) // no word against the version
		if e.Action == lifecycle.ActionUpgrade && r.begun[e.Step] && !lost {
			r.failing[e.Target] = lifecycle.FailedUpgrade{Host: e.Target, Version: r.installs[e.Step], Why: reason(e)}
		}
		r.failedBy(e, lost)
		if r.begun[e.Step] && !lost {
			r.whys[e.Target] = reason(e)
			r.cameUp(e, cmp.Or(reason(e), "the run did not say why"))
		}
		r.harder = r.harder || e.Diagnostic == nil || e.Diagnostic.Severity == lifecycle.SeverityError
	case lifecycle.EventSummary:
		r.ended, r.record.Result = true, e.Result
	}
}

func (r *Recorder) header(h *lifecycle.RunHeader) {
	if h == nil {
		return
	}
	r.record.Who, r.record.Where, r.record.Doing, r.record.Revision, r.record.Digest = h.Who, h.Where, h.Doing, h.Revision, h.Digest
	r.record.Review = h.Review
	for _, host := range h.Hosts {
		r.hosts[host.Name], r.machines[host.Name] = host.Version, host
	}
	r.record.Before = r.versions()
}

// mostFailures is how many failures a record holds.
const mostFailures = 5

// failedBy notes a failure that may befall other sites. Gates, budgets and windows that were in the way are the site's own, and of a
// machine whose connection was lost nothing is known.
func (r *Recorder) failedBy(e lifecycle.Event, lost bool) {
	own := lost || e.Diagnostic != nil && e.Diagnostic.Severity != lifecycle.SeverityError
	if own || !e.Action.Alike() || len(r.record.Failures) == mostFailures {
		return
	}
	f := lifecycle.Failure{Action: e.Action, Where: e.Target, Why: reason(e)}
	if lifecycle.IsUnit(e.Target) {
		f.Unit = e.Target
	} else {
		m := r.machines[e.Target]
		f.Role, f.Machine = m.Role, m.Machine
		if e.Action.Installs() {
			f.Version = r.installs[e.Step]
		}
	}
	r.record.Failures = append(r.record.Failures, f)
}

// takenBack notes the version that a machine was taken back from.
func (r *Recorder) takenBack(e lifecycle.Event) {
	if e.Action != lifecycle.ActionRestoreFormer {
		return
	}
	f, ok := r.failing[e.Target]
	if !ok { // an earlier run had left it so
		f = lifecycle.FailedUpgrade{Host: e.Target, Version: r.hosts[e.Target], Why: "it did not come up"}
		if r.back[e.Step] {
			f.Why = lifecycle.WhyWentBack
		}
	}
	if f.Former = r.installs[e.Step]; !f.Version.IsZero() && f.Version != f.Former {
		r.record.FailedUpgrades = append(r.record.FailedUpgrades, f)
	}
}

// mostReason is how much of a reason a record holds, in bytes.
const mostReason = 300

// reason is why a step failed, in a line.
func reason(e lifecycle.Event) string {
	why := e.Message
	if e.Diagnostic != nil && e.Diagnostic.Detail != "" {
		why, _, _ = strings.Cut(e.Diagnostic.Detail, "\n")
	}
	return strings.ToValidUTF8(why[:min(len(why), mostReason)], "")
}

// installed follows what a finished step left on its host.
func (r *Recorder) installed(e lifecycle.Event) {
	switch v := r.installs[e.Step]; {
	case e.Action.Removes():
		delete(r.hosts, e.Target)
	case e.Action.Installs() && !v.IsZero():
		r.hosts[e.Target] = v
	}
}

// time adds how long a step of the plan took. The way back after a failure is no measure of later plans.
func (r *Recorder) time(e lifecycle.Event) {
	if e.Action == "" || e.Elapsed <= 0 {
		return // nothing was measured, or the clock was set back
	}
	t := r.took[e.Action]
	r.took[e.Action] = lifecycle.Took{Action: e.Action, Steps: t.Steps + 1, Total: t.Total + e.Elapsed}
}

// times are sorted by action.
func (r *Recorder) times() []lifecycle.Took {
	var out []lifecycle.Took
	for _, a := range slices.Sorted(maps.Keys(r.took)) {
		out = append(out, r.took[a])
	}
	return out
}

func (r *Recorder) versions() []lifecycle.Version {
	var out []lifecycle.Version
	for _, v := range r.hosts {
		if !v.IsZero() && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, lifecycle.Version.Compare)
	return out
}

// Record is the run as it stands.
func (r *Recorder) Record() lifecycle.RunRecord {
	out := r.record
	out.After, out.Begun, out.Done, out.Machines = r.versions(), len(r.begun), len(r.done), len(r.touched)
	out.Took, out.Tried = r.times(), r.tries()
	switch {
	case !r.ended:
		out.Result = lifecycle.RunUnended
	case out.Result != "":
	case r.harder:
		out.Result = lifecycle.RunFailed
	case out.Failed > 0:
		out.Result = lifecycle.RunBlocked
	case r.skipped:
		out.Result = lifecycle.RunInterrupted
	default:
		out.Result = lifecycle.RunDone
	}
	return out
}
