package site

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/site/overlay"
)

// checkProvider holds that a site says who runs its machines, and how an external cluster is reached.
func checkProvider(s siteSpec) []finding {
	var found []finding
	switch lifecycle.Provider(s.Provider) {
	case lifecycle.ProviderExternal:
		if s.API.Kubeconfig == nil {
			found = append(found, wrong(sitePlace("spec", "provider"), "an external site without a kubeconfig",
				"Without hosts of its own, the cluster is reached by a kubeconfig only.",
				"Set spec.api.kubeconfig to where it is found: `{env: ...}`, `{file: ...}` or `{fileEnv: ...}`."))
		}
	case lifecycle.ProviderK0s:
		for name, set := range map[string]bool{"kubeconfig": s.API.Kubeconfig != nil, "context": s.API.Context != ""} {
			if set {
				found = append(found, wrong(sitePlace("spec", "api", name), "api."+name+" has no effect on a site whose machines kiban runs",
					"Its kubeconfig comes from the controllers.", "Remove it, or write `provider: external`."))
			}
		}
	default:
		hint := "Use k0s or external."
		if near := overlay.Nearest(s.Provider, []string{string(lifecycle.ProviderK0s), string(lifecycle.ProviderExternal)}); near != "" {
			hint = fmt.Sprintf("Did you mean %q?", near)
		}
		found = append(found, wrong(sitePlace("spec", "provider"), fmt.Sprintf("there is no provider %q", s.Provider), "", hint))
	}
	if s.API.ClusterUID != "" && !uidForm.MatchString(s.API.ClusterUID) {
		found = append(found, wrong(sitePlace("spec", "api", "clusterUID"), fmt.Sprintf("%q is no UID", s.API.ClusterUID), "",
			"Write what `kubectl get namespace kube-system -o jsonpath={.metadata.uid}` prints."))
	}
	return found
}

var uidForm = regexp.MustCompile(`^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)

// checkExternal finds what an external site can't have.
func checkExternal(d siteDocument, cluster bool) []finding {
	var found []finding
	if cluster {
		found = append(found, wrong(clusterPlace(), "an external site has a Cluster document",
			"Someone else runs its machines, so there is nothing to set up by it.",
			"Remove the document from the overlay and its bases, or remove `provider: external`."))
	}
	if len(d.Spec.Files) > 0 {
		found = append(found, wrong(sitePlace("spec", "files", slices.Min(slices.Collect(maps.Keys(d.Spec.Files)))),
			"an external site has files for hosts", "It has no hosts.",
			"Move the files into a component that only sites with hosts include."))
	}
	if d.Spec.API.Via == "ssh" {
		found = append(found, wrong(sitePlace("spec", "api", "via"), "the API of an external site can't be reached through SSH",
			"It has no controllers of its own.", "Remove it; the kubeconfig says where the API is."))
	}
	return found
}

// checkPlatform holds that what is promised can be asked for.
func checkPlatform(p platformSpec) []finding {
	at := func(keys ...string) overlay.Place { return sitePlace(append([]string{"spec", "platform"}, keys...)...) }
	var found []finding
	if c := p.Storage.Class; c != "" && (!hostnameForm.MatchString(c) || len(c) > 253) {
		found = append(found, wrong(at("storage", "class"), fmt.Sprintf("%q can't be the name of a StorageClass", c), "",
			"Use lower-case letters, digits, dots and hyphens."))
	}
	if c := p.LoadBalancer.Class; c != "" && !labelForm.MatchString(c) {
		found = append(found, wrong(at("loadBalancer", "class"), fmt.Sprintf("%q can't be a load balancer class", c), "",
			"Write it like a label, such as metallb.io/metallb or eks.amazonaws.com/nlb."))
	}
	for key, value := range p.NodeLabels {
		if !labelForm.MatchString(key) || (value != "" && !labelValueForm.MatchString(value)) || len(value) > 63 {
			found = append(found, wrong(at("nodeLabels", key), fmt.Sprintf("%s=%s is no label", key, value), "",
				"Keys are like example.com/type, values up to 63 letters, digits, dots, hyphens and underscores."))
		}
	}
	for key := range p.LoadBalancer.Annotations {
		if !labelForm.MatchString(key) {
			found = append(found, wrong(at("loadBalancer", "annotations", key), fmt.Sprintf("%q is no annotation's key", key), "",
				"Write it like service.beta.kubernetes.io/aws-load-balancer-type."))
		}
	}
	return found
}

var labelValueForm = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`)
