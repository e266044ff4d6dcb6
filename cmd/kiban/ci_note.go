package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

type ciNoteOptions struct {
	app *app
	// Plans is the folder with the sites' plans; Sites are those that should be there.
	Plans string
	Sites []string
	// Soak is the folder with what the clusters keep of how long they ran their versions; "" when no site waits for another.
	Soak string
	// Gone are the sites whose overlays the merge request deletes.
	Gone []string
	// Print writes the note to stdout and nowhere else.
	Print bool
}

func newCINote(a *app, runF func(context.Context, *ciNoteOptions) error) *cobra.Command {
	opts := &ciNoteOptions{app: a}
	cmd := &cobra.Command{
		Use:   "note --plans DIR [SITE...]",
		Short: "Tell a merge request what merging does to each site",
		Long: `Put a note on the merge request that the pipeline runs for: of each site whether it is safe, needs attention or is blocked, the versions from and to,
how long Kubernetes supports them, the order of its machines, what is disturbed when and about how long it takes, its addons, and every step to
unfold. A later pipeline updates the same note; one whose merge request has moved on leaves it alone.

The folder holds a file a site, SITE.json as "kiban plan SITE -o json" prints it, or SITE.plan as "kiban plan SITE --out" saves it. A file
that is empty says that the plan failed, and so does one that is not there for a SITE that is named. With --soak, another folder holds SITE.json as
"kiban ci soak SITE -o json" prints it, for the sites that must have run a version before others take it (spec.promotion).

Which merge request, GitLab says in CI_API_V4_URL, CI_MERGE_REQUEST_PROJECT_ID (or CI_PROJECT_ID) and CI_MERGE_REQUEST_IID. The token is taken
from KIBAN_GITLAB_TOKEN or GITLAB_TOKEN: a project access token with the scope api.`,
		Example:           "  kiban ci note --plans plans\n  kiban ci note --plans plans --soak soak --gone lisbon\n  kiban ci note --plans plans --print",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Plans == "" {
				return usage(cmd, "which plans? Name their folder with --plans")
			}
			opts.Sites = args
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return ciNoteRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Plans, "plans", "", "the folder that holds the sites' plans")
	cmd.Flags().StringVar(&opts.Soak, "soak", "", "the folder that holds what sites keep of how long they ran their versions")
	cmd.Flags().StringArrayVar(&opts.Gone, "gone", nil, "a site whose overlay the merge request deletes; nothing is destroyed, and the note says what to do")
	cmd.Flags().BoolVar(&opts.Print, "print", false, "print the note and post nothing; needs no token")
	return cmd
}

func ciNoteRun(ctx context.Context, opts *ciNoteOptions) error {
	a := opts.app
	var mr mergeRequest
	if !opts.Print {
		var err error
		if mr, err = a.mergeRequest(); err != nil {
			return err
		}
	}
	plans, err := readSitePlans(opts.Plans, opts.Sites)
	if err != nil {
		return err
	}
	plans = withGone(plans, opts.Gone)
	a.declare(ctx, plans)
	now := time.Now()
	a.promote(plans, opts.Soak, now)
	note := forge.NoteOptions{Pipeline: a.Getenv("CI_PIPELINE_URL"), Now: now, Support: lifecycle.Version.Support}
	if opts.Print {
		_, err := io.WriteString(a.Out, forge.Note(plans, note))
		return err
	}
	if left, err := a.leftAlone(ctx, mr); left || err != nil {
		return err
	}
	outcome, err := a.postNote(ctx, mr, plans, note)
	if err != nil {
		return err
	}
	a.note("The note on merge request !%d was %s: %s.", mr.Number, outcome, lifecycle.Count(len(plans), "site"))
	return nil
}

// errNoteTooLong is in the chain of UpsertNote's error when the server takes no note of that length.
var errNoteTooLong = errors.New("the note is too long")

// postNote writes the note, shorter and shorter where the server takes less than GitLab does by itself.
func (a *app) postNote(ctx context.Context, mr mergeRequest, plans []forge.SitePlan, opts forge.NoteOptions) (outcome string, err error) {
	for _, limit := range [...]int{forge.NoteLimit, 200_000, 20_000} {
		opts.Limit = limit
		outcome, err = a.UpsertNote(ctx, mr, a.log(), forge.NoteMarker, forge.Note(plans, opts))
		if !errors.Is(err, errNoteTooLong) {
			break
		}
	}
	return outcome, err
}

// leftAlone reports whether the note is not this pipeline's to write, and says why: another pipeline plans what the branch holds by now, or
// there is nothing left to review.
func (a *app) leftAlone(ctx context.Context, mr mergeRequest) (bool, error) {
	now, err := a.MergeRequest(ctx, mr, a.log())
	if err != nil {
		return false, err
	}
	switch {
	case now.State == "merged" || now.State == "closed":
		a.note("Merge request !%d is %s: its note is left as it is.", mr.Number, now.State)
	case now.Head != "" && len(mr.Planned) > 0 && !slices.Contains(mr.Planned, now.Head):
		a.note("The branch of merge request !%d was rewritten while planning: it is at %.10s, and the plans are of %.10s. The newer pipeline writes the note.",
			mr.Number, now.Head, mr.Planned[0])
	default:
		return false, nil
	}
	return true, nil
}

// mergeRequest finds out from the environment where the note goes.
func (a *app) mergeRequest() (mergeRequest, error) {
	mr := mergeRequest{gitlabProject: a.gitlabProject()}
	mr.Project = cmp.Or(a.Getenv("CI_MERGE_REQUEST_PROJECT_ID"), mr.Project) // a fork's pipeline runs elsewhere than its merge request is
	number := a.Getenv("CI_MERGE_REQUEST_IID")
	for _, v := range [...][2]string{{"CI_API_V4_URL", mr.API}, {"CI_PROJECT_ID", mr.Project}, {"CI_MERGE_REQUEST_IID", number}} {
		if v[1] == "" {
			return mr, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "there is no merge request to write to", Detail: v[0] + " is not set: this is not a pipeline of a merge request.",
				Hint: "Restrict the job to them: rules: [{if: $CI_PIPELINE_SOURCE == \"merge_request_event\"}]. Elsewhere, --print shows the note."}
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 {
		return mr, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "the merge request's number is none", Subject: "CI_MERGE_REQUEST_IID", Detail: strconv.Quote(number),
			Hint: "GitLab sets it; take it out of the variables of the project.", Cause: err}
	}
	mr.Number = n
	// A pipeline of merged results runs on a commit of its own, made of the branch's head and the target.
	for _, name := range [...]string{"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "CI_COMMIT_SHA"} {
		if commit := a.Getenv(name); commit != "" {
			mr.Planned = append(mr.Planned, commit)
		}
	}
	return mr, nil
}

// upsertNote is the service behind the note.
type upsertNote func(ctx context.Context, mr mergeRequest, log *slog.Logger, marker, body string) (outcome string, err error)

// declare adds what the work tree declares of each site, as far as it can be read: the note says more with it.
func (a *app) declare(ctx context.Context, plans []forge.SitePlan) {
	fleet, err := a.fleetDir()
	if err != nil {
		return
	}
	for i := range plans {
		if site, ds := a.LoadSite(ctx, fleet, plans[i].Site.Name); ds.Err() == nil {
			plans[i].Site = site
		}
	}
}
