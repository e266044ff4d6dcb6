package controlplane

// Config is what the control plane needs of k0s.yaml. The zero value is k0s's own default.
type Config struct {
	// APIPort is spec.api.port; zero means 6443.
	APIPort int
	// ExternalAddress is spec.api.externalAddress, SANs is spec.api.sans.
	ExternalAddress string
	SANs            []string
	// ServiceCIDR is spec.network.serviceCIDR; empty means 10.96.0.0/12.
	ServiceCIDR string
	// APIArgs, ControllerManagerArgs and SchedulerArgs are the extraArgs of spec.api, spec.controllerManager and spec.scheduler: flag
	// without dashes to value. They are handed on as they are, so a wrong one makes that program exit again and again, as it would.
	APIArgs, ControllerManagerArgs, SchedulerArgs map[string]string
}

// ParseConfig reads a k0s.yaml. What it does not need it does not look at; an empty document is the default.
func ParseConfig(doc []byte) (Config, error) { return Config{}, errNotYet }
