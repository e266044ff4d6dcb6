package k0s

import (
	"fmt"
	"slices"
	"strings"

	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1"
	"github.com/k0sproject/k0sctl/pkg/apis/k0sctl.k0sproject.io/v1beta1/cluster"
	"gopkg.in/yaml.v2"

	"kiban.dev/kiban/lifecycle"
)

// document is a Cluster document cut into hosts and the rest, so that an operation on one machine of a thousand parses only
// what it needs. It holds text and generic values, never k0sctl's types: those carry state from one operation to the next (H26).
type document struct {
	rest  yaml.MapSlice
	hosts []yaml.MapSlice
	ssh   lifecycle.SSH
	dir   string
	limits
}

// cut splits the document. It does not judge it: decode does.
func cut(doc []byte, ssh lifecycle.SSH, dir string) (document, error) {
	var top yaml.MapSlice
	if err := yaml.Unmarshal(doc, &top); err != nil {
		return document{}, err
	}
	d := document{ssh: ssh, dir: dir}
	for _, item := range top {
		if spec, ok := item.Value.(yaml.MapSlice); ok && item.Key == "spec" {
			item.Value, d.hosts = withoutHosts(spec)
		}
		d.rest = append(d.rest, item)
	}
	return d, nil
}

func withoutHosts(spec yaml.MapSlice) (rest yaml.MapSlice, hosts []yaml.MapSlice) {
	for _, item := range spec {
		if item.Key != "hosts" {
			rest = append(rest, item)
			continue
		}
		list, _ := item.Value.([]any)
		for _, h := range list {
			m, _ := h.(yaml.MapSlice)
			hosts = append(hosts, m)
		}
	}
	return rest, hosts
}

// cluster parses the part of the document that names the controllers and the given host, which may be a controller itself.
// Everything returned is new: nothing of an earlier operation is in it.
func (d document) cluster(name string) (*v1beta1.Cluster, *cluster.Host, error) {
	var hosts []yaml.MapSlice
	for _, h := range d.hosts {
		role, _ := lookup(h, "role").(string)
		if role != string(lifecycle.RoleWorker) || hostname(h) == name {
			hosts = append(hosts, h)
		}
	}
	var top yaml.MapSlice
	for _, item := range d.rest {
		if spec, ok := item.Value.(yaml.MapSlice); ok && item.Key == "spec" {
			item.Value = append(slices.Clone(spec), yaml.MapItem{Key: "hosts", Value: hosts})
		}
		top = append(top, item)
	}
	text, err := yaml.Marshal(top)
	if err != nil {
		return nil, nil, err
	}
	c, err := decode(text)
	if err != nil {
		return nil, nil, err
	}
	for i, h := range c.Spec.Hosts {
		joinFlags(h)
		if err := d.admit(h); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", subject(h, i), err)
		}
		if _, err := reach(h, hosts[i], d.ssh, d.dir); err != nil {
			return nil, nil, err
		}
	}
	for _, h := range c.Spec.Hosts {
		if strings.ToLower(h.HostnameOverride) == name {
			return c, h, nil
		}
	}
	return nil, nil, fmt.Errorf("no host %q in the cluster document", name)
}

// decode reads a document strictly, by k0sctl's own types.
func decode(doc []byte) (*v1beta1.Cluster, error) {
	c := &v1beta1.Cluster{}
	if err := yaml.UnmarshalStrict(doc, c); err != nil {
		return nil, err
	}
	return c, nil
}

func hostname(h yaml.MapSlice) string {
	s, _ := lookup(h, "hostname").(string)
	return strings.ToLower(s)
}

// lookup follows keys down generic YAML; nil when one is missing.
func lookup(m yaml.MapSlice, keys ...string) any {
	var v any = m
	for _, k := range keys {
		at, ok := v.(yaml.MapSlice)
		if !ok {
			return nil
		}
		i := slices.IndexFunc(at, func(item yaml.MapItem) bool { return item.Key == k })
		if i < 0 {
			return nil
		}
		v = at[i].Value
	}
	return v
}
