package lifecycle

// Provider is who runs a site's machines.
type Provider string

const (
	// ProviderK0s is a cluster that kiban sets up on the site's hosts. The default.
	ProviderK0s Provider = "k0s"
	// ProviderExternal is a cluster that someone else runs, such as EKS or AKS: kiban looks after what is in it, and reaches it by a
	// kubeconfig.
	ProviderExternal Provider = "external"
)

// Platform is what a site promises to whatever runs on it, where sites differ. Overlays copy the values into objects with kustomize's
// replacements; `kiban verify` proves them.
type Platform struct {
	LoadBalancer PlatformLoadBalancer `json:"loadBalancer"`
	Storage      PlatformStorage      `json:"storage"`
	// NodeLabels are labels that workloads select nodes by, each on at least one node: {"type": "storage"}.
	NodeLabels map[string]string `json:"nodeLabels,omitempty"`
	// ProbeImage is the image of verify's pods: a shell with nslookup. Default registry.k8s.io/e2e-test-images/agnhost:2.53.
	ProbeImage string `json:"probeImage,omitempty"`
}

// PlatformLoadBalancer is how a Service of type LoadBalancer gets an address.
type PlatformLoadBalancer struct {
	// Promised says that it does. Default: true when class or annotations are set.
	Promised bool `json:"promised,omitempty"`
	// Class is spec.loadBalancerClass; Annotations are what the platform wants on the Service.
	Class       string            `json:"class,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// PlatformStorage is how a claim gets a volume.
type PlatformStorage struct {
	// Class is the StorageClass that is promised; "" promises none.
	Class string `json:"class,omitempty"`
}

// Promise is one thing that `kiban verify` proves.
type Promise struct {
	// Name is "load balancer", "storage", "dns" or "node label type=storage".
	Name  string    `json:"name"`
	State GateState `json:"state"`
	// Reason says what was seen: the address, the volume, or what was wrong.
	Reason string `json:"reason"`
}

// IsBroken reports whether the promise does not hold. One that was not held against anything is not broken.
func (p Promise) IsBroken() bool { return p.State == GateFailed || p.State == GateWaiting }
