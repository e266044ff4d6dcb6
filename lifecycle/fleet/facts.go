package fleet

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Facts are what it is decided by who may go: a fleet as its work tree declares it, and what was collected of its sites. revision is the
// commit that is checked out: a site that was collected at the same is not read again, for building one takes a tenth of a second. That
// of
// a work tree which differs, "-dirty", counts for nothing.
func (s Source) Facts(
	ctx context.Context, fleet, revision string, collected []Collected, lifts []lifecycle.Lift, now time.Time,
) (Facts, error) {
	f := Facts{Declared: map[string]lifecycle.Site{}, Broken: map[string]string{}, Known: map[string]Collected{}, Lifts: lifts, Now: now}
	for _, c := range collected {
		f.Known[c.Site] = c
	}
	declared, err := s.Now(fleet)
	if err != nil {
		return f, err
	}
	var others []string
	for _, name := range declared.names {
		c := f.Known[name]
		if d, known := c.Declared.Now(); known && clean(revision) && c.Revision == revision {
			f.Declared[name] = d.site(name)
			continue
		}
		others = append(others, name)
	}
	read, broken := make([]lifecycle.Site, len(others)), make([]string, len(others))
	err = AtOnce(ctx, len(others), runtime.GOMAXPROCS(0), func(i int) {
		site, ds := s.Load(ctx, fleet, others[i], "")
		if bad := Errors(ds); len(bad) > 0 {
			broken[i] = bad[0].Summary
			return
		}
		read[i] = site
	})
	for i, name := range others {
		if broken[i] != "" {
			f.Broken[name] = broken[i]
		} else {
			f.Declared[name] = read[i]
		}
	}
	return f, err
}

// clean reports whether a revision says all of what is declared.
func clean(revision string) bool { return revision != "" && !strings.HasSuffix(revision, "-dirty") }

// site is what of a site's declaration counts for who may go.
func (d Declaration) site(name string) lifecycle.Site {
	return lifecycle.Site{Name: name, Revision: d.Revision, Digest: d.Digest, Wave: d.Wave, Labels: d.Labels, Promotion: d.Promotion,
		Policy: lifecycle.Policy{Windows: slices.Clone(d.Windows)}}
}
