package site

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestAcceptedIsNamedWhole: what is accepted names finding, subject, release and reason.
func TestAcceptedIsNamedWhole(t *testing.T) {
	whole := acceptSpec{Finding: "removed-api", Subject: "tenant shop", For: release(lifecycle.Version{Major: 1, Minor: 37}),
		Because: "they move"}
	if found := checkAccept([]acceptSpec{whole}); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	for without, a := range map[string]acceptSpec{
		"finding": {Subject: whole.Subject, For: whole.For, Because: whole.Because},
		"subject": {Finding: whole.Finding, For: whole.For, Because: whole.Because},
		"for":     {Finding: whole.Finding, Subject: whole.Subject, Because: whole.Because},
		"because": {Finding: whole.Finding, Subject: whole.Subject, For: whole.For},
	} {
		if found := checkAccept([]acceptSpec{whole, a}); len(found) != 1 || !strings.Contains(found[0].summary, "no "+without) {
			t.Errorf("without %s: %v", without, found)
		}
	}
}
