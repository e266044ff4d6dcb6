package k0s

import (
	"strings"

	"github.com/spf13/pflag"
)

// flags are what the lab looks at of the flags that `k0s controller` and `k0s worker` take.
type flags struct {
	dataDir, config, tokenFile, kubeletExtraArgs, labels, taints string
	enableWorker, single, noTaints, dynamicConfig                bool
}

// common are the flags of every command.
func (f *flags) common(s *pflag.FlagSet) {
	s.StringVar(&f.dataDir, "data-dir", defaultDataDir, "Data Directory for k0s. DO NOT CHANGE for an existing setup, things will break!")
	s.BoolP("debug", "d", false, "Debug logging")
	s.BoolP("verbose", "v", false, "Verbose logging")
	s.String("debugListenOn", ":6060", "Http listenOn for Debug pprof handler")
	s.String("status-socket", "", "Full file path to the socket file.")
}

// node are the flags of anything that runs a kubelet.
func (f *flags) node(s *pflag.FlagSet) {
	s.StringVar(&f.tokenFile, "token-file", "", "Path to the file containing join-token.")
	s.StringVar(&f.kubeletExtraArgs, "kubelet-extra-args", "", "extra args for kubelet")
	s.StringVar(&f.labels, "labels", "", "Node labels, list of key=value pairs")
	s.StringVar(&f.taints, "taints", "", "Node taints, list of key=value:effect strings")
	s.String("profile", "default", "worker profile to use on the node")
	s.String("cri-socket", "", "container runtime socket to use, default to internal containerd. Format: [remote|docker]:[path-to-socket]")
	s.String("iptables-mode", "", "iptables mode (valid values: nft, legacy, auto).")
	s.String("kubelet-root-dir", "", "Kubelet root directory for k0s")
	s.Bool("enable-cloud-provider", false, "Whether or not to enable cloud provider support in kubelet")
	s.Bool("ignore-pre-flight-checks", false, "continue even if pre-flight checks fail")
	s.StringP("logging", "l", "", "Logging Levels for the different components")
}

// controller are the flags of `k0s controller`.
func (f *flags) controller(s *pflag.FlagSet) {
	f.common(s)
	f.node(s)
	s.StringVarP(&f.config, "config", "c", "/etc/k0s/k0s.yaml", "config file, use '-' to read the config from stdin")
	s.BoolVar(&f.enableWorker, "enable-worker", false, "enable worker")
	s.BoolVar(&f.single, "single", false, "enable single node (implies --enable-worker)")
	s.BoolVar(&f.noTaints, "no-taints", false, "disable default taints for controller node")
	s.BoolVar(&f.dynamicConfig, "enable-dynamic-config", false, "enable cluster-wide dynamic config based on custom resource")
	s.Bool("enable-metrics-scraper", false, "enable scraping metrics from the controller components")
	s.Bool("enable-k0s-cloud-provider", false, "enables the k0s-cloud-provider")
	s.String("k0s-cloud-provider-update-frequency", "2m0s", "the frequency of k0s-cloud-provider node updates")
	s.Int("k0s-cloud-provider-port", 10258, "the port that k0s-cloud-provider binds on")
	s.String("disable-components", "", "disable components")
	s.String("feature-gates", "", "feature gates to enable")
	s.String("kube-controller-manager-extra-args", "", "extra args for kube-controller-manager")
	s.Bool("init-only", false, "only initialize controller and exit")
}

// worker are the flags of `k0s worker`.
func (f *flags) worker(s *pflag.FlagSet) {
	f.common(s)
	f.node(s)
	s.String("cluster-dns", "10.96.0.10", "HACK: cluster dns for the windows worker node")
	s.String("api-server", "", "HACK: api-server for the windows worker node")
	s.String("cidr-range", "", "HACK: cidr range for the windows worker node")
}

// runsKubelet reports whether the machine is a node.
func (f flags) runsKubelet(role string) bool { return role == "worker" || f.enableWorker || f.single }

// nodeName is the kubelet's name for the machine.
func (f flags) nodeName(hostname string) string {
	for _, a := range strings.Fields(f.kubeletExtraArgs) {
		if v, ok := strings.CutPrefix(a, "--hostname-override="); ok {
			return strings.Trim(v, `"'`)
		}
	}
	return strings.ToLower(hostname)
}

// parseRole reads the command line of a service: {binary, role, flags...}.
func parseRole(argv []string) (role string, f flags, err error) {
	if len(argv) < 2 {
		return "", f, errUsage
	}
	s := pflag.NewFlagSet("k0s", pflag.ContinueOnError)
	role = argv[1]
	switch role {
	case "controller":
		f.controller(s)
	case "worker":
		f.worker(s)
	default:
		return "", f, errUsage
	}
	return role, f, s.Parse(argv[2:])
}
