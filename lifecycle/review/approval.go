package review

import (
	"context"
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Unsigned says why a plan does not count in a fleet that asks for signatures.
const Unsigned = "it is not signed, and fleet.yaml asks for that (spec.signedReviews): no job sign:SITE of its pipeline left a token"

// Signed is a reviewed plan as it counts where signatures are asked for: one without is as if nobody had reviewed it, and why says so.
func Signed(r lifecycle.ReviewedPlan) (counts lifecycle.ReviewedPlan, why string) {
	if r.Plan.Site == "" || r.Evidence.SignedBy != "" {
		return r, ""
	}
	return lifecycle.ReviewedPlan{Kind: r.Kind, Where: r.Where}, Unsigned
}

// Approval holds one plan after another against the one that people said yes to. A nil Approval lets every plan go.
type Approval struct {
	// Reviewed is what a merge request showed.
	Reviewed lifecycle.ReviewedPlan
	// Accept is the ID of a plan that may go although another one was reviewed; "" is none.
	Accept string
	// Runs are the runs that are known of the site, newest first.
	Runs func(context.Context) []lifecycle.RunRecord
	// Note tells people something in passing.
	Note func(text string)

	// begun: a run of the reviewed plan was begun, earlier or by this process. under: the plan that was allowed last is such a run.
	begun, under bool
	// told is what was said last: a plan that is made again under the lock is not told of again.
	told string
}

// Allows says whether the plan may go, and what there is to record of it. A plan that is neither what was reviewed nor accepted is an error
// that says what differs.
func (a *Approval) Allows(ctx context.Context, now lifecycle.Plan) (*lifecycle.Review, error) {
	if a == nil {
		return nil, nil
	}
	reviewed := a.Reviewed.Plan
	said := &lifecycle.Review{Where: a.Reviewed.Where, ReviewEvidence: a.Reviewed.Evidence}
	if reviewed.Site != "" {
		said.Plan = reviewed.Meaning()
	}
	err := Check(reviewed, now, a.begun)
	if err == nil {
		err = a.again(ctx, now)
	}
	if err == nil {
		a.under = a.begun || now.ClusterUID != "" || reviewed.ClusterUID == ""
		if !a.under { // only what brings the API back: whether the reviewed plan was begun, the cluster can tell then
			said.Plan = ""
		}
		return said, nil
	}
	runs := a.Runs(ctx)
	if !a.begun && Begun(reviewed, runs) {
		a.begun, a.under = true, true
		if err = Check(reviewed, now, true); err == nil {
			a.say("This is what is left of the plan that was reviewed: a run of it was begun before.")
			return said, nil
		}
	}
	if a.Accept == "" {
		a.sayWhere()
		return said, err
	}
	lines := Differences(reviewed, now, a.begun)
	if len(lines) == 0 {
		lines = []string{"what was reviewed has been carried out before, and has been undone since"}
	}
	if a.Accept == ID(now) || Accepted(a.Accept, said.Plan, lines, runs) {
		said.Accepted, said.AcceptedID, a.under = AcceptedLines(lines), a.Accept, true
		a.say(fmt.Sprintf("Accepted, although it is not what was reviewed (%s):\n%s", a.Accept, strings.Join(said.Accepted, "\n")))
		return said, nil
	}
	a.sayWhere()
	a.Note(fmt.Sprintf("--accept-changes %s is not about this plan, whose id is %s.", a.Accept, ID(now)))
	return said, err
}

// again refuses the reviewed plan where an earlier run has carried it out to its end: somebody has undone since what it did, and nobody
// has said yes to having it done once more. A cluster that does not answer keeps no record that could tell.
func (a *Approval) again(ctx context.Context, now lifecycle.Plan) error {
	if a.begun || now.Empty() || now.ClusterUID == "" {
		return nil
	}
	r, done := CarriedOut(a.Reviewed, a.Runs(ctx))
	if !done {
		return nil
	}
	return lifecycle.Errorf(now.Site, "what was reviewed has been carried out already").Hiding(ErrStale).
		Because(fmt.Sprintf("Run %s carried it out to its end, at %s. What it did has been undone since, by hand or by something else.",
			r.ID, lifecycle.Stamp(r.Ended))).
		Try(fmt.Sprintf("Find out who did that, and why. To carry it out once more all the same: --accept-changes %s "+
			"(in the fleet's pipeline, the variable KIBAN_ACCEPT_CHANGES). It is recorded who accepted what.", ID(now)))
}

func (a *Approval) sayWhere() {
	if a.Reviewed.Where != "" {
		a.Note("What was reviewed is the plan of " + a.Reviewed.Where)
	}
}

func (a *Approval) say(text string) {
	if a.told != text {
		a.told = text
		a.Note(text)
	}
}

// Began notes that the plan which was allowed last was carried out: the next one may be what is left of it.
func (a *Approval) Began() {
	if a != nil {
		a.begun = a.begun || a.under
	}
}
