package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// What is said of a control plane between two versions that can't simply go back: what puts that right, what was cut off, and what is
// missing.

// PutRight says how a control plane that can't go back as it stands comes to where it can again, with nothing lost. One that is dead is
// put right, too: by another machine in its place, or by none. left is what leads back otherwise, and loses what was stored since.
func (p Pinned) PutRight(site Site, st State, left string) string {
	var ways []string
	silent := silentControllers(site, st)
	for _, h := range silent {
		seen, _ := st.Host(h.Name)
		way := seen.Problem.WayIn(site.Name, h.Name, h.User)
		if seen.Problem == HostUnreachable || way == "" {
			way = WayBack(site, st, h.Name)
		}
		ways = append(ways, h.Name+": "+way)
	}
	if len(ways) == 0 {
		return fmt.Sprintf("Put that right first; then kiban back %s works again. If it can't be put right: %s", site.Name, left)
	}
	if st.API.Unknown == "" && !st.API.NotYet {
		more := fmt.Sprintf("A new machine joins by kiban apply %s, and can go back, too.", site.Name)
		if len(site.Cluster.Controllers())-len(silent) == 2 {
			more += " Here there has to be one: the two that stay can't go back alone, for etcd of two members can lose none."
		}
		ways = append(ways, more)
	}
	ways = append(ways, fmt.Sprintf("Then kiban back %s works again, with nothing lost.", site.Name),
		"Only if none of that can be done: "+left)
	return strings.Join(ways, "\n")
}

// silentControllers are the declared controllers that do not tell how they are.
func silentControllers(site Site, st State) []Host {
	return slices.DeleteFunc(slices.Clone(site.Cluster.Controllers()), func(h Host) bool {
		seen, _ := st.Host(h.Name)
		return seen.Reached() && seen.Name != ""
	})
}

// Rolled reports whether a controller is known to have a newer version than Former.
func (p Pinned) Rolled(site Site, st State) bool {
	return slices.ContainsFunc(site.Cluster.Controllers(), func(h Host) bool {
		seen, ok := st.Host(h.Name)
		return ok && seen.Reached() && p.Former.Less(seen.Level())
	})
}

// notBegun says how a control plane stands all of whose controllers have To, and whose soak is not on record yet.
func (p Pinned) notBegun(site Site) Diagnostic {
	return Warnf(site.Name, "the control plane has %s, and its soak has not begun", p.To).
		Because(fmt.Sprintf("It acts as %s. Nothing is lost in either direction.", p.Former.MinorString())).
		Try(fmt.Sprintf("To begin it: kiban apply %s. To go back: kiban back %[1]s", site.Name))
}

// TooFew says of a control plane between two versions that none of its controllers can restart, as the way back and the commit have them
// do: etcd has two members, and needs both. A third one may join, also in the soak.
func (p Pinned) TooFew(site Site, st State) (Diagnostic, bool) {
	if !p.Open() || st.API.Unknown != "" || st.API.NotYet || len(st.Etcd.Members) != 2 {
		return Diagnostic{}, false
	}
	first := fmt.Sprintf("Declare a third controller, with %s, and run: kiban apply %s. ", p.To, site.Name)
	if len(site.Cluster.Controllers()) > 2 && site.Cluster.Version == p.To {
		first = fmt.Sprintf("One more is declared: kiban apply %s lets it join. ", site.Name)
	}
	then := fmt.Sprintf("It gets the pin and keeps the former k0s, so it can go back, too. Then: kiban back %s, or kiban commit %[1]s",
		site.Name)
	return Blockedf(site.Name, "a third controller has to join first: etcd has two members, and needs both").
		Because("The way back and the commit restart one controller after another. While one of two restarts, the cluster has no API.").
		Try(first + then), true
}

// Left are the controllers whose k0s.yaml still has the pin though that has ended: the run that ended it was cut off.
func (p Pinned) Left(site Site, st State) (names []string) {
	if p.Ended.IsZero() {
		return nil
	}
	for _, h := range site.Cluster.Controllers() {
		if seen, ok := st.Host(h.Name); ok && Emulated(seen.Config) != "" && Emulated(h.Config) == "" {
			names = append(names, h.Name)
		}
	}
	return names
}

// CutOff says that the commit, or the end of a way back, was begun and is not through.
func (p Pinned) CutOff(site Site, st State) (Diagnostic, bool) {
	left := p.Left(site, st)
	switch {
	case len(left) == 0:
		return Diagnostic{}, false
	case p.End == EndBack:
		return Warnf(site.Name, "the control plane is back at %s, and the pin is still in a k0s.yaml", p.Former).
			Because(p.leftOf(left)).Try("The next apply takes it away: kiban apply " + site.Name), true
	}
	return Warnf(site.Name, "the commit of the control plane to %s was begun, and is not through", p.To).
		Because(p.leftOf(left), fmt.Sprintf("There is no way back since %s, but a backup.", Stamp(p.Ended))).
		Try(fmt.Sprintf("To go on: kiban commit %s. The next kiban apply %[1]s does that, too.", site.Name)), true
}

// leftOf says which controllers still have the pin.
func (p Pinned) leftOf(names []string) string {
	acts := "acts"
	if len(names) > 1 {
		acts = "act"
	}
	return fmt.Sprintf("%s still %s as %s.", Enumerate(names), acts, p.Former.MinorString())
}
