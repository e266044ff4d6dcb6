package review

import (
	"strings"
	"testing"

	"kiban.dev/kiban/lifecycle"
)

// Whoever deletes tenants types their names; nobody else is asked for any.
func TestPruneQuestion(t *testing.T) {
	gone := func(tenant string) lifecycle.Step {
		return lifecycle.Step{Action: lifecycle.ActionPrune, Target: lifecycle.UnitTenant + tenant, Objects: []lifecycle.ObjectChange{
			{ObjectRef: lifecycle.ObjectRef{Kind: "Namespace", Name: tenant + "-shop"}, Change: lifecycle.ChangeDelete}}}
	}
	question, answer := PruneQuestion(lifecycle.Plan{Steps: []lifecycle.Step{gone("red"), gone("blue")}})
	if answer != "red blue" || !strings.Contains(question, "tenant red: 1 namespace red-shop") || !strings.Contains(question, "(red blue)") {
		t.Errorf("asks %q, takes %q", question, answer)
	}
	addon := lifecycle.Step{Action: lifecycle.ActionPrune, Target: lifecycle.UnitAddon + "metallb"}
	if question, answer := PruneQuestion(lifecycle.Plan{Steps: []lifecycle.Step{addon}}); question != "" || answer != "" {
		t.Errorf("asks %q, takes %q", question, answer)
	}
}
