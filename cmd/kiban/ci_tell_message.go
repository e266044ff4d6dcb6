package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/review"
)

// toTell is the message, or why there is none.
func (a *app) toTell(opts *ciTellOptions, site lifecycle.Site) (m forge.Message, why string, err error) {
	commit := a.Getenv("CI_COMMIT_SHA")
	switch opts.What {
	case "started":
		m, why, err = a.startToTell(opts.Plan, site, commit)
	case "ended":
		m, why, err = a.endToTell(opts.Result, site, commit)
	case "drift":
		m, err = driftToTell(opts.Plan, site)
	}
	if err != nil || why != "" {
		return m, why, err
	}
	m.Site, m.Tier = site.Name, site.Labels["tier"]
	m.Revision = cmp.Or(m.Revision, commit)
	m.Job, m.Pipeline = a.Getenv("CI_JOB_URL"), a.Getenv("CI_PIPELINE_URL")
	if opts.What != "drift" { // where nobody in particular looked
		m.Who, _ = a.operator()
	}
	return m, "", nil
}

// startToTell reads the plan that is about to be carried out. Where nobody reviewed one, nobody knows whether anything begins.
func (a *app) startToTell(file string, site lifecycle.Site, commit string) (forge.Message, string, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return forge.Message{}, fmt.Sprintf("The start is not told: no plan of %s was reviewed.", site.Name), nil
	}
	p, where, err := readToldPlan(file, site.Name)
	if err != nil {
		return forge.Message{}, "", err
	}
	if p.Missing != "" {
		return forge.Message{}, "The start is not told: " + p.Missing + ".", nil
	}
	m, something := forge.StartMessage(p.Plan, commit)
	if !something {
		return m, fmt.Sprintf("Nothing to tell: the reviewed plan of %s has nothing to do.", site.Name), nil
	}
	m.Verdict, m.Review = render.Verdict(site, p.Plan), where
	return m, "", nil
}

// endToTell reads how the run ended, or says that the job left nothing to read.
func (a *app) endToTell(file string, site lifecycle.Site, commit string) (forge.Message, string, error) {
	bad := func(detail string, cause error) error {
		return lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "this is no result that kiban can read", Detail: detail, Subject: file,
			Hint: "kiban apply SITE --result FILE writes one.", Cause: cause}
	}
	b, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return forge.Message{}, "", bad(err.Error(), err)
	}
	if len(bytes.TrimSpace(b)) == 0 {
		status := a.Getenv("CI_JOB_STATUS")
		if status == "success" {
			return forge.Message{}, fmt.Sprintf("Nothing to tell: the job succeeded and left no result in %s.", file), nil
		}
		return forge.LostMessage(site.Name, commit, status), "", nil
	}
	var o lifecycle.Outcome
	if err := json.Unmarshal(b, &o); err != nil {
		return forge.Message{}, "", bad(err.Error(), err)
	}
	switch {
	case !lifecycle.SameMajor(o.Format, lifecycle.OutcomeFormat):
		return forge.Message{}, "", bad(fmt.Sprintf("its format is %q; this kiban reads %s", o.Format, lifecycle.OutcomeFormat), nil)
	case o.Site != site.Name:
		return forge.Message{}, "", bad(fmt.Sprintf("it is of site %q, not of %s", o.Site, site.Name), nil)
	}
	o.Revision = cmp.Or(o.Revision, commit)
	return forge.EndMessage(o), "", nil
}

// driftToTell reads what a look at the site found. A look that left nothing to read found nothing out.
func driftToTell(file string, site lifecycle.Site) (forge.Message, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return forge.UnseenMessage(site.Name, "", notPlanned), nil
	}
	p, _, err := readToldPlan(file, site.Name)
	if err != nil {
		return forge.Message{}, err
	}
	if p.Missing != "" {
		return forge.UnseenMessage(site.Name, "", p.Missing), nil
	}
	m := forge.LookMessage(p.Plan)
	if m.Kind == forge.MessageDrift {
		m.Verdict = "To put it right: " + render.Totals(site, p.Plan)
	}
	return m, nil
}

// readToldPlan reads a plan as `kiban ci reviewed` leaves it, with where it was reviewed, as --out saves it, or as -o json prints it.
func readToldPlan(file, site string) (p forge.SitePlan, where string, err error) {
	var head struct{ Kind string }
	if b, err := os.ReadFile(file); err != nil || json.Unmarshal(b, &head) != nil || head.Kind != lifecycle.ReviewedPlanKind {
		p, err := readSitePlan(file, site) // which says what is wrong with it
		return p, "", err
	}
	r, err := review.ReadReviewed(file)
	if err != nil {
		return p, "", err
	}
	p = forge.SitePlan{Site: lifecycle.Site{Name: site}, Plan: r.Plan}
	if r.Plan.Site != site {
		p.Missing = fmt.Sprintf("%s is a plan of %q", file, r.Plan.Site)
	}
	return p, r.Where, nil
}
