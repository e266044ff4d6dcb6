package lifecycle

// Answer is what somebody said, or why that is not known.
type Answer[T any] struct {
	Value T
	// Unknown says why it is not known; "" where Value is the answer.
	Unknown string
}

// Known reports whether there is an answer.
func (a Answer[T]) Known() bool { return a.Unknown == "" }

// Evidence is what a site was asked, beyond its State, to learn what a version would break. It is gathered for that question alone: it
// costs the API more than a look does. What is not asked at all is nil.
type Evidence struct {
	// APIs is which versions of Kubernetes' API the site uses.
	APIs *APIEvidence
	// Scheduling is what decides where pods can run.
	Scheduling *Answer[Scheduling]
	// Risks are the files of risks/ at the fleet's root.
	Risks *Answer[[]RiskFile]
	// Admission is what must be there, and who is asked, before pods are let in again.
	Admission *Answer[Admission]
}
