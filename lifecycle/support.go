package lifecycle

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
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

// KnownSupport are all minors that are known, the oldest first.
func KnownSupport() []Support {
	all, err := readSupport(supportDates)
	if err != nil {
		return nil // a test holds that it can be read
	}
	return all
}

// SupportFile is the file at a fleet's root that has newer dates of support than this kiban brings, in the form of its own.
const SupportFile = "support.json"

// supportLine is what a file of dates says of a minor; "" is a date that is not known.
type supportLine struct {
	Minor    string `json:"minor"`
	Released string `json:"released"`
	Ends     string `json:"ends"`
}

// ParseSupport reads dates of support, in the form of kiban's own or in the one in which https://endoflife.date/api/kubernetes.json gives
// them: a list of {cycle, releaseDate, eol}, with more that does not matter. line is where what the error tells of stands; 0 where it
// stands nowhere in particular.
func ParseSupport(b []byte) (known []Support, line int, err error) {
	lineAt := func(offset int) int { return 1 + bytes.Count(b[:min(max(offset, 0), len(b))], []byte("\n")) }
	minors, at, err := supportLines(b)
	if err != nil {
		return nil, lineAt(at), fmt.Errorf("dates of support: %w", err)
	}
	for _, m := range minors {
		at := lineAt(bytes.Index(b, []byte(`"`+m.Minor+`"`)))
		released, err := supportDay(m.Released)
		ends, errEnds := supportDay(m.Ends)
		if err = errors.Join(err, errEnds); err == nil && minorNumber(m.Minor) == 0 {
			err = errors.New("a minor is written as 1.36")
		}
		if err == nil && !ends.IsZero() && !ends.After(released) {
			err = errors.New("its support ends before it was released")
		}
		if err == nil && slices.ContainsFunc(known, func(s Support) bool { return s.Minor == m.Minor }) {
			err = errors.New("it is there twice")
		}
		if err != nil {
			return nil, at, fmt.Errorf("dates of support: %s: %w", m.Minor, err)
		}
		known = append(known, Support{Minor: m.Minor, Released: released, Ends: ends})
	}
	return known, 0, nil
}

// supportLines decodes a file of dates. at is the offset of what the error tells of.
func supportLines(b []byte) (lines []supportLine, at int, err error) {
	decoder := json.NewDecoder(bytes.NewReader(b))
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		var cycles []cycle
		err = decoder.Decode(&cycles)
		for _, c := range cycles {
			lines = append(lines, supportLine{Minor: c.Cycle, Released: c.Released, Ends: string(c.Ends)})
		}
	} else {
		var file struct {
			Source string        `json:"source"`
			Minors []supportLine `json:"minors"`
		}
		decoder.DisallowUnknownFields()
		err = decoder.Decode(&file)
		lines = file.Minors
	}
	at = int(decoder.InputOffset())
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = int(syntax.Offset)
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		at = len(b)
	}
	return lines, at, err
}

// cycle is a minor as endoflife.date tells of it.
type cycle struct {
	Cycle    string  `json:"cycle"`
	Released string  `json:"releaseDate"`
	Ends     lastDay `json:"eol"`
}

// lastDay is a date, or false where none is known yet.
type lastDay string

func (d *lastDay) UnmarshalJSON(b []byte) error {
	if string(b) == "false" {
		*d = ""
		return nil
	}
	return json.Unmarshal(b, (*string)(d))
}

func readSupport(b []byte) ([]Support, error) {
	known, _, err := ParseSupport(b)
	return known, err
}

// KnownSupport are all minors that are known, the oldest first: the fleet's own dates count more than those that kiban brings.
func (f Fleet) KnownSupport() []Support {
	out := slices.Clone(f.Support)
	for _, s := range KnownSupport() {
		if !slices.ContainsFunc(out, func(o Support) bool { return o.Minor == s.Minor }) {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b Support) int { return minorNumber(a.Minor) - minorNumber(b.Minor) })
	return out
}

// SupportOf is what is known of the support of a version's minor, by the fleet's dates or by kiban's.
func (f Fleet) SupportOf(v Version) Support {
	own := v.Support()
	for _, s := range f.Support {
		if s.Minor == own.Minor {
			return s
		}
	}
	return own
}

func minorNumber(name string) int {
	var major, minor int
	_, _ = fmt.Sscanf(name, "%d.%d", &major, &minor) // a name that is none stays in front
	return major*1000 + minor
}

// supportDay reads a date; "" is one that is not known.
func supportDay(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s)
}
