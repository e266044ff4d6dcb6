package k0s

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/k0sproject/dig"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

// configHeader marks a k0s.yaml as written by a tool, with the words that k0sctl looks for before it would set the file aside as
// an administrator's own.
const configHeader = "# generated-by-k0sctl by kiban from the site's cluster document; changes made here are overwritten\n"

// configFor is the k0s.yaml that a controller is to have: what k0sctl's "Configure k0s" makes of the document. Nil when the
// document leaves the configuration to k0s. The first controller of a cluster with dynamic configuration starts with all of it
// (whole); afterwards every controller keeps only what is local to its node.
func configFor(c *v1beta1.Cluster, h *cluster.Host, whole bool) ([]byte, error) {
	if len(c.Spec.K0s.Config) == 0 || !h.IsController() {
		return nil, nil
	}
	var base dig.Mapping
	if c.Spec.K0s.DynamicConfig && !whole {
		base = c.Spec.K0s.NodeConfig() // as k0sctl has it: without the names of the other controllers
	} else {
		base = c.Spec.K0s.Config.Dup()
		if err := addNames(base, c.Spec.Hosts.Controllers()); err != nil {
			return nil, err
		}
	}
	address := h.PrivateAddress
	if address == "" {
		address = h.Address()
	}
	if base.DigString("spec", "api", "address") == "" && bindsToAddress(base) {
		base.DigMapping("spec", "api")["address"] = address
	}
	if c.StorageType() == "etcd" && (base.Dig("spec", "storage", "etcd", "peerAddress") != nil || h.PrivateAddress != "") {
		base.DigMapping("spec", "storage", "etcd")["peerAddress"] = address
	}
	if _, ok := base["apiVersion"]; !ok {
		base["apiVersion"] = "k0s.k0sproject.io/v1beta1"
	}
	if _, ok := base["kind"]; !ok {
		base["kind"] = "ClusterConfig"
	}
	return yaml.Marshal(base)
}

// emulating is a k0s.yaml that has the programs of the control plane act as a minor release.
func emulating(text []byte, v lifecycle.Version) ([]byte, error) {
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	plain, err := generic(doc)
	if err != nil {
		return nil, err
	}
	m, ok := plain.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the configuration is no mapping")
	}
	lifecycle.Emulate(m, v)
	return yaml.Marshal(m)
}

// addNames puts the addresses of all controllers that stay into the API server's certificate.
func addNames(base dig.Mapping, controllers cluster.Hosts) error {
	var sans []string
	switch old := base.Dig("spec", "api", "sans").(type) {
	case nil:
	case []any:
		for _, v := range old {
			s, ok := v.(string)
			if !ok {
				return fmt.Errorf("spec.api.sans must be a list of text, and %v is none", v)
			}
			sans = append(sans, s)
		}
	case []string:
		sans = append(sans, old...)
	default:
		return fmt.Errorf("spec.api.sans must be a list, not %q", fmt.Sprint(old))
	}
	for _, c := range controllers {
		if c.Reset {
			continue
		}
		for _, a := range []string{c.Address(), c.PrivateAddress} {
			if a != "" && !slices.Contains(sans, a) {
				sans = append(sans, a)
			}
		}
	}
	base.DigMapping("spec", "api")["sans"] = sans
	return nil
}

// bindsToAddress: where the API server listens on one address only, k0s must be told which.
func bindsToAddress(cfg dig.Mapping) bool {
	if only, ok := cfg.Dig("spec", "api", "onlyBindToAddress").(bool); ok && only {
		return true
	}
	balanced, _ := cfg.Dig("spec", "network", "nodeLocalLoadBalancing", "enabled").(bool)
	family := cfg.DigString("spec", "network", "primaryAddressFamily")
	if family == "" {
		family = cfg.DigString("spec", "network", "dualStack", "primaryAddressFamily") // where k0sctl looks for it
	}
	return balanced && strings.EqualFold(family, "ipv6")
}

// canonical is a YAML document as JSON with sorted keys, without comments: the form in which configurations are compared.
func canonical(text []byte) ([]byte, error) {
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	plain, err := generic(v)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// generic turns the maps of YAML, whose keys may be anything, into those of JSON.
func generic(v any) (any, error) {
	switch v := v.(type) {
	case map[any]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			g, err := generic(value)
			if err != nil {
				return nil, err
			}
			out[fmt.Sprint(key)] = g
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i := range v {
			g, err := generic(v[i])
			if err != nil {
				return nil, err
			}
			out[i] = g
		}
		return out, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%v is not a number that JSON has", v)
		}
	}
	return v, nil
}

// digest is "sha256:<hex>", or "" of nothing.
func digest(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return lifecycle.Digest(b)
}

// sharedConfig is what of a document's configuration k0s keeps in the cluster.
func sharedConfig(c *v1beta1.Cluster) ([]byte, error) {
	text, err := yaml.Marshal(c.Spec.K0s.Config.Dup())
	if err != nil {
		return nil, err
	}
	plain, err := canonical(text)
	if err != nil {
		return nil, err
	}
	return clusterWide(plain)
}

// clusterWide is of a whole configuration what k0s keeps in the cluster where it is dynamic, as {"spec": ...}.
func clusterWide(config []byte) ([]byte, error) {
	var o struct {
		Spec map[string]any `json:"spec"`
	}
	if err := json.Unmarshal(config, &o); err != nil {
		return nil, err
	}
	delete(o.Spec, "api")
	delete(o.Spec, "storage")
	if network, ok := o.Spec["network"].(map[string]any); ok {
		delete(network, "controlPlaneLoadBalancing")
	}
	return json.Marshal(o)
}
