package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
)

func addPruneTenants(cmd *cobra.Command, opts *lifecycle.PlanOptions) {
	cmd.Flags().BoolVar(&opts.PruneTenants, "prune-tenants", false, "delete the tenants that have left the repository, with their namespaces and all data in them")
}

// goner is a tenant that a plan deletes.
type goner struct {
	name       string
	namespaces []string
}

// goners are the tenants that the plan deletes, in its order.
func goners(plan lifecycle.Plan) []goner {
	var out []goner
	for _, s := range plan.Steps {
		name, tenant := strings.CutPrefix(s.Target, lifecycle.UnitTenant)
		if s.Action != lifecycle.ActionPrune || !tenant {
			continue
		}
		g := goner{name: name}
		for _, o := range s.Objects {
			if o.Kind == "Namespace" && o.Change == lifecycle.ChangeDelete {
				g.namespaces = append(g.namespaces, o.Name)
			}
		}
		out = append(out, g)
	}
	return out
}

// mayPrune refuses a saved plan that deletes tenants, unless it was said again that they may go.
func mayPrune(opts *applyOptions, plan lifecycle.Plan) error {
	gone := goners(plan)
	if len(gone) == 0 {
		return nil
	}
	if opts.PruneTenants {
		return nil
	}
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Subject: plan.Site, Summary: "the saved plan deletes tenants with their data", Detail: describe(gone),
		Hint: fmt.Sprintf("If that is meant: kiban apply %s --plan %s --prune-tenants", plan.Site, opts.Plan)}
}

// confirmPlan asks before a plan is carried out. For tenants that are deleted with their data, a yes is too quickly said: their names are asked for.
func (a *app) confirmPlan(ctx context.Context, yes bool, site lifecycle.Site, plan lifecycle.Plan) error {
	gone := goners(plan)
	if len(gone) == 0 {
		return a.confirm(ctx, yes, site.Name)
	}
	var names []string
	for _, g := range gone {
		names = append(names, g.name)
	}
	only := strings.Join(names, " ")
	return a.confirmWith(ctx, yes, site.Name, fmt.Sprintf("kiban apply %s --prune-tenants --yes", site.Name),
		fmt.Sprintf("This deletes, with all data in them:\n%s\nTo carry it out, type the names of these tenants (%s): ", describe(gone), only), only)
}

// describe names tenants and what goes with them.
func describe(gone []goner) string {
	var lines []string
	for _, g := range gone {
		line := "tenant " + g.name
		if len(g.namespaces) > 0 {
			line += ": " + lifecycle.Count(len(g.namespaces), "namespace") + " " + strings.Join(g.namespaces, ", ")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
