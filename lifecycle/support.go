package lifecycle

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

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

// The dates that the project publishes are data, with their source. A minor that is not among them is not known; nothing is reckoned from
// the usual fourteen months.
//
//go:embed support.json
var supportDates []byte

// Support is what is known of the support of a version's minor. Of a minor that is not known it has the name and no dates.
func (v Version) Support() Support {
	known := Support{Minor: fmt.Sprintf("%d.%d", v.Major, v.Minor)}
	all, err := readSupport(supportDates)
	if err != nil {
		return known // a test holds that it can be read
	}
	for _, s := range all {
		if s.Minor == known.Minor {
			return s
		}
	}
	return known
}

func readSupport(b []byte) ([]Support, error) {
	var file struct {
		Source string `json:"source"`
		Minors []struct {
			Minor    string `json:"minor"`
			Released string `json:"released"`
			Ends     string `json:"ends"`
		} `json:"minors"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, fmt.Errorf("dates of support: %w", err)
	}
	var out []Support
	for _, m := range file.Minors {
		released, err := supportDay(m.Released)
		if err != nil {
			return nil, fmt.Errorf("dates of support: %s: %w", m.Minor, err)
		}
		ends, err := supportDay(m.Ends)
		if err != nil {
			return nil, fmt.Errorf("dates of support: %s: %w", m.Minor, err)
		}
		out = append(out, Support{Minor: m.Minor, Released: released, Ends: ends})
	}
	return out, nil
}

// supportDay reads a date; "" is one that is not known.
func supportDay(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}
