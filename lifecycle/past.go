package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Past is what is remembered of a site beside what its machines and its API say now. It is asked for where it matters only: where there
// is no cluster, or its API or a controller does not answer, and before versions change.
type Past struct {
	// Backups are those that are kept, wherever the site keeps them, the newest first.
	Backups []KeptBackup `json:"backups,omitempty"`
	// Runs are those that the cluster keeps the records of, or that have their journals here, the newest first.
	Runs []RunRecord `json:"runs,omitempty"`
	// Unread says what could not be asked.
	Unread []string `json:"unread,omitempty"`
	// Pinned is what the cluster keeps of a control plane that is held back to act as its former release. It is asked for where the site
	// upgrades in two steps, or a controller is configured so.
	Pinned Answer[Pinned] `json:"-"`
}

// BackupBefore is the newest backup that leads back to before a version; false: none is known.
func (p Past) BackupBefore(v Version) (KeptBackup, bool) {
	for _, b := range p.Backups {
		if b.Version.Less(v) {
			return b, true
		}
	}
	return KeptBackup{}, false
}

// FailedUpgrade is the last time that a version was taken back on a machine, and the run that did it. Whoever finds the version running
// there knows that it is over.
func (p Past) FailedUpgrade(host string, v Version) (FailedUpgrade, RunRecord, bool) {
	for _, r := range p.Runs {
		for _, f := range r.FailedUpgrades {
			if f.Host == host && f.Version == v {
				return f, r, true
			}
		}
	}
	return FailedUpgrade{}, RunRecord{}, false
}

// LostCluster is a cluster that a site had, none of whose controllers is there any more.
type LostCluster struct {
	// Evidence says by what it is known, a line each.
	Evidence []string
	// Until is when it was there for certain, the last time that is known; zero where nothing tells.
	Until time.Time
	// Doubt: all that there is are workers of some cluster, which may be another site's.
	Doubt bool
	// Newer are the workers whose k0s is newer than the newest backup: a restore of it sets them up anew.
	Newer []string
}

// Lost finds that a site without a controller had a cluster, by its workers, by what it declares and by what is remembered of it. A site
// that never had one has nothing of that.
func Lost(site Site, state State) (LostCluster, bool) {
	if !state.API.NotYet || site.Provider == ProviderExternal {
		return LostCluster{}, false
	}
	l := LostCluster{}
	own, some := membersLeft(site, state)
	if len(own) > 0 {
		l.Evidence = append(l.Evidence, "There are workers of it: "+strings.Join(own, ", ")+".")
	}
	if id := site.API.ClusterUID; id != "" {
		l.Evidence = append(l.Evidence, "The Site declares the cluster "+id+" (spec.api.clusterUID).")
	}
	if r, ok := lastRun(state.Past.Runs); ok {
		l.until(r.Ended)
		l.Evidence = append(l.Evidence, fmt.Sprintf("Run %s (%s) changed it and ended at %s.", r.ID, cmp.Or(r.Doing, "apply"),
			Stamp(r.Ended)))
	}
	if len(state.Past.Backups) > 0 {
		b := state.Past.Backups[0]
		if at, err := time.Parse(time.RFC3339, b.Taken); err == nil {
			l.until(at)
		}
		l.Newer = newerThan(b.Version, site, state)
		l.Evidence = append(l.Evidence, fmt.Sprintf("The newest of its backups was taken at %s: %s, in %s.", b.Taken, b.Name, b.Place))
	}
	l.Doubt = len(l.Evidence) == 0
	if len(some) > 0 {
		l.Evidence = append(l.Evidence, "There are workers of a cluster, whose kubelets do not say which: "+strings.Join(some, ", ")+".")
	}
	return l, len(l.Evidence) > 0
}

// newerThan are the workers with a newer k0s than that.
func newerThan(v Version, site Site, state State) (names []string) {
	for _, h := range site.Cluster.Hosts {
		if s, _ := state.Host(h.Name); !h.Role.IsController() && s.Reached() && v.Less(s.Level()) {
			names = append(names, h.Name)
		}
	}
	return names
}

func (l *LostCluster) until(at time.Time) {
	if l.Until.Before(at) {
		l.Until = at
	}
}

// membersLeft are the workers that belong to a declared controller, and those that belong to a cluster without saying which: their kubelets
// ask a load balancer on the machine itself, or are not set up yet.
func membersLeft(site Site, state State) (own, some []string) {
	for _, h := range site.Cluster.Hosts {
		s, _ := state.Host(h.Name)
		if h.Role.IsController() || h.Reset || !s.Reached() || s.ServiceName != "k0sworker" {
			continue
		}
		switch site.ServerOf(s.Server) {
		case ServerOwn:
			own = append(own, h.Name)
		case ServerUnsaid:
			some = append(some, h.Name)
		}
	}
	return own, some
}

// lastRun is the newest run that has changed the cluster as the repository declares it.
func lastRun(runs []RunRecord) (RunRecord, bool) {
	i := slices.IndexFunc(runs, func(r RunRecord) bool { return r.Done > 0 && r.Machines > 0 && len(r.After) > 0 })
	if i < 0 {
		return RunRecord{}, false
	}
	return runs[i], true
}

// Stamp is a time as people are told it.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// Finding is what there is to say of a lost cluster: that there was one, until when, and the ways on.
func (l LostCluster) Finding(site Site, past Past) Diagnostic {
	d := Blockedf(site.Name, "the control plane is lost, and this is not a new cluster")
	why := slices.Clone(l.Evidence)
	if l.Doubt {
		d.Summary = "no controller of this site is there, but workers of a cluster are"
	} else if !l.Until.IsZero() {
		d.Summary = "the control plane is lost, and this is not a new cluster: it was there until " + Stamp(l.Until) + " at least"
	}
	why = append(why,
		"Pods on workers go on running without a control plane; "+
			"a new cluster would know nothing of them, nor of what was stored in the old one.")
	for _, u := range past.Unread {
		why = append(why, "Not known: "+u)
	}
	var way string
	switch {
	case len(past.Backups) > 0:
		b := past.Backups[0]
		way = fmt.Sprintf("Restore the newest backup onto the declared controllers, which may be new machines: %s",
			RestoreCommand(site.Name, b))
		if b.Version != site.Cluster.Version {
			way += fmt.Sprintf(" (set spec.k0s.version to %s in the overlay first: at that it was taken)", b.Version)
		}
	default:
		way = fmt.Sprintf("No backup is known here. Look where backups of the site are kept, then: kiban restore %s --from FILE", site.Name)
	}
	back := "they come back with it"
	if len(l.Newer) > 0 {
		back = fmt.Sprintf("the restore brings them back. It sets %s up anew, whose k0s is newer than the backup: their pods end then, and are "+
			"made again", Enumerate(l.Newer))
	}
	way += fmt.Sprintf(". Leave the workers as they are: %s. "+
		"To begin anew and lose all that was in the cluster: kiban apply %s --new-cluster", back, site.Name)
	if l.Doubt {
		way += ". If the workers are another site's, take them out of the overlay"
	}
	return d.Because(why...).Try(way + ".")
}
