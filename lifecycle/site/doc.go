// Package site turns an overlay folder into a lifecycle.Site.
//
// The merge is kustomize's and nothing else's: Render prints what `kustomize build` prints. What kustomize would lose or change
// without a word is found by package overlay, which reads the same tree beside it, so that every finding names a file and a line:
//
//	merge.go      has the overlay read and built
//	documents.go  sorts the built documents into Cluster, Site, addons and objects
//	decode.go     decodes Site strictly; spec.go holds its form and its defaults
//	check_*.go    the rules, one subject a file; pure functions from documents to findings
//	finding.go    from a rule's place to a diagnostic with file and line
package site
