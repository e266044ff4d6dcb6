package site

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkAccept: what is accepted is named whole, and says why; so that a review sees what it says yes to.
func checkAccept(accepted []acceptSpec) []finding {
	var found []finding
	for i, a := range accepted {
		for _, f := range [...][2]string{{"finding", a.Finding}, {"subject", a.Subject}, {"because", a.Because}, {"for",
			lifecycle.Version(a.For).String()}} {
			if f[1] == "" {
				found = append(found, wrong(sitePlace("spec", "upgrade", "accept", overlay.Index(i)), fmt.Sprintf("what is accepted has no %s", f[0]),
					"It takes one finding of kiban ready out of the way, for one release.",
					`Write finding and subject as kiban ready names them, the release (for: v1.37), and why (because: "...").`))
			}
		}
	}
	return found
}

// checkAcceptedNames: what is accepted is something that readiness may find. A name that is none takes nothing out of the way.
func checkAcceptedNames(accepted []acceptSpec, names []string) []finding {
	var found []finding
	for i, a := range accepted {
		if a.Finding == "" || slices.Contains(names, a.Finding) {
			continue
		}
		if a.Finding == "plan" || a.Finding == "accepted" { // findings that kiban ready names so, and that stay
			found = append(found, wrong(sitePlace("spec", "upgrade", "accept", overlay.Index(i), "finding"),
				fmt.Sprintf("a finding %q can't be accepted", a.Finding),
				"It is what stops the plan itself, or what is said of what is accepted: it holds whoever says yes to it.",
				"Do what kiban ready says to try for it, and take this out of spec.upgrade.accept."))
			continue
		}
		hint := "Write it as kiban ready -o json names it (rule), or as kiban explain risks does."
		if near := overlay.Nearest(a.Finding, names); near != "" {
			hint = fmt.Sprintf("Did you mean %q? kiban ready -o json names it (rule).", near)
		}
		found = append(found, wrong(sitePlace("spec", "upgrade", "accept", overlay.Index(i), "finding"),
			fmt.Sprintf("readiness has no finding %q", a.Finding), "So nothing would be taken out of the way by it.", hint))
	}
	return found
}
