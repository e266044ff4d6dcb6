package addons

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// inOrder puts addons behind those they depend on, and otherwise leaves them in the order of their names. The findings are of addons that
// are not there, and of circles; the addons in those keep their place.
func inOrder(addons []lifecycle.Addon) ([]lifecycle.Addon, map[string]lifecycle.Diagnostics) {
	found := map[string]lifecycle.Diagnostics{}
	byName := map[string]lifecycle.Addon{}
	for _, a := range addons {
		byName[a.Name] = a
	}
	var out []lifecycle.Addon
	done := map[string]bool{}
	var visit func(a lifecycle.Addon, path []string)
	visit = func(a lifecycle.Addon, path []string) {
		if done[a.Name] {
			return
		}
		if i := slices.Index(path, a.Name); i >= 0 {
			circle := append(slices.Clone(path[i:]), a.Name)
			found[a.Name] = append(found[a.Name], lifecycle.Errorf(subject(a.Where("spec.dependsOn"), a.Unit()),
				"addons depend on each other in a circle").
				Because(strings.Join(circle, " -> ")).
				Try("Take one of them out of the other's spec.dependsOn."))
			return
		}
		for _, need := range slices.Sorted(slices.Values(a.DependsOn)) {
			other, ok := byName[need]
			if !ok {
				found[a.Name] = append(found[a.Name], lifecycle.Errorf(subject(a.Where(fmt.Sprintf("spec.dependsOn[%d]",
					slices.Index(a.DependsOn, need))), a.Unit()), "it depends on addon %s, which the site does not have", need).
					Try("Add that addon, or take it out of spec.dependsOn."))
				continue
			}
			visit(other, append(slices.Clone(path), a.Name))
		}
		if !done[a.Name] {
			done[a.Name] = true
			out = append(out, a)
		}
	}
	for _, a := range addons {
		visit(a, nil)
	}
	return out, found
}

// subject is where a finding is: the file and line of a document, where that is known.
func subject(source, unit string) string {
	if source != "" {
		return source
	}
	return unit
}

// subject is where a unit was declared, or its name.
func (u *unit) subject() string {
	switch {
	case u.addon != nil:
		return subject(u.addon.Source, u.name)
	case u.tenant != nil:
		return subject(u.tenant.Source, u.name)
	}
	return u.name
}

// declaredAt lets a finding about what an addon is made of, such as a repository that lacks a chart, name the line where that was declared.
func (u *unit) declaredAt(d lifecycle.Diagnostic) lifecycle.Diagnostic {
	if strings.HasPrefix(d.Subject, "overlays/") && d.Subject != u.addon.Source {
		return d // it knows the line better
	}
	return u.addon.Locate(d)
}
