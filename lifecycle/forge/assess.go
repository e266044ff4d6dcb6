package forge

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

// SitePlan is what a merge request does to a site.
type SitePlan struct {
	// Site is the site as it is declared. Where it could not be read, only its name is known.
	Site lifecycle.Site
	Plan lifecycle.Plan
	// Missing says why there is no plan; "" when there is one.
	Missing string
	// Gone: the merge request deletes the site's overlay.
	Gone bool
	// Evidence is what stands behind a plan that was reviewed.
	Evidence lifecycle.ReviewEvidence
	// Guards are the changes of what decides how, when and on whose word the site may be changed; Unguarded says why they are not known,
	// "" when they are.
	Guards    []lifecycle.DeclaredChange
	Unguarded string
	// New: the target branch has no such site yet.
	New bool
	// Promoted are the versions that the plan brings, each held against a site that must have run it before.
	Promoted []lifecycle.Promoted
	// Rehearsal is how this plan went in a twin of the site; Unrehearsed says why that is not known, "" when it is, or nobody asked.
	Rehearsal   *lifecycle.Rehearsal
	Unrehearsed string
}

// urgency is how much of a reviewer's time a plan needs.
type urgency int

const (
	urgencyBlocked urgency = iota
	urgencyAttention
	urgencySafe
	urgencyNone
)

// sign and word begin a site's line.
func (u urgency) sign() string { return [...]string{"⛔", "⚠️", "✅", "➖"}[u] }
func (u urgency) word() string {
	return [...]string{"blocked", "needs attention", "safe", "no changes"}[u]
}

// assessment is the verdict on a plan, and why, each a clause.
type assessment struct {
	urgency urgency
	// stops say why it would not go now, by name; of findings, which are shown by themselves, and of everything else.
	findings, stops []string
	// reasons are what a reviewer must know of it beside its findings.
	reasons []string
}

// why is the assessment in a line.
func (a assessment) why() string {
	if a.urgency == urgencyBlocked {
		return someClauses(slices.Concat(a.stops, a.findings), clausesNamed)
	}
	return someClauses(slices.Concat(a.reasons, a.findings), clausesNamed)
}

// assess gives the verdict on a plan. Safe is what kiban does behind its gates, one after another, without anything going away for good:
// new machines, patch releases, changes to objects.
func assess(s SitePlan, opts NoteOptions) assessment {
	switch {
	case s.Gone:
		return assessment{urgency: urgencyAttention,
			reasons: []string{"its overlay is deleted: nothing is destroyed, its cluster goes on running and nobody looks after it"}}
	case s.Missing != "":
		return assessment{urgency: urgencyBlocked, stops: []string{s.Missing}, reasons: guardReasons(s)}
	}
	findings := s.Plan.Diagnostics.Stopping()
	a := assessment{stops: unmet(s.Promoted), reasons: slices.Concat(guardReasons(s), machineReasons(s), supportReasons(s.Plan, opts),
		unitReasons(s.Plan), windowReasons(s, opts))}
	switch why := rehearsalReason(s); {
	case why == "":
	case s.Site.Promotion.Rehearsed:
		a.stops = append(a.stops, why)
	default:
		a.reasons = append(a.reasons, why)
	}
	if s.Plan.Unfinished != "" {
		a.reasons = append(a.reasons, "another plan must follow: "+s.Plan.Unfinished)
	}
	if strings.HasSuffix(s.Plan.Revision, "-dirty") && !s.Plan.Empty() {
		a.reasons = append(a.reasons, "it was planned from files that are not committed")
	}
	switch {
	case len(findings) > 0 || len(a.stops) > 0:
		a.urgency, a.findings = urgencyBlocked, findingNames(findings)
	case len(a.reasons) > 0 || len(s.Plan.Diagnostics) > 0:
		a.urgency, a.findings = urgencyAttention, findingNames(s.Plan.Diagnostics)
	case s.Plan.Empty():
		a.urgency = urgencyNone
	default:
		a.urgency = urgencySafe
	}
	return a
}

// findingNames name findings: "a disruption budget can never allow an eviction (shop/web)".
func findingNames(ds lifecycle.Diagnostics) []string {
	var out []string
	for _, d := range ds {
		name := d.Summary
		if d.Subject != "" && !strings.Contains(name, d.Subject) {
			name += " (" + render.Subject(d.Subject) + ")"
		}
		out = append(out, name)
	}
	return out
}

// someClauses says "a; b; and 7 more".
func someClauses(clauses []string, most int) string {
	if n := len(clauses) - most; n > 0 {
		clauses = append(slices.Clone(clauses[:most]), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(clauses, "; ")
}

// machineReasons are what a reviewer of changes to machines must know.
func machineReasons(s SitePlan) []string {
	var reasons, removed []string
	restored, alone, changes := false, false, 0
	control := s.Site.Cluster.Controllers()
	for _, step := range s.Plan.Steps {
		if lifecycle.IsUnit(step.Target) {
			continue
		}
		switch step.Action {
		case lifecycle.ActionReset, lifecycle.ActionDeleteNode:
			if !slices.Contains(removed, step.Target) {
				removed = append(removed, step.Target)
			}
		case lifecycle.ActionRestore:
			restored = true
		case lifecycle.ActionConfigure:
			changes = max(changes, len(step.Changes)) // each controller has the same ones
		}
		alone = alone || step.Disrupts && len(control) == 1 && control[0].Name == step.Target
	}
	if restored {
		reasons = append(reasons, "the control plane is rebuilt from a backup")
	}
	if len(removed) > 0 {
		reasons = append(reasons, someNames(removed, 3)+" loses its data on reset")
		if len(removed) > 1 {
			reasons[len(reasons)-1] = someNames(removed, 3) + " lose their data on reset"
		}
	}
	if from, to, crosses := minors(s.Plan); crosses {
		reasons = append(reasons, "Kubernetes goes from "+from+" to "+to+", which may serve other APIs")
	}
	if changes > 0 {
		reasons = append(reasons, lifecycle.Count(changes, "field")+" of the control plane's configuration "+changeWord(changes))
	}
	if alone {
		reasons = append(reasons, "its only controller restarts: no API meanwhile")
	}
	return reasons
}

func changeWord(n int) string {
	if n == 1 {
		return "changes"
	}
	return "change"
}

// minors says between which minor versions of Kubernetes a plan moves machines.
func minors(p lifecycle.Plan) (from, to string, crosses bool) {
	oldest := p.FormerVersion()
	if oldest.IsZero() || p.Target.Less(oldest) {
		oldest = p.Target
	}
	return oldest.MinorString(), p.Target.MinorString(), p.Target.MinorsAhead(oldest) > 0
}

// unitReasons are what a reviewer of changes to addons, tenants and objects must know.
func unitReasons(p lifecycle.Plan) []string {
	var sum render.UnitSum
	var pruned []string
	for _, s := range p.Steps {
		if !lifecycle.IsUnit(s.Target) {
			continue
		}
		sum = sum.Add(render.SumUnit(s))
		if s.Action == lifecycle.ActionPrune {
			pruned = append(pruned, lifecycle.UnitLabel(s.Target))
		}
	}
	var reasons []string
	be := func(n int) string {
		if n == 1 {
			return "is"
		}
		return "are"
	}
	if n := len(pruned); n > 0 {
		reasons = append(reasons, fmt.Sprintf("%s %s removed", someNames(pruned, 3), be(n)))
	}
	for _, r := range []struct {
		n    int
		what string
	}{{sum.Deleted, "deleted"}, {sum.Replaced, "deleted and made anew"}} {
		if r.n > 0 {
			reasons = append(reasons, fmt.Sprintf("%s %s %s", lifecycle.Count(r.n, "object"), be(r.n), r.what))
		}
	}
	if n := sum.PutBack; n > 0 {
		reasons = append(reasons, fmt.Sprintf("%s that someone changed in the cluster %s put back", lifecycle.Count(n, "object"), be(n)))
	}
	return reasons
}

// someNames says "a, b, c and 7 more".
func someNames(names []string, most int) string {
	if n := len(names) - most; n > 1 {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", n)
	}
	return lifecycle.Enumerate(names)
}
