package risks

import "kiban.dev/kiban/lifecycle"

// Outcome is what a risk comes to at a site.
type Outcome struct {
	// Concerns says that it matters there. Unknown says why that is not known, "" where it is; Machines then did not answer.
	Concerns bool
	Unknown  string
	// Seen is what was seen, and where. Machines are those that it is about, Addon is the addon.
	Seen     []string
	Machines []string
	Addon    string
}

// Judge says whether the risk matters where the site gets the target.
func (r Risk) Judge(f Facts) Outcome {
	if !r.crossed(f) {
		return Outcome{}
	}
	v := all(r.When, f)
	if v.answer == no {
		return Outcome{}
	}
	switch u := one(r.Unless, f); {
	case u.answer == yes && !covers(v, u):
	case u.answer == yes:
		return Outcome{}
	case u.answer == unknown && v.answer == yes:
		return Outcome{Unknown: u.why, Machines: u.machines}
	}
	if v.answer == unknown {
		return Outcome{Unknown: v.why, Machines: v.machines}
	}
	return Outcome{Concerns: true, Seen: v.seen, Machines: v.machines, Addon: v.addon}
}

// covers reports whether what excepts from a risk excepts all that it is about: of machines, each.
func covers(v, except verdict) bool {
	if !v.about || !except.about {
		return true
	}
	for _, m := range v.machines {
		found := false
		for _, e := range except.machines {
			found = found || e == m
		}
		if !found {
			return false
		}
	}
	return true
}

// crossed reports whether the site comes by a version that brings the risk, from one that it concerns.
func (r Risk) crossed(f Facts) bool {
	from := f.State.Lowest()
	switch {
	case f.Target.IsZero():
		return false // nothing is to come
	case !r.From.IsZero() && !r.From.Has(from):
		return false
	case r.To.IsZero():
		return true
	case r.From.IsZero() && r.To.Has(from):
		return false // it has it already
	}
	for _, v := range append([]lifecycle.Version{f.Target}, f.Site.Policy.Path...) {
		if r.To.Has(v) && from.Less(v) && !f.Target.Less(v) {
			return true
		}
	}
	return false
}
