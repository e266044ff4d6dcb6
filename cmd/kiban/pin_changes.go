package main

import (
	"cmp"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// What happens to a pin.
const (
	pinAdded   = "added"
	pinChanged = "changed"
	pinRemoved = "removed"
)

// pinChange is one pin that differs between two lock files.
type pinChange struct {
	Change string `json:"change"`
	// What is pinned: "chart metallb 0.16.2 of https://metallb.github.io/metallb".
	What string `json:"what"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// digests says how the digest changes, short.
func (c pinChange) digests() string {
	switch c.Change {
	case pinAdded:
		return "  " + shortDigest(c.To)
	case pinChanged:
		return "  " + shortDigest(c.From) + " -> " + shortDigest(c.To)
	}
	return ""
}

// shortDigest is enough of a digest for people to compare.
func shortDigest(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

// comparePins says what differs, sorted by what is pinned. No former file is an empty one.
func comparePins(former *lifecycle.Pins, now lifecycle.Pins) []pinChange {
	if former == nil {
		former = &lifecycle.Pins{}
	}
	was, is := pinned(*former), pinned(now)
	var changes []pinChange
	for what, to := range is {
		switch from, known := was[what]; {
		case !known:
			changes = append(changes, pinChange{Change: pinAdded, What: what, To: to})
		case from != to:
			changes = append(changes, pinChange{Change: pinChanged, What: what, From: from, To: to})
		}
	}
	for what, from := range was {
		if _, stays := is[what]; !stays {
			changes = append(changes, pinChange{Change: pinRemoved, What: what, From: from})
		}
	}
	slices.SortFunc(changes, func(a, b pinChange) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Change, b.Change)) })
	return changes
}

// pinned are all digests of a lock file, by what they are of.
func pinned(p lifecycle.Pins) map[string]string {
	all := map[string]string{}
	for _, c := range p.Charts {
		all["chart "+c.Name+" "+c.Version+" of "+c.Repo] = c.Digest
	}
	for _, m := range p.Manifests {
		all["manifest "+m.URL] = m.Digest
	}
	for id, digest := range p.K0s {
		all["k0s "+id] = digest
	}
	return all
}
