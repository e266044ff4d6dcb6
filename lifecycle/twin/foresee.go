package twin

import (
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// Foresee refuses what can't be rehearsed of a site, as far as its declaration and the lab tell: a release that the lab can't play, a
// fault that there is not, a disk without room. The site is to declare the version that is rehearsed. Nothing is asked of it.
func Foresee(site lifecycle.Site, o Options) error {
	var ds lifecycle.Diagnostics
	if v := site.Cluster.Version; !v.IsZero() && !o.Plays.Plays(v) {
		ds = append(ds, o.Plays.unplayable(site.Name, v))
	}
	var machines []string
	room := Room{}
	for _, h := range site.Cluster.Hosts {
		machines = append(machines, h.Name)
		if room.Machines++; h.Role.IsController() {
			room.Controllers++
		}
	}
	for _, f := range o.Faults {
		d := f.known(site.Name, machines, o.Plays.Faults)
		if d == nil {
			d = f.possible(site.Name, machines)
		}
		if d != nil {
			ds = append(ds, *d)
		}
	}
	if err := room.Check(); err != nil {
		ds = append(ds, lifecycle.AsDiagnostics(err, "the lab has no place")...)
	}
	return ds.Err()
}

// NoCluster says that nothing of a site runs, and so nothing of it can be rehearsed.
func NoCluster(site string) error {
	return lifecycle.Errorf(site, "there is no cluster yet, so there is nothing to rehearse").
		Because("No machine of the site runs k0s, or none that does answers.").Try("kiban plan " + site + " says what would be done.")
}

// playable refuses what the lab can't play of a site as it is.
func playable(s Snapshot, o Options) error {
	if len(s.Machines) == 0 || s.Lowest().IsZero() {
		return NoCluster(s.Site)
	}
	if s.Plan.Empty() {
		return nil
	}
	for _, v := range s.Releases() {
		if !o.Plays.Plays(v) {
			return o.Plays.unplayable(s.Site, v)
		}
	}
	for _, f := range o.Faults {
		if err := f.fits(s, o.Plays.Faults); err != nil {
			return err
		}
	}
	return nil
}

func (v LabVersion) unplayable(site string, release lifecycle.Version) lifecycle.Diagnostic {
	return lifecycle.Errorf(site, "the lab can't play %s", release).
		Because("It plays the minor releases " + strings.Join(v.Minors, ", ") + ".").
		Try("kiban ready " + site + " judges a version without a lab. Another release of kiban brings a lab that plays others.")
}

// possible says why no plan of a site with these machines has a step that a fault waits for; nil where one may have it.
func (f Fault) possible(site string, machines []string) *lifecycle.Diagnostic {
	target, action := stepParts(f.Step)
	var names []string
	for _, a := range lifecycle.Actions() {
		names = append(names, string(a))
	}
	switch {
	case !slices.Contains(names, action):
		return f.unfit(site, "No plan has a step that is called "+action+".",
			meant(action, names)+"kiban plan "+site+" lists the steps; those of an upgrade are stage, cordon, drain, upgrade and uncordon.")
	case lifecycle.Action(action).Doer() != lifecycle.DoerUnits && target != "cluster" && !slices.Contains(machines, target):
		return f.unfit(site, "No machine of the site is called "+target+".", "It has "+lifecycle.Few(machines)+".")
	}
	return nil
}

// stepParts are whose step an id is of, and what it does: "worker-3" and "upgrade" of "worker-3/upgrade@v1.36.3+k0s.2".
func stepParts(id string) (target, action string) {
	target, action = id, ""
	if i := strings.LastIndex(id, "/"); i >= 0 {
		target, action = id[:i], id[i+1:]
	}
	if i := strings.IndexAny(action, "@#"); i >= 0 {
		action = action[:i]
	}
	return target, action
}
