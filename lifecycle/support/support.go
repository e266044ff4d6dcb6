// Package support knows how long the minor releases of Kubernetes get patches, by the dates that the project publishes. They are data, with
// their source: kubernetes.json. A minor that is not in it is not known; nothing is reckoned from the usual fourteen months.
package support

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"

	"kiban.dev/kiban/lifecycle"
)

//go:embed kubernetes.json
var published []byte

// Of is what is known of the support of a version's minor. Of a minor that is not known it has the name and no dates.
func Of(v lifecycle.Version) lifecycle.Support {
	known := lifecycle.Support{Minor: fmt.Sprintf("%d.%d", v.Major, v.Minor)}
	all, err := read(published)
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

func read(b []byte) ([]lifecycle.Support, error) {
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
	var out []lifecycle.Support
	for _, m := range file.Minors {
		released, err := day(m.Released)
		if err != nil {
			return nil, fmt.Errorf("dates of support: %s: %w", m.Minor, err)
		}
		ends, err := day(m.Ends)
		if err != nil {
			return nil, fmt.Errorf("dates of support: %s: %w", m.Minor, err)
		}
		out = append(out, lifecycle.Support{Minor: m.Minor, Released: released, Ends: ends})
	}
	return out, nil
}

// day reads a date; "" is one that is not known.
func day(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}
