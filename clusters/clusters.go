// Package clusters holds the base that every site of a fleet starts from, for `kiban init` to put into new repositories. All else in this
// folder is data, which kiban reads where it is.
package clusters

import "embed"

// Base is the folder base, as this repository's own sites use it.
//
//go:embed base
var Base embed.FS
