package lifecycle

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rank is what a readiness finding means for an upgrade.
type Rank string

const (
	// RankBlocks: the upgrade would break what is named, for certain. A plan that changes the version stops there.
	RankBlocks Rank = "blocks"
	// RankAttention: somebody has to look at it before, or to act before a later version.
	RankAttention Rank = "needs attention"
	// RankGood: nothing has to be done. It is good to know.
	RankGood Rank = "good to know"
)

// Ranks are all of them, the worst first.
func Ranks() []Rank { return []Rank{RankBlocks, RankAttention, RankGood} }

// Readiness is what a version would break at a site, as far as that could be seen.
type Readiness struct {
	Site string `json:"site"`
	// Provider is who runs the machines, where that is somebody else: such a site has a version of Kubernetes, and none of k0s.
	Provider Provider `json:"provider,omitempty"`
	// From is the lowest version that a machine of the site has, To the one that is judged.
	From Version `json:"from,omitzero"`
	To   Version `json:"to"`
	// Findings are sorted: the worst first, then by subject.
	Findings []ReadinessFinding `json:"findings,omitempty"`
	// Unseen is what could not be looked at. Of that nothing is said, and the site is not called ready.
	Unseen []Unseen `json:"unseen,omitempty"`
	// Blind says that neither a machine nor the API answered.
	Blind bool `json:"blind,omitempty"`
	// Stops is how many findings of a plan itself, which stand there, are in the way beside these.
	Stops int `json:"stops,omitempty"`
	// Looked is what was looked at, a phrase each: "412 stored objects of 31 kinds".
	Looked []string `json:"looked,omitempty"`
}

// ReadinessFinding is one thing that a version breaks, or may.
type ReadinessFinding struct {
	// Rule is the name of what found it, which `kiban explain` knows: "removed-api".
	Rule string `json:"rule"`
	Rank Rank   `json:"rank"`
	// Subject is what it is about: "addon argo-cd", "worker-3", "Deployment shop/web".
	Subject string `json:"subject"`
	// Machines are those that it is about, where they are several.
	Machines []string `json:"machines,omitempty"`
	// Owner is whom it concerns: "tenant shop", "team payments", "addon argo-cd"; "" for whoever runs the site.
	Owner string `json:"owner,omitempty"`
	// Summary is one line: what will happen.
	Summary string `json:"summary"`
	// Source is where the declaration has it, "overlays/tokyo-prod/web.yaml:3", or what makes it: "chart web-1.2.0". "" where neither is
	// known.
	Source string `json:"source,omitempty"`
	// Seen is the evidence, a line each: what was seen, and where.
	Seen []string `json:"seen,omitempty"`
	// Breaks is the version from which it does: "v1.37". "" where no version decides.
	Breaks string `json:"breaks,omitempty"`
	// Remedy is what to do: a sentence that begins with a capital letter, or a command.
	Remedy string `json:"remedy"`
}

// Unseen is something that could not be looked at.
type Unseen struct {
	// What is what was to be learnt: "who asks for removed APIs".
	What string `json:"what"`
	// Why could it not be: "tokyo-1: connection refused".
	Why string `json:"why"`
	// Subject is what it is about, where that has a name: "webhook pods.policy". It is accepted by that, or else by What.
	Subject string `json:"subject,omitempty"`
	// Remedy says how to let kiban see it; "" where trying again is all there is.
	Remedy string `json:"remedy,omitempty"`
	// Also is what else could not be learnt for the same reason.
	Also []string `json:"also,omitempty"`
}

// Named is a version as people of the site know it: the k0s version, or that of Kubernetes where somebody else runs the machines.
func (r Readiness) Named(v Version) string {
	if r.Provider == ProviderExternal {
		return v.Kubernetes()
	}
	return v.String()
}

// Program is what has that version.
func (r Readiness) Program() string {
	if r.Provider == ProviderExternal {
		return "Kubernetes"
	}
	return "k0s"
}

// Of are the findings of a rank.
func (r Readiness) Of(rank Rank) []ReadinessFinding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f ReadinessFinding) bool { return f.Rank != rank })
}

// NotSeen is how many things could not be looked at.
func (r Readiness) NotSeen() int {
	n := 0
	for _, u := range r.Unseen {
		n += 1 + len(u.Also)
	}
	return n
}

// IsReady reports whether nothing is in the way of the version, and all of it was looked at.
func (r Readiness) IsReady() bool {
	return len(r.Of(RankBlocks)) == 0 && len(r.Unseen) == 0 && r.Stops == 0
}

// RuleNotSeen is the name by which a site's owners accept that something could not be looked at.
const RuleNotSeen = "not-seen"

// The rules that find what a plan finds itself.
const (
	RuleClock    = "machine-clock"
	RuleCgroupV1 = "kubernetes-cgroup-v1"
	RuleDropIns  = "k0s-containerd-drop-ins"
)

// Beside is what is left to tell beside a plan's own findings: what these tell of a machine is not told again, for they look closer, and
// those that stop the plan count as being in the way. What the site's owners have accepted stays.
func (r Readiness) Beside(own Diagnostics) Readiness {
	r.Stops = len(own.Stopping())
	told := map[string]bool{}
	for _, d := range own {
		for _, m := range append([]string{d.Subject}, d.Subjects...) {
			told[d.Rule+" "+m] = d.Rule != ""
		}
	}
	var left []ReadinessFinding
	for _, f := range r.Findings {
		is := func(m string) bool { return told[f.Rule+" "+m] }
		switch rest := slices.DeleteFunc(slices.Clone(f.Machines), is); {
		case f.Rank == RankGood:
		case is(f.Subject) || len(f.Machines) > 0 && len(rest) == 0 || len(f.unserved(own)) > 0:
			continue
		case len(rest) < len(f.Machines):
			f.Seen = slices.DeleteFunc(slices.Clone(f.Seen), func(line string) bool {
				m, _, _ := strings.Cut(line, ": ")
				return is(m)
			})
			if f.Machines = rest; len(rest) == 1 {
				f.Subject, f.Machines = rest[0], nil
			}
		}
		left = append(left, f)
	}
	r.Findings = left
	return r
}

// RuleRemovedAPI finds what uses an API that goes, or has gone.
const RuleRemovedAPI = "removed-api"

// unserved are those of a plan's findings that tell the same of what is declared: it can't be applied, for its API has gone.
func (f ReadinessFinding) unserved(own Diagnostics) Diagnostics {
	if f.Rule != RuleRemovedAPI || f.Source == "" || f.Rank == RankGood {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(own), func(d Diagnostic) bool { return !f.sameAs(d) })
}

func (f ReadinessFinding) sameAs(d Diagnostic) bool {
	return d.Subject == f.Source && errors.Is(d, ErrUnserved)
}

// WithUnserved makes one finding, which is in the way, of what a plan finds of a declared object that can't be applied and of what is
// found of its API; left are the plan's other findings.
func (r Readiness) WithUnserved(own Diagnostics) (joined Readiness, left Diagnostics) {
	r.Findings, left = slices.Clone(r.Findings), own
	for i, f := range r.Findings {
		same := f.unserved(own)
		if len(same) == 0 {
			continue
		}
		r.Findings[i].Rank = RankBlocks
		r.Findings[i].Seen = append(slices.Clone(f.Seen), same[0].Detail)
		left = slices.DeleteFunc(slices.Clone(left), f.sameAs)
	}
	return r, left
}

// Sort orders the findings for people: the worst first, then by subject and summary.
func (r *Readiness) Sort() {
	order := Ranks()
	slices.SortStableFunc(r.Findings, func(a, b ReadinessFinding) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Rank), slices.Index(order, b.Rank)), cmp.Compare(a.Subject, b.Subject),
			cmp.Compare(a.Summary, b.Summary))
	})
}

// Diagnostics are what a plan says of it: that the version breaks something, which stops the plan, that something needs attention, and what
// could not be looked at. One of each, for the findings themselves stand in the plan's Readiness.
func (r Readiness) Diagnostics() Diagnostics {
	var out Diagnostics
	to := r.Named(r.To)
	hint := "kiban ready " + r.Site + " --to " + to + " says what was seen, whom it concerns and what to do."
	if blocks := r.Of(RankBlocks); len(blocks) > 0 {
		out = append(out, Blockedf(r.Site, "%s would break what is there", to).Because(brief(blocks)...).Try(hint))
	}
	if attention := r.Of(RankAttention); len(attention) > 0 {
		out = append(out, Warnf(r.Site, "%s to see to before %s", Count(len(attention), "thing"), to).
			Because(brief(attention)...).Try(hint))
	}
	for _, u := range r.Unseen {
		d := Warnf(r.Site, "not known before %s: %s", to, u.What).Because(u.Why).Try(cmp.Or(u.Remedy, "kiban ready "+r.Site))
		if len(u.Also) > 0 {
			d = d.Because("Nor, for the same reason: " + strings.Join(u.Also, "; "))
		}
		out = append(out, d)
	}
	return out
}

// brief tells findings in a line each, the first few of them.
func brief(fs []ReadinessFinding) []string {
	const most = 5
	var lines []string
	for i, f := range fs {
		if i == most {
			return append(lines, fmt.Sprintf("and %d more", len(fs)-most))
		}
		lines = append(lines, f.Subject+": "+f.Summary)
	}
	return lines
}

// Verdict says in a line what it comes to.
func (r Readiness) Verdict() string {
	blocks, attention, good := len(r.Of(RankBlocks)), len(r.Of(RankAttention)), len(r.Of(RankGood))
	var parts []string
	switch {
	case blocks > 0:
		parts = append(parts, "Not ready: "+Count(blocks, "finding")+" in the way")
		if r.Stops > 0 {
			parts = append(parts, fmt.Sprintf("%d of the plan itself", r.Stops))
		}
	case r.Stops > 0:
		parts = append(parts, "Not ready: "+Count(r.Stops, "finding")+" of the plan itself in the way")
	case len(r.Unseen) > 0:
		parts = append(parts, "Not known to be ready: "+Count(r.NotSeen(), "thing")+" could not be looked at")
	default:
		parts = append(parts, "Ready: nothing that was looked at breaks")
	}
	if attention > 0 {
		parts = append(parts, fmt.Sprintf("%d to see to", attention))
	}
	if good > 0 {
		parts = append(parts, fmt.Sprintf("%d good to know", good))
	}
	if blocks+r.Stops > 0 && len(r.Unseen) > 0 {
		parts = append(parts, fmt.Sprintf("%d not looked at", r.NotSeen()))
	}
	return strings.Join(parts, ", ") + "."
}
