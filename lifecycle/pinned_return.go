package lifecycle

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// NoReturn says why a control plane that is pinned can't go back, by what was seen of it and what its cluster keeps of earlier looks;
// none when it can. lost are those of the reasons that nothing puts right: a program may have stored what the former version can't read.
func (p Pinned) NoReturn(site Site, st State) (why, lost []string) {
	for _, h := range site.Cluster.Controllers() {
		seen, _ := st.Host(h.Name)
		one, forGood := p.stuck(h.Name, seen)
		why = append(why, one...)
		if forGood {
			lost = append(lost, one...)
		}
	}
	for _, a := range st.API.Servers {
		if a.Emulates != "" && a.Emulates != EmulatedMinor(p.Former) {
			one := fmt.Sprintf("The API server of %s acts as v%s.", a.Host, a.Emulates)
			why, lost = append(why, one), append(lost, one)
		}
	}
	for _, n := range st.Nodes {
		if v, err := ParseVersion(n.Kubelet + ".0"); err == nil && v.MinorsAhead(p.Former) > 0 {
			why = append(why, fmt.Sprintf("The kubelet of %s is newer: %s.", n.Name, n.Kubelet))
		}
	}
	for _, one := range p.Why {
		if !slices.Contains(why, one) {
			why = append(why, fmt.Sprintf("On %s it was seen: %s", Stamp(p.Lost), one))
		}
	}
	return why, lost
}

// Gone reports whether the way back is gone for good: by what was seen now, or by what the cluster has on record.
func (p Pinned) Gone(site Site, st State) bool {
	_, lost := p.NoReturn(site, st)
	return len(lost) > 0 || len(p.Why) > 0
}

// stuck says why one controller can't go back, and whether that is for good.
func (p Pinned) stuck(name string, s HostState) (why []string, forGood bool) {
	acts := EmulatedMinor(p.Former)
	switch {
	case !s.Reached() || s.Name == "":
		return []string{name + " does not tell how it is."}, false
	case !p.Former.Less(s.Level()):
		return nil, false
	case s.Former != p.Former:
		return []string{fmt.Sprintf("%s no longer has k0s %s.", name, p.Former)}, false
	case Emulated(s.Config) != acts:
		return []string{fmt.Sprintf("k0s.yaml of %s does not have its programs act as %s.", name, p.Former.MinorString())}, true
	case !s.PinHeld:
		return []string{fmt.Sprintf("k0s.yaml of %s was written after its k0s had changed: "+
			"whether it has acted as %s ever since can't be told.", name, p.Former.MinorString())}, true
	}
	for _, program := range slices.Sorted(maps.Keys(s.Acts)) {
		if said := s.Acts[program]; said != acts {
			why, forGood = append(why, fmt.Sprintf("%s of %s acts as v%s.", program, name, said)), true
		}
	}
	return why, forGood
}

// Looked is the record after a look at the site: since when it is known that there is no way back any more, or when there last was one.
// What acted otherwise once may leave no trace when it is put right: so the first look that sees it counts for good.
func (p Pinned) Looked(site Site, st State) Pinned {
	if !p.Open() {
		return p
	}
	if p.AllBack(site, st) {
		p.Soaks = time.Time{} // the next soak begins anew
	}
	if len(p.Why) > 0 {
		return p
	}
	now := st.ObservedAt.UTC().Truncate(time.Second)
	switch why, lost := p.NoReturn(site, st); {
	case len(lost) > 0:
		p.Lost, p.Why = now, lost
	case len(why) == 0:
		p.Seen = now
	}
	return p
}

// AllBack reports whether each controller has the former version: the control plane went back, or was not rolled yet. What is not known of
// one is not taken for that.
func (p Pinned) AllBack(site Site, st State) bool {
	for _, h := range site.Cluster.Controllers() {
		seen, ok := st.Host(h.Name)
		if !ok || !seen.Reached() || seen.Level() != p.Former {
			return false
		}
	}
	return len(site.Cluster.Controllers()) > 0
}

// AtFormer says how a control plane stands that is pinned at Former and has it: what follows is a matter of what is declared.
func (p Pinned) AtFormer(site Site) Diagnostic {
	d := Warnf(site.Name, "the control plane has %s, and is pinned there to go to %s", p.Former, p.To)
	if site.Cluster.Version == p.To {
		return d.Because(fmt.Sprintf("%s is declared: the next apply brings the controllers there, and a soak begins.", p.To)).
			Try(fmt.Sprintf("To stay with %s: declare it, and apply; that takes the pin away, too.", p.Former))
	}
	if site.Cluster.Version != p.Former {
		return d.Because(fmt.Sprintf("%s is declared, and nothing goes there while the pin remains.", site.Cluster.Version)).
			Try(fmt.Sprintf("Declare %s, and apply: that takes the pin away. Or declare %s to go on.", p.Former, p.To))
	}
	return d.Because("The pin remains until the next apply, which takes it away.").Try("kiban apply " + site.Name)
}

// Soaking says how a control plane stands that runs To, or is on its way there, and acts as Former. left is what leads back where it can't
// go back.
func (p Pinned) Soaking(site Site, st State, left string) Diagnostic {
	since := "the control plane soaks since " + Stamp(p.Soaks)
	runs := fmt.Sprintf("It runs %s and acts as %s. Workers follow when it is committed.", p.To, p.Former.MinorString())
	if p.Soaks.IsZero() {
		since = fmt.Sprintf("the control plane is on its way to %s since %s", p.To, Stamp(p.Since))
		runs = fmt.Sprintf("What has %s of it acts as %s.", p.To, p.Former.MinorString())
	}
	commit := "kiban commit " + site.Name
	if why, _ := p.NoReturn(site, st); len(why) > 0 {
		if !p.Gone(site, st) {
			return Warnf(site.Name, "%s and can't go back as it stands", since).Because(append([]string{runs}, why...)...).
				Try(p.PutRight(site, st, left))
		}
		return Warnf(site.Name, "%s and can no longer go back", since).Because(append([]string{runs}, why...)...).
			Try(fmt.Sprintf("%s makes it for good, and lets the workers follow. %s", commit, left))
	}
	if few, is := p.TooFew(site, st); is {
		third := "A third controller has to join first: etcd has two members, and needs both."
		return Warnf(site.Name, "%s and can't go back as it stands", since).Because(runs, third, few.Detail).Try(few.Hint)
	}
	if back := p.back(site, st); len(back) > 0 {
		return p.halfBack(site, back)
	}
	if p.Soaks.IsZero() {
		return p.notBegun(site)
	}
	until, who := p.ends(site, st)
	d := Warnf(site.Name, "%s, and %s", since, until).
		Because(runs, fmt.Sprintf("It can go back to %s, with nothing lost; %s.", p.Former, who))
	if p.overdue(site, st) {
		d = d.Because("The time that the site gives it is over.")
	}
	if !p.Seen.IsZero() {
		d = d.Because("The cluster has on record that it could at " + Stamp(p.Seen) + ".")
	}
	return d.Try(fmt.Sprintf("To go back: kiban back %s. To make it for good now: %s", site.Name, commit))
}

// back are the controllers that have the former version.
func (p Pinned) back(site Site, st State) (names []string) {
	for _, h := range site.Cluster.Controllers() {
		if seen, ok := st.Host(h.Name); ok && seen.Reached() && seen.Level() == p.Former {
			names = append(names, h.Name)
		}
	}
	return names
}

// halfBack says how a control plane stands whose way back, or forth, was cut off: nothing is lost in either direction.
func (p Pinned) halfBack(site Site, back []string) Diagnostic {
	has := "has"
	if len(back) > 1 {
		has = "have"
	}
	d := Warnf(site.Name, "a part of the control plane has %s, the rest %s", p.Former, p.To).
		Because(fmt.Sprintf("%s %s %s; the others act as %s. Nothing is lost in either direction.", Enumerate(back), has, p.Former,
			p.Former.MinorString()))
	if site.Cluster.Version != p.To {
		return d.Try("To take the others back, too: kiban back " + site.Name)
	}
	if p.Soaks.IsZero() {
		return d.Try(fmt.Sprintf("To go on: kiban apply %s. To take those back that have %s: kiban back %[1]s", site.Name, p.To))
	}
	return d.Try(fmt.Sprintf("To take the others back, too: kiban back %s. To go forth again: kiban apply %[1]s", site.Name))
}

// ends says until when a control plane that soaks "can go back", and who or what ends it: the time that the site gives it, somebody, or
// what is declared now.
func (p Pinned) ends(site Site, st State) (until, who string) {
	policy, declared := site.Policy.ControlPlane, site.Cluster.Version
	switch {
	case declared == p.Former:
		return "goes back with the next apply", "that is declared"
	case declared != p.To:
		return "can go back until it is committed", fmt.Sprintf("%s is declared, and nothing goes there before it is committed or back", declared)
	case !policy.On():
		return "can go back until the next apply", "the site no longer asks for a soak, so the next apply commits it"
	case policy.Commit == CommitManual:
		return "can go back until somebody commits it", "no run does that by itself"
	case p.over(site, st):
		return "can go back until the next apply", "its time is over since " + Stamp(p.Soaks.Add(policy.Soak)) +
			", so the next apply commits it (a pipeline's, when its plan was accepted)"
	}
	return "can go back until " + Stamp(p.Soaks.Add(policy.Soak)),
		"the first apply after that commits it (a pipeline's, when its plan was accepted)"
}

// overdue reports whether the time of a soak is over that only somebody ends.
func (p Pinned) overdue(site Site, st State) bool {
	return site.Policy.ControlPlane.Commit == CommitManual && p.over(site, st)
}

// over reports whether the time is over that the site gives a soak.
func (p Pinned) over(site Site, st State) bool {
	policy := site.Policy.ControlPlane
	return policy.On() && !p.Soaks.IsZero() && !st.ObservedAt.Before(p.Soaks.Add(policy.Soak))
}

// HealthySoak is a soak with which nothing is wrong: the control plane runs To and acts as Former, and can go back.
type HealthySoak struct {
	To     Version   `json:"to"`
	Former Version   `json:"former"`
	Since  time.Time `json:"since"`
	// Until is when the first apply after it gives up the way back; zero where only somebody does.
	Until time.Time `json:"until,omitzero"`
	// Over: that moment is past, and no apply has come by yet.
	Over bool `json:"over,omitempty"`
}

// SoaksWell is how a control plane soaks as the site asks for, so that nobody has to do anything about it; nil where it does not, and where
// its time is over and somebody is to commit it.
func (p Pinned) SoaksWell(site Site, st State) *HealthySoak {
	policy := site.Policy.ControlPlane
	if !p.Open() || p.Soaks.IsZero() || p.AllBack(site, st) || !policy.On() || site.Cluster.Version != p.To || p.overdue(site, st) {
		return nil
	}
	if why, _ := p.NoReturn(site, st); len(why) > 0 || len(p.back(site, st)) > 0 {
		return nil
	}
	if _, few := p.TooFew(site, st); few {
		return nil
	}
	s := &HealthySoak{To: p.To, Former: p.Former, Since: p.Soaks}
	if policy.Commit != CommitManual {
		s.Until, s.Over = p.Soaks.Add(policy.Soak), p.over(site, st)
	}
	return s
}

// CanGoBack says until when.
func (s HealthySoak) CanGoBack() string {
	switch {
	case s.Until.IsZero():
		return "can go back until somebody commits it"
	case s.Over:
		return "can go back until somebody applies or commits: the soak is over since " + Stamp(s.Until)
	}
	return "can go back until " + Stamp(s.Until)
}

// Waits reports whether a machine waits for the commit of a control plane that soaks: a worker that has not gone past Former.
func (p Pinned) Waits(site Site, h Host, runs Version) bool {
	return p.Open() && !p.Soaks.IsZero() && site.Cluster.Version == p.To && !h.Role.IsController() && !p.Former.Less(runs)
}
