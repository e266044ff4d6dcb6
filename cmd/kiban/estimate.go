package main

import (
	"context"
	"slices"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// estimateLimit bounds the wait for the records of past runs: an estimate is not worth more.
const estimateLimit = 5 * time.Second

// estimated is the plan with how long it may take, by what the cluster keeps of past runs. It asks for them only when machines have to be
// changed in a cluster that is there. Records that can't be read are no failure of the plan: it has no estimate then.
func (a *app) estimated(ctx context.Context, conn connection, plan lifecycle.Plan) lifecycle.Plan {
	machines := slices.ContainsFunc(plan.Steps, func(s lifecycle.Step) bool { return s.Target != "" && !lifecycle.IsUnit(s.Target) })
	if !machines || plan.ClusterUID == "" {
		return plan
	}
	ctx, cancel := context.WithTimeout(ctx, estimateLimit)
	defer cancel()
	runs, err := conn.Runs(ctx)
	if err != nil {
		a.log().Debug("the plan has no estimate: the records of past runs could not be read", "site", plan.Site, "error", err)
		return plan
	}
	plan.Estimate = a.Estimate(plan, runs)
	return plan
}
