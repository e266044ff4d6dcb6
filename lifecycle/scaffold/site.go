package scaffold

import (
	"fmt"
	"net/netip"
	"strings"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/explain"
)

// Site is a new site with machines of its own.
type Site struct {
	Name, Version string
	Machines      []Machine
}

// Machine is one of a new site's. An Address that is an IP address is what the cluster's members call it by, too.
type Machine struct {
	Name, Address string
	Role          lifecycle.Role
}

// Machines reads a list of addresses, each alone or as name=address. A machine without a name is called after the site, its role and its
// place in the list.
func Machines(site string, role lifecycle.Role, list []string) ([]Machine, error) {
	var out []Machine
	for i, item := range list {
		name, address, named := strings.Cut(strings.TrimSpace(item), "=")
		if !named {
			name, address = fmt.Sprintf("%s-%s-%d", site, role, i+1), name
		}
		if name == "" || address == "" || strings.ContainsAny(address, " \t:@/[]") && !isIP(address) {
			return nil, lifecycle.Errorf("", "%q is no machine", item).
				Because("A machine is an address, or name=address.").
				Try("SSH's user and port are the Site's: spec.ssh.")
		}
		out = append(out, Machine{name, address, role})
	}
	return out, nil
}

func isIP(address string) bool {
	_, err := netip.ParseAddr(address)
	return err == nil
}

// Example is a site whose machines are made up: addresses that the internet keeps for documentation.
func Example(name string) Site {
	s := Site{Name: name, Version: FirstVersion}
	for i := range 3 {
		s.Machines = append(s.Machines, Machine{fmt.Sprintf("%s-controller-%d", name, i+1), fmt.Sprintf("192.0.2.%d", 11+i),
			lifecycle.RoleController})
	}
	for i := range 2 {
		s.Machines = append(s.Machines, Machine{fmt.Sprintf("%s-worker-%d", name, i+1), fmt.Sprintf("192.0.2.%d", 101+i), lifecycle.RoleWorker})
	}
	return s
}

// Overlay is the site's folder: patches of clusters/base.
func (s Site) Overlay() []File {
	head := "apiVersion: k0sctl.k0sproject.io/v1beta1\nkind: Cluster\nmetadata:\n  name: " + s.Name + "\nspec:\n"
	var hosts strings.Builder
	for _, m := range s.Machines {
		fmt.Fprintf(&hosts, "  - hostname: %s\n    role: %s\n", m.Name, m.Role)
		if isIP(m.Address) {
			fmt.Fprintf(&hosts, "    privateAddress: %q\n", m.Address)
		}
		fmt.Fprintf(&hosts, "    ssh:\n      address: %q\n", m.Address)
	}
	return []File{
		{"kustomization.yaml", []byte(overlayKustomization)},
		{"cluster.yaml", []byte("# The machines. A hostname is what `hostname` prints there, and the node's name.\n" + head + "  hosts:\n" +
			hosts.String())},
		{"version.yaml", []byte("# The one line that an upgrade changes.\n" + head + "  k0s:\n    version: " + s.Version + "\n")},
		{"site.yaml", []byte(explain.SchemaLine + "# How this site is reached and changed, where that is not as clusters/base/site.yaml says.\n" +
			"apiVersion: kiban.dev/v1alpha1\nkind: Site\nmetadata:\n  name: " + s.Name + "\n")},
	}
}

const overlayKustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ../../clusters/base
patches:
- path: cluster.yaml
  target:
    group: k0sctl.k0sproject.io
    kind: Cluster
  options:
    allowNameChange: true
- path: version.yaml
  target:
    group: k0sctl.k0sproject.io
    kind: Cluster
- path: site.yaml
  target:
    group: kiban.dev
    kind: Site
  options:
    allowNameChange: true
`
