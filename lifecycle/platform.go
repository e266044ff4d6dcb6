package lifecycle

import (
	"slices"
	"strings"
)

// Provider is who runs a site's machines.
type Provider string

const (
	// ProviderK0s is a cluster that kiban sets up on the site's hosts. The default.
	ProviderK0s Provider = "k0s"
	// ProviderExternal is a cluster that someone else runs, such as EKS or AKS: kiban looks after what is in it, and reaches it by a
	// kubeconfig.
	ProviderExternal Provider = "external"
)

// HasMachines is an error for a site that has no machines of its own: it says who looks after them.
func (s Site) HasMachines() error {
	if s.Provider != ProviderExternal {
		return nil
	}
	return Errorf(s.Name, "this site has no machines of its own").
		Because("Its Site says provider: external, so whoever runs the cluster looks after its machines and its control plane.").
		Try("Use the provider's own tools for that.")
}

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
	// MissingImage is the probe's image where no node could pull it: then nothing is proven, one way or the other.
	MissingImage string `json:"missingImage,omitempty"`
}

// IsBroken reports whether the promise does not hold. One that was not held against anything is not broken.
func (p Promise) IsBroken() bool { return p.State == GateFailed || p.State == GateWaiting }

// Unkept are the findings about promises that do not hold, and about those that could not be proven. None: all of them hold.
func Unkept(site string, promises []Promise) Diagnostics {
	var out Diagnostics
	var names, why, images, unproven []string
	for _, p := range promises {
		switch {
		case !p.IsBroken():
		case p.MissingImage != "":
			if !slices.Contains(images, p.MissingImage) {
				images = append(images, p.MissingImage)
			}
			unproven = append(unproven, p.Name+": "+p.Reason)
		default:
			names = append(names, p.Name)
			why = append(why, p.Name+": "+p.Reason)
		}
	}
	if len(images) > 0 {
		out = append(out, Errorf(site, "the image of the probes can't be pulled: %s", strings.Join(images, ", ")).
			Because(unproven...).
			Try("Have a registry that the nodes reach serve it, or name one that they have in spec.platform.probeImage of the Site: "+
				"any image with a shell and nslookup."))
	}
	if len(names) > 0 {
		out = append(out, Errorf(site, "it does not keep what it promises: %s", strings.Join(names, ", ")).
			Because(why...).
			Try("Make the site keep it, or take the promise out of spec.platform of its Site, so that nothing is built on it."))
	}
	return out
}
