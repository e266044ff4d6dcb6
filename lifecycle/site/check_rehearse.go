package site

import (
	"fmt"

	"kiban.dev/kiban/lifecycle"
)

// checkRehearse holds that what is to be rehearsed can be, and that nothing waits for a rehearsal that there is none of.
func checkRehearse(s siteSpec) []finding {
	rehearse, rehearsed := sitePlace("spec", "rehearse"), sitePlace("spec", "promotion", "rehearsed")
	const forms = "Write `on: upgrade` for plans that change the version of k0s, or `on: disruption` for all that disturb a machine."
	switch {
	case s.Rehearse == nil && s.Promotion.Rehearsed:
		return []finding{wrong(rehearsed, "promotion waits for rehearsals, and none are made",
			"No plan that changes a version would ever count as reviewed.", "Say which plans are rehearsed, such as `rehearse: {on: upgrade}`.")}
	case s.Rehearse == nil:
		return nil
	case s.Rehearse.On == "":
		return []finding{wrong(rehearse, "rehearse does not say what is rehearsed", "Nothing would be.", forms)}
	case s.Rehearse.On != string(lifecycle.RehearseUpgrade) && s.Rehearse.On != string(lifecycle.RehearseDisruption):
		return []finding{wrong(sitePlace("spec", "rehearse", "on"), fmt.Sprintf("rehearse.on can't be %q", s.Rehearse.On), "", forms)}
	case lifecycle.Provider(s.Provider) == lifecycle.ProviderExternal:
		return []finding{wrong(rehearse, "an external site can't be rehearsed",
			"Its machines are someone else's, and so no plan does anything to them.", "Remove it.")}
	}
	return nil
}
