package kube

import (
	"testing"

	policyv1 "k8s.io/api/policy/v1"
)

// TestA13_PodsThatAreAlwaysLetGo: a budget may let pods go that are not ready whatever it says else. One that says so blocks no upgrade for
// a pod that never gets ready.
func TestA13_PodsThatAreAlwaysLetGo(t *testing.T) {
	always, healthy := policyv1.AlwaysAllow, policyv1.IfHealthyBudget
	for name, c := range map[string]struct {
		how  *policyv1.UnhealthyPodEvictionPolicyType
		want bool
	}{"it says nothing": {nil, false}, "always": {&always, true}, "with healthy ones": {&healthy, false}} {
		b := policyv1.PodDisruptionBudget{Spec: policyv1.PodDisruptionBudgetSpec{UnhealthyPodEvictionPolicy: c.how}}
		if got := budget(&b, nil).AlwaysAllow; got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
