package lifecycle

import (
	"errors"
	"time"
)

// EventFormat is the version of Event's JSON form.
const EventFormat = "1.2"

// EventKind says what happened to a step, or to the run when Step is empty.
type EventKind string

const (
	EventBegun    EventKind = "begun"    // first event of a run; Header says what the run is about
	EventPlanned  EventKind = "planned"  // one per step, all of them before the first starts
	EventStarted  EventKind = "started"  // the step's action begins
	EventWaiting  EventKind = "waiting"  // a gate is not met yet; Message is the gate, Detail the reason
	EventProgress EventKind = "progress" // something worth a line happened within a step
	EventFinished EventKind = "finished"
	EventSkipped  EventKind = "skipped" // not run, because the run ended before it
	EventFailed   EventKind = "failed"
	EventSummary  EventKind = "summary" // last event of a run; only a warning that the cluster could not keep its record may follow

	// The two are for whoever watches kiban's events: no journal has them, for they are of no run.
	EventNote    EventKind = "note"    // something said in passing
	EventFinding EventKind = "finding" // a warning, or what stopped the verb: Diagnostic
)

// Event is the one thing that tells of a run. Journal, terminal, logs and reports are its sinks.
type Event struct {
	Format string    `json:"format"`
	Time   time.Time `json:"time"`
	Run    string    `json:"run"`
	Site   string    `json:"site"`
	Kind   EventKind `json:"kind"`
	// Step, Stage, Target and Action are those of the step; empty for events of the run.
	Step   string `json:"step,omitempty"`
	Stage  string `json:"stage,omitempty"`
	Target string `json:"target,omitempty"`
	Action Action `json:"action,omitempty"`
	// Message is one line. Detail says more.
	Message string `json:"message,omitempty"`
	Detail  string `json:"detail,omitempty"`
	// Elapsed is since the step's start, on finished and failed events, since the run's on the summary, and since the wait's on waiting ones.
	Elapsed time.Duration `json:"elapsed,omitempty"`
	// Within is how long it may take at most: the wait on waiting events, the step's action on started ones. 0: there is no bound.
	Within     time.Duration `json:"within,omitempty"`
	Diagnostic *Diagnostic   `json:"diagnostic,omitempty"`
	// Header is on the begun event.
	Header *RunHeader `json:"header,omitempty"`
	// Version and Disrupts are the step's: on planned events, and on started ones of steps that were not in the queue.
	Version  Version `json:"version,omitzero"`
	Disrupts bool    `json:"disrupts,omitempty"`
	// Change is Step.Change, on started events of steps that were not in the queue.
	Change string `json:"change,omitempty"`
	// Lost, on failed events: the machine was out of reach, which is no word against what was done.
	Lost bool `json:"lost,omitempty"`
	// Result is on the summary.
	Result RunResult `json:"result,omitempty"`
}

// Sink takes events, one at a time. An error from a sink stops the run: what can't be recorded must not be done.
type Sink func(Event) error

// Sinks makes several one. Each gets every event; their errors are joined.
func Sinks(sinks ...Sink) Sink {
	return func(e Event) error {
		var errs []error
		for _, s := range sinks {
			if err := s(e); err != nil {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
}
