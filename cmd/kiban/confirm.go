package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// confirm asks the person at the terminal. Without one, and without --yes, nothing is carried out.
func (a *app) confirm(ctx context.Context, yes bool, site string) error {
	return a.confirmAs(ctx, yes, site, fmt.Sprintf("kiban apply %s --yes, or review a plan saved by `kiban plan %s --out FILE` and run `kiban apply %s --plan FILE`", site, site, site))
}

// confirmAs is confirm for a verb that has another way to go without a person.
func (a *app) confirmAs(ctx context.Context, yes bool, site, unattended string) error {
	return a.confirmWith(ctx, yes, site, unattended, "Do you want to carry this out? Only 'yes' is accepted: ", "yes")
}

// confirmWith asks, and takes one answer only.
func (a *app) confirmWith(ctx context.Context, yes bool, site, unattended, question, only string) error {
	if yes {
		return nil
	}
	if !a.InTTY {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "nobody is here to confirm it: stdin is not a terminal", Subject: site,
			Hint: unattended}
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
	return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "not confirmed: nothing was changed", Subject: site}
}
