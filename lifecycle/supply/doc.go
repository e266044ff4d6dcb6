// Package supply knows what comes from outside: the charts, manifests and k0s binaries that a site's versions stand for. It pins their
// digests in the site's lock file, kiban.lock, and packs them into one file for places without network.
//
// A bundle is a gzipped tar: index.json first, which names every other file with its digest; images.txt, the container images that the
// site's addons name; charts/ and manifests/ as the chart store keeps them; k0s/<version>/k0s-<version>-<arch> as sessions keep binaries.
// The same content makes the same bytes. A bundle proves nothing by itself: what is taken from it is held against the site's lock file.
package supply
