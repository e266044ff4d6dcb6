package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

type ciGenerateOptions struct {
	app  *app
	Kind render.PipelineKind
	// Since has jobs for the sites only that changed since that revision; Changed says that it was given.
	Since   string
	Changed bool
	render.PipelineOptions
}

func newCIGenerate(a *app, runF func(context.Context, *ciGenerateOptions) error) *cobra.Command {
	opts := &ciGenerateOptions{app: a}
	kinds := []string{string(render.PipelinePlan), string(render.PipelineApply), string(render.PipelineDrift)}
	cmd := &cobra.Command{
		Use:   "generate " + strings.Join(kinds, "|"),
		Short: "Write the child pipeline that plans or applies the sites",
		Long: `Write a child pipeline for GitLab to stdout, with a job a site:

  plan   plans each site, with its counts for the merge request's widget, and puts the note on the merge request
  apply  applies each site, wave after wave (spec.wave of the Site), each as a deployment of its own environment and one job at a time;
         sites labelled tier: production wait until somebody starts them, and a failure stops the waves behind it
  drift  plans each site, and fails where it is not what the repository declares

With --changed-since only the sites whose declaration changed since then get a job; a revision of zeros, as GitLab gives it for a branch's first
pipeline, is before all of them. There is a job at least, since GitLab refuses a pipeline without. A site whose overlay is gone gets none.`,
		Example:   "  kiban ci generate plan --changed-since \"$CI_MERGE_REQUEST_DIFF_BASE_SHA\" > child.yml\n  kiban ci generate apply --changed-since \"$CI_COMMIT_BEFORE_SHA\" > child.yml",
		ValidArgs: kinds,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(kinds, args[0]) {
				return usage(cmd, "what is the pipeline to do: "+strings.Join(kinds, ", ")+"?")
			}
			opts.Kind, opts.Changed = render.PipelineKind(args[0]), cmd.Flags().Changed("changed-since")
			if opts.Changed && opts.Since == "" {
				return usage(cmd, "--changed-since is given no revision: the variable that should hold it is empty in this pipeline")
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return ciGenerateRun(cmd.Context(), opts)
		},
	}
	cmd.Flags().StringVar(&opts.Since, "changed-since", "", "only the sites that changed since that revision")
	cmd.Flags().StringVar(&opts.Image, "image", "", "the image that the jobs run in")
	cmd.Flags().StringVar(&opts.Include, "include", "", "a file of the repository that the child pipeline includes, for tags, keys and the like")
	return cmd
}

// noRevision is what GitLab gives as a branch's former revision when it had none.
var noRevision = regexp.MustCompile(`^0{40,64}$`)

func ciGenerateRun(ctx context.Context, opts *ciGenerateOptions) error {
	a := opts.app
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	var list siteList
	var found lifecycle.Diagnostics
	if opts.Changed && !noRevision.MatchString(opts.Since) {
		list, found, err = a.sitesSince(ctx, fleet, opts.Since)
		opts.PipelineOptions.Since = fmt.Sprintf("%.10s", list.Since)
	} else {
		list, found, err = a.allSites(ctx, fleet)
	}
	if err != nil {
		return err
	}
	a.findings(found) // a site that can't be read gets a job all the same, which fails and says why: the others go on
	sites, err := pipelineSites(list)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, render.Pipeline(opts.Kind, sites, opts.PipelineOptions))
	return err
}

// plainName is what a folder must be called to be a site whose name a script and a job can bear.
var plainName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

func pipelineSites(list siteList) ([]render.PipelineSite, error) {
	var out []render.PipelineSite
	for _, s := range list.Sites {
		if !plainName.MatchString(s.Name) {
			return nil, lifecycle.Diagnostic{Severity: lifecycle.SeverityError, Summary: "a site's folder has a name that no job can bear", Subject: "overlays/" + s.Name,
				Hint: "Use small letters, digits, - and dots between them."}
		}
		out = append(out, render.PipelineSite{Name: s.Name, Wave: s.Wave, Tier: s.Labels["tier"]})
	}
	return out, nil
}
