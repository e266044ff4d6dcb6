package kubelet

import (
	"fmt"

	"github.com/spf13/pflag"
	cliflag "k8s.io/component-base/cli/flag"
	"k8s.io/kubernetes/cmd/kubelet/app/options"
	"mvdan.cc/sh/v3/shell"
)

// CheckFlags reads the value of k0s's --kubelet-extra-args as the kubelet itself would, by its own flags, and says why it would not
// start.
func CheckFlags(extra string) error {
	args, err := shell.Fields(extra, nil)
	if err != nil {
		return fmt.Errorf("failed to parse kubelet flag: %w", err)
	}
	configuration, err := options.NewKubeletConfiguration()
	if err != nil {
		return err
	}
	flags := pflag.NewFlagSet("kubelet", pflag.ContinueOnError)
	flags.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	options.NewKubeletFlags().AddFlags(flags)
	options.AddKubeletConfigFlags(flags, configuration)
	// The rest are those of programs' packages, which are looked up in a set that this program does not have.
	flags.Duration("housekeeping-interval", 0, "")
	flags.Bool("version", false, "")
	flags.Usage = func() {}
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("failed to parse kubelet flag: %w", err)
	}
	if words := flags.Args(); len(words) > 0 {
		return fmt.Errorf("unknown command %s", words)
	}
	return nil
}
