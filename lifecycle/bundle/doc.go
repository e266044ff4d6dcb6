// Package bundle packs what a site is made of into one file, and opens it where there is no network.
//
// A bundle is a gzipped tar: index.json first, which names every other file with its digest; images.txt, the container images that the
// site's addons name; charts/ and manifests/ as the chart store keeps them; k0s/<version>/k0s-<version>-<arch> as sessions keep binaries.
// The same content makes the same bytes. A bundle proves nothing by itself: what is taken from it is held against the site's lock file.
package bundle
