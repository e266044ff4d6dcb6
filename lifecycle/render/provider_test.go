package render

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestReadinessOfOthersMachines: a cluster that somebody else runs has no version of k0s, in no form.
func TestReadinessOfOthersMachines(t *testing.T) {
	r := lifecycle.Readiness{Site: "aws", Provider: lifecycle.ProviderExternal, To: lifecycle.Version{Major: 1, Minor: 37},
		From:     lifecycle.Version{Major: 1, Minor: 36},
		Findings: []lifecycle.ReadinessFinding{{Rule: "x", Rank: lifecycle.RankBlocks, Subject: "a", Summary: "s", Remedy: "R."}}}
	var text strings.Builder
	if err := ReadinessText(&text, r, false, Style{}); err != nil {
		t.Fatal(err)
	}
	all := text.String() + ReadinessMarkdown(r, 0) + r.Diagnostics().Error()
	if strings.Contains(all, "k0s") || !strings.HasPrefix(all, "Site aws, Kubernetes v1.36.0 -> v1.37.0\n") ||
		!strings.Contains(all, "kiban ready aws --to v1.37.0`") {
		t.Error(all)
	}
}
