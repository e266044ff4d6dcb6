package supply

import (
	"fmt"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// PinText tells of what was found of sites: a line each, and one for each digest that is new or another. check says that nothing was
// written.
func PinText(reports []PinReport, check bool) string {
	var b strings.Builder
	for _, r := range reports {
		line := "pinned as declared"
		switch {
		case len(r.Changes) > 0 && check:
			line = lifecycle.PinsFile + " would change"
		case r.Written:
			line = lifecycle.PinsFile + " written"
		}
		fmt.Fprintf(&b, "%s: %s\n", r.Site, line)
		for _, c := range r.Changes {
			fmt.Fprintf(&b, "  %-8s %s%s\n", c.Change, c.What, c.digests())
		}
	}
	return b.String()
}

// digests says how a digest changes, short.
func (c PinChange) digests() string {
	switch c.Change {
	case PinAdded:
		return "  " + shortDigest(c.To)
	case PinChanged:
		return "  " + shortDigest(c.From) + " -> " + shortDigest(c.To)
	}
	return ""
}

// shortDigest is enough of a digest for people to compare.
func shortDigest(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }
