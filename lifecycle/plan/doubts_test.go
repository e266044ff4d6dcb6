package plan

import (
	"slices"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// TestA1_ADoubtStopsThePlan: where a host said what is not believed, somebody has changed it, and nothing is changed before it is known
// who.
func TestA1_ADoubtStopsThePlan(t *testing.T) {
	site := newSite(v136, 1, 1)
	state := built(t, site).observe()
	doubt := lifecycle.Errorf(state.Hosts[0].Name, "its kubeconfig is not used").Because("it has users[0].user.exec").Try("Look.")
	state.Hosts[0].Doubts = lifecycle.Diagnostics{doubt}
	p := Make(site, state, lifecycle.PlanOptions{})
	if !slices.ContainsFunc(p.Diagnostics, func(d lifecycle.Diagnostic) bool { return d.Error() == doubt.Error() }) ||
		p.Diagnostics.Err() == nil {
		t.Errorf("got %v", p.Diagnostics)
	}
}
