package main

import (
	"bytes"
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/atomicfile"
	"kiban.dev/kiban/lifecycle/render"
	"kiban.dev/kiban/lifecycle/session"
	"kiban.dev/kiban/lifecycle/supply"
	"kiban.dev/kiban/lifecycle/twin"
)

type rehearseOptions struct {
	app    *app
	output output
	Site   string
	// To is the version that is rehearsed; "" the declared one. From is "live", or a file that --save wrote.
	To, From string
	// Save is the file that keeps the snapshot; "" keeps none.
	Save string
	// Identity is the file with the private key that opens a snapshot; "" for one that is not encrypted.
	Identity string
	Faults   []string
	// IfAsked rehearses only what spec.rehearse asks for. Result is a file that gets the rehearsal as JSON, whatever is shown; "" none.
	IfAsked bool
	Result  string
}

func newRehearse(a *app, runF func(context.Context, *rehearseOptions) error) *cobra.Command {
	opts := &rehearseOptions{app: a}
	cmd := &cobra.Command{
		Use:   "rehearse [SITE]",
		Short: "Run the plan in a lab that is made of the site's own state, and say how it went",
		Long: `Take a snapshot of a site, make a lab of it on this computer (its machines, versions, nodes, pods and budgets, with real etcd, API
servers and schedulers), and run the plan there: the real planner, gates, drains and rollout, while every Service is sent requests.
What is told: how far it comes, where it waits and for whom, what blocks, which requests are lost, how long it takes, and what the lab
does not have as the site has it.

The site is read and nothing else: its machines are looked at once, its API page by page, without the values of Secrets. After that
nothing asks it. --save keeps the snapshot, encrypted to the recipients of spec.backup; --from FILE rehearses it anywhere.
--fault MACHINE=KIND@STEP has something go wrong when a step begins: worker-3=ssh-hang@cordon, kiban=kill@worker-3/drain.
The lab is the program kiban-lab, beside kiban or named by KIBAN_LAB.

Exit code 0: it went through and no request was lost, or the plan has no step; 3: it would block or fail, or requests were lost;
1: it could not be rehearsed.`,
		Example: "  kiban rehearse tokyo-prod\n  kiban rehearse tokyo-prod --to v1.37.2+k0s.0 -o html > rehearsal.html\n" +
			"  kiban rehearse tokyo-prod --fault worker-3=off@upgrade\n  kiban rehearse tokyo-prod --save tokyo.snapshot",
		ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, args []string) error {
			run := rehearseRun
			if runF != nil {
				run = runF
			}
			if opts.From == lifecycle.RehearsalLive {
				return showSite(a, opts, &opts.Site, &opts.output, run, run)(cmd, args)
			}
			if len(args)+len(opts.To+opts.Save) > 0 {
				return usage(cmd, "a snapshot says itself of which site it is, and to which version: --from FILE goes alone")
			}
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "markdown", "json", "html")
	cmd.Flags().StringVar(&opts.To, "to", "", "the version: v1.37.2+k0s.0 (default: the declared one)")
	cmd.Flags().StringVar(&opts.From, "from", lifecycle.RehearsalLive, "live, or a snapshot's file")
	cmd.Flags().StringVar(&opts.Save, "save", "", "keep the snapshot in this file")
	cmd.Flags().StringVar(&opts.Identity, "identity", "", "the file with the age private key that opens an encrypted snapshot")
	cmd.Flags().StringArrayVar(&opts.Faults, "fault", nil, "have something go wrong: MACHINE=KIND[:ARG]@STEP; may be repeated")
	cmd.Flags().BoolVar(&opts.IfAsked, "if-asked", false, "do nothing unless the plan is one that spec.rehearse wants rehearsed")
	cmd.Flags().StringVar(&opts.Result, "result", "", "write the rehearsal as JSON into this file, too")
	return cmd
}

func rehearseRun(ctx context.Context, opts *rehearseOptions) error {
	a := opts.app
	b := supply.Built()
	with := twin.Options{Version: b.Version, Revision: b.Revision, Source: opts.From, Note: func(text string) { a.note("%s", text) }}
	self, _ := os.Executable() // where it is not known, the lab is looked for elsewhere
	var err, ill error
	with.Faults, err = twin.ParseFaults(opts.Faults)
	with.Lab, ill = twin.FindLab(a.Getenv, self)
	if err = errors.Join(err, ill, writable(opts.Result)); err != nil {
		return err
	}
	if with.Plays, err = twin.AskLab(ctx, with.Lab); err != nil {
		return err
	}
	var taken twin.Snapshot
	asked := true
	if opts.From != lifecycle.RehearsalLive {
		taken, err = session.ReadSnapshot(opts.From, opts.Identity)
	} else {
		_, err = a.withMachines(ctx, opts.Site, session.Options{}, func(s *session.Session) (err error) {
			if !opts.IfAsked { // what nobody asks for need not be possible
				if err := s.Rehearsable(opts.To, with); err != nil {
					return err
				}
			}
			taken, err = s.Snapshot(ctx, session.SnapshotOptions{To: opts.To, Save: opts.Save, IfAsked: opts.IfAsked})
			asked = !opts.IfAsked || s.Site().Rehearse.Asks(taken.Plan)
			return err
		})
	}
	if err != nil {
		return err
	}
	if !asked {
		a.note("Not rehearsed: spec.rehearse does not ask for it with this plan.")
		return nil
	}
	r, err := session.Rehearse(ctx, taken, with)
	if err != nil {
		return err
	}
	return errors.Join(keepRehearsal(opts.Result, r), rehearsed(a, r, opts.output))
}

// writable refuses a file that a rehearsal could not be written into; "" is none.
func writable(file string) error {
	if file == "" {
		return nil
	}
	if err := atomicfile.Try(file); err != nil {
		return unwritten(file, err)
	}
	return nil
}

func unwritten(file string, err error) error {
	return lifecycle.Errorf(file, "the rehearsal can't be written").From(err).
		Try("Name a file in a folder that is there and has room: --result FILE")
}

// keepRehearsal writes it as JSON into a file; "" is none.
func keepRehearsal(file string, r lifecycle.Rehearsal) error {
	if file == "" {
		return nil
	}
	var b bytes.Buffer
	err := writeJSON(&b, r)
	if err == nil {
		err = atomicfile.Write(file, b.Bytes(), 0o600)
	}
	if err != nil {
		return unwritten(file, err)
	}
	return nil
}

// rehearsed shows a rehearsal; its error decides the exit code.
func rehearsed(a *app, r lifecycle.Rehearsal, o output) error {
	if o.data() {
		if err := writeReport(a.Out, o.form, r); err != nil {
			return err
		}
	} else if err := render.Rehearsal(a.Out, r, o.form, a.outStyle()); err != nil {
		return err
	}
	if r.Through() {
		return nil
	}
	return shown{lifecycle.Diagnostics{lifecycle.Blockedf(r.Site, "%s", r.Sentence())}}
}
