package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// EtcdStatus is what a controller's etcd says of itself.
type EtcdStatus struct {
	// Unknown says why nothing below is known: "curl: it is not installed there". "" where it is.
	Unknown string `json:"unknown,omitempty"`
	// PaceUnknown says why its metrics are not known, where its status is: its pace is then not known to be well.
	PaceUnknown string `json:"paceUnknown,omitempty"`
	// Version is etcd's own: "3.6.14".
	Version string `json:"version,omitempty"`
	// Leads says that it is the leader; Leaderless, that it knows of none; Learner, that it has no vote yet.
	Leads      bool `json:"leads,omitempty"`
	Leaderless bool `json:"leaderless,omitempty"`
	Learner    bool `json:"learner,omitempty"`
	// Size is how many bytes its file has, InUse how many of these hold something, Quota how many the file may have at most.
	Size  int64 `json:"size,omitempty"`
	InUse int64 `json:"inUse,omitempty"`
	Quota int64 `json:"quota,omitempty"`
	// Alarms are those that are raised anywhere in etcd, sorted: EtcdNoSpace, EtcdCorrupt.
	Alarms []string `json:"alarms,omitempty"`
	// Since is how long its process runs; what follows counts from there: how often it saw another leader, how often it waited for its disk
	// (an fsync of the log), and how often of these for more than half a second.
	Since         time.Duration `json:"-"`
	LeaderChanges int           `json:"-"`
	Fsyncs        int64         `json:"-"`
	SlowFsyncs    int64         `json:"-"`
}

// The alarms of etcd.
const (
	// EtcdNoSpace: a member's file has reached its quota. All of etcd is read-only until the alarm is disarmed.
	EtcdNoSpace = "NOSPACE"
	// EtcdCorrupt: a member's data differ from those of the others.
	EtcdCorrupt = "CORRUPT"
)

// EtcdTooMuch is what helps an etcd that is full though nothing in its files is hollow. Deletions it takes whatever its alarms are.
const EtcdTooMuch = "Delete what nobody needs, which etcd still takes (kubectl delete); then run the same command again. Then raise the " +
	"quota: spec.storage.etcd.extraArgs, quota-backend-bytes, of k0s's configuration."

// Known reports whether the member told how it is.
func (e *EtcdStatus) Known() bool { return e != nil && e.Unknown == "" }

// Raises reports whether an alarm is raised.
func (e *EtcdStatus) Raises(alarm string) bool { return e.Known() && slices.Contains(e.Alarms, alarm) }

// Hollow is how much of the file holds nothing, in percent: what a defragmentation gives back to the disk.
func (e *EtcdStatus) Hollow() int {
	if !e.Known() || e.Size <= 0 || e.InUse > e.Size {
		return 0
	}
	return int((e.Size - e.InUse) * 100 / e.Size)
}

// NearlyFull reports whether more than 80 % of the quota are used up by the file, hollow or not: etcd's quota is on the file.
func (e *EtcdStatus) NearlyFull() bool { return e.Known() && e.Quota > 0 && e.Size*5 > e.Quota*4 }

// A file is worth to be defragmented from these on. They are those of OpenShift, which does it by itself (cluster-etcd-operator,
// pkg/operator/defragcontroller: maxFragmentedPercentage, minDefragBytes). Of one that is nearly full, a tenth is worth it.
const (
	hollowPercent     = 45
	hollowBytes       = 100 << 20
	hollowPercentFull = 10
)

// Wasteful reports whether a defragmentation of the member is worth it.
func (e *EtcdStatus) Wasteful() bool {
	return e.Known() && (e.Hollow() >= hollowPercent && e.Size >= hollowBytes || e.NearlyFull() && e.Hollow() >= hollowPercentFull)
}

// slowDisk reports whether more than one fsync of a hundred took more than half a second: etcd's own rule of alerting
// (contrib/mixin, etcdHighFsyncDurations).
func (e *EtcdStatus) slowDisk() bool {
	return e.Known() && e.Fsyncs >= 100 && e.SlowFsyncs*100 > e.Fsyncs
}

// restless reports whether the leader changes too often. etcd's own rule is four times in a quarter of an hour (contrib/mixin,
// etcdHighNumberOfLeaderChanges); one look knows the mean since the process began only.
func (e *EtcdStatus) restless() bool {
	return e.Known() && e.LeaderChanges >= 8 && e.Since > 0 && e.Since/time.Duration(e.LeaderChanges) < time.Hour
}

// Raised reports whether an alarm of etcd is raised, by what any controller says.
func (s State) Raised(alarm string) bool {
	return slices.ContainsFunc(s.Hosts, func(h HostState) bool { return h.Etcd.Raises(alarm) })
}

// joinsWithin is how long a member may be one without a vote before that is worth a word: k0s makes it a full one when it has caught up.
const joinsWithin = 5 * time.Minute

// EtcdFindings are what stands in the way of, or should be seen to before, a change of the control plane: etcd's alarms, its room, its
// members and its pace. The subject of what concerns all of etcd is the site.
func (s State) EtcdFindings(site Site) []ReadinessFinding {
	out := s.etcdAlarms(site.Name)
	for _, e := range s.Etcd.Members {
		if e.Name == "" {
			out = append(out, ReadinessFinding{Rule: RuleEtcdMember, Rank: RankAttention, Subject: site.Name,
				Summary: "etcd has a member that never started: at " + e.PeerAddress,
				Seen:    []string{"It counts for the quorum, whether it lives or not."},
				Remedy:  "Let its controller join, or, on another controller: sudo k0s etcd leave --peer-address " + e.PeerAddress})
		}
	}
	for _, h := range s.Hosts {
		out = append(out, h.etcdFindings(site.Name)...)
	}
	return out
}

// The rules by which EtcdFindings finds something.
const (
	RuleEtcdSpace   = "etcd-space"
	RuleEtcdCorrupt = "etcd-corrupt"
	RuleEtcdMember  = "etcd-membership"
	RuleEtcdPace    = "etcd-pace"
)

func (s State) etcdAlarms(site string) (out []ReadinessFinding) {
	if s.Raised(EtcdNoSpace) {
		out = append(out, ReadinessFinding{Rule: RuleEtcdSpace, Rank: RankBlocks, Subject: site,
			Summary: "etcd is out of space and takes no writes (alarm NOSPACE)", Seen: s.etcdSizes(),
			Remedy: "kiban maintain etcd " + site})
	}
	if s.Raised(EtcdCorrupt) {
		out = append(out, ReadinessFinding{Rule: RuleEtcdCorrupt, Rank: RankBlocks, Subject: site,
			Summary: "the data of etcd's members differ (alarm CORRUPT)",
			Seen:    append([]string{"A member that is wrong answers wrongly, and a backup of it holds what is wrong."}, s.etcdSizes()...),
			Remedy: fmt.Sprintf("Find the member that differs: kiban node logs %[1]s CONTROLLER says so. Take that one out, and let it "+
				"join anew: kiban node remove %[1]s CONTROLLER", site)})
	}
	return out
}

// etcdSizes says of each member how full it is.
func (s State) etcdSizes() []string {
	var out []string
	for _, h := range s.Hosts {
		if h.Etcd.Known() {
			out = append(out, h.Name+": "+h.Etcd.Room()+".")
		}
	}
	return out
}

// Room says how full the member is: "1.8 GiB of 2.0 GiB, 40 % of that hollow".
func (e *EtcdStatus) Room() string {
	text := Bytes(e.Size)
	if e.Quota > 0 {
		text += " of " + Bytes(e.Quota)
	}
	if n := e.Hollow(); n >= hollowPercentFull {
		text += fmt.Sprintf(", %d %% of that hollow", n)
	}
	return text
}

func (h HostState) etcdFindings(site string) (out []ReadinessFinding) {
	e := h.Etcd
	find := func(rule string, rank Rank, summary, remedy string, seen ...string) {
		out = append(out, ReadinessFinding{Rule: rule, Rank: rank, Subject: h.Name, Summary: summary, Seen: seen, Remedy: remedy})
	}
	if !e.Known() {
		return nil
	}
	maintain := "kiban maintain etcd " + site
	switch {
	case e.NearlyFull() && !e.Raises(EtcdNoSpace):
		remedy := "Delete what nobody needs, or raise the quota: spec.storage.etcd.extraArgs, quota-backend-bytes, of k0s's configuration " +
			"(etcd advises 8 GiB at most)."
		if e.Wasteful() {
			remedy = maintain
		}
		find(RuleEtcdSpace, RankAttention, "etcd's file has used up more than 80 % of its quota", remedy, e.Room()+".",
			"At its quota etcd takes no writes any more, and the cluster stands still.")
	case e.Wasteful() && !e.Raises(EtcdNoSpace):
		find(RuleEtcdSpace, RankAttention, "etcd's file is hollow for a good part", maintain, e.Room()+".",
			"Room within the file counts against the quota, and makes backups and starts slower.")
	}
	if e.Leaderless {
		find(RuleEtcdMember, RankBlocks, "etcd has no leader", "kiban node logs "+site+" "+h.Name,
			"Its member here knows of none: it reaches too few of the others.")
	}
	if e.Learner && e.Since > joinsWithin {
		find(RuleEtcdMember, RankAttention, "its etcd member has no vote", "kiban node logs "+site+" "+h.Name,
			fmt.Sprintf("It is a learner, and has been running for %s. k0s gives it a vote when it has caught up.", Span(e.Since)))
	}
	if e.slowDisk() {
		find(RuleEtcdPace, RankAttention, "the disk is too slow for etcd",
			"Give etcd a disk of its own, or find what else writes there: an upgrade adds to it.",
			fmt.Sprintf("%d of %d writes to etcd's log took more than half a second since it started %s ago.", e.SlowFsyncs, e.Fsyncs,
				Span(e.Since)))
	}
	if e.restless() {
		find(RuleEtcdPace, RankAttention, "etcd changes its leader often",
			"Look at the controllers' disks, load and network: a restart adds to it. kiban node logs "+site+" "+h.Name,
			fmt.Sprintf("It saw %s since it started %s ago.", Count(e.LeaderChanges, "change"), Span(e.Since)))
	}
	return out
}

// Bytes is a number of bytes as people read it: "12.3 MiB".
func Bytes(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d B", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// Diagnostic is the finding as one of the severity.
func (f ReadinessFinding) Diagnostic(s Severity) Diagnostic {
	return Findingf(s, f.Subject, "%s", f.Summary).Because(f.Seen...).Try(f.Remedy)
}
