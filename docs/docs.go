// Package docs holds the pages, for `kiban explain docs/PAGE.md` to show where there is no checkout.
package docs

import "embed"

// Pages are the pages of this folder, by their names.
//
//go:embed *.md
var Pages embed.FS
