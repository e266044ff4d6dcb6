package applet

import (
	"fmt"
	"os"
	"slices"
	_ "time/tzdata" // cron jobs name time zones, and the machine may have none

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register" // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// Run runs the program that argv asks for, as in `kiban-lab applet kube-apiserver --flag ...`, and then exits the process with that
// program's exit code. When argv asks for no applet it returns false at once and has done nothing.
//
// The Kubernetes version that the programs claim to be is the environment variable LAB_K0S_VERSION.
func Run(argv []string) (handled bool) {
	if len(argv) < 3 || argv[1] != "applet" {
		return false
	}
	if v := os.Getenv("LAB_K0S_VERSION"); v != "" {
		if err := pose(v); err != nil {
			fmt.Fprintln(os.Stderr, "LAB_K0S_VERSION:", err)
			os.Exit(2)
		}
	}
	// The programs take their own name and flags from os.Args, as any program does.
	os.Args = slices.Clone(argv[2:])
	switch os.Args[0] {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		serve(apiserver.NewAPIServerCommand())
	case "kube-controller-manager":
		serve(controllermanager.NewControllerManagerCommand())
	case "kube-scheduler":
		serve(scheduler.NewSchedulerCommand())
	case "kubectl":
		if err := cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()); err != nil {
			kubectlutil.CheckErr(err)
		}
	default:
		fmt.Fprintf(os.Stderr, "no applet is called %q\n", os.Args[0])
		os.Exit(2)
	}
	os.Exit(0)
	return true
}

func serve(command *cobra.Command) { os.Exit(cli.Run(command)) }
