package render

import (
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// SupportLine says that the oldest minor that a site runs gets no more patches, or soon will not; "" else, and where that is not known.
func SupportLine(fleet lifecycle.Fleet, state lifecycle.State, now time.Time) string {
	var oldest lifecycle.Version
	for _, h := range state.Hosts {
		if !h.Running.IsZero() && (oldest.IsZero() || h.Running.Less(oldest)) {
			oldest = h.Running
		}
	}
	if oldest.IsZero() {
		return ""
	}
	s := fleet.SupportOf(oldest)
	switch end := s.Ends.Format(time.DateOnly); {
	case s.Ended(now):
		return fmt.Sprintf("\nKubernetes %s, which runs here, gets no more patches since %s.\n", s.Minor, end)
	case s.EndsWithin(lifecycle.SupportEndsSoon, now):
		return fmt.Sprintf("\nKubernetes %s, which runs here, gets patches until %s only.\n", s.Minor, end)
	}
	return ""
}
