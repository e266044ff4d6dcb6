package readiness

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/readiness/risks"
)

// knownRisks holds the site against what is known to go wrong with versions: the risks that kiban comes with, and the fleet's own.
func knownRisks(in Input, r *report) {
	known := risks.Known()
	if own := in.Evidence.Risks; own != nil {
		known = r.ownRisks(known, *own)
	}
	facts := risks.Facts{Site: in.Site, State: in.State, Target: in.Target}
	hidden := map[string][]string{}
	for _, risk := range known {
		switch o := risk.Judge(facts); {
		case o.Concerns:
			r.find(riskFinding(in, risk, o))
		case o.Unknown != "" && len(o.Machines) == 0: // of machines that do not answer, reach tells
			hidden[o.Unknown] = append(hidden[o.Unknown], risk.ID)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(hidden)) {
		ids := hidden[why]
		what := fmt.Sprintf("whether %s the site (%s)", some(len(ids)), lifecycle.Enumerate(few(ids, 4)))
		switch {
		case r.api > 0 && (why == in.State.API.Unknown || r.Blind):
			r.hidden(r.api, what)
		case why == risks.Newer(in.Target) && in.Target.Support().Released.IsZero():
			r.unseen(what, noRelease, newerKiban)
		default:
			r.unseen(what, why, "")
		}
	}
	if in.State.API.Unknown == "" && len(in.State.Hosts) == 0 || slices.ContainsFunc(in.State.Hosts, lifecycle.HostState.Reached) {
		r.looked(lifecycle.Count(len(known), "known risk")) // where nobody answered, they were held against nothing
	}
}

func some(n int) string {
	if n == 1 {
		return "a known risk concerns"
	}
	return fmt.Sprintf("%d known risks concern", n)
}

// riskFinding tells of a risk: about the machine where it is one, about the addon where it is about that, else about the site.
func riskFinding(in Input, risk risks.Risk, o risks.Outcome) lifecycle.ReadinessFinding {
	f := lifecycle.ReadinessFinding{Rule: risk.ID, Rank: risk.Rank, Subject: in.Site.Name, Summary: risk.Title, Remedy: risk.Remedy}
	switch {
	case o.Addon != "":
		f.Subject, f.Owner = "addon "+o.Addon, "addon "+o.Addon
		f.Source = whereAddon(in.Site, o.Addon, "spec.chart.version")
	case len(o.Machines) == 1:
		f.Subject = o.Machines[0]
	default:
		f.Machines = o.Machines
	}
	f.Seen = append(slices.Clone(few(o.Seen, mostLines)), risk.Consequence)
	if v := risk.To.Since; !v.IsZero() {
		f.Breaks = v.MinorString()
		if v.Patch > 0 {
			f.Breaks = v.String()
		}
	}
	return f
}

// ownRisks adds the fleet's own to those that kiban comes with: one of the same name takes its place. What
// a file with a mistake tells of is not known: its owners meant it to be looked at.
func (r *report) ownRisks(known []risks.Risk, own lifecycle.Answer[[]lifecycle.RiskFile]) []risks.Risk {
	if !own.Known() {
		r.unseen("the fleet's own risks", own.Unknown, "")
		return known
	}
	for _, file := range own.Value {
		risk, mistakes := risks.Read(file.Path, file.Text)
		for _, m := range mistakes {
			r.unseen("whether what "+file.Path+" tells of concerns the site", m.Where()+": "+unusable(m), schemaOfRisks)
		}
		if len(mistakes) > 0 {
			continue
		}
		i := slices.IndexFunc(known, func(k risks.Risk) bool { return k.ID == risk.ID })
		if i >= 0 {
			known[i] = risk
			continue
		}
		known = append(known, risk)
	}
	slices.SortFunc(known, func(a, b risks.Risk) int { return cmp.Compare(a.ID, b.ID) })
	return known
}
