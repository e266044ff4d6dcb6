package review

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Pruned is a tenant that a plan deletes, with all data in its namespaces.
type Pruned struct {
	Tenant     string
	Namespaces []string
}

// PrunedTenants are the tenants that the plan deletes, in its order.
func PrunedTenants(plan lifecycle.Plan) []Pruned {
	var out []Pruned
	for _, s := range plan.Steps {
		name, tenant := strings.CutPrefix(s.Target, lifecycle.UnitTenant)
		if s.Action != lifecycle.ActionPrune || !tenant {
			continue
		}
		p := Pruned{Tenant: name}
		for _, o := range s.Objects {
			if o.Kind == "Namespace" && o.Change == lifecycle.ChangeDelete {
				p.Namespaces = append(p.Namespaces, o.Name)
			}
		}
		out = append(out, p)
	}
	return out
}

// DescribePruned names tenants and what goes with them, one a line.
func DescribePruned(gone []Pruned) string {
	var lines []string
	for _, p := range gone {
		line := "tenant " + p.Tenant
		if len(p.Namespaces) > 0 {
			line += ": " + lifecycle.Count(len(p.Namespaces), "namespace") + " " + strings.Join(p.Namespaces, ", ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// PruneQuestion is what a person is asked before a plan that deletes tenants is carried out, and the one answer that is taken: their names.
// "" for a plan that deletes none.
func PruneQuestion(plan lifecycle.Plan) (question, answer string) {
	gone := PrunedTenants(plan)
	if len(gone) == 0 {
		return "", ""
	}
	var names []string
	for _, g := range gone {
		names = append(names, g.Tenant)
	}
	answer = strings.Join(names, " ")
	return fmt.Sprintf("This deletes, with all data in them:\n%s\nTo carry it out, type the names of these tenants (%s): ",
		DescribePruned(gone), answer), answer
}

// CheckPruning refuses a saved plan that deletes tenants, unless it was said again that they may go. file is where the plan was read from.
func CheckPruning(saved lifecycle.Plan, file string, may bool) error {
	gone := PrunedTenants(saved)
	if len(gone) == 0 || may {
		return nil
	}
	return lifecycle.Errorf(saved.Site, "the saved plan deletes tenants with their data").Because(DescribePruned(gone)).
		Try("If that is meant: " + lifecycle.ShellWords("kiban", "apply", saved.Site, "--plan", file, "--prune-tenants"))
}
