package lifecycle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Contents is how many objects of each kind a cluster had, or a backup of it holds. A kind is named as etcd's keys name it: "deployments",
// and with its group where that is none of Kubernetes' own: "certificates.cert-manager.io".
type Contents struct {
	// Cluster is the UID of the kube-system namespace; "" where that was not learnt.
	Cluster string `json:"cluster,omitempty"`
	// Objects are the kinds that have objects.
	Objects map[string]Amount `json:"objects,omitempty"`
	// Unknown are kinds that could not be counted, and why.
	Unknown map[string]string `json:"unknown,omitempty"`
	// Why says that nothing of it is known, and why not.
	Why string `json:"why,omitempty"`
}

// Amount is how many there were: it was counted more than once while a backup was taken, and things go on.
type Amount struct {
	Least int64 `json:"least"`
	Most  int64 `json:"most"`
}

// Holds reports whether that many is within what was counted.
func (a Amount) Holds(n int64) bool { return a.Least <= n && n <= a.Most }

// String is "12", or "12 to 14".
func (a Amount) String() string {
	if a.Least == a.Most {
		return fmt.Sprint(a.Least)
	}
	return fmt.Sprintf("%d to %d", a.Least, a.Most)
}

// Known reports whether anything was counted.
func (c Contents) Known() bool { return c.Why == "" && len(c.Objects) > 0 }

// Total is how many objects there were at least.
func (c Contents) Total() (n int64) {
	for _, a := range c.Objects {
		n += a.Least
	}
	return n
}

// And is what two counts of one cluster say together, the second made a little later: between the two was what is between them. A count
// that failed says nothing, and the reason stays.
func (c Contents) And(later Contents) Contents {
	switch {
	case c.Why != "":
		return c
	case later.Why != "":
		return later
	case c.Cluster != later.Cluster:
		return Contents{Why: "the API answered for two clusters, one after the other"}
	}
	out := Contents{Cluster: c.Cluster, Objects: map[string]Amount{}, Unknown: maps.Clone(c.Unknown)}
	for kind, why := range later.Unknown {
		if out.Unknown == nil {
			out.Unknown = map[string]string{}
		}
		out.Unknown[kind] = why
	}
	for _, kind := range c.kinds(later) {
		if _, unknown := out.Unknown[kind]; !unknown {
			a, b := c.Objects[kind], later.Objects[kind]
			out.Objects[kind] = Amount{min(a.Least, b.Least), max(a.Most, b.Most)}
		}
	}
	return out
}

// kinds are those that either of the two has, sorted.
func (c Contents) kinds(other Contents) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(c.Objects)), maps.Keys(other.Objects))
	slices.Sort(all)
	return slices.Compact(all)
}

// Moving reports whether the control plane itself makes and removes objects of the kind all the time, so that a number of them says little.
func Moving(kind string) bool {
	return slices.Contains([]string{"events", "leases", "pods", "endpoints", "endpointslices", "jobs", "replicasets", "controllerrevisions",
		"certificatesigningrequests", "ipaddresses", "volumeattachments", "csinodes", "resourceclaims", "resourceslices", "nodes"}, kind)
}

// Missing are the kinds of which a backup holds fewer than the record says there were, or more, a sentence each, sorted. Kinds that move
// all the time must only not be gone. Of custom resources, which controllers make as they like, one in ten may have come or gone meanwhile.
// Kinds that were not counted are passed over.
func (c Contents) Missing(held Contents) []string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(c.Objects)) {
		was, has := c.Objects[kind], held.Objects[kind].Least
		slack := int64(0)
		if strings.Contains(kind, ".") && !strings.HasSuffix(kind, ".k8s.io") {
			slack = was.Most / 10
		}
		switch near := (Amount{was.Least - slack, was.Most + slack}); {
		case has == 0 && was.Least > 0 && kind != "events":
			out = append(out, fmt.Sprintf("%s: %s were there, and none is in the backup", kind, was))
		case !Moving(kind) && !near.Holds(has):
			out = append(out, fmt.Sprintf("%s: %s were there, and %d are in the backup", kind, was, has))
		}
	}
	return out
}

// ProofFormat is the version of a BackupRecord's JSON form. Readers pass over another major.
const ProofFormat = "1.0"

// BackupRecord is what a cluster keeps of a backup of itself.
type BackupRecord struct {
	Format string `json:"format"`
	// Name is the backup's file, Digest that of the archive as k0s wrote it.
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// Taken is when, in UTC, RFC 3339.
	Taken string `json:"taken,omitempty"`
	// Contents are what the cluster had then.
	Contents Contents `json:"contents,omitzero"`
	// Proven is the last restore of it in a lab that went through; nil: there was none.
	Proven *Proof `json:"proven,omitempty"`
}

// Proof is a restore of a backup, in a lab, that brought back all that was to be in it.
type Proof struct {
	Backup string `json:"backup"`
	// Digest is that of the archive as k0s wrote it.
	Digest string `json:"digest"`
	// At is when the restore was over, in UTC, RFC 3339; Took how long it took, from an empty machine to objects that could be read.
	At   string        `json:"at"`
	Took time.Duration `json:"took"`
	// By is who did it, and where.
	By string `json:"by,omitempty"`
	// Objects is how many were there again.
	Objects int64 `json:"objects"`
}

// Age is how long ago it was proven; false where the proof does not say.
func (p *Proof) Age(now time.Time) (time.Duration, bool) {
	if p == nil {
		return 0, false
	}
	at, err := time.Parse(time.RFC3339, p.At)
	return max(0, now.Sub(at)), err == nil
}

// Later is the later one of two proofs; nil is none.
func (p *Proof) Later(other *Proof) *Proof {
	if p == nil || other != nil && cmp.Compare(other.At, p.At) > 0 {
		return other
	}
	return p
}

// Proven is the later proof of those that are known of a site: what the cluster keeps, and what lies beside its backups.
func (s State) Proven() *Proof {
	p := s.API.Proven
	for _, b := range s.Past.Backups {
		p = p.Later(b.Proven)
	}
	return p
}

// Unproven says why no proof is young enough for a site that asks for one; "" where one is, or none is asked for.
func (b Backups) Unproven(p *Proof, now time.Time) string {
	age, known := p.Age(now)
	switch {
	case b.Proven == 0 || known && age <= b.Proven:
		return ""
	case !known:
		return "No backup of the site is known to have been restored in a lab."
	}
	return fmt.Sprintf("The last backup that was restored in a lab is %s, %s ago.", p.Backup, Span(age))
}
