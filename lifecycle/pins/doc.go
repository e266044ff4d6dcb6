// Package pins reads and writes a site's lock file, kiban.lock: the digests of the charts, manifests and k0s binaries that the site's versions
// stand for.
package pins
