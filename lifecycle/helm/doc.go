// Package helm gets charts and manifests, renders them, and installs charts as Helm releases. It is the only importer of Helm's SDK.
//
// A Store finds what is declared: it fetches, keeps what it fetched by digest, and refuses bytes that are not those that were pinned. What
// it renders, it renders without a cluster. A Client does what changes a cluster: its releases are Helm's own, so that `helm list` shows
// them and people can go on with Helm where kiban leaves off.
//
// Credentials for chart repositories are not looked for: what needs them is served to kiban by a mirror, a folder or a bundle. Registries
// (oci://) are asked with what `helm registry login` or `docker login` left on the machine.
package helm
