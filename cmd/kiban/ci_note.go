package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/forge"
)

type ciNoteOptions struct {
	app *app
	selection
	// Plans is the folder with the sites' plans; Sites are those that should be there.
	Plans string
	Sites []string
	// Soak is the folder with what the clusters keep of how long they ran their versions; "" when no site waits for another.
	Soak string
	// Rehearsals is the folder with how plans went in rehearsals; "" when no site asks for one.
	Rehearsals string
	// Parts: the plans lie with the parts of the pipeline, and are fetched first.
	Parts bool
	// Gone are the sites whose overlays the merge request deletes.
	Gone []string
	// Since is the revision of the target branch that the sites' guards are compared with; "" compares them with none.
	Since string
	// Print writes the note to stdout and nowhere else.
	Print bool
}

func newCINote(a *app, runF func(context.Context, *ciNoteOptions) error) *cobra.Command {
	opts := &ciNoteOptions{app: a}
	cmd := &cobra.Command{
		Use:   "note --plans DIR [SITE...]",
		Short: "Tell a merge request what merging does to each site",
		Long: `Put a note on the merge request that the pipeline runs for: of each site whether it is safe, needs attention or is blocked, the
versions from and to, how long Kubernetes supports them, the order of its machines, what is disturbed when and about how long it takes,
its addons, and every step to unfold. A later pipeline updates the same note; one whose merge request has moved on leaves it alone.

The folder holds a file a site, SITE.json as "kiban plan SITE -o json" prints it, or SITE.plan as "kiban plan SITE --out" saves it. A file
that is empty says that the plan failed, and so does one that is not there for a SITE that is named. With --soak, another folder holds
SITE.json as "kiban ci soak SITE -o json" prints it, for the sites that must have run a version before others take it (spec.promotion).
With --rehearsals, SITE.json in that folder tells how a plan went that its site asks to be rehearsed (spec.rehearse), as "kiban rehearse
SITE --result" left it: in one sentence, with the rest to unfold. One of another plan is said to be stale.

Where the pipeline was too large for one, --parts gets what its parts left into the folders. The token for that is taken from
KIBAN_GITLAB_READ_TOKEN: a project access token with the scope read_api and the role Developer, which may read plans and change nothing.

With --changed-since, the note has a section of its own for what the merge request changes of what guards a site: labels, wave, promotion,
windows, drain and upgrade policy, SSH, host keys, binaries, API access, backups, platform, and what fleet.yaml allows. Such a change needs
attention also where nothing else changes.

Which merge request, GitLab says in CI_API_V4_URL, CI_MERGE_REQUEST_PROJECT_ID (or CI_PROJECT_ID) and CI_MERGE_REQUEST_IID. The token is
taken from KIBAN_GITLAB_TOKEN or GITLAB_TOKEN: a project access token with the scope api.`,
		Example: "  kiban ci note --plans plans\n  kiban ci note --plans plans --soak soak --gone lisbon\n" +
			"  kiban ci note --plans plans --print",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Plans == "" {
				return usage(cmd, "which plans? Name their folder with --plans")
			}
			var err error
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selection, wholeFleet); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return ciNoteRun(cmd.Context(), opts)
		},
	}
	opts.selection.flag(cmd)
	cmd.Flags().StringVar(&opts.Plans, "plans", "", "the folder that holds the sites' plans")
	cmd.Flags().StringVar(&opts.Soak, "soak", "", "the folder that holds what sites keep of how long they ran their versions")
	cmd.Flags().StringVar(&opts.Rehearsals, "rehearsals", "", "the folder that holds how plans went in rehearsals")
	cmd.Flags().StringArrayVar(&opts.Gone, "gone", nil,
		"a site whose overlay the merge request deletes; nothing is destroyed, and the note says what to do")
	cmd.Flags().BoolVar(&opts.Parts, "parts", false, "first fetch into the folders what the parts of the pipeline left")
	cmd.Flags().StringVar(&opts.Since, "changed-since", "", "the revision of the target branch that what guards the sites is compared with")
	cmd.Flags().BoolVar(&opts.Print, "print", false, "print the note and post nothing; needs no token")
	return cmd
}

func ciNoteRun(ctx context.Context, opts *ciNoteOptions) error {
	a := opts.app
	var mr forge.MergeRequestAt
	if !opts.Print {
		var err error
		if mr, err = forge.MergeRequestOf(a.Getenv); err != nil {
			return err
		}
	}
	if opts.Parts {
		folders := map[string]string{"plans": opts.Plans, "soak": opts.Soak, "rehearsals": opts.Rehearsals}
		missing, err := forge.Gather(ctx, folders, a.Getenv, func(server lifecycle.ForgeServer) (forge.Parts, error) {
			return a.OpenParts(server, a.log())
		})
		a.findings(missing)
		if err != nil {
			return err
		}
	}
	plans, err := forge.ReadPlans(opts.Plans, opts.Sites)
	if err != nil {
		return err
	}
	plans = forge.WithGone(plans, opts.Gone)
	repo, unfound := a.repository()
	if unfound == nil {
		repo.Declare(ctx, plans)
	}
	now := time.Now()
	a.findings(forge.Promote(plans, opts.Soak, now))
	forge.Rehearse(plans, opts.Rehearsals)
	note := forge.NoteOptions{Pipeline: a.Getenv("CI_PIPELINE_URL"), Now: now, Support: lifecycle.Version.Support, Left: fleets.DaysLeft}
	switch {
	case opts.Since != "":
		if err = unfound; err == nil {
			note.Fleet, err = repo.Guard(ctx, plans, opts.Since)
		}
		if err != nil {
			a.findings(lifecycle.AsDiagnostics(err, "what guards the sites could not be compared"))
			note.Unguarded = "the log of this job says why."
		}
	case !opts.Print:
		note.Unguarded = "the job names no revision of it (--changed-since)."
	}
	if opts.Print {
		_, err := io.WriteString(a.Out, forge.Note(plans, note))
		return err
	}
	f, err := a.openForge(mr.ForgeServer)
	if err != nil {
		return err
	}
	said, err := forge.DeliverNote(ctx, f, mr, plans, note)
	if err == nil {
		a.note("%s", said)
	}
	return err
}
