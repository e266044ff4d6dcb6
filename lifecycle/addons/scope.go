package addons

import (
	"encoding/json"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// scopes tells which kinds have no namespace where there is no cluster to ask: Kubernetes' own, and the definitions that are declared.
type scopes map[string]bool

func newScopes() scopes {
	s := scopes{}
	for group, kinds := range map[string][]string{
		"": {"Namespace", "Node", "PersistentVolume"},
		"admissionregistration.k8s.io": {"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "ValidatingAdmissionPolicy",
			"ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"},
		"apiextensions.k8s.io":         {"CustomResourceDefinition"},
		"apiregistration.k8s.io":       {"APIService"},
		"certificates.k8s.io":          {"CertificateSigningRequest", "ClusterTrustBundle"},
		"flowcontrol.apiserver.k8s.io": {"FlowSchema", "PriorityLevelConfiguration"},
		"networking.k8s.io":            {"IngressClass", "IPAddress", "ServiceCIDR"},
		"node.k8s.io":                  {"RuntimeClass"},
		"rbac.authorization.k8s.io":    {"ClusterRole", "ClusterRoleBinding"},
		"resource.k8s.io":              {"DeviceClass", "ResourceSlice"},
		"scheduling.k8s.io":            {"PriorityClass"},
		"storage.k8s.io":               {"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"},
	} {
		for _, k := range kinds {
			s[group+"/"+k] = true
		}
	}
	return s
}

// learn takes in the definitions among the objects.
func (s scopes) learn(objs []lifecycle.Object) {
	for _, o := range objs {
		if d, ok := definitionOf(o); ok {
			s[d.Spec.Group+"/"+d.Spec.Names.Kind] = d.Spec.Scope == "Cluster"
		}
	}
}

// place gives each object that needs a namespace one, and takes away what a kind without any is said to be in.
func (s scopes) place(objs []lifecycle.Object, namespace string) []lifecycle.Object {
	out := slices.Clone(objs)
	for i := range out {
		r := &out[i].ObjectRef
		switch {
		case s[r.Group()+"/"+r.Kind]:
			r.Namespace = ""
		case r.Namespace == "":
			r.Namespace = namespace
		}
	}
	return out
}

// definition is what matters here of a CustomResourceDefinition.
type definition struct {
	Spec struct {
		Group string `json:"group"`
		Scope string `json:"scope"`
		Names struct {
			Kind string `json:"kind"`
		} `json:"names"`
		Versions []struct {
			Name   string `json:"name"`
			Served bool   `json:"served"`
		} `json:"versions"`
	} `json:"spec"`
}

func isDefinition(r lifecycle.ObjectRef) bool {
	return r.Kind == "CustomResourceDefinition" && r.Group() == "apiextensions.k8s.io"
}

func isNamespace(r lifecycle.ObjectRef) bool { return r.Kind == "Namespace" && r.Group() == "" }

func definitionOf(o lifecycle.Object) (definition, bool) {
	var d definition
	if !isDefinition(o.ObjectRef) || json.Unmarshal(o.JSON, &d) != nil {
		return d, false
	}
	return d, true
}

// definitions are those among objects.
func definitions(objs []lifecycle.Object) []lifecycle.Object {
	return slices.DeleteFunc(slices.Clone(objs), func(o lifecycle.Object) bool { return !isDefinition(o.ObjectRef) })
}

// serves are the versions and kinds that the definitions among the objects add to an API, as lifecycle.Capabilities lists them.
func serves(objs []lifecycle.Object) []string {
	var out []string
	for _, o := range objs {
		d, ok := definitionOf(o)
		if !ok {
			continue
		}
		for _, v := range d.Spec.Versions {
			if v.Served {
				version := d.Spec.Group + "/" + v.Name
				out = append(out, version, version+"/"+d.Spec.Names.Kind)
			}
		}
	}
	return out
}
