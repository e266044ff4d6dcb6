package lifecycle

import (
	"cmp"
	"slices"
	"time"
)

// Requests are kept for so long after they were seen, and so many of them at most: what nobody has asked for in a quarter is history.
const (
	requestsAge  = 90 * 24 * time.Hour
	mostRequests = 300
)

// MergeRequests adds what API servers count now to what is kept of earlier readings, and leaves out what is too old. Servers forget their
// counts when they restart, so what a former process of a server counted stays until the present one is asked for the same. A count that
// has not grown since the last reading says that the last request came before that one.
func MergeRequests(kept, now []APIRequest, at time.Time) []APIRequest {
	var out []APIRequest
	for _, k := range kept {
		if !slices.ContainsFunc(now, k.Same) && at.Sub(k.Until) <= requestsAge {
			out = append(out, k)
		}
	}
	for _, r := range now {
		if i := slices.IndexFunc(kept, r.Same); i >= 0 {
			r = r.after(kept[i])
			r.Own = laterOf(r.Own, kept[i].Own)
		}
		if at.Sub(r.Until) <= requestsAge {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b APIRequest) int { return cmp.Or(b.Until.Compare(a.Until), a.Compare(b)) })
	if len(out) > mostRequests {
		out = out[:mostRequests]
	}
	slices.SortFunc(out, APIRequest.Compare)
	return out
}

// after is a reading in the light of an earlier one.
func (r APIRequest) after(earlier APIRequest) APIRequest {
	if d := r.Start.Sub(earlier.Start); d > time.Minute || d < -time.Minute {
		return r // another process
	}
	switch {
	case r.Count > earlier.Count:
		r.Since = laterOf(r.Since, earlier.Read)
	case r.Count > 0:
		r.Since, r.Until = earlier.Since, earlier.Until
	}
	return r
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
