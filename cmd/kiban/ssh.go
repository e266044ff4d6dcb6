package main

import (
	"context"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lifecycle"
)

type sshOptions struct {
	app        *app
	Site, Node string
	// Command is what runs there; none is a shell.
	Command []string
}

func newSSH(a *app, runF func(context.Context, *sshOptions) error) *cobra.Command {
	opts := &sshOptions{app: a}
	return &cobra.Command{
		Use:   "ssh SITE NODE [-- COMMAND...]",
		Short: "Log in to a machine with ssh, as kiban does: the site's user, key, known hosts and bastion",
		Long: `Start the program ssh with what the site says of the machine: its address, port, user and key, the bastion before it, and the
site's known_hosts file as the only one. Neither ~/.ssh/config nor ~/.ssh/known_hosts is read. Behind -- stands a command to run in place
of a shell.
The exit code is that of ssh.

What you do there is yours: it is in no plan and in no record, and the next plan shows what it left different.`,
		Example:           "  kiban ssh tokyo-prod worker-3\n  kiban ssh tokyo-prod worker-3 -- sudo journalctl -u k0sworker -f",
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				args, opts.Command = args[:dash], args[dash:]
			}
			if opts.Site, opts.Node, err = a.siteAndNode(cmd, args); err != nil {
				return err
			}
			if runF != nil {
				return runF(cmd.Context(), opts)
			}
			return sshRun(cmd.Context(), opts)
		},
	}
}

func sshRun(ctx context.Context, opts *sshOptions) error {
	a := opts.app
	site, _, err := a.loadMachines(ctx, opts.Site)
	if err != nil {
		return err
	}
	if _, ok := site.Cluster.Host(opts.Node); !ok {
		return noSuchNode(site, opts.Node)
	}
	args, err := a.SSHArguments(site, opts.Node)
	if err != nil {
		return lifecycle.AsDiagnostics(err, "the machine can't be logged in to")
	}
	code, err := a.RunProgram(ctx, "ssh", append(args, opts.Command...))
	if err != nil {
		return lifecycle.Errorf("ssh", "the program ssh can't be started").From(err).Try("Install OpenSSH's client.")
	}
	if code != 0 {
		return programError{code}
	}
	return nil
}
