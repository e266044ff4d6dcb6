package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle/supply"
)

type versionOptions struct {
	app    *app
	output output
}

func newVersion(a *app, runF func(context.Context, *versionOptions) error) *cobra.Command {
	opts := &versionOptions{app: a}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of kiban and of what it is built on",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.output.validate(cmd); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return versionRun(cmd.Context(), opts)
		},
	}
	addOutput(cmd, &opts.output, "text", "json", "yaml")
	return cmd
}

func versionRun(_ context.Context, opts *versionOptions) error {
	b := supply.Built()
	if opts.output.data() {
		return writeReport(opts.app.Out, opts.output.form, b)
	}
	line := "kiban " + b.Version
	if b.Revision != "" {
		line += " (" + b.Revision[:min(10, len(b.Revision))] + ")"
	}
	_, err := fmt.Fprintf(opts.app.Out, "%s, k0sctl %s, %s %s\n", line, b.K0sctl, b.Go, b.Platform)
	return err
}
