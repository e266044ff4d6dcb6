package render

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// unitsNamed is up to how many units are called by name.
const unitsNamed = 3

// unitTotals sums up what becomes of units: "addon metallb to change; 12 tenants to add: 3 objects change, 108 created". "" when nothing
// does.
func unitTotals(p lifecycle.Plan) string {
	var verbs []string
	members := map[string][]lifecycle.Step{}
	var sum UnitSum
	pods := 0
	for _, s := range p.Steps {
		if !lifecycle.IsUnit(s.Target) {
			continue
		}
		verb := unitVerb(s)
		if from, to, bump := strings.Cut(s.Chart, " -> "); bump {
			verb = "go from " + from + " to " + to
		}
		if members[verb] == nil {
			verbs = append(verbs, verb)
		}
		members[verb] = append(members[verb], s)
		sum, pods = sum.Add(SumUnit(s)), pods+replacedPods(s)
	}
	if len(verbs) == 0 {
		return ""
	}
	var parts []string
	for _, verb := range verbs {
		parts = append(parts, UnitNames(members[verb])+" to "+verb)
	}
	line := strings.Join(parts, "; ")
	sum.Unchanged = 0 // what is not done is no part of the sum
	if objects := sum.String(); objects != "" {
		line += ": " + objects
	}
	return line + podsText(pods)
}

// UnitNames says "addon metallb", "addons metallb and argocd", "addon argocd and 12 tenants".
func UnitNames(steps []lifecycle.Step) string {
	var nouns []string
	names := map[string][]string{}
	for _, s := range steps {
		noun, name, _ := strings.Cut(s.Target, "/")
		if names[noun] == nil {
			nouns = append(nouns, noun)
		}
		names[noun] = append(names[noun], name)
	}
	var parts []string
	for _, noun := range nouns {
		switch of := names[noun]; {
		case noun == lifecycle.UnitObjects:
			parts = append(parts, "the site's objects")
		case len(of) > unitsNamed:
			parts = append(parts, lifecycle.Count(len(of), noun))
		case len(of) == 1:
			parts = append(parts, noun+" "+of[0])
		default:
			parts = append(parts, noun+"s "+lifecycle.Enumerate(of))
		}
	}
	if n := len(parts); n > 2 {
		return strings.Join(parts[:n-1], ", ") + ", and " + parts[n-1] // names in them have an "and" of their own
	}
	return strings.Join(parts, " and ")
}

// TargetsText says on how many machines and units a stage works: "3", "2 addons", "1 tenant".
func TargetsText(targets []string) string {
	machines, addons, tenants, objects := 0, 0, 0, 0
	for _, t := range targets {
		switch {
		case strings.HasPrefix(t, lifecycle.UnitAddon):
			addons++
		case strings.HasPrefix(t, lifecycle.UnitTenant):
			tenants++
		case t == lifecycle.UnitObjects:
			objects++
		case t != "":
			machines++
		}
	}
	var parts []string
	if machines > 0 {
		parts = append(parts, fmt.Sprint(machines))
	}
	if addons > 0 {
		parts = append(parts, lifecycle.Count(addons, "addon"))
	}
	if tenants > 0 {
		parts = append(parts, lifecycle.Count(tenants, "tenant"))
	}
	if objects > 0 {
		parts = append(parts, "objects")
	}
	return strings.Join(parts, ", ")
}
