package scaffold

import (
	"fmt"

	"kiban.dev/kiban/lifecycle/explain"
)

// ImportedOverlay is the overlay of an imported cluster: the whole cluster in one document, which inherits nothing, and the Site. cluster
// is what Document has printed; knownHosts may be nil.
func (c *Cluster) ImportedOverlay(site string, cluster, knownHosts []byte) []File {
	declared := explain.SchemaLine + fmt.Sprintf(`# How the site is reached and changed. What is not here has the default of the Site's form.
apiVersion: kiban.dev/v1alpha1
kind: Site
metadata:
  name: %s
spec:
  ssh:
    knownHosts: known_hosts
`, site)
	if c.MaxUnavailable != "" {
		declared += fmt.Sprintf("  upgrade:\n    workers:\n      # k0sctl's workerDisruptionPercent\n      maxUnavailable: %s\n",
			c.MaxUnavailable)
	}
	files := []File{
		{"kustomization.yaml", []byte(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
# The cluster stands alone: it inherits nothing from clusters/base, which would change it.
resources:
- cluster.yaml
- site.yaml
`)},
		{"cluster.yaml", cluster},
		{"site.yaml", []byte(declared)},
	}
	if knownHosts != nil {
		files = append(files, File{"known_hosts", knownHosts})
	}
	return files
}
