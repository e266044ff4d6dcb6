package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/explain"
	"kiban.dev/kiban/lifecycle/readiness/risks"
)

type explainOptions struct {
	app   *app
	Topic string
}

func newExplain(a *app, runF func(context.Context, *explainOptions) error) *cobra.Command {
	opts := &explainOptions{app: a}
	return &cobra.Command{
		Use:   "explain [TOPIC]",
		Short: "Explain kiban's words, fields, actions, gates and exit codes",
		Long: `Explain a word (site, lock, soak), a field of a document (Site.spec.upgrade.workers.maxUnavailable, Addon.spec.chart), an
action of a step (drain), a gate (etcd-quorum), an exit code (3), a hazard (H3), a known risk of a
version (metallb-as-numbers; "risks" lists them); or read a page (kiban explain docs/backup.md).
Without TOPIC it lists what there is to explain.`,
		Example: "  kiban explain gate\n  kiban explain Site.spec.upgrade.workers\n  kiban explain docs/backup.md",
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return append(explain.Names(), risks.IDs()...), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Topic = strings.Join(args, " ") // "failure domain" needs no quotes
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return explainRun(cmd.Context(), opts)
		},
	}
}

func explainRun(_ context.Context, opts *explainOptions) error {
	width := min(opts.app.columns(), widestText)
	text, err := explain.Text(opts.Topic, width, risks.IDs()...)
	if known, ok := risks.Explain(opts.Topic, width); ok && err != nil {
		text, err = known, nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(opts.app.Out, text)
	return err
}
