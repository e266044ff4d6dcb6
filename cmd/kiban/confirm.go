package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/review"
)

// confirmPlan asks before a plan is carried out. For tenants that are deleted with their data, a yes is too quickly said: their names are
// asked for.
func (a *app) confirmPlan(yes bool, site lifecycle.Site) func(context.Context, lifecycle.Plan) error {
	return func(ctx context.Context, plan lifecycle.Plan) error {
		if plan.Anew {
			return a.confirmName(yes, site.Name, "A new cluster is begun, and the one that "+site.Name+" had stays lost.")(ctx, plan)
		}
		question, only := review.PruneQuestion(plan)
		if question == "" {
			return a.confirm(ctx, yes, site.Name,
				fmt.Sprintf("kiban apply %s --yes, or review a plan saved by `kiban plan %s --out FILE` and run `kiban apply %s --plan FILE`",
					site.Name, site.Name, site.Name))
		}
		return a.confirmWith(ctx, yes, site.Name, fmt.Sprintf("kiban apply %s --prune-tenants --yes", site.Name), question, only)
	}
}

// confirmAs asks before a plan is carried out. unattended is the way to go without a person.
func (a *app) confirmAs(yes bool, site, unattended string) func(context.Context, lifecycle.Plan) error {
	return func(ctx context.Context, _ lifecycle.Plan) error { return a.confirm(ctx, yes, site, unattended) }
}

// confirmName has the person at the terminal type the site's name: what follows cannot be taken back.
func (a *app) confirmName(yes bool, site, what string) func(context.Context, lifecycle.Plan) error {
	return func(ctx context.Context, _ lifecycle.Plan) error {
		return a.confirmWith(ctx, yes, site, "Review the plan above, then add --yes.",
			what+" Type the site's name to carry this out: ", site)
	}
}

// confirm asks the person at the terminal. Without one, and without --yes, nothing is carried out.
func (a *app) confirm(ctx context.Context, yes bool, site, unattended string) error {
	return a.confirmWith(ctx, yes, site, unattended, "Do you want to carry this out? Only 'yes' is accepted: ", "yes")
}

// confirmWith asks, and takes one answer only.
func (a *app) confirmWith(ctx context.Context, yes bool, site, unattended, question, only string) error {
	if yes {
		return nil
	}
	if a.events != nil {
		return lifecycle.Errorf(site, "nobody is asked to confirm it: a program reads what is told (--progress json)").Try(unattended)
	}
	if !a.InTTY {
		return lifecycle.Errorf(site, "nobody is here to confirm it: stdin is not a terminal").Try(unattended)
	}
	fmt.Fprintf(a.Err, "\n%s", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.In).ReadString('\n') // no line is no
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case said := <-answer:
		if strings.Join(strings.Fields(said), " ") == only {
			return nil
		}
	}
	return lifecycle.Errorf(site, "not confirmed: nothing was changed")
}
