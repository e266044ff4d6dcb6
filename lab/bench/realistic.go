package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// realisticFleet writes sites as teams have them: three controllers and twelve workers each, all of the example fleet's bases and
// components that a site on metal uses, with addons, tenants, pools of addresses and host keys of its own. clusters is the example
// fleet's folder.
func realisticFleet(dir, clusters string, sites int) error {
	if err := os.CopyFS(filepath.Join(dir, "clusters"), os.DirFS(clusters)); err != nil {
		return err
	}
	key, err := hostKey()
	if err != nil {
		return err
	}
	for i := range sites {
		name := fmt.Sprintf("shop-%04d", i)
		folder := filepath.Join(dir, "overlays", name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		for file, content := range realisticSite(name, i, key) {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// realisticSite are the files of the ith site's overlay.
func realisticSite(name string, i int, key string) map[string]string {
	second := 64 + i/64
	if second >= 96 {
		second += 16 // 10.96.0.0/12 is for Services
	}
	net := func(third int) string { return fmt.Sprintf("10.%d.%d", second, i%64*4+third) }
	head := func(api, kind, name string) string {
		return fmt.Sprintf("apiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n", api, kind, name)
	}
	const cluster, site = "k0sctl.k0sproject.io/v1beta1", "kiban.dev/v1alpha1"
	var hosts, known strings.Builder
	for n := range 15 {
		role, number := "controller", 11+n
		labels := ""
		if n > 2 {
			role, number = "worker", 101+n
			labels = fmt.Sprintf("    installFlags:\n    - --labels=topology.kubernetes.io/zone=rack-%c\n", 'a'+n%3)
		}
		fmt.Fprintf(&hosts, "  - hostname: %s-%02d\n    role: %s\n    privateAddress: %s.%d\n    ssh:\n      address: %s.%d\n%s", name, n, role,
			net(0), number, net(1), number, labels)
		fmt.Fprintf(&known, "%s.%d %s", net(1), number, key)
	}
	pool := "  annotations:\n    kiban.dev/addon: metallb\nspec:\n"
	tenant := func(name string, cpu int) string {
		return head(site, "Tenant", name) + fmt.Sprintf("spec:\n  quota:\n    requests.cpu: %q\n", fmt.Sprint(cpu))
	}
	chart := func(name, repo, chart, version, values string) string {
		return head(site, "Addon", name) +
			fmt.Sprintf("spec:\n  chart:\n    repo: %s\n    name: %s\n    version: %s\n%s", repo, chart, version, values)
	}
	return map[string]string{
		"cluster.yaml": head(cluster, "Cluster", name) + "spec:\n  hosts:\n" + hosts.String(),
		"version.yaml": head(cluster, "Cluster", name) + "spec:\n  k0s:\n    version: v1.36.3+k0s.2\n",
		"known_hosts":  known.String(),
		"site.yaml": fmt.Sprintf("apiVersion: %s\nkind: Site\nmetadata:\n  name: %s\n"+
			"  labels: {tier: staging, region: r%d}\nspec:\n  wave: %d\n"+
			"  upgrade:\n    workers:\n      maxUnavailable: \"2\"\n      failureDomain: topology.kubernetes.io/zone\n", site, name, i%8, 1+i%5),
		"addons.yaml": chart("argocd", "https://argoproj.github.io/argo-helm", "argo-cd", "10.1.1",
			"    values:\n      global:\n        domain: argocd."+name+".example.com\n") + "---\n" +
			chart("datadog", "https://helm.datadoghq.com", "datadog", "3.240.0", "    values:\n      datadog:\n        clusterName: "+name+"\n") +
			"---\n" + chart("metallb", "https://metallb.github.io/metallb", "metallb", "0.16.2", ""),
		"tenants.yaml": tenant("product-a", 8+i%4) + "---\n" + tenant("product-b", 4+i%4),
		"pools.yaml": head("metallb.io/v1beta1", "IPAddressPool", "default") + "  namespace: metallb-system\n" + pool +
			"  addresses:\n  - " + net(2) + ".10-" + net(2) + ".250\n---\n" +
			head("metallb.io/v1beta1", "L2Advertisement", "default") + "  namespace: metallb-system\n" + pool + "  ipAddressPools:\n  - default\n",
		"kustomization.yaml": realisticKustomization,
	}
}

// realisticKustomization is what the example fleet's sites on metal have.
const realisticKustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- ../../clusters/base
- pools.yaml
patches:
- path: cluster.yaml
  target: {group: k0sctl.k0sproject.io, kind: Cluster}
  options: {allowNameChange: true}
- path: version.yaml
  target: {group: k0sctl.k0sproject.io, kind: Cluster}
- path: site.yaml
  target: {group: kiban.dev, kind: Site}
  options: {allowNameChange: true}
- path: addons.yaml
- path: tenants.yaml
components:
- ../../clusters/components/baseline
- ../../clusters/components/sso
- ../../clusters/components/metallb
- ../../clusters/components/argocd-ha
- ../../clusters/components/argocd-loadbalancer
- ../../clusters/components/datadog-k0s
- ../../clusters/components/tenants-shared
`
