package fleet

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
	"kiban.dev/kiban/lifecycle/promotion"
)

// Asking is the question that a site is asked, whatever it answers: which site, when, and by which kiban.
type Asking struct {
	Site     string
	At       time.Time
	By       string
	Revision string
}

// Learnt is what a survey told of a site. problems and atWork are what is judged of it elsewhere: what is wrong, and the locks whose runs
// are alive. due is by when it must begin to leave a minor release that it runs (Source.Due).
func (a Asking) Learnt(
	site lifecycle.Site, v lifecycle.Survey, problems lifecycle.Diagnostics, atWork []lifecycle.Lock,
	due func(runs lifecycle.Version) (calendar.Entry, bool),
) Collected {
	if d, unseen := v.State.Unseen(); unseen {
		return a.Failed(d)
	}
	c := a.begun()
	st := v.State
	standing := Stand(site, st, problems, atWork)
	if p := v.Proven(); p != nil {
		standing.Proven = p.At
	}
	c.Standing = known(a, standing)
	c.Machines = known(a, machines(site, st))
	c.Addons = a.addons(site, st)
	c.Support = a.support(site, st, due)
	c.Ready = told(a, v.Readiness, foresight)
	if v.Readiness.Value.Blind {
		c.Ready = Part[Foresight]{Unknown: "neither a machine nor the API answered"}
	}
	c.Drift = a.drift(site, st, v.Plan)
	c.Soak = told(a, v.Soak, same)
	c.Pinned = told(a, v.Pinned, same)
	c.Locks = told(a, v.Locks, same)
	c.Runs = told(a, v.Runs, lastRuns)
	c.Backups = told(a, v.Backups, func(kept []lifecycle.KeptBackup) Backups { return backups(kept, v.Unasked, v.Proven()) })
	c.Certificates = a.certificates(site, st)
	c.Tenants = told(a, v.Tenants, same)
	return c
}

// Failed is a site of which nothing could be learnt, and why.
func (a Asking) Failed(err error) Collected {
	c := a.begun()
	d := lifecycle.AsDiagnostics(err, lifecycle.InWords(err))[0]
	c.Failed = why(d)
	for _, part := range c.parts() {
		part.unknown(c.Failed)
	}
	return c
}

// Declares adds what the repository says of the site.
func (c *Collected) Declares(d Declaration) {
	c.Declared, c.Revision = Part[Declaration]{At: c.Asked, Value: d}, cmp.Or(c.Revision, d.Revision)
}

func (a Asking) begun() Collected {
	return Collected{APIVersion: CollectedVersion, Kind: CollectedKind, Site: a.Site, Asked: a.At, By: a.By, Revision: a.Revision,
		Declared: Part[Declaration]{Unknown: "the repository was not read"}}
}

// known is a part that was learnt.
func known[T any](a Asking, value T) Part[T] { return Part[T]{At: a.At, Value: value} }

// told is what somebody answered, made into what is kept of it.
func told[T, V any](a Asking, answer lifecycle.Answer[T], of func(T) V) Part[V] {
	if !answer.Known() {
		return Part[V]{Unknown: lifecycle.OneLine(answer.Unknown)}
	}
	return known(a, of(answer.Value))
}

func same[T any](v T) T { return v }

// why is a finding in one line.
func why(d lifecycle.Diagnostic) string {
	text := d.Summary
	if first, _, _ := strings.Cut(strings.TrimSpace(d.Detail), "\n"); first != "" && first != text {
		text += ": " + first
	}
	return lifecycle.OneLine(text)
}

// support is by when the site must begin to leave the lowest version that it runs.
func (a Asking) support(
	site lifecycle.Site, st lifecycle.State, due func(lifecycle.Version) (calendar.Entry, bool),
) Part[calendar.Entry] {
	runs := st.Lowest()
	switch {
	case site.Provider == lifecycle.ProviderExternal:
		return Part[calendar.Entry]{Unknown: "somebody else runs its machines, and sees to its version"}
	case runs.IsZero():
		return Part[calendar.Entry]{Unknown: "which version it runs is not known"}
	}
	e, ok := due(runs)
	if !ok {
		return Part[calendar.Entry]{Unknown: "it could not be reckoned"}
	}
	return known(a, e)
}

// foresight is a readiness in short.
func foresight(r lifecycle.Readiness) Foresight {
	f := Foresight{To: r.To, Ready: r.IsReady(), Blocks: len(r.Of(lifecycle.RankBlocks)), Attention: len(r.Of(lifecycle.RankAttention)),
		Good: len(r.Of(lifecycle.RankGood)), Unseen: r.NotSeen(), Verdict: r.Verdict()}
	for _, one := range r.Findings {
		if one.Rank != lifecycle.RankGood {
			f.First = append(f.First, lifecycle.OneLine(string(one.Rank)+": "+one.Subject+": "+one.Summary))
		}
	}
	for _, u := range r.Unseen {
		f.First = append(f.First, lifecycle.OneLine("not looked at: "+u.What+": "+u.Why))
	}
	f.First = first(f.First)
	return f
}

// drift is a plan in short. Where the site could not be seen well enough for a plan, it is not known.
func (a Asking) drift(site lifecycle.Site, st lifecycle.State, p lifecycle.Plan) Part[Drift] {
	for _, d := range p.Diagnostics {
		if d.Severity == lifecycle.SeverityError {
			return Part[Drift]{Unknown: why(d)}
		}
	}
	d := Drift{Steps: len(p.Steps), Stops: p.Diagnostics.Stopping(), Unfinished: p.Unfinished, Waits: p.Waits}
	d.Warnings = len(p.Diagnostics) - len(d.Stops)
	d.Stops = d.Stops[:min(len(d.Stops), LinesKept)]
	for i, s := range p.Steps {
		if s.Disrupts {
			d.Disrupts++
		}
		d.Does = append(d.Does, s.Action)
		if i < LinesKept {
			d.First = append(d.First, lifecycle.OneLine(s.ID+": "+s.Reason))
		}
	}
	slices.Sort(d.Does)
	d.Does = slices.Compact(d.Does)
	if d.Steps > 0 {
		d.Meaning = p.Meaning()
	}
	if len(p.Hops) > 0 {
		d.Target = p.Target
	}
	if p.Estimate != nil {
		d.Estimate = p.Estimate.Duration
	}
	d.Brings = promotion.Brought(p)
	for _, v := range promotion.Unseen(site, st) {
		if !slices.Contains(d.Brings, v) {
			d.Brings = append(d.Brings, v)
		}
	}
	return known(a, d)
}

// first are the first few lines.
func first(lines []string) []string { return lines[:min(len(lines), LinesKept)] }

// lastRuns are the runs that are kept, without what only estimates need.
func lastRuns(runs []lifecycle.RunRecord) []lifecycle.RunRecord {
	out := slices.Clone(runs[:min(len(runs), RunsKept)])
	for i := range out {
		out[i].Took = nil
	}
	return out
}

// backups are what is kept to go back to, in short.
func backups(kept []lifecycle.KeptBackup, unasked []string, proven *lifecycle.Proof) Backups {
	b := Backups{Count: len(kept), Unasked: unasked, Proven: proven, Newest: slices.Clone(kept[:min(len(kept), BackupsKept)])}
	for i := range b.Newest {
		b.Newest[i].Contents, b.Newest[i].Recipients = lifecycle.Contents{}, nil
	}
	return b
}
