package site

import "kiban.dev/kiban/lifecycle"

type platformSpec struct {
	LoadBalancer loadBalancerSpec  `yaml:"loadBalancer"`
	Storage      storageSpec       `yaml:"storage"`
	NodeLabels   map[string]string `yaml:"nodeLabels"`
	ProbeImage   string            `yaml:"probeImage"`
}

type loadBalancerSpec struct {
	Promised    *bool             `yaml:"promised"`
	Class       string            `yaml:"class"`
	Annotations map[string]string `yaml:"annotations"`
}

type storageSpec struct {
	Class string `yaml:"class"`
}

// defaultProbeImage has a shell and nslookup; Kubernetes' own tests use it.
const defaultProbeImage = "registry.k8s.io/e2e-test-images/agnhost:2.53"

func (p platformSpec) platform() lifecycle.Platform {
	lb := lifecycle.PlatformLoadBalancer{
		Promised: p.LoadBalancer.Class != "" || len(p.LoadBalancer.Annotations) > 0,
		Class:    p.LoadBalancer.Class, Annotations: p.LoadBalancer.Annotations,
	}
	if p.LoadBalancer.Promised != nil {
		lb.Promised = *p.LoadBalancer.Promised
	}
	return lifecycle.Platform{LoadBalancer: lb, Storage: lifecycle.PlatformStorage(p.Storage), NodeLabels: p.NodeLabels,
		ProbeImage: p.ProbeImage}
}
