package site

import (
	"fmt"
	"strings"
	"testing"
)

// TestAcceptedNames: a name that no finding has is an error at its place, with the nearest one.
func TestAcceptedNames(t *testing.T) {
	names := []string{"certificate", "removed-api"}
	for given, want := range map[string]string{"removed-api": "", "": "", "removed-apis": `Did you mean "removed-api"?`,
		"the moon": "kiban explain risks",
		"plan":     "what kiban ready says to try", "accepted": "what kiban ready says to try"} {
		found := checkAcceptedNames([]acceptSpec{{Finding: "certificate"}, {Finding: given}}, names)
		switch {
		case want == "" && len(found) == 0:
		case want != "" && len(found) == 1 && strings.Contains(found[0].hint, want) && strings.Contains(fmt.Sprint(found[0].at), "accept"):
		default:
			t.Errorf("%q: %+v", given, found)
		}
	}
}
