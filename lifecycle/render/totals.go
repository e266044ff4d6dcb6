package render

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Totals sums a plan up in a line: "3 controllers and 4 workers to upgrade, at most 1 worker out of service at a time. 7 machines
// disturbed." Of addons, tenants and objects it says: "addon metallb to change: 3 objects change, 1 created."
func Totals(site lifecycle.Site, p lifecycle.Plan) string {
	if p.Empty() {
		return "nothing to do."
	}
	machines, units := MachineSteps(p), unitTotals(p)
	var parts []string
	if line := machineTotals(site, machines); line != "" {
		parts = append(parts, line)
	}
	if units != "" {
		parts = append(parts, units)
	}
	line := strings.Join(parts, "; ")
	if len(site.Cluster.Hosts) == 0 {
		return line + "."
	}
	disturbed := map[string]bool{}
	for _, s := range machines.Steps {
		if s.Disrupts && s.Target != "" {
			disturbed[s.Target] = true
		}
	}
	return line + ". " + disturbance(len(disturbed))
}

// MachineSteps is the plan without the steps of units.
func MachineSteps(p lifecycle.Plan) lifecycle.Plan {
	p.Steps = slices.DeleteFunc(slices.Clone(p.Steps), func(s lifecycle.Step) bool { return lifecycle.IsUnit(s.Target) })
	return p
}

// machineTotals is what becomes of the machines, and of the cluster as a whole where nothing becomes of any; "" when nothing does.
func machineTotals(site lifecycle.Site, p lifecycle.Plan) string {
	if p.Empty() {
		return ""
	}
	classes, order := map[string]lifecycle.Verb{}, []string{}
	for _, s := range p.Steps {
		if s.Target == "" {
			continue
		}
		if _, seen := classes[s.Target]; !seen {
			classes[s.Target] = lifecycle.VerbOther
			order = append(order, s.Target)
		}
		c := s.Action.Verb()
		if was := classes[s.Target]; c == lifecycle.VerbJoin && was == lifecycle.VerbRemove {
			classes[s.Target] = lifecycle.VerbJoin // it was reset only to be set up anew
		} else {
			classes[s.Target] = min(was, c)
		}
	}
	var parts []string
	for c := lifecycle.VerbRemove; c <= lifecycle.VerbOther; c++ {
		if who := tally(site, order, classes, c); who != "" {
			parts = append(parts, who+" to "+c.String())
		}
	}
	if len(parts) == 0 {
		parts = append(parts, lifecycle.Count(len(p.Steps), "step")+" for the cluster as a whole")
	}
	line := strings.Join(parts, ", ")
	if n := widest(site, p); n > 0 {
		line += fmt.Sprintf(", at most %s out of service at a time", lifecycle.Count(n, "worker"))
	}
	return line
}

func disturbance(n int) string {
	if n == 0 {
		return "No machine disturbed."
	}
	return lifecycle.Count(n, "machine") + " disturbed."
}

func tally(site lifecycle.Site, order []string, classes map[string]lifecycle.Verb, c lifecycle.Verb) string {
	controllers, workers := 0, 0
	for _, t := range order {
		switch {
		case classes[t] != c:
		case controls(site, t):
			controllers++
		default:
			workers++
		}
	}
	var parts []string
	if controllers > 0 {
		parts = append(parts, lifecycle.Count(controllers, "controller"))
	}
	if workers > 0 {
		parts = append(parts, lifecycle.Count(workers, "worker"))
	}
	return lifecycle.Enumerate(parts)
}

func controls(site lifecycle.Site, target string) bool {
	h, ok := site.Cluster.Host(target)
	return ok && h.Role.IsController()
}

// widest is the most that any stage opens for workers it disturbs; 0 when it disturbs none.
func widest(site lifecycle.Site, p lifecycle.Plan) int {
	most := 0
	for _, stage := range p.Stages {
		var workers []string
		for _, s := range p.Steps {
			if s.Stage == stage.ID && s.Disrupts && s.Target != "" && !controls(site, s.Target) && !slices.Contains(workers, s.Target) {
				workers = append(workers, s.Target)
			}
		}
		n := len(workers)
		if stage.Width > 0 {
			n = min(n, stage.Width)
		}
		most = max(most, n)
	}
	return most
}

// Versions says what becomes of k0s: "v1.34.10+k0s.0 -> v1.35.7+k0s.0 -> v1.36.3+k0s.2", or the one version where none changes.
func Versions(p lifecycle.Plan) string {
	if len(p.Hops) == 0 {
		return p.Target.String()
	}
	var chain []string
	if former := versionList(p.FormerVersions()); former != "" {
		chain = append(chain, former)
	}
	for _, v := range p.Hops {
		chain = append(chain, v.String())
	}
	return strings.Join(chain, " -> ")
}

// Pace says how many targets of a stage go at once.
func Pace(s lifecycle.Stage, targets int) string {
	switch {
	case targets <= 1:
		return ""
	case s.Width == 0 || s.Width >= targets && s.Canary == 0 && len(s.Domains) == 0:
		return "all at once"
	}
	out := "one at a time"
	if s.Width > 1 {
		out = fmt.Sprintf("at most %d at a time", s.Width)
	}
	if s.Canary > 0 && s.Width > 1 {
		out += fmt.Sprintf(", the first %d alone", s.Canary)
		if s.Canary == 1 {
			out = strings.Replace(out, "the first 1 alone", "the first alone", 1)
		}
	}
	if len(s.Domains) > 1 {
		out += fmt.Sprintf(", within one of %d failure domains", len(s.Domains))
	}
	return out
}
