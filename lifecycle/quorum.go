package lifecycle

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Quorum is how many of etcd's members are up, by what the controllers' machines say.
type Quorum struct {
	// Members are the controllers that have one, Up those whose k0s answers, by name and in their declared order.
	Members, Up []string
	// Away are the others, Why what each says or what keeps it from saying anything, a line each.
	Away, Why []string
	// Of Away, the machines of these answer: k0s is Stopped there and can be started from here, or its service runs and is Silent.
	Stopped, Silent []string
}

// QuorumOf counts the members. A controller that k0s was never set up on is none; of one that is not reached it is not known, so it counts.
func QuorumOf(c Cluster, hosts []HostState) (q Quorum) {
	seen := map[string]HostState{}
	for _, h := range hosts {
		seen[h.Name] = h
	}
	for _, h := range c.Hosts {
		s, asked := seen[h.Name]
		switch {
		case !h.Role.IsController(), !asked, s.Reached() && !s.Installed() && !s.Data:
			continue
		case s.Reached() && !s.Running.IsZero():
			q.Up = append(q.Up, h.Name)
		default:
			q.Away, q.Why = append(q.Away, h.Name), append(q.Why, h.Name+": "+s.notUp())
			switch {
			case !s.Reached():
			case s.Service == ServiceRunning || s.Service == ServiceStarting:
				q.Silent = append(q.Silent, h.Name)
			default:
				q.Stopped = append(q.Stopped, h.Name)
			}
		}
		q.Members = append(q.Members, h.Name)
	}
	return q
}

// notUp says what keeps a controller from being one of etcd's.
func (h HostState) notUp() string {
	switch {
	case !h.Reached():
		return strings.TrimSuffix(h.Why, ".")
	case !h.Installed():
		return "no k0s service is set up there"
	case h.Service == ServiceRunning:
		return "the k0s service runs, but `k0s status` does not answer"
	}
	return fmt.Sprintf("%s is %s", h.ServiceName, h.Service)
}

// Need is how many of the members are a quorum.
func (q Quorum) Need() int { return len(q.Members)/2 + 1 }

// Lost reports whether those that are up are too few.
func (q Quorum) Lost() bool { return len(q.Up) < q.Need() }

// LostQuorum reports whether the API is away because too few of etcd's members are up. One controller alone needs no other, and a site
// without an etcd of its own has no members. Where no controller tells how it is, nothing is known of the others either.
func LostQuorum(site Site, st State) (Quorum, bool) {
	q := QuorumOf(site.Cluster, st.Hosts)
	silent := st.API.Unknown != "" && !st.API.NotYet && len(st.Etcd.Members) == 0
	told := len(q.Up)+len(q.Stopped)+len(q.Silent) > 0
	return q, silent && told && site.Provider != ProviderExternal && len(q.Members) > 1 && q.Lost() && !ownStore(site.Cluster)
}

// ownStore reports whether the cluster keeps its data elsewhere than in an etcd that k0s runs.
func ownStore(c Cluster) bool {
	for _, h := range c.Controllers() {
		var config struct {
			Spec struct {
				Storage struct {
					Type string `json:"type"`
					Etcd struct {
						External json.RawMessage `json:"externalCluster"`
					} `json:"etcd"`
				} `json:"storage"`
			} `json:"spec"`
		}
		if json.Unmarshal(h.Config, &config) == nil {
			s := config.Spec.Storage
			return s.Type != "" && s.Type != "etcd" || len(s.Etcd.External) > 0 && string(s.Etcd.External) != "null"
		}
	}
	return false
}

// Finding says that etcd has no quorum, and the ways on.
func (q Quorum) Finding(site Site, st State) Diagnostic {
	up := ""
	if len(q.Up) > 0 {
		up = "Up: " + Enumerate(q.Up) + ". "
	}
	why := append(slices.Clone(q.Why), fmt.Sprintf("%sIt takes %d: until then the API does not answer, nothing is scheduled or healed, and "+
		"pods run on.", up, q.Need()))
	return Errorf(site.Name, "etcd has %d of %d members: no quorum", len(q.Up), len(q.Members)).Because(why...).
		Because(st.API.Unknown).Try(q.ways(site, st.Past))
}

// ways are those out of a quorum that is lost: others come back, or what is left is the beginning of another etcd.
func (q Quorum) ways(site Site, past Past) string {
	missing := q.Need() - len(q.Up)
	text := fmt.Sprintf("Bring %s back: etcd goes on by itself, with all that it had.", anyOf(missing, q.Away))
	if len(q.Stopped) > 0 {
		text += fmt.Sprintf(" %s can be reached: kiban apply %s starts k0s there.", Enumerate(q.Stopped), site.Name)
	}
	if len(q.Silent) > 0 {
		text += fmt.Sprintf(" The service of %s runs all the same: kiban node logs %s %s says what k0s does there.", Enumerate(q.Silent),
			site.Name, q.Silent[0])
	}
	text += "\nIf they are gone for good, the way back is a restore, with what was written since lost."
	if len(q.Up) > 0 {
		text += fmt.Sprintf(" Take what %s has first, which may be newer than any backup: kiban backup %s.", q.Up[0], site.Name)
	}
	text += fmt.Sprintf(" Then, on the controllers that are there: %s; declare machines in place of the others; and: ",
		ResetByHand(RoleController))
	if len(past.Backups) == 0 {
		return text + fmt.Sprintf("kiban restore %s --from BACKUP.", site.Name)
	}
	b := past.Backups[0]
	return text + fmt.Sprintf("%s, or that newer one. (This one was taken at %s.)", RestoreCommand(site.Name, b), b.Taken)
}

// Behind warns that a backup is of a member that is not known to be with the others: it did not tell who they are, and problem says why.
// written is when that member's data were last written to, which a cluster does every few seconds; zero where that is not known.
func (q Quorum) Behind(from, problem string, written time.Time) Diagnostic {
	until := "Until when they reach is not known."
	if !written.IsZero() {
		until = fmt.Sprintf("They were last written to at %s: whatever the cluster stored later is not in it.",
			written.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	summary := "etcd has no quorum, so the backup may be behind"
	next := "If another controller can be brought back, do that, and take one more: it has all."
	if !q.Lost() {
		summary, next = "whether etcd has a quorum is not known, so the backup may be behind", "Take one more when the member answers."
	}
	why := append([]string{fmt.Sprintf("k0s runs on %d of %s. %s", len(q.Up), Count(len(q.Members), "controller"), problem)}, q.Why...)
	return Warnf(from, "%s", summary).
		Because(why...).
		Because("It holds the data of " + from + " alone. " + until).
		Try("Keep the backups of before, too. " + next)
}

// anyOf is "c2", "c2 or c3", "2 of c2, c3 and c4".
func anyOf(n int, names []string) string {
	switch {
	case n >= len(names):
		return Enumerate(names)
	case n == 1:
		return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
	}
	return fmt.Sprintf("%d of %s", n, Enumerate(names))
}
