package lifecycle

import "time"

// OutcomeFormat is the version of Outcome's JSON form. Readers refuse another major.
const OutcomeFormat = "1.0"

// OutcomeKind is how a verb that changes a site ended.
type OutcomeKind string

const (
	OutcomeDone        OutcomeKind = "done"      // everything planned was carried out
	OutcomeUnchanged   OutcomeKind = "unchanged" // the site was as declared: nothing was touched
	OutcomeFailed      OutcomeKind = "failed"
	OutcomeBlocked     OutcomeKind = "blocked"     // a gate, a policy, a lock or a window was in the way
	OutcomeStale       OutcomeKind = "stale"       // what would have been done is not what was reviewed
	OutcomeInterrupted OutcomeKind = "interrupted" // the operator, or the pipeline, stopped it
)

// Outcome is how a verb that changes a site ended, for whoever tells of it.
type Outcome struct {
	Format   string      `json:"format"`
	Site     string      `json:"site"`
	Revision string      `json:"revision,omitempty"`
	Kind     OutcomeKind `json:"kind"`
	// ExitCode is the process's.
	ExitCode int `json:"exitCode"`
	// Message is one line: "6 of 6 steps done in 4m12s", or what went wrong.
	Message string `json:"message"`
	// Verdict is what the plan would do, in one line; Plan is its Meaning. Empty where it did not come to a plan.
	Verdict string `json:"verdict,omitempty"`
	Plan    string `json:"plan,omitempty"`
	// Run is the id of the run's journal; empty where nothing was begun.
	Run   string    `json:"run,omitempty"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
	// From and Target are the k0s versions before and after, where the plan changes them.
	From   Version `json:"from,omitzero"`
	Target Version `json:"target,omitzero"`
	// Diagnostics are the findings that stopped it, and what it said beside.
	Diagnostics Diagnostics `json:"diagnostics,omitempty"`
	Review      *Review     `json:"review,omitempty"`
}

// Planned notes what was planned, and what that means in one line.
func (o *Outcome) Planned(verdict string, plan Plan) {
	o.Verdict, o.Plan, o.Diagnostics = verdict, plan.Meaning(), plan.Diagnostics
	if len(plan.Hops) == 0 {
		return
	}
	o.Target = plan.Target
	if former := plan.FormerVersion(); o.From.IsZero() || !former.IsZero() && former.Less(o.From) {
		o.From = former
	}
}

// Failed notes what kept the verb from its end. The message is the first finding that is no warning.
func (o *Outcome) Failed(err error) {
	o.Diagnostics = AsDiagnostics(err, "kiban could not do that")
	for _, d := range o.Diagnostics {
		if d.Severity != SeverityWarning {
			o.Message = d.Summary
			return
		}
	}
}

// NoOutcome says that an outcome could not be written into a file, and what that means for what was done.
func NoOutcome(file string, err error, so string) Diagnostic {
	return Errorf(file, "the result can't be written").
		Because(err.Error(), so).
		Try("Name a file in a folder that is there and may be written to.").
		From(err)
}

// Line says in a line how it ended: "done: 6 of 6 steps done in 4m12s".
func (o Outcome) Line() string {
	if o.Message == "" {
		return string(o.Kind)
	}
	return string(o.Kind) + ": " + OneLine(o.Message)
}
