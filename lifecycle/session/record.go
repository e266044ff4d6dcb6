package session

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/journal"
)

// recordLimit bounds the wait for the cluster to take the record of a run.
const recordLimit = 10 * time.Second

// recorder stands before a run's sink: it begins the run's story, adds to its events what later reports need, and sums them up.
type recorder struct {
	next  lifecycle.Sink
	steps map[string]lifecycle.Step
	queue map[string]bool // the steps that were planned; the others are ways back after a failure
	sum   journal.Recorder
	// started is called once, when the first step is about to act. Nil: nobody is told.
	started func()
	// interrupted says whether the operator stopped the run.
	interrupted func() bool
}

func newRecorder(ctx context.Context, plan lifecycle.Plan, run Run) *recorder {
	r := &recorder{next: run.Sink, steps: map[string]lifecycle.Step{}, queue: map[string]bool{}}
	for _, s := range plan.Steps {
		for _, back := range s.OnFailure {
			r.steps[back.ID] = back
		}
	}
	for _, s := range plan.Steps {
		r.steps[s.ID], r.queue[s.ID] = s, true
	}
	r.interrupted = func() bool {
		select {
		case <-ctx.Done():
			return true
		case <-run.Stop:
			return true
		default:
			return false
		}
	}
	return r
}

// begin tells what the run is about, before anything is done.
func (r *recorder) begin(site lifecycle.Site, plan lifecycle.Plan, run Run) error {
	h := lifecycle.RunHeader{Who: run.Who, Where: run.Where, Doing: run.Doing, Revision: cmp.Or(plan.Revision, site.Revision),
		Digest: plan.SiteDigest,
		Stages: plan.Stages, Review: run.Review}
	for _, host := range site.Cluster.Hosts {
		st, _ := run.Seen.Host(host.Name)
		version := st.Running
		if version.IsZero() && st.Installed() {
			version = st.Binary
		}
		h.Hosts = append(h.Hosts, lifecycle.RunHost{Name: host.Name, Role: host.Role, Version: version, Machine: st.Kind()})
	}
	return r.Sink(lifecycle.Event{Format: lifecycle.EventFormat, Time: time.Now(), Run: run.ID, Site: site.Name, Kind: lifecycle.EventBegun,
		Message: begins(run.ID, h), Header: &h})
}

func begins(id string, h lifecycle.RunHeader) string {
	parts := []string{"run " + id}
	if h.Who != "" {
		parts = append(parts, "by "+h.Who)
	}
	if h.Where != "" {
		parts = append(parts, "on "+h.Where)
	}
	if h.Revision != "" {
		parts = append(parts, "at revision "+h.Revision)
	}
	if h.Review != nil {
		parts = append(parts, "as "+h.Review.Describe())
	}
	return strings.Join(parts, " ")
}

// Sink takes an event of the run.
func (r *recorder) Sink(e lifecycle.Event) error {
	switch s := r.steps[e.Step]; e.Kind {
	case lifecycle.EventPlanned:
		e.Version, e.Disrupts = s.Version, s.Disrupts
	case lifecycle.EventStarted:
		if !r.queue[e.Step] {
			e.Version, e.Disrupts, e.Change = s.Version, s.Disrupts, s.Change
		}
	case lifecycle.EventFailed:
		e.Lost = e.Diagnostic != nil && errors.Is(*e.Diagnostic, lifecycle.ErrConnectionLost) // a journal keeps no causes
	case lifecycle.EventSummary:
		e.Result = r.result()
	}
	r.sum.Add(e)
	err := r.next(e)
	if started := r.started; err == nil && started != nil && e.Kind == lifecycle.EventStarted {
		r.started = nil
		started()
	}
	return err
}

// result is known when the last event comes: what the steps came to, and whether somebody stopped the run before its end.
func (r *recorder) result() lifecycle.RunResult {
	so := r.sum.Record()
	if so.Done < so.Steps && r.interrupted() {
		return lifecycle.RunInterrupted
	}
	ended := r.sum
	ended.Add(lifecycle.Event{Kind: lifecycle.EventSummary})
	return ended.Record().Result
}

// keepFrom has the record put into the cluster when the first step is about to act, as a run without an end: should this process be
// killed, the next one knows that the run was begun.
func (r *recorder) keepFrom(ctx context.Context, put func(context.Context, lifecycle.RunRecord) error) {
	r.started = func() { r.put(ctx, put) }
}

// keep puts the record into the cluster, if the run has changed anything.
func (r *recorder) keep(ctx context.Context, put func(context.Context, lifecycle.RunRecord) error) {
	if r.sum.Record().Begun > 0 {
		r.put(ctx, put)
	}
}

// put puts the record as it stands into the cluster. One that does not take it is worth a warning and no more.
func (r *recorder) put(ctx context.Context, put func(context.Context, lifecycle.RunRecord) error) {
	record := r.sum.Record()
	// Whoever stopped the run can wait this much longer: the next machine is to know of it.
	ctx, cancel := lifecycle.Within(context.WithoutCancel(ctx), recordLimit, "no answer")
	defer cancel()
	err := put(ctx, record)
	if err == nil {
		return
	}
	r.warn(lifecycle.Warnf(record.Site, "the cluster could not keep the record of this run").From(err).
		Try("The journal in .kiban/runs has all of it."))
}

// warn puts a finding about kiban's own records among the events of a run: they are not what the run is for.
func (r *recorder) warn(d lifecycle.Diagnostic) {
	record := r.sum.Record()
	_ = r.next(lifecycle.Event{Format: lifecycle.EventFormat, Time: time.Now(), Run: record.ID, Site: record.Site,
		Kind:    lifecycle.EventProgress,
		Message: "warning: " + d.Summary, Detail: d.Detail, Diagnostic: &d})
}
