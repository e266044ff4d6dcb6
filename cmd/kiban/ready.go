package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
)

type readyOptions struct {
	app    *app
	output output
	selection
	// Sites are looked at one after another; All takes those of the fleet.
	Sites []string
	All   bool
	// To is the version that is judged; "" the next one.
	To string
	// Brief leaves out what was seen.
	Brief bool
	// Fix writes declared objects of removed APIs by those that take their place.
	Fix bool
}

func newReady(a *app, runF func(context.Context, *readyOptions) error) *cobra.Command {
	opts := &readyOptions{app: a}
	cmd := &cobra.Command{
		Use:   "ready [SITE...]",
		Short: "Say what a version would break at a site, before anything changes",
		Long: `Look at a site's machines, API, releases and declaration, and say what a version of k0s would break there: removed APIs and who asks
for them, settings that are gone, machines that it refuses, pods that would find no room, known faults. Each finding names what was seen,
whom it concerns, and what to do. What could not be looked at is named. Nothing is changed,
but with --fix the fleet's files: what is of a removed API is written by the one that takes its place, where only apiVersion or a field's
name differs.

Without --to it is the declared version where the site does not have it yet,
	else the next minor release. Every plan that changes the version
has the same findings. Exit code 3 when something is in the way of a site, or could not be looked at: then it is not known to be ready.`,
		Example:           "  kiban ready tokyo-prod\n  kiban ready tokyo-prod --to v1.37.2+k0s.0\n  kiban ready --all --to 1.37 -o json",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if cmd.Flags().Changed("to") && opts.To == "" {
				return usage(cmd, "--to is empty: name a version, such as 1.37, or leave it out")
			}
			if opts.All && len(args) > 0 {
				return usage(cmd, "either names of sites or --all, not both")
			}
			if opts.Sites, err = a.namedOr(cmd, args, &opts.selection, func() ([]string, error) {
				return a.allOrMeant(cmd, opts.All)
			}); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return readyRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml", "markdown")
	cmd.Flags().StringVar(&opts.To, "to", "", "the version: v1.37.2+k0s.0, v1.37.2 or 1.37")
	cmd.Flags().BoolVar(&opts.Brief, "brief", false, "a paragraph for each finding, without what was seen")
	cmd.Flags().BoolVar(&opts.Fix, "fix", false, "write declared objects of removed APIs anew, where only names differ")
	opts.selection.flag(cmd)
	cmd.Flags().BoolVar(&opts.All, "all", false, "every site of the fleet")
	return cmd
}

// allOrMeant are all sites, or the one that is meant.
func (a *app) allOrMeant(cmd *cobra.Command, all bool) ([]string, error) {
	if all {
		return a.everySite()
	}
	name, err := a.oneSite(cmd, nil)
	return []string{name}, err
}

func readyRun(ctx context.Context, opts *readyOptions) error {
	a := opts.app
	to, exact, err := lifecycle.ParseTarget(opts.To)
	if err != nil {
		return err
	}
	var found fleets.Readiness
	failed := a.oneByOne(opts.Sites, true, func(name string) error {
		var r lifecycle.Readiness
		_, err := a.withSite(ctx, name, session.Options{}, func(s *session.Session) (err error) {
			r, err = s.Ready(ctx, to, exact)
			return err
		})
		if err != nil {
			found = append(found, fleets.Unjudged(name, err))
			return err
		}
		found = append(found, fleets.Judged(r))
		return showReadiness(opts, r)
	})
	if opts.output.data() {
		failed = errors.Join(failed, writeReport(a.Out, opts.output.form, found))
	}
	// each apart: what was told of one site does not stand for what is in the way of another
	a.report(failed)
	a.report(found.Err())
	err = errors.Join(failed, found.Err())
	if opts.Fix && !found.Highest().IsZero() {
		unfixed := a.fixAPIs(found) // last, so that what was changed stands last
		a.report(unfixed)
		err = errors.Join(err, unfixed)
	}
	if err != nil {
		return shown{err}
	}
	return nil
}

// fixAPIs changes the fleet's files for the highest version that was judged, and tells what was changed and what was not, apart from what
// was found.
func (a *app) fixAPIs(found fleets.Readiness) error {
	fleet, err := a.fleetDir()
	if err != nil {
		return err
	}
	told, err := session.FixAPIs(fleet, found.Highest())
	if len(told) == 0 && err == nil {
		a.note("\nChanged: nothing. No file has an object whose API %s stops serving.", found.Highest())
		return nil
	}
	for _, changed := range []bool{true, false} {
		title := "\nChanged:"
		if !changed {
			title = "\nLeft as it is:"
		}
		for _, f := range told {
			if (f.Left == "") == changed {
				a.note("%s\n  %s", title, f)
				title = ""
			}
		}
	}
	return err
}

func showReadiness(opts *readyOptions, r lifecycle.Readiness) error {
	a := opts.app
	switch opts.output.form {
	case "text":
		return render.ReadinessText(a.Out, r, opts.Brief, a.outStyle())
	case "markdown":
		return render.ReadinessMarkdownTo(a.Out, r)
	}
	return nil // in one document, in the end
}
