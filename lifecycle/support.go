package lifecycle

import "time"

// SupportEndsSoon is how long before the end of a minor's support that is worth an operator's attention.
const SupportEndsSoon = 60 * 24 * time.Hour

// Support is how long the Kubernetes project gives a minor release patches, security fixes among them.
type Support struct {
	// Minor is "1.36".
	Minor string
	// Released and Ends are days, midnight UTC. Zero: not known.
	Released, Ends time.Time
}

// Ended reports whether there are no more patches. Of a minor whose end is not known it is false.
func (s Support) Ended(now time.Time) bool { return s.EndsWithin(0, now) }

// EndsWithin reports whether there will be no more patches after so long, or are none already.
func (s Support) EndsWithin(d time.Duration, now time.Time) bool {
	return !s.Ends.IsZero() && !now.Add(d).Before(s.Ends)
}
