package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/render"
)

type verifyOptions struct {
	app    *app
	output output
	Site   string
	// Timeout bounds the whole but for the probes' end.
	Timeout time.Duration
}

func newVerify(a *app, runF func(context.Context, *verifyOptions) error) *cobra.Command {
	opts := &verifyOptions{app: a}
	cmd := &cobra.Command{
		Use:   "verify SITE",
		Short: "Prove with short-lived probes what a site promises to workloads",
		Long: `Prove what a site promises to whatever runs on it (spec.platform): a Service of type LoadBalancer gets an address or a name, a
claim gets its volume, DNS answers, a pod lands on a node of each promised label. The probes live in a namespace of their own, which is
deleted at the end; nothing else is written, so it needs no lock and may run beside an apply.

A promise that is not kept within --timeout is broken. The probes are deleted all the same, for which a further minute is given.
It exits with 1 when a promise is broken, and says which.`,
		Example:           "  kiban verify tokyo-prod\n  kiban verify tokyo-prod --timeout 30s\n  kiban verify virginia-eks -o json",
		ValidArgsFunction: a.completeSites,
		RunE:              showSite(a, opts, &opts.Site, &opts.output, runF, verifyRun),
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	cmd.Flags().DurationVar(&opts.Timeout, "timeout", 2*time.Minute, "how long reaching the site and proving it may take, such as 30s")
	return cmd
}

// verifyReport is the machine-readable form.
type verifyReport struct {
	Site string `json:"site"`
	// Kept says that no promise is broken, and that each could be proven.
	Kept     bool                `json:"kept"`
	Promises []lifecycle.Promise `json:"promises"`
}

func verifyRun(ctx context.Context, opts *verifyOptions) error {
	a := opts.app
	if opts.Timeout <= 0 {
		return lifecycle.Errorf("--timeout", "%s is no time to prove anything in", opts.Timeout).
			Try("Say how long it may take, such as --timeout 30s.")
	}
	site, fleet, err := a.loadSite(ctx, opts.Site)
	if err != nil {
		return err
	}
	s, err := a.open(site, fleet)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeoutCause(ctx, opts.Timeout, fmt.Errorf("not within --timeout %s", opts.Timeout))
	defer cancel()
	promises, err := s.Verify(bounded)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if ctx.Err() != nil { // what was not proven yet is not broken
		return context.Cause(ctx)
	}
	unkept := lifecycle.Unkept(site.Name, promises)
	if opts.output.form == "text" {
		err = render.PromisesText(a.Out, promises, a.outStyle())
	} else {
		err = writeReport(a.Out, opts.output.form, verifyReport{Site: site.Name, Kept: len(unkept) == 0,
			Promises: append([]lifecycle.Promise{}, promises...)})
	}
	return errors.Join(err, unkept.Err())
}
