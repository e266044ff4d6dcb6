package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	fleets "kiban.dev/kiban/lifecycle/fleet"
	"kiban.dev/kiban/lifecycle/lock"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/scaffold"
	"kiban.dev/kiban/lifecycle/session"
)

type statusOptions struct {
	app    *app
	output output
	selection
	Site  string
	Sites []string // all of them, Site first
	// Watch looks again and again, with Interval between two looks.
	Watch    bool
	Interval time.Duration
}

func newStatus(a *app, runF func(context.Context, *statusOptions) error) *cobra.Command {
	opts := &statusOptions{app: a}
	cmd := &cobra.Command{
		Use:   "status [SITE...]",
		Short: "Show what is there: machines, nodes, API servers, etcd, addons, problems",
		Long: `Show what is there, by one command a machine and a few questions to the API. Nothing is changed.
It exits with 0 whatever it finds, as long as it could look: a machine that does not answer is a fact like any other. When no machine
and no API answers, it exits with 1. A site whose machines are still those that kiban init made up has nobody to ask, and is told so.

Without a name, or with several, it is a line a site, all of them looked at side by side. Exit code 1 when nothing is known of one.`,
		Example:           "  kiban status\n  kiban status tokyo-prod\n  kiban status tokyo-prod --watch\n  kiban status tokyo-prod -o json",
		ValidArgsFunction: a.completeAllSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			names, err := a.sitesOr(cmd, args, &opts.selection)
			if err != nil {
				return err
			}
			opts.Site, opts.Sites = names[0], names
			if opts.Watch {
				return statusWatch(cmd, opts)
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return statusRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	opts.selection.flag(cmd)
	cmd.Flags().BoolVarP(&opts.Watch, "watch", "w", false, "look again and again, and redraw in place, until Ctrl-C")
	cmd.Flags().DurationVar(&opts.Interval, "interval", 5*time.Second, "with --watch: the pause between two looks")
	return cmd
}

// statusReport is the machine-readable form.
type statusReport struct {
	lifecycle.State
	// Locks are what a run holds; two while it sets the cluster up.
	Locks []lifecycle.Lock `json:"locks,omitempty"`
	// Provider is who runs the machines; Declared is the k0s version, where kiban does.
	Provider lifecycle.Provider    `json:"provider,omitempty"`
	Declared lifecycle.Version     `json:"declared"`
	Problems lifecycle.Diagnostics `json:"problems,omitempty"`
	// Soak is how the control plane soaks, where nothing is wrong with that.
	Soak *lifecycle.HealthySoak `json:"soak,omitempty"`
}

// statusWatch looks again and again, and redraws what it sees in place.
func statusWatch(cmd *cobra.Command, opts *statusOptions) error {
	a, ctx := opts.app, cmd.Context()
	switch {
	case opts.output.data():
		return usage(cmd, "--watch redraws text in place: for programs, call kiban status -o "+opts.output.form+" again and again")
	case !a.OutTTY || a.Getenv("TERM") == "dumb":
		return usage(cmd, "--watch redraws in place, and stdout is no terminal that can: call kiban status again and again")
	case opts.Interval < time.Second:
		return usage(cmd, "--interval is a second at least")
	}
	return render.Watch(ctx, a.Out, render.Watching{Every: opts.Interval, Size: a.Size, Style: a.outStyle(), Look: func(w io.Writer) error {
		into, look := *a, *opts
		into.Out, into.Err, into.err, look.app = w, w, a.out, &into
		return statusRun(ctx, &look)
	}})
}

func statusRun(ctx context.Context, opts *statusOptions) error {
	a := opts.app
	if len(opts.Sites) > 1 {
		return statusOfAll(ctx, opts, opts.Sites)
	}
	var state lifecycle.State
	var locks []lifecycle.Lock
	var behind []lifecycle.RunRecord
	var unread error
	var slack string
	site, err := a.withSite(ctx, opts.Site, session.Options{}, func(s *session.Session) (err error) {
		if scaffold.MadeUp(s.Site()) {
			return nil
		}
		if state, err = s.Observe(ctx); err == nil {
			locks, unread = s.Locks(ctx) // a lock that can't be read is shown as such
			behind, slack = s.RunsBehind(ctx, locks), fleets.Slack(ctx, s.Site(), state.Lowest(), s.Lived)
		}
		return err
	})
	if err != nil {
		return err
	}
	if scaffold.MadeUp(site) {
		return a.statusMadeUp(site, opts.output)
	}
	report := statusReport{State: state, Locks: locks, Provider: site.Provider, Declared: site.Cluster.Version,
		Soak:     state.Past.Pinned.Value.SoaksWell(site, state),
		Problems: lock.During(session.AtWork(locks), a.Problems(site, state).Together(state.Machine(site)))}
	if opts.output.form != "text" {
		return errors.Join(writeReport(a.Out, opts.output.form, report), unseen(state))
	}
	now := time.Now()
	held, unknown := lock.Told(locks, behind, unread, now)
	if _, err := io.WriteString(a.Out, held); err != nil { // first: all below it is in motion
		return err
	}
	show := render.StatusText
	if opts.Watch {
		show = render.StatusWatched
	}
	if err := show(a.Out, site, state, report.Problems, a.outStyle()); err != nil {
		return err
	}
	_, err = io.WriteString(a.Out, render.SupportLine(site.Fleet, state, now)+slack+unknown)
	return errors.Join(err, unseen(state))
}

// statusMadeUp shows a site whose machines are still those of an example: there is nobody to ask.
func (a *app) statusMadeUp(site lifecycle.Site, o output) error {
	found := scaffold.ToFillIn(site.Name)
	if o.data() {
		nobody := lifecycle.State{Site: site.Name, ObservedAt: time.Now(), API: lifecycle.APIState{Unknown: found.Summary}}
		return writeReport(a.Out, o.form, statusReport{State: nobody, Declared: site.Cluster.Version, Problems: lifecycle.Diagnostics{found}})
	}
	if err := a.result(fmt.Sprintf("Site %s, k0s %s declared", site.Name, site.Cluster.Version)); err != nil {
		return err
	}
	return render.Diagnostics(a.Out, lifecycle.Diagnostics{found}, a.outStyle())
}

// unseen is the error of a verb that shows what is there and could ask nobody.
func unseen(state lifecycle.State) error {
	if d, yes := state.Unseen(); yes {
		return d
	}
	return nil
}
