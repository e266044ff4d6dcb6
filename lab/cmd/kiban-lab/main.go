// Command kiban-lab runs simulated machines with a real Kubernetes control plane behind them: where kiban can be tried, tested and
// measured without a cluster, root, containers or the internet.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kiban.dev/kiban/lab/applet"
)

func main() {
	if applet.Run(os.Args) {
		return
	}
	// without the flags that Kubernetes' packages add to every program
	pflag.CommandLine = pflag.NewFlagSet("kiban-lab", pflag.ContinueOnError)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "kiban-lab:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	root := &cobra.Command{
		Use: "kiban-lab", Short: "Simulated machines with a real Kubernetes control plane", SilenceUsage: true, SilenceErrors: true,
		Args: cobra.NoArgs,
		Long: "kiban-lab runs simulated machines, each an SSH server on a loopback address of its own, with real etcd, Kubernetes servers and\n" +
			"simulated kubelets behind the k0s that is installed on them. It needs no root, no containers and no internet.",
	}
	var dir string
	var leash bool
	root.PersistentFlags().StringVar(&dir, "dir", ".lab", "the lab's folder")
	root.PersistentFlags().BoolVar(&leash, "until-eof", false, "end when standard input does; a lab then leaves no folder behind")
	root.PersistentPreRun = func(c *cobra.Command, _ []string) {
		if leash {
			leashed(c)
		}
	}
	root.AddCommand(upCommand(&dir), downCommand(&dir), statusCommand(&dir), faultCommand(&dir), commandsCommand(&dir), markCommand(&dir),
		kubeconfigCommand(&dir), kubectlCommand(&dir), execCommand(&dir), probeCommand(&dir), mirrorCommand(), chartsCommand(), oidcCommand(),
		versionCommand())
	return root
}
