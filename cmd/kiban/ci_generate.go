package main

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/forge"
)

type ciGenerateOptions struct {
	app       *app
	selection selection
	forge.PipelineOptions
	// Parts is the folder that takes the parts of a pipeline that is too large for one; "" writes the pipeline to stdout. Expect is what
	// they must be.
	Parts, Expect string
	// MayGo has jobs for the sites only that may go now, by what From has of a collect.
	MayGo bool
	From  string
}

func newCIGenerate(a *app, runF func(context.Context, *ciGenerateOptions) error) *cobra.Command {
	opts := &ciGenerateOptions{app: a}
	kinds := []string{string(lifecycle.PipelinePlan), string(lifecycle.PipelineApply), string(lifecycle.PipelineDrift),
		string(lifecycle.PipelineBackup)}
	cmd := &cobra.Command{
		Use:   "generate " + strings.Join(kinds, "|") + " [SITE...]",
		Short: "Write the child pipeline that plans, applies or backs up the sites",
		Long: `Write a child pipeline for GitLab to stdout, with a job a site:

  plan   plans each site, with its counts for the merge request's widget, and puts the note on the merge request;
         sites with spec.rehearse have their plan run in a lab first
  apply  applies each site as it was reviewed, wave after wave (spec.wave of the Site), each as a deployment of its own environment and
         one job at a time; sites labelled tier: production wait until somebody starts them,
	sites with spec.promotion until others have run their
         versions for long enough, and a failure stops the waves behind it
  drift  plans each site, tells where it is not what the repository declares, and fails there
  backup takes a backup of each site that names a place for it in spec.backup.to, and fails for production that names none

With --may-go only the sites get a job that "kiban fleet next" says may go now, by what "kiban fleet collect" has left: for a schedule,
which so has done what was merged when a soak was not over, a window not open, or an earlier wave not through. Each is held to the plan
that the merge request of its last change showed: that commit is looked for in the history. Left to people are sites that a run has made
what is declared (what differs now, nobody has reviewed), and those whose last run was stopped. Production waits to be started here, too.
What is more than GitLab takes in one pipeline is left to the next schedule.

With --changed-since only the sites whose declaration changed since then get a job. What tier a site is of, and so which variables its
plan gets, says that revision and not the change; one that is production before or after it waits to be started, and so does one that is
new; a revision of zeros, as GitLab gives it for a branch's first pipeline, is before all of them. There is a job at least, since GitLab
refuses a pipeline without. A site whose overlay is gone gets none. A fleet of some hundred sites is more
than GitLab takes in one pipeline: then what is written has a job that calls this verb with --parts, and starts each part, wave by wave. With names of sites or --selector, only those get a job, as far as they changed.`,
		Example: "  kiban ci generate plan --changed-since \"$CI_MERGE_REQUEST_DIFF_BASE_SHA\"\n" +
			"  kiban ci generate apply --changed-since \"$CI_COMMIT_BEFORE_SHA\" > child.yml\n" +
			"  kiban fleet collect && kiban ci generate apply --may-go > child.yml",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
			if len(args) == 0 {
				return kinds, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeSites(cmd, args[1:], toComplete)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || !slices.Contains(kinds, args[0]) {
				return usage(cmd, "what is the pipeline to do: "+strings.Join(kinds, ", ")+"?")
			}
			opts.Kind, opts.Sites = lifecycle.PipelineKind(args[0]), args[1:]
			if _, err := opts.selection.check(cmd, opts.Sites); err != nil {
				return err
			}
			opts.Selector = opts.selection.By
			if opts.MayGo && (opts.Kind != lifecycle.PipelineApply || opts.Since != "" || opts.Parts != "") {
				return usage(cmd, "--may-go is for apply, and knows itself which sites: leave out --changed-since and --parts")
			}
			if cmd.Flags().Changed("changed-since") && opts.Since == "" {
				return usage(cmd, "--changed-since is given no revision: the variable that should hold it is empty in this pipeline")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return ciGenerateRun(cmd.Context(), opts)
		},
	}
	opts.selection.flag(cmd)
	cmd.Flags().StringVar(&opts.Parts, "parts", "", "write the parts of a pipeline that is too large for one into this folder")
	cmd.Flags().StringVar(&opts.Expect, "expect", "", "with --parts: what they must be, as the pipeline says that starts them")
	cmd.Flags().BoolVar(&opts.MayGo, "may-go", false, "only the sites that may go now, as kiban fleet next says")
	addFrom(cmd, &opts.From)
	cmd.Flags().StringVar(&opts.Since, "changed-since", "", "only the sites that changed since that revision")
	cmd.Flags().StringVar(&opts.Image, "image", "", "the image that the jobs run in")
	cmd.Flags().StringVar(&opts.LabImage, "lab-image", "", "the image of jobs that rehearse (default: that of --image with -lab at its tag)")
	cmd.Flags().StringVar(&opts.Include, "include", "",
		"a file of the repository that the child pipeline includes, for tags, keys and the like")
	return cmd
}

func ciGenerateRun(ctx context.Context, opts *ciGenerateOptions) error {
	a := opts.app
	repo, err := a.repository()
	if err != nil {
		return err
	}
	if opts.MayGo {
		facts, err := a.fleetFacts(ctx, opts.From)
		if err != nil {
			return err
		}
		opts.Due = &facts
	}
	pipeline, err := repo.Pipeline(ctx, opts.PipelineOptions)
	if err != nil {
		return err
	}
	if opts.MayGo {
		text, left, err := forge.OneFile(pipeline, a.ChildPipelines)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			a.note("Left to the next schedule, for GitLab takes no more in one pipeline: %s.", lifecycle.Few(left))
		}
		_, err = io.WriteString(a.Out, text)
		return err
	}
	first, parts, err := a.ChildPipelines(pipeline)
	switch {
	case err != nil:
		return err
	case opts.Parts != "":
		return forge.WriteParts(opts.Parts, parts, opts.Expect)
	}
	_, err = io.WriteString(a.Out, first)
	return err
}
