package controlplane

import (
	"cmp"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Config is what the control plane needs of k0s.yaml. The zero value is k0s's own default.
type Config struct {
	// APIPort is spec.api.port; zero means 6443. JoinPort is spec.api.k0sApiPort; zero means 9443.
	APIPort, JoinPort int
	// ExternalAddress is spec.api.externalAddress, SANs is spec.api.sans.
	ExternalAddress string
	SANs            []string
	// CertificateLife is spec.api.ca.certificatesExpireAfter; zero means a year.
	CertificateLife time.Duration
	// ServiceCIDR is spec.network.serviceCIDR; empty means 10.96.0.0/12.
	ServiceCIDR string
	// APIArgs, ControllerManagerArgs and SchedulerArgs are the extraArgs of spec.api, spec.controllerManager and spec.scheduler: flag
	// without dashes to value. They are handed on as they are, so a wrong one makes that program exit again and again, as it would.
	APIArgs, ControllerManagerArgs, SchedulerArgs map[string]string
	// EtcdArgs are spec.storage.etcd.extraArgs.
	EtcdArgs map[string]string
}

// ParseConfig reads a k0s.yaml. What it does not need it does not look at; an empty document is the default.
func ParseConfig(doc []byte) (Config, error) {
	var file struct {
		Spec struct {
			API struct {
				Port            int      `json:"port"`
				K0sAPIPort      int      `json:"k0sApiPort"`
				ExternalAddress string   `json:"externalAddress"`
				SANs            []string `json:"sans"`
				CA              struct {
					CertificatesExpireAfter metav1.Duration `json:"certificatesExpireAfter"`
				} `json:"ca"`
				ExtraArgs map[string]string `json:"extraArgs"`
			} `json:"api"`
			ControllerManager struct {
				ExtraArgs map[string]string `json:"extraArgs"`
			} `json:"controllerManager"`
			Scheduler struct {
				ExtraArgs map[string]string `json:"extraArgs"`
			} `json:"scheduler"`
			Storage struct {
				Etcd struct {
					ExtraArgs map[string]string `json:"extraArgs"`
				} `json:"etcd"`
			} `json:"storage"`
			Network struct {
				ServiceCIDR string `json:"serviceCIDR"`
			} `json:"network"`
		} `json:"spec"`
	}
	if err := yaml.Unmarshal(doc, &file); err != nil {
		return Config{}, fmt.Errorf("k0s configuration: %w", err)
	}
	s := file.Spec
	return Config{
		APIPort: s.API.Port, JoinPort: s.API.K0sAPIPort,
		ExternalAddress: s.API.ExternalAddress, SANs: s.API.SANs, CertificateLife: s.API.CA.CertificatesExpireAfter.Duration,
		ServiceCIDR: s.Network.ServiceCIDR,
		APIArgs:     s.API.ExtraArgs, ControllerManagerArgs: s.ControllerManager.ExtraArgs, SchedulerArgs: s.Scheduler.ExtraArgs,
		EtcdArgs: s.Storage.Etcd.ExtraArgs,
	}, nil
}

func (cfg Config) apiPort() int {
	if cfg.APIPort == 0 {
		return 6443
	}
	return cfg.APIPort
}

func (cfg Config) joinPort() int {
	if cfg.JoinPort == 0 {
		return 9443
	}
	return cfg.JoinPort
}

func (cfg Config) certificateLife() time.Duration {
	return cmp.Or(cfg.CertificateLife, certificateLife)
}

func (cfg Config) serviceCIDR() string {
	if cfg.ServiceCIDR == "" {
		return "10.96.0.0/12"
	}
	return cfg.ServiceCIDR
}
