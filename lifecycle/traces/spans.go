package traces

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"kiban.dev/kiban/lifecycle"
)

// name is of whoever makes the spans.
const name = "kiban.dev/kiban"

// Sink makes spans of a run's events. It serves one run.
func (e *Exporter) Sink() lifecycle.Sink {
	r := &run{tracer: e.provider.Tracer(name), parent: e.parent, steps: map[string]*span{}, waits: map[string]*wait{}}
	return func(ev lifecycle.Event) error {
		r.add(ev)
		return nil
	}
}

// span is one that has begun, and what its children are made with.
type span struct {
	trace.Span
	ctx context.Context
}

// wait is a wait for a gate, within a step.
type wait struct {
	trace.Span
	gate string
}

// run is a run whose events come one at a time.
type run struct {
	tracer trace.Tracer
	parent context.Context
	whole  *span
	steps  map[string]*span
	waits  map[string]*wait
}

func (r *run) add(e lifecycle.Event) {
	if e.Run == "" {
		return // it is of no run
	}
	if r.whole == nil {
		r.begin(e)
	}
	switch e.Kind {
	case lifecycle.EventStarted:
		r.wait(e, "")
		r.step(e).AddEvent("action began", trace.WithTimestamp(e.Time))
	case lifecycle.EventWaiting:
		r.wait(e, e.Message)
	case lifecycle.EventProgress:
		r.of(e).AddEvent(lifecycle.MaskText(e.Message), trace.WithTimestamp(e.Time))
	case lifecycle.EventFinished, lifecycle.EventSkipped, lifecycle.EventFailed:
		r.endStep(e)
	case lifecycle.EventSummary:
		r.end(e)
	}
}

// begin begins the run's span.
func (r *run) begin(e lifecycle.Event) {
	attributes := []attribute.KeyValue{attribute.String("kiban.site", e.Site), attribute.String("kiban.run", e.Run)}
	title := "run"
	if h := e.Header; h != nil {
		title = orRun(h.Doing)
		attributes = append(attributes, attribute.String("kiban.revision", h.Revision), attribute.String("kiban.who", h.Who),
			attribute.String("kiban.where", h.Where))
	}
	ctx, s := r.tracer.Start(r.parent, title+" "+e.Site, trace.WithTimestamp(e.Time), trace.WithAttributes(attributes...))
	r.whole = &span{s, ctx}
}

func orRun(doing string) string {
	if doing == "" {
		return "run"
	}
	return doing
}

// step is the span of an event's step, which begins with the first thing that is told of it: its gates before, or its action.
func (r *run) step(e lifecycle.Event) *span {
	if s := r.steps[e.Step]; s != nil {
		return s
	}
	attributes := []attribute.KeyValue{attribute.String("kiban.step", e.Step), attribute.String("kiban.action", string(e.Action)),
		attribute.String("kiban.target", e.Target), attribute.String("kiban.stage", e.Stage)}
	if !e.Version.IsZero() {
		attributes = append(attributes, attribute.String("kiban.version", e.Version.String()))
	}
	ctx, s := r.tracer.Start(r.whole.ctx, e.Step, trace.WithTimestamp(since(e)), trace.WithAttributes(attributes...))
	r.steps[e.Step] = &span{s, ctx}
	return r.steps[e.Step]
}

// since is when what an event tells of began.
func since(e lifecycle.Event) time.Time {
	if e.Kind == lifecycle.EventWaiting || e.Kind == lifecycle.EventFailed {
		return e.Time.Add(-e.Elapsed)
	}
	return e.Time
}

// of is the span that an event is told in: its step's, or the run's.
func (r *run) of(e lifecycle.Event) *span {
	if s := r.steps[e.Step]; s != nil {
		return s
	}
	return r.whole
}

// wait notes that a step waits for a gate, or for none any more.
func (r *run) wait(e lifecycle.Event, gate string) {
	if w := r.waits[e.Step]; w != nil {
		if w.gate == gate {
			w.AddEvent(lifecycle.MaskText(e.Detail), trace.WithTimestamp(e.Time))
			return
		}
		w.End(trace.WithTimestamp(e.Time))
		delete(r.waits, e.Step)
	}
	if gate == "" {
		return
	}
	_, s := r.tracer.Start(r.step(e).ctx, "wait: "+gate, trace.WithTimestamp(since(e)),
		trace.WithAttributes(attribute.String("kiban.gate", gate), attribute.String("kiban.reason", lifecycle.MaskText(e.Detail))))
	r.waits[e.Step] = &wait{s, gate}
}

func (r *run) endStep(e lifecycle.Event) {
	r.wait(e, "")
	if e.Kind == lifecycle.EventSkipped && r.steps[e.Step] == nil {
		return // it never began
	}
	s := r.step(e)
	if e.Kind == lifecycle.EventFailed {
		s.SetStatus(codes.Error, failure(e))
	}
	s.SetAttributes(attribute.String("kiban.result", string(e.Kind)))
	s.End(trace.WithTimestamp(e.Time))
	delete(r.steps, e.Step)
}

// failure is why a step failed.
func failure(e lifecycle.Event) string {
	if e.Diagnostic != nil {
		return lifecycle.MaskText(e.Diagnostic.Error())
	}
	return lifecycle.MaskText(e.Message)
}

// end ends the run's span, and those of steps that were cut off.
func (r *run) end(e lifecycle.Event) {
	for step, w := range r.waits {
		w.End(trace.WithTimestamp(e.Time))
		delete(r.waits, step)
	}
	for step, s := range r.steps {
		s.SetStatus(codes.Error, "the run ended before it")
		s.End(trace.WithTimestamp(e.Time))
		delete(r.steps, step)
	}
	if e.Result == lifecycle.RunFailed || e.Result == lifecycle.RunInterrupted {
		r.whole.SetStatus(codes.Error, lifecycle.MaskText(e.Message))
	}
	r.whole.SetAttributes(attribute.String("kiban.result", string(e.Result)))
	r.whole.End(trace.WithTimestamp(e.Time))
}
