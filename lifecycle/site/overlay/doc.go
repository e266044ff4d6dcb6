// Package overlay reads a kustomize tree beside kustomize itself. It gives documents with the file and line of every field, and says what
// kustomize would lose or change without a word.
//
//	tree.go           reads folders, resources and components, and remembers every document
//	kustomization.go  refuses what cannot be merged safely; patches.go reads patches, hosts.go follows the hosts through them
//	place.go          from a place in the merged documents to the file and line that has the last word on it
//	build.go          runs kustomize, and holds what it prints against what was read
//	common.go         tells what an overlay has in common with others apart; share.go has that built once, made.go does the rest on a copy
//	files.go          reads files of the fleet and no other; filesystem.go gives a build exactly these, named.go finds those beside resources
//	aliases.go        weighs documents with their aliases put in, before anything does
//	reads.go          which files and folders decide what comes out
//	yaml.go           nodes, which know their lines
//
// Only this package imports kustomize.
package overlay
