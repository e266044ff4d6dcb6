package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/apply"
)

// reviewedKind marks a file as a plan that was reviewed.
const reviewedKind = "kiban.dev/reviewed"

// reviewedPlan is a plan that a merge request showed, and the merge request's address. The zero reviewedPlan: nobody has reviewed one.
type reviewedPlan struct {
	Kind  string         `json:"kind"`
	Where string         `json:"where"`
	Plan  lifecycle.Plan `json:"plan"`
}

// readReviewed reads the plan that was reviewed. A file that is not there says that nobody has reviewed one.
func readReviewed(path string) (r reviewedPlan, err error) {
	bad := func(why string, cause error) error {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "this is not a reviewed plan that kiban can read", Detail: why, Subject: path,
			Hint: "Have it fetched again: kiban ci reviewed SITE --out FOLDER", Cause: cause}
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return r, bad(err.Error(), err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, bad(err.Error(), err)
	}
	switch {
	case r.Kind != reviewedKind:
		return r, bad(fmt.Sprintf("its kind is %q, not %q", r.Kind, reviewedKind), nil)
	case major(r.Plan.Format) != major(lifecycle.PlanFormat):
		return r, bad(fmt.Sprintf("its format is %q; this kiban reads %s", r.Plan.Format, lifecycle.PlanFormat), nil)
	}
	return r, nil
}

// checkReview finds flags that say nothing together.
func (o *applyOptions) checkReview(cmd *cobra.Command) error {
	switch {
	case o.Reviewed != "" && o.Plan != "":
		return usage(cmd, "--reviewed makes a new plan and --plan carries out a saved one: choose")
	case o.Reviewed == "" && cmd.Flags().Changed("reviewed"):
		return usage(cmd, "which plan was reviewed? --reviewed names its file")
	case o.Reviewed == "" && o.Accept != "":
		return usage(cmd, "--accept-changes accepts what differs from a reviewed plan: name that with --reviewed")
	}
	return nil
}

// review holds plans against the one that people said yes to. A nil review lets every plan go.
type review struct {
	reviewedPlan
	accept string
	// runs are the runs that are known of the site, newest first.
	runs func(context.Context) []lifecycle.RunRecord
	// begun: a run of the reviewed plan was begun, earlier or by this process. under: the plan that was allowed last is such a run.
	begun, under bool
	// told is what was said last: a plan that is made again under the lock is not told of again.
	told string
	note func(format string, args ...any)
}

// openReview reads what was reviewed; nil where no review is asked for.
func (a *app) openReview(opts *applyOptions, fleet string, conn connection) (*review, error) {
	if opts.Reviewed == "" {
		return nil, nil
	}
	plan, err := readReviewed(opts.Reviewed)
	if err != nil {
		return nil, err
	}
	r := &review{reviewedPlan: plan, accept: strings.TrimSpace(opts.Accept), note: a.note}
	r.runs = func(ctx context.Context) []lifecycle.RunRecord { return a.knownRuns(ctx, opts.Site, fleet, conn) }
	return r, nil
}

// knownRuns are the site's runs, as the cluster and the journals here know them, newest first. What can't be read says nothing.
func (a *app) knownRuns(ctx context.Context, site, fleet string, conn connection) []lifecycle.RunRecord {
	here, err := a.localRuns(fleet, site)
	if err != nil {
		a.note("The journals here can't be read: %v", err)
	}
	kept, err := conn.Runs(ctx)
	if err != nil {
		a.note("The cluster could not be asked for its runs: %v", err)
	}
	var out []lifecycle.RunRecord
	for _, r := range mergeRuns(here, kept) {
		out = append(out, r.RunRecord)
	}
	return out
}

// allows says whether the plan may go, and what there is to record of it. A plan that is neither what was reviewed nor accepted is an error that
// says what differs.
func (r *review) allows(ctx context.Context, now lifecycle.Plan) (*lifecycle.Review, error) {
	if r == nil {
		return nil, nil
	}
	said := &lifecycle.Review{Where: r.Where}
	if r.Plan.Site != "" {
		said.Plan = r.Plan.Meaning()
	}
	err := apply.CheckReviewed(r.Plan, now, r.begun)
	if err == nil {
		r.under = r.begun || now.ClusterUID != "" || r.Plan.ClusterUID == ""
		if !r.under { // only what brings the API back: whether the reviewed plan was begun, the cluster can tell then
			said.Plan = ""
		}
		return said, nil
	}
	runs := r.runs(ctx)
	if !r.begun && apply.Begun(r.Plan, runs) {
		r.begun, r.under = true, true
		if err = apply.CheckReviewed(r.Plan, now, true); err == nil {
			r.say("This is what is left of the plan that was reviewed: a run of it was begun before.")
			return said, nil
		}
	}
	if r.accept == "" {
		r.sayWhere()
		return said, err
	}
	lines := apply.Unreviewed(r.Plan, now, r.begun)
	if r.accept == apply.ReviewID(now) || apply.Accepted(r.accept, said.Plan, lines, runs) {
		said.Accepted, said.AcceptedID, r.under = apply.AcceptedLines(lines), r.accept, true
		r.say(fmt.Sprintf("Accepted, although it is not what was reviewed (%s):\n%s", r.accept, strings.Join(said.Accepted, "\n")))
		return said, nil
	}
	r.sayWhere()
	r.note("--accept-changes %s is not about this plan, whose id is %s.", r.accept, apply.ReviewID(now))
	return said, err
}

func (r *review) sayWhere() {
	if r.Where != "" {
		r.note("What was reviewed is the plan of %s", r.Where)
	}
}

func (r *review) say(text string) {
	if r.told != text {
		r.told = text
		r.note("%s", text)
	}
}

// began notes that the plan which was allowed last was carried out: the next one may be what is left of it.
func (r *review) began() {
	if r != nil {
		r.begun = r.begun || r.under
	}
}
