package scaffold

import (
	"fmt"
	"io/fs"

	"kiban.dev/kiban/clusters"
)

// FirstVersion is the k0s version of a new fleet's first site, where nobody says another.
const FirstVersion = "v1.36.3+k0s.2"

// Fleet is a repository with one site: clusters/base as kiban ships it, the site's overlay, and what git is to leave alone.
func Fleet(first Site) ([]File, error) {
	var files []File
	err := fs.WalkDir(clusters.Base, "base", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(clusters.Base, path)
		files = append(files, File{"clusters/" + path, content})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the base: %w", err)
	}
	for _, f := range first.Overlay() {
		files = append(files, File{"overlays/" + first.Name + "/" + f.Path, f.Content})
	}
	return append(files, File{".gitignore", []byte("/.kiban/\n/.lab/\n")}, File{"README.md", fmt.Appendf(nil, fleetReadme, first.Name)}), nil
}

const fleetReadme = `# A fleet of Kubernetes clusters

kiban keeps the clusters in the state that this repository declares. One folder below overlays/ is one site.

    clusters/base        what every site has in common: the k0sctl Cluster, the Site, and the schema by which hosts merge
    overlays/<site>
      kustomization.yaml the base and the three patches below
      cluster.yaml       the cluster's name and machines; hosts merge by hostname
      version.yaml       the k0s version: the one line that an upgrade changes
      site.yaml          how the site is reached and changed
      known_hosts        the host keys of its machines, by "kiban hosts trust"

To begin with %[1]s: put your machines into its cluster.yaml, and how they are reached into clusters/base/site.yaml. A hostname is what
"hostname" prints on the machine. Then:

    kiban validate                # what is wrong, by file and line; asks no machine
    kiban hosts trust %[1]s
    kiban plan %[1]s
    kiban apply %[1]s

Another site: kiban site add NAME --controllers ADDRESS,... --workers ADDRESS,...
A cluster that k0sctl made: kiban import k0sctl.yaml
`
