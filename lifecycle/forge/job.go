package forge

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/calendar"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/review"
)

// Job is the job of a pipeline that people are told of.
type Job struct {
	// Site is the job's. Where it could not be read, only its name is known.
	Site lifecycle.Site
	// Commit is the pipeline's; Status GitLab's word for how the job ended: "failed", "canceled", "success", or "" where it is not known.
	Commit, Status string
	// Due is by when the site must begin to leave a minor that it runs; false where that is not known. Nil: nobody reckons.
	Due func(runs lifecycle.Version) (calendar.Entry, bool)
	// URL and Pipeline are the addresses of the job and its pipeline, Who runs it.
	URL, Pipeline, Who string
}

// Tell are the messages of what is to be told: "started", by a plan's file, "ended", by a result's, or "drift", by a plan's, with which it
// is told, too, when the time to leave a minor runs short. Where there is none, why says why.
func (j Job) Tell(what, planFile, resultFile string) (ms []Message, why string, err error) {
	var m Message
	switch what {
	case "started":
		m, why, err = j.Started(planFile)
	case "ended":
		m, why, err = j.Ended(resultFile)
	default:
		return j.looked(planFile)
	}
	if err != nil || why != "" {
		return nil, why, err
	}
	return []Message{m}, "", nil
}

// looked are the messages of what a look at the site found. A plan that can't be read keeps nobody from hearing of the end of support.
func (j Job) looked(planFile string) (ms []Message, why string, err error) {
	m, err := j.Drift(planFile)
	if err == nil {
		ms = append(ms, m)
	}
	runs := j.Site.Cluster.Version
	if p, _, err := readJobPlan(planFile, j.Site.Name); err == nil && p.Missing == "" && !p.Plan.FormerVersion().IsZero() {
		runs = p.Plan.FormerVersion()
	}
	if j.Due == nil || runs.IsZero() {
		return ms, "", err
	}
	if due, known := j.Due(runs); known {
		if m, near := SupportMessage(due); near {
			ms = append(ms, j.sign(m))
		}
	}
	return ms, "", err
}

// Started is the message that the plan in a file is about to be carried out, or why there is none. Where nobody reviewed one, nobody knows
// whether anything begins.
func (j Job) Started(planFile string) (m Message, why string, err error) {
	if _, err := os.Stat(planFile); errors.Is(err, fs.ErrNotExist) {
		return Message{}, fmt.Sprintf("The start is not told: no plan of %s was reviewed.", j.Site.Name), nil
	}
	p, where, err := readJobPlan(planFile, j.Site.Name)
	if err != nil {
		return Message{}, "", err
	}
	if p.Missing != "" {
		return Message{}, "The start is not told: " + p.Missing + ".", nil
	}
	m, something := StartMessage(p.Plan, j.Commit)
	if !something {
		return m, fmt.Sprintf("Nothing to tell: the reviewed plan of %s has nothing to do.", j.Site.Name), nil
	}
	m.Verdict, m.Review, m.Who = render.Verdict(j.Site, p.Plan), where, j.Who
	return j.sign(m), "", nil
}

// Ended is the message of how a run ended, by the Outcome in a file, or that the job left nothing to read; or why there is none.
func (j Job) Ended(resultFile string) (m Message, why string, err error) {
	bad := func(detail string, cause error) error {
		return lifecycle.Errorf(resultFile, "this is no result that kiban can read").Because(detail).From(cause).
			Try("kiban apply SITE --result FILE writes one.")
	}
	b, err := os.ReadFile(resultFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Message{}, "", bad(err.Error(), err)
	}
	if len(bytes.TrimSpace(b)) == 0 {
		if j.Status == "success" {
			return Message{}, fmt.Sprintf("Nothing to tell: the job succeeded and left no result in %s.", resultFile), nil
		}
		m = LostMessage(j.Site.Name, j.Commit, j.Status)
		m.Who = j.Who
		return j.sign(m), "", nil
	}
	var o lifecycle.Outcome
	if err := json.Unmarshal(b, &o); err != nil {
		return Message{}, "", bad(err.Error(), err)
	}
	switch {
	case !lifecycle.SameMajor(o.Format, lifecycle.OutcomeFormat):
		return Message{}, "", bad(fmt.Sprintf("its format is %q; this kiban reads %s", o.Format, lifecycle.OutcomeFormat), nil)
	case o.Site != j.Site.Name:
		return Message{}, "", bad(fmt.Sprintf("it is of site %q, not of %s", o.Site, j.Site.Name), nil)
	}
	o.Revision = cmp.Or(o.Revision, j.Commit)
	m = EndMessage(o)
	m.Who = j.Who
	return j.sign(m), "", nil
}

// Drift is the message of what a look at the site found, by the plan in a file. A look that left nothing to read found nothing out. It
// names nobody: nobody in particular looked.
func (j Job) Drift(planFile string) (Message, error) {
	if _, err := os.Stat(planFile); errors.Is(err, fs.ErrNotExist) {
		return j.sign(UnseenMessage(j.Site.Name, "", notPlanned)), nil
	}
	p, _, err := readJobPlan(planFile, j.Site.Name)
	if err != nil {
		return Message{}, err
	}
	if p.Missing != "" {
		return j.sign(UnseenMessage(j.Site.Name, "", p.Missing)), nil
	}
	m := LookMessage(p.Plan)
	if m.Kind == MessageDrift {
		m.Verdict = "To put it right: " + render.Totals(j.Site, p.Plan)
	}
	return j.sign(m), nil
}

// sign says whose message it is.
func (j Job) sign(m Message) Message {
	m.Site, m.Tier = j.Site.Name, j.Site.Labels["tier"]
	m.Revision = cmp.Or(m.Revision, j.Commit)
	m.Job, m.Pipeline = j.URL, j.Pipeline
	return m
}

// readJobPlan reads a plan as `kiban ci reviewed` leaves it, with where it was reviewed, as --out saves it, or as -o json prints it.
func readJobPlan(file, site string) (p SitePlan, where string, err error) {
	var head struct{ Kind string }
	if b, err := os.ReadFile(file); err != nil || json.Unmarshal(b, &head) != nil || head.Kind != lifecycle.ReviewedPlanKind {
		p, err := ReadPlan(file, site) // which says what is wrong with it
		return p, "", err
	}
	r, err := review.ReadReviewed(file)
	if err != nil {
		return p, "", err
	}
	p = SitePlan{Site: lifecycle.Site{Name: site}, Plan: r.Plan}
	if r.Plan.Site != site {
		p.Missing = fmt.Sprintf("%s is a plan of %q", file, r.Plan.Site)
	}
	return p, r.Where, nil
}
