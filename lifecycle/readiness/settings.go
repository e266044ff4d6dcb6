package readiness

import (
	"fmt"
	"slices"
	"strings"

	"kiban.dev/kiban/lifecycle"
)

// setForVersion holds flags, feature gates, admission plugins and fields that are set against every minor on the way. A program that is
// given a flag or a gate that it does not know, or a locked gate's other value, prints that and exits: k0s starts it again and again, and
// the machine is out of service until somebody changes the configuration.
func setForVersion(in Input, r *report) {
	k := readKnown()
	way := hops(r.From, in.Target)
	if len(way) == 0 {
		return
	}
	all := collect(in)
	if last := way[len(way)-1]; last > k.last() || way[0] < k.first() {
		why := noRelease
		if !in.Target.Support().Released.IsZero() {
			why = fmt.Sprintf("kiban's data is of %s to %s", minorName(k.first()), minorName(k.last()))
		}
		r.unseen("which flags and feature gates "+in.Target.MinorString()+" has", why, newerKiban)
		if way = slices.DeleteFunc(way, func(m int) bool { return m > k.last() || m < k.first() }); len(way) == 0 {
			return
		}
	}
	j := judge{known: k, way: way}
	for _, s := range all.all {
		v, found := j.verdict(s)
		if found && (v.rank != lifecycle.RankGood || len(s.declared) > 0) {
			r.find(j.finding(s, v))
		}
	}
	for _, f := range j.needs(all.all) {
		r.find(f)
	}
	if n := len(all.all); n > 0 {
		r.looked(lifecycle.Count(n, "setting") + " of Kubernetes' programs")
	}
}

// verdict is what becomes of a setting.
type verdict struct {
	rank lifecycle.Rank
	// at is the minor from which on it holds.
	at      int
	summary string
	seen    []string
	remedy  string
}

// judge holds settings against what the minors on the way know.
type judge struct {
	known
	way []int
}

// minors are those of the way that a setting is for.
func (j judge) minors(s *setting) []int {
	return slices.DeleteFunc(slices.Clone(j.way), func(m int) bool { return m < s.since || s.until > 0 && m >= s.until })
}

// soon is how many minors after the target something may go in for it to be said now: an upgrade every half year leaves that much time.
const soon = 2

// verdict is what becomes of a setting on the way, and whether there is anything to say.
func (j judge) verdict(s *setting) (verdict, bool) {
	minors := j.minors(s)
	if len(minors) == 0 {
		return verdict{}, false
	}
	last := minors[len(minors)-1]
	switch {
	case s.program == k0sItself || s.kind == aField:
		return j.newer(s, minors)
	case s.kind == aGate:
		return j.gateVerdict(s, minors)
	case s.kind == aFlag:
		if len(j.Flags[s.program]) == 0 {
			return verdict{}, false
		}
		has := func(m int) (knownName, bool) { f, ok := j.flag(s.program, s.name, m); return f.knownName, ok }
		if v, found := j.gone(s, minors, has); found {
			if f, _ := j.flag(s.program, s.name, v.at); f.Says != "" {
				v.seen = append(v.seen, quoted(s.program, f.Says))
			}
			return v, true
		}
		if s.program == controllerManager && s.name == "cloud-provider" && s.value != "" && s.value != "external" {
			return j.cloudProvider(s, minors)
		}
		if f, _ := j.flag(s.program, s.name, last); f.Deprecated != "" && minorNumber(f.Deprecated) <= last && !k0sSets(s.program, s.name) {
			return verdict{rank: lifecycle.RankGood, summary: fmt.Sprintf("%s of %s is deprecated", s.called(), s.program),
				seen: []string{quoted(s.program, f.Says)}, remedy: s.away("Replace")}, true
		}
	case s.kind == aPlugin:
		return j.gone(s, minors, func(m int) (knownName, bool) { return rowOf(j.Plugins, s.name, m) })
	case s.kind == aController:
		return j.gone(s, minors, func(m int) (knownName, bool) { return rowOf(j.Controllers, s.name, m) })
	}
	return verdict{}, false
}

// gone judges what a minor on the way does not know, or one soon after.
func (j judge) gone(s *setting, minors []int, has func(int) (knownName, bool)) (verdict, bool) {
	for _, m := range minors {
		row, ok := has(m)
		if ok {
			continue
		}
		v := verdict{rank: j.certain(m), at: m, seen: j.source(m), remedy: s.away("Remove") + " before the upgrade.",
			summary: fmt.Sprintf("%s of %s %s no %s %s and %s not start with it", s.who(), minorName(m), s.verb("has", "have"), s.kind, s.called(),
				s.verb("does", "do"))}
		switch {
		case row.Name == "":
			v.seen = append(v.seen, fmt.Sprintf("no version from %s to %s has it", minorName(j.first()), minorName(j.last())))
		case minorNumber(row.From) > m:
			v.seen = append(v.seen, "it begins with "+minorName(minorNumber(row.From)))
			v.remedy = fmt.Sprintf("%s; declare it again once all machines run %s.", s.away("Remove"), minorName(minorNumber(row.From)))
		}
		return v, true
	}
	last := minors[len(minors)-1]
	for m := last + 1; m <= min(last+soon, j.last()) && (s.until == 0 || m < s.until); m++ {
		if _, ok := has(m); !ok {
			return verdict{rank: lifecycle.RankAttention, at: m, seen: j.source(m), remedy: s.away("Remove") + " before that upgrade.",
				summary: fmt.Sprintf("%s %s the %s %s in %s", s.who(), s.verb("loses", "lose"), s.kind, s.called(), minorName(m))}, true
		}
	}
	return verdict{}, false
}

func (j judge) gateVerdict(s *setting, minors []int) (verdict, bool) {
	v, found := j.gone(s, minors, func(m int) (knownName, bool) { row, _, ok := j.gate(s.name, m); return row.knownName, ok })
	for _, m := range minors {
		_, is, ok := j.gate(s.name, m)
		if !ok || !is.Locked || fmt.Sprint(is.On) == s.value {
			continue
		}
		if found && v.rank == lifecycle.RankBlocks && v.at <= m {
			break
		}
		return verdict{rank: j.certain(m), at: m, seen: j.source(m),
			remedy: s.away("Remove") + " before the upgrade, and try what it was for: that cannot be had any more.",
			summary: fmt.Sprintf("%s of %s %s the feature gate %s to %v and %s not start with %s", s.who(), minorName(m), s.verb("locks", "lock"),
				s.name, is.On, s.verb("does", "do"), s.value)}, true
	}
	if found {
		return v, true
	}
	last := minors[len(minors)-1]
	row, is, _ := j.gate(s.name, last)
	if goes := minorNumber(row.Goes); goes > last && goes <= last+soon && (s.until == 0 || goes < s.until) {
		return verdict{rank: lifecycle.RankAttention, at: goes, remedy: s.away("Remove") + " before that upgrade.",
			seen:    []string{fmt.Sprintf("the source of %s says that it is removed in %s", j.release(j.last()), minorName(goes))},
			summary: fmt.Sprintf("Kubernetes removes the feature gate %s in %s", s.name, minorName(goes))}, true
	}
	switch {
	case is.Locked:
		return verdict{rank: lifecycle.RankGood, remedy: s.away("Remove"),
			summary: fmt.Sprintf("the feature gate %s does nothing any more: it is locked to %v", s.name, is.On)}, true
	case is.Stage == "deprecated":
		return verdict{rank: lifecycle.RankGood, remedy: "Plan to do without it.",
			summary: fmt.Sprintf("the feature gate %s is deprecated: a later version takes it away", s.name)}, true
	}
	return verdict{}, false
}

// needs finds gates that are on and need one that is off: since 1.35, such a program does not start.
func (j judge) needs(all []*setting) []lifecycle.ReadinessFinding {
	var out []lifecycle.ReadinessFinding
	for _, s := range all {
		if s.kind != aGate {
			continue
		}
		for _, m := range j.minors(s) {
			if _, is, has := j.gate(s.name, m); !has || is.Locked && fmt.Sprint(is.On) != s.value {
				break // which is told of already
			}
			var programs []string
			why := ""
			for _, program := range s.programs {
				if unmet := j.unmet(s, gatesOf(all, s, program), m); unmet != "" {
					programs, why = append(programs, program), unmet
				}
			}
			if why == "" {
				continue
			}
			only := *s
			only.programs = programs
			out = append(out, j.finding(s, verdict{rank: j.certain(m), at: m, seen: j.source(m), remedy: s.away("Change") + " before the upgrade.",
				summary: fmt.Sprintf("%s of %s %s not start: %s", only.who(), minorName(m), only.verb("does", "do"), why)}))
			break
		}
	}
	return out
}

// gatesOf are the gates that a program is given together with one of them.
func gatesOf(all []*setting, s *setting, program string) map[string]string {
	set := map[string]string{}
	for _, o := range all {
		if o.kind == aGate && slices.Contains(o.programs, program) && o.with(s) {
			set[o.name] = o.value
		}
	}
	set[s.name] = s.value
	return set
}

// with reports whether two settings are given to one process: a worker profile's are not given to machines of another.
func (s *setting) with(o *setting) bool {
	return !s.idle && len(s.declared) > 0 && (s.group == "" || o.group == "" || s.group == o.group)
}

// unmet says which gate's need a setting leaves unmet in a minor: what needs it, or what it needs. Of two settings that are at odds the one
// that switches off is named.
func (j judge) unmet(s *setting, set map[string]string, m int) string {
	on := func(name string) bool {
		if v, said := set[name]; said {
			return v == "true"
		}
		_, is, _ := j.gate(name, m)
		return is.On
	}
	for _, g := range j.Gates {
		is, has := g.at(m)
		if !has || !on(g.Name) {
			continue
		}
		for _, need := range is.Needs {
			_, said := set[need]
			if !on(need) && (need == s.name || g.Name == s.name && !said) {
				return fmt.Sprintf("the feature gate %s is on and needs %s, which is off", g.Name, need)
			}
		}
	}
	return ""
}

// newer judges k0s's own flags, components and fields, and a kubelet's fields: none has gone in the minors that are known; some are too new
// for a hop.
func (j judge) newer(s *setting, minors []int) (verdict, bool) {
	since := 0
	switch s.kind {
	case aField:
		since = minorNumber("1." + s.value)
	case aFlag:
		since = k0sFlags()[s.name]
	case aComponent:
		since = map[string]int{"update-prober": 32}[s.name]
	}
	for _, m := range minors {
		if m >= since {
			continue
		}
		v := verdict{rank: lifecycle.RankBlocks, at: m, seen: []string{"it begins with " + minorName(since)},
			summary: fmt.Sprintf("k0s of %s has no %s %s and does not start with it", minorName(m), s.kind, s.called()),
			remedy:  fmt.Sprintf("%s; declare it again once all machines run %s.", s.away("Remove"), minorName(since))}
		if s.program == kubelet {
			v.rank = lifecycle.RankAttention
			v.summary = fmt.Sprintf("k0s of %s has no kubelet's field %s and drops it without a word", minorName(m), s.name)
		}
		return v, true
	}
	return verdict{}, false
}

// k0sFlags are the flags of `k0s install` that came with a minor since 1.30, as its pkg/config/cli.go has them at each release
// (https://github.com/k0sproject/k0s). None has gone between 1.30 and 1.36.
func k0sFlags() map[string]int {
	return map[string]int{"kubelet-root-dir": 31, "ignore-pre-flight-checks": 33, "init-only": 33, "feature-gates": 34,
		"api-server-stop-timeout": 36}
}

// cloudProvider judges a provider that is built in: Kubernetes 1.31 took the last of them out, and its controller manager refuses their
// names.
func (j judge) cloudProvider(s *setting, minors []int) (verdict, bool) {
	for _, m := range minors {
		if m >= 31 {
			return verdict{rank: lifecycle.RankBlocks, at: m, seen: []string{"built-in cloud providers are gone since v1.31"},
				summary: fmt.Sprintf("%s of %s has no cloud provider %s and does not start with it", s.program, minorName(m), s.value),
				remedy:  "Install that provider's own controller manager, and write external."}, true
		}
	}
	return verdict{}, false
}

// k0sSets reports whether k0s gives a program that flag, too: whoever sets it to another value has no more to do about its deprecation than
// k0s has.
func k0sSets(program, flag string) bool {
	return program == scheduler && (flag == "profiling" || flag == "kubeconfig") || program == kubelet && flag == "runtime-cgroups"
}

// certain is the rank of what keeps a program from starting in a minor. Of one that is not released it may change yet.
func (j judge) certain(m int) lifecycle.Rank {
	if !j.isOut(m) {
		return lifecycle.RankAttention
	}
	return lifecycle.RankBlocks
}

// source says which sources a minor was read from, where that is no release.
func (j judge) source(m int) []string {
	if j.isOut(m) {
		return nil
	}
	return []string{fmt.Sprintf("%s is not released; read from %s", minorName(m), j.release(m))}
}

// finding is what is told of a setting. What only a machine has is not what the upgrade starts it with; what nothing reads stops nothing.
func (j judge) finding(s *setting, v verdict) lifecycle.ReadinessFinding {
	f := lifecycle.ReadinessFinding{Rule: "setting", Rank: v.rank, Subject: s.subject(), Summary: v.summary,
		Seen: append(s.evidence(), v.seen...), Remedy: v.remedy}
	if v.at > 0 {
		f.Breaks = minorName(v.at)
	}
	for _, d := range s.declared {
		if at := s.places[d]; len(at) > 0 && f.Source == "" {
			f.Source = at[0]
		}
	}
	if f.Rank == lifecycle.RankGood {
		return f
	}
	switch {
	case s.idle:
		f.Rank = lifecycle.RankGood
	case len(s.declared) == 0 && f.Rank == lifecycle.RankBlocks:
		f.Rank = lifecycle.RankAttention
		f.Remedy = "The declaration does not have it. Apply that before the version changes, and see that it is gone."
	}
	return f
}

// who are the programs that a setting is for.
func (s *setting) who() string { return lifecycle.Enumerate(s.programs) }

// verb is a verb as it goes with who.
func (s *setting) verb(one, many string) string {
	if len(s.programs) == 1 {
		return one
	}
	return many
}

func (s *setting) subject() string {
	if s.kind == aGate {
		return "feature gate " + s.name
	}
	return s.program + " " + s.called()
}

// called is how a setting is written.
func (s *setting) called() string {
	switch s.kind {
	case aFlag:
		return "--" + s.name
	case aGate:
		return s.name + "=" + s.value
	}
	return s.name
}

// evidence is where a setting was found.
func (s *setting) evidence() []string {
	var out []string
	of := ""
	if len(s.hosts) > 0 {
		of = " of " + lifecycle.Few(s.hosts)
	}
	for _, d := range s.declared {
		line := "declared: " + d + of
		if at := s.places[d]; len(at) > 0 {
			line += " (" + lifecycle.Few(at) + ")"
		}
		out = append(out, line)
	}
	if s.idle {
		out = append(out, "no machine has that profile")
	}
	if len(s.seen) > 0 {
		out = append(out, "seen on "+lifecycle.Few(s.seen))
	}
	return out
}

// away is the beginning of a remedy: what to do with it, and where.
func (s *setting) away(verb string) string {
	if len(s.declared) == 0 {
		return verb + " " + s.called()
	}
	return verb + " " + s.called() + " in " + strings.Join(s.declared, " and ")
}

// quoted is what a program says, as its words.
func quoted(program, says string) string {
	return program + " says: " + lifecycle.Shorten(says, 200)
}
