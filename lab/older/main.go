// Command older holds the programs of a k0s of the minor before the lab's, in one binary: etcd, kube-apiserver, kube-controller-
// manager and kube-scheduler, the upstream Go modules of that minor. The lab's own older versions are its one code that emulates
// them, which proves nothing about a return to a program that has never heard of the newer one. `make way-back` does it with these.
//
//	older kube-apiserver --flag ...
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // cron jobs name time zones, and the machine may have none

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: older etcd|kube-apiserver|kube-controller-manager|kube-scheduler [flags]")
		os.Exit(2)
	}
	// The programs take their own name and flags from os.Args, as any program does.
	os.Args = os.Args[1:]
	switch os.Args[0] {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		serve(apiserver.NewAPIServerCommand())
	case "kube-controller-manager":
		serve(controllermanager.NewControllerManagerCommand())
	case "kube-scheduler":
		serve(scheduler.NewSchedulerCommand())
	default:
		fmt.Fprintf(os.Stderr, "there is no %q here\n", os.Args[0])
		os.Exit(2)
	}
}

func serve(command *cobra.Command) { os.Exit(cli.Run(command)) }
