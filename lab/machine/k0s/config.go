package k0s

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// clusterConfig is k0s.yaml down to the level at which the lab checks names.
type clusterConfig struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   map[string]any `json:"metadata"`
	Status     any            `json:"status"`
	Spec       *struct {
		API *struct {
			Address         string         `json:"address"`
			OnlyBindTo      bool           `json:"onlyBindToAddress"`
			CA              any            `json:"ca"`
			ExternalAddress string         `json:"externalAddress"`
			ExternalHost    string         `json:"externalHost"`
			ExtraArgs       map[string]any `json:"extraArgs"`
			RawArgs         []string       `json:"rawArgs"`
			K0sAPIPort      int            `json:"k0sApiPort"`
			Port            int            `json:"port"`
			SANs            []string       `json:"sans"`
			TunneledMode    any            `json:"tunneledNetworkingMode"`
		} `json:"api"`
		ControllerManager *component `json:"controllerManager"`
		Scheduler         *component `json:"scheduler"`
		Storage           *struct {
			Type string `json:"type"`
			Etcd any    `json:"etcd"`
			Kine any    `json:"kine"`
		} `json:"storage"`
		Network *struct {
			PodCIDR               string         `json:"podCIDR"`
			ServiceCIDR           string         `json:"serviceCIDR"`
			ClusterDomain         string         `json:"clusterDomain"`
			Provider              string         `json:"provider"`
			DualStack             any            `json:"dualStack"`
			KubeProxy             any            `json:"kubeProxy"`
			KubeRouter            any            `json:"kuberouter"`
			Calico                any            `json:"calico"`
			NodeLocal             map[string]any `json:"nodeLocalLoadBalancing"`
			ControlPlane          map[string]any `json:"controlPlaneLoadBalancing"`
			PrimaryAddressFamily  string         `json:"primaryAddressFamily"`
			ServiceNodePortRange_ any            `json:"serviceNodePortRange"`
		} `json:"network"`
		WorkerProfiles    []map[string]any `json:"workerProfiles"`
		Telemetry         map[string]any   `json:"telemetry"`
		InstallConfig     any              `json:"installConfig"`
		Images            map[string]any   `json:"images"`
		Extensions        map[string]any   `json:"extensions"`
		Konnectivity      map[string]any   `json:"konnectivity"`
		FeatureGates      any              `json:"featureGates"`
		PodSecurityPolicy any              `json:"podSecurityPolicy"`
	} `json:"spec"`
}

type component struct {
	ExtraArgs map[string]any `json:"extraArgs"`
	RawArgs   []string       `json:"rawArgs"`
}

// Validate checks a k0s.yaml as `k0s config validate` does: unknown names at the levels above, kinds of values, addresses. An
// empty document is the default configuration.
func Validate(doc []byte) error {
	var c clusterConfig
	if err := yaml.UnmarshalStrict(doc, &c); err != nil {
		return fmt.Errorf("failed to read configuration: %w", err)
	}
	var errs []error
	if c.APIVersion != "" && c.APIVersion != "k0s.k0sproject.io/v1beta1" {
		errs = append(errs, fmt.Errorf("apiVersion: Unsupported value: %q", c.APIVersion))
	}
	if c.Kind != "" && c.Kind != "ClusterConfig" && c.Kind != "Cluster" {
		errs = append(errs, fmt.Errorf("kind: Unsupported value: %q", c.Kind))
	}
	if c.Spec == nil {
		return errors.Join(errs...)
	}
	if a := c.Spec.API; a != nil {
		for _, port := range []int{a.Port, a.K0sAPIPort} {
			if port < 0 || port > 65535 {
				errs = append(errs, fmt.Errorf("spec: api: port: Invalid value: %d", port))
			}
		}
		if a.Address != "" && net.ParseIP(a.Address) == nil {
			errs = append(errs, fmt.Errorf("spec: api: address: Invalid value: %q: invalid IP address", a.Address))
		}
		for i, san := range a.SANs {
			if san == "" || strings.ContainsAny(san, " /") {
				errs = append(errs, fmt.Errorf("spec: api: sans[%d]: Invalid value: %q: invalid IP address / DNS name", i, san))
			}
		}
	}
	if s := c.Spec.Storage; s != nil && !slices.Contains([]string{"", "etcd", "kine"}, s.Type) {
		errs = append(errs, fmt.Errorf("spec: storage: type: Unsupported value: %q: supported values: \"etcd\", \"kine\"", s.Type))
	}
	if n := c.Spec.Network; n != nil {
		if !slices.Contains([]string{"", "kuberouter", "calico", "custom"}, n.Provider) {
			errs = append(errs, fmt.Errorf("spec: network: provider: Unsupported value: %q: supported values: "+
				"\"kuberouter\", \"calico\", \"custom\"", n.Provider))
		}
		for name, cidr := range map[string]string{"podCIDR": n.PodCIDR, "serviceCIDR": n.ServiceCIDR} {
			if _, _, err := net.ParseCIDR(cidr); cidr != "" && err != nil {
				errs = append(errs, fmt.Errorf("spec: network: %s: Invalid value: %q: %w", name, cidr, err))
			}
		}
	}
	return errors.Join(errs...)
}

// defaultConfig is what `k0s config create` prints, without the parts that the lab has no use for.
func defaultConfig(address string) string {
	return `apiVersion: k0s.k0sproject.io/v1beta1
kind: ClusterConfig
metadata:
  name: k0s
  namespace: kube-system
spec:
  api:
    address: ` + address + `
    k0sApiPort: 9443
    port: 6443
    sans:
    - ` + address + `
  controllerManager: {}
  extensions:
    helm:
      concurrencyLevel: 5
  installConfig:
    users:
      etcdUser: etcd
      kineUser: kube-apiserver
      konnectivityUser: konnectivity-server
      kubeAPIserverUser: kube-apiserver
      kubeSchedulerUser: kube-scheduler
  konnectivity:
    adminPort: 8133
    agentPort: 8132
  network:
    clusterDomain: cluster.local
    kubeProxy:
      mode: iptables
    nodeLocalLoadBalancing:
      enabled: false
      type: EnvoyProxy
    podCIDR: 10.244.0.0/16
    provider: kuberouter
    serviceCIDR: 10.96.0.0/12
  scheduler: {}
  storage:
    etcd:
      peerAddress: ` + address + `
    type: etcd
  telemetry:
    enabled: true
`
}

func (s *session) configCommand() *cobra.Command {
	create := s.command("create", "Output the default k0s configuration yaml to stdout", func(*cobra.Command, []string) error {
		fmt.Fprint(s.call.Out, defaultConfig(s.opts.Address))
		return nil
	})
	create.Flags().Bool("include-images", false, "include the default images in the output")
	var file string
	validate := s.command("validate", "Validate k0s configuration", func(*cobra.Command, []string) error {
		var b []byte
		var err error
		switch file {
		case "":
			return errors.New("required flag(s) \"config\" not set")
		case "-":
			b, err = io.ReadAll(s.call.In)
		default:
			b, err = s.call.Files.ReadFile(file)
		}
		if err != nil {
			return pathError(err)
		}
		return Validate(b)
	})
	validate.Flags().StringVarP(&file, "config", "c", "", "config file, use '-' to read the config from stdin")
	validate.Flags().String("feature-gates", "", "feature gates to enable")
	return parent("config", "Configuration related sub-commands", create, validate)
}
