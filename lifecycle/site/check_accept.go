package site

import (
	"fmt"

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
