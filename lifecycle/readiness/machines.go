package readiness

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// What k0s's documentation asks for (system requirements): less is warned of by its own checks.
const (
	leastController = 1 << 30
	leastWorker     = 500 << 20
)

// machines looks at what the machines said of themselves: what k0s needs of them, and what one of them has unlike the others of its role.
// The installed k0s is not asked here: its checks make a cgroup for a moment, and looking changes nothing. The new one is asked by the
// plan's preflight steps.
func machines(in Input, r *report) {
	roles := map[string][]peer{}
	n := 0
	for _, decl := range in.Site.Cluster.Hosts {
		seen, ok := in.State.Host(decl.Name)
		if decl.Reset || !ok || !seen.Reached() {
			continue // reach tells of those that did not answer
		}
		n++
		r.needs(decl, seen)
		role := "workers"
		if decl.Role.IsController() {
			role = "controllers"
		}
		roles[role] = append(roles[role], peer{decl, seen})
	}
	for _, role := range []string{"controllers", "workers"} {
		for _, t := range traits() {
			r.unlike(role, t, roles[role])
		}
	}
	if n > 0 {
		r.looked("what " + lifecycle.Count(n, "machine") + " are like")
	}
}

// needs are what k0s and its kubelet need of any machine.
func (r *report) needs(decl lifecycle.Host, seen lifecycle.HostState) {
	if len(seen.Full) > 0 {
		r.find(lifecycle.ReadinessFinding{Rule: "machine-disk", Rank: lifecycle.RankBlocks, Subject: decl.Name,
			Summary: "its disk is full: the new k0s has nowhere to unpack itself",
			Seen:    []string{fmt.Sprintf("less than %d MiB are free on %s", lifecycle.LeastRoom>>20, lifecycle.Enumerate(seen.Full))},
			Remedy:  "Make room on the machine."})
	}
	least := int64(leastWorker)
	if decl.Role.IsController() {
		least = leastController
	}
	if seen.MemoryBytes > 0 && seen.MemoryBytes < least {
		r.find(lifecycle.ReadinessFinding{Rule: "machine-memory", Rank: lifecycle.RankAttention, Subject: decl.Name,
			Summary: "it has less memory than k0s asks for",
			Seen:    []string{fmt.Sprintf("%d MiB, k0s asks for %d MiB of a %s", seen.MemoryBytes>>20, least>>20, decl.Role)},
			Remedy:  "Give it more, or have a larger machine in its place: a restart of k0s needs more than its run."})
	}
	if seen.ClockOff() {
		r.find(lifecycle.ReadinessFinding{Rule: lifecycle.RuleClock, Rank: lifecycle.RankAttention, Subject: decl.Name,
			Summary: "its clock is off: tokens and certificates that are made for it count from another time",
			Seen:    []string{fmt.Sprintf("it is %d s from the clock here", seen.ClockOffset)},
			Remedy:  "Have it synchronised: chrony or systemd-timesyncd."})
	}
}

// peer is a machine among those of its role.
type peer struct {
	decl lifecycle.Host
	seen lifecycle.HostState
}

// trait is something that machines of one role have alike, as a rule.
type trait struct {
	name string
	rank lifecycle.Rank
	// rule finds what is wrong with it for the version: what that tells of all the odd ones is not told again.
	rule string
	// of is a machine's; "" where it does not tell.
	of func(p peer) string
}

func traits() []trait {
	return []trait{
		{"kernel", lifecycle.RankGood, "", func(p peer) string { return p.seen.Kernel }},
		{"system", lifecycle.RankGood, "", func(p peer) string { return p.seen.OS }},
		{"architecture", lifecycle.RankGood, "", func(p peer) string { return p.seen.Arch }},
		{"cgroup", lifecycle.RankAttention, lifecycle.RuleCgroupV1, func(p peer) string {
			if p.seen.CgroupV1 {
				return "v1"
			}
			return "v2"
		}},
		{"memory", lifecycle.RankGood, "", func(p peer) string { return memorySize(p.seen.MemoryBytes) }},
		{"swap", lifecycle.RankGood, "", func(p peer) string {
			switch {
			case p.seen.MemoryBytes == 0:
				return ""
			case p.seen.SwapBytes == 0:
				return "off"
			}
			return "on"
		}},
		{"containerd drop-in", lifecycle.RankAttention, lifecycle.RuleDropIns, undeclaredDropIns},
		{"k0s", lifecycle.RankGood, "", func(p peer) string { return p.seen.Program }},
	}
}

// memorySize is about how much it is: machines of one model differ by what their firmware keeps.
func memorySize(n int64) string {
	switch {
	case n == 0:
		return ""
	case n < 8<<30:
		return fmt.Sprintf("%d MiB", (n+256<<20)/(512<<20)*512)
	}
	return fmt.Sprintf("%d GiB", (n+2<<30)/(4<<30)*4)
}

// undeclaredDropIns are the files that somebody else gave to a machine's containerd. What the site declares, it declares for whom it means.
// On a machine with a runtime of its own nobody reads them.
func undeclaredDropIns(p peer) string {
	if p.decl.OwnRuntime() {
		return ""
	}
	var out []string
	for _, d := range p.seen.DropIns {
		if !slices.ContainsFunc(p.decl.Files, func(f lifecycle.HostFile) bool { return f.Path == d.Path }) {
			out = append(out, fmt.Sprintf("%s of version %d", d.Path, d.Form))
		}
	}
	if len(out) == 0 {
		return "none of somebody else's"
	}
	return strings.Join(out, ", ")
}

// unlike names the machines that have a trait unlike the others. There is something to be unlike where two thirds, and at least three, are
// alike: what differs everywhere is no machine's own.
func (r *report) unlike(role string, t trait, peers []peer) {
	by := map[string][]string{}
	n := 0
	for _, p := range peers {
		if v := t.of(p); v != "" {
			by[v], n = append(by[v], p.decl.Name), n+1
		}
	}
	usual := ""
	for v, names := range by {
		if len(names) >= 3 && 3*len(names) >= 2*n {
			usual = v
		}
	}
	if usual == "" || len(by) < 2 {
		return
	}
	var values []string
	for v := range by {
		if v != usual {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	slices.SortStableFunc(values, func(a, b string) int { return cmp.Compare(len(by[b]), len(by[a])) })
	var said, odd []string
	for _, v := range values {
		said, odd = append(said, fmt.Sprintf("%s on %s", v, lifecycle.Enumerate(few(by[v], mostLines)))), append(odd, by[v]...)
	}
	if t.rule != "" && r.tells(t.rule, odd) {
		return
	}
	subject := role
	if len(odd) == 1 {
		subject = odd[0]
	}
	r.find(lifecycle.ReadinessFinding{Rule: "unlike-its-siblings", Rank: t.rank, Subject: subject,
		Summary: fmt.Sprintf("%s %s, %s on %d others", t.name, strings.Join(few(said, mostLines), "; "), usual, len(by[usual])),
		Seen:    []string{"as usual: " + lifecycle.Enumerate(few(by[usual], mostLines))},
		Remedy: "Look whether it is meant: what an upgrade does to the others tells little of such a machine. It makes a good canary, and " +
			"a bad last one."})
}

// tells reports whether findings of a rule are about all of these machines.
func (r *report) tells(rule string, machines []string) bool {
	return !slices.ContainsFunc(machines, func(m string) bool {
		return !slices.ContainsFunc(r.Findings, func(f lifecycle.ReadinessFinding) bool {
			return f.Rule == rule && (f.Subject == m || slices.Contains(f.Machines, m))
		})
	})
}
