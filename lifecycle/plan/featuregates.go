package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Where a feature gate is given to. k0s gives one that names no components to all five of them (pkg/apis/k0s/v1beta1/feature_gates.go);
// that of kubelets is in the worker profiles, which workers read when their k0s starts.
const (
	gatesPath      = "spec.featureGates"
	gatesOfKubelet = "spec.featureGates of kubelets" // the row of the table that is about these alone
	toKubelet      = "kubelet"
	toAPIServer    = "kube-apiserver"
)

// featureGate is an item of spec.featureGates.
type featureGate struct {
	Name       string   `json:"name"`
	Enabled    bool     `json:"enabled"`
	Components []string `json:"components"`
}

func (g featureGate) isFor(component string) bool {
	return len(g.Components) == 0 || slices.Contains(g.Components, component)
}

func featureGates(doc []byte) []featureGate {
	var config struct {
		Spec struct {
			FeatureGates []featureGate `json:"featureGates"`
		} `json:"spec"`
	}
	if json.Unmarshal(doc, &config) != nil {
		return nil
	}
	return config.Spec.FeatureGates
}

// gatesFor are the gates that a component is given: "UserNamespacesSupport=true".
func gatesFor(gates []featureGate, component string) []string {
	last := map[string]bool{}
	for _, g := range gates {
		if g.isFor(component) {
			last[g.Name] = g.Enabled
		}
	}
	var out []string
	for name, on := range last {
		out = append(out, fmt.Sprintf("%s=%t", name, on))
	}
	slices.Sort(out)
	return out
}

// classOfGates is the row for a change of feature gates: those that kubelets are given wait for the workers, the others act when the
// controllers are restarted.
func (p *planner) classOfGates(m *member) lifecycle.DeclaredClass {
	have, want := featureGates(m.seen.Config), featureGates(m.Config)
	if slices.Equal(gatesFor(have, toKubelet), gatesFor(want, toKubelet)) {
		return p.classes.Of(gatesPath)
	}
	return p.classes.Of(gatesOfKubelet)
}

// inspectGates names gates that are newly on in the API server and not in kubelets, or the other way round, where both have to have them:
// pods with such a feature are taken and started without it, or it is dropped from them.
func (p *planner) inspectGates(m *member) {
	have, want := featureGates(m.seen.Config), featureGates(m.Config)
	for _, side := range []struct{ on, off, why string }{
		{toAPIServer, toKubelet, "The API server takes pods with that feature, and kubelets start them without it, or not at all."},
		{toKubelet, toAPIServer, "The API server drops that feature from pods: kubelets never see it."},
	} {
		if names := halfOn(have, want, side.on, side.off); len(names) > 0 {
			all := strings.Join(names, ", ")
			p.find(lifecycle.Warnf(m.Name, "%s turns %s on for %s, and not for %s", gatesPath, all, side.on, side.off).
				Because(side.why).
				Try(fmt.Sprintf("Add %s to components of the gate, or leave components out: then all have it.", side.off)))
		}
	}
}

// halfOn are the gates that both sides have to have, and that are to be on in one alone: those that were so before are not told again.
func halfOn(have, want []featureGate, on, off string) []string {
	var out []string
	before := gatesFor(have, on)
	for _, gate := range gatesFor(want, on) {
		name, enabled := strings.CutSuffix(gate, "=true")
		if enabled && slices.Contains(bothSides(), name) && !slices.Contains(gatesFor(want, off), gate) &&
			(!slices.Contains(before, gate) || slices.Contains(gatesFor(have, off), gate)) {
			out = append(out, name)
		}
	}
	return out
}

// bothSides are the gates of Kubernetes that its API server and its kubelets read both, and for what pods or nodes may have: by its own
// code up to 1.37 (pkg/kubelet, and pkg/api, pkg/apis, pkg/registry).
func bothSides() []string {
	return []string{"ClusterTrustBundleProjection", "ContainerRestartRules", "ContainerStopSignals", "DRAConsumableCapacity",
		"DRAExtendedResource", "DRANodeAllocatableResources", "DynamicResourceAllocation", "EmptyDirVolumeMode", "EnvFiles",
		"GRPCContainerProbeTLS", "H2CContainerProbe", "HostnameOverride", "ImageVolume", "ImageVolumeWithDigest",
		"InPlacePodLevelResourcesVerticalScaling", "InPlacePodVerticalScaling", "InPlacePodVerticalScalingInitContainers",
		"MutableCSINodeAllocatableCount", "PodCertificateRequest", "PodLevelResources", "ProcMountType", "RecoverVolumeExpansionFailure",
		"RecursiveReadOnlyMounts", "ResourceHealthStatus", "RestartAllContainersOnContainerExits", "SELinuxChangePolicy", "SELinuxMount",
		"SidecarContainers", "SupplementalGroupsPolicy", "UserNamespacesSupport"}
}
