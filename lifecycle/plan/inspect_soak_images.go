package plan

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// soakImage is an image of k0s's own workloads that can stay what it was while the control plane soaks: by k0s's source the templates of
// their manifests are the same in 1.34.9, 1.35.7 and 1.36.3. That of konnectivity's agent is not, and it follows the server that a
// controller brings, so it is none of them.
type soakImage struct {
	path      string // of its version
	component string // as --disable-components has it
	provider  string // of the network that brings it; "": any
}

func soakImages() []soakImage {
	return []soakImage{
		{"spec.images.kubeproxy.version", "kube-proxy", ""},
		{"spec.images.coredns.version", "coredns", ""},
		{"spec.images.metricsserver.version", "metrics-server", ""},
		{"spec.images.kuberouter.cni.version", "network-provider", "kuberouter"},
		{"spec.images.kuberouter.cniInstaller.version", "network-provider", "kuberouter"},
	}
}

// inspectSoakImages says, before the pin, which of k0s's own workloads do not wait for the commit: the newer k0s brings its own at once.
func (p *planner) inspectSoakImages() {
	if p.phase != phasePin {
		return
	}
	var free []string
	for _, image := range soakImages() {
		if p.brings(image) && !p.imagePinned(image.path) {
			free = append(free, image.path)
		}
	}
	if len(free) == 0 {
		return
	}
	acts := p.pin.Former.MinorString()
	why := []string{"As soon as a controller of " + p.pin.To.String() + " leads, k0s rolls out its own images on every node; " +
		"while controllers are of two versions, each one that comes to lead brings its own again."}
	if free[0] == soakImages()[0].path {
		why = append(why, "kube-proxy would be newer than "+acts+", as which the API servers act: Kubernetes does not support that.")
	}
	p.find(lifecycle.Warnf(p.site.Name, "%s of k0s %s not wait for the commit", lifecycle.Count(len(free), "image"), doOrDoes(len(free))).
		Because(append(why, "Not declared: "+strings.Join(free, ", "))...).
		Try("To have them wait: declare these in spec.k0s.config as `k0s airgap list-images` of " + p.pin.Former.String() + " names them, " +
			"apply that first, and take them out when the control plane is committed. Going back brings the former ones again in any case."))
}

func doOrDoes(n int) string {
	if n == 1 {
		return "does"
	}
	return "do"
}

// brings reports whether k0s runs what an image is of.
func (p *planner) brings(image soakImage) bool {
	return slices.ContainsFunc(p.controllers(), func(m *member) bool {
		off := strings.Split(argumentValue(m.Arguments, "--disable-components"), ",")
		provider := or(setting(m.Config, "spec.network.provider"), "kuberouter")
		noProxy := image.component == "kube-proxy" && setting(m.Config, "spec.network.kubeProxy.disabled") == "true"
		return !slices.Contains(off, image.component) && !noProxy && (image.provider == "" || image.provider == provider)
	})
}

// imagePinned reports whether the declaration names the version of an image.
func (p *planner) imagePinned(path string) bool {
	return slices.ContainsFunc(p.site.Cluster.Images, func(s lifecycle.ImageSetting) bool { return s.Path == path })
}
