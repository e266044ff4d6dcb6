// Package site turns an overlay folder into a lifecycle.Site.
//
// The merge is kustomize's and nothing else's: Render prints what `kustomize build` prints. What kustomize would lose or change
// without a word is found by reading the same tree beside it, node by node, so that every finding names a file and a line:
//
//	tree.go       reads kustomizations, resources, components and patches, and refuses what cannot be merged safely
//	sources.go    remembers which file and line says what
//	build.go      runs kustomize
//	documents.go  sorts the built documents into Cluster, Site, addons and objects
//	decode.go     decodes Site strictly; spec.go holds its form and its defaults
//	check_*.go    the rules, one subject a file; pure functions from documents to findings
//
// Only this package imports kustomize.
package site
