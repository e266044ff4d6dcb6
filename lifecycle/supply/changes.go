package supply

import (
	"cmp"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// What happens to a pin.
const (
	PinAdded   = "added"
	PinChanged = "changed"
	PinRemoved = "removed"
)

// PinChange is one pin that differs between two lock files.
type PinChange struct {
	Change string `json:"change"`
	// What is pinned: "chart metallb 0.16.2 of https://metallb.github.io/metallb".
	What string `json:"what"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// comparePins says what differs, sorted by what is pinned. No former file is an empty one.
func comparePins(former *lifecycle.Pins, now lifecycle.Pins) []PinChange {
	if former == nil {
		former = &lifecycle.Pins{}
	}
	was, is := pinned(*former), pinned(now)
	var changes []PinChange
	for what, to := range is {
		switch from, known := was[what]; {
		case !known:
			changes = append(changes, PinChange{Change: PinAdded, What: what, To: to})
		case from != to:
			changes = append(changes, PinChange{Change: PinChanged, What: what, From: from, To: to})
		}
	}
	for what, from := range was {
		if _, stays := is[what]; !stays {
			changes = append(changes, PinChange{Change: PinRemoved, What: what, From: from})
		}
	}
	slices.SortFunc(changes, func(a, b PinChange) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Change, b.Change)) })
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
