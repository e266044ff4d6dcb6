package plan

import (
	"fmt"
	"slices"

	"kiban.dev/kiban/lifecycle"
)

// room is what a k0s binary and its upload need on disk: releases of 2026 are about 270 MB.
const room = 350 << 20

// install is a version that a step puts in place on a host.
type install struct {
	host    string
	version lifecycle.Version
}

// installs are the versions that the steps so far put in place.
func (p *planner) installs() map[install]bool {
	out := map[install]bool{}
	p.eachInstall(func(st *step) { out[install{st.Target, st.Version}] = true })
	return out
}

// eachInstall visits the steps that put a binary in place, in order.
func (p *planner) eachInstall(visit func(*step)) {
	for _, s := range p.work {
		for _, st := range s.steps {
			if st.Action.Installs() {
				visit(st)
			}
		}
	}
}

// ready makes the machines ready for the steps so far, before any of those: nothing has been disturbed yet when a package is missing
// or a checksum is wrong.
func ready(p *planner) {
	hosts := &stage{Stage: lifecycle.Stage{ID: "prepare", Title: "prepare hosts"}}
	binaries := &stage{Stage: lifecycle.Stage{ID: "binaries", Title: "stage k0s binaries", Width: lifecycle.UploadsAtOnce}}
	asked := &stage{Stage: lifecycle.Stage{ID: "preflight", Title: "ask the new k0s about each machine"}}
	needed, inPlace := map[string]int64{}, map[string]lifecycle.Version{} // by host, as the steps go
	p.eachInstall(func(st *step) {
		m := p.member(st.Target)
		if st.Action.Enrols() {
			prepare := p.do(lifecycle.ActionPrepare, m, "it is to become a member")
			hosts.add(prepare)
			st.after = append(st.after, prepare)
		}
		before, changed := inPlace[m.Name]
		if !changed {
			before = m.seen.Binary
		}
		inPlace[m.Name] = st.Version
		staged := slices.ContainsFunc(st.after, func(s *step) bool { return s.Action == lifecycle.ActionUpload })
		kept := st.Action == lifecycle.ActionRestoreFormer // on the machine
		if st.Action == lifecycle.ActionUpgrade && before != st.Version {
			asked.add(p.preflight(m, st.Version))
		}
		if before == st.Version || staged || kept || slices.Contains(m.seen.Staged, st.Version) {
			return
		}
		get := p.do(lifecycle.ActionUpload, m, fmt.Sprintf("k0s %s is neither installed nor staged", st.Version))
		get.Version, get.hop = st.Version, st.Version
		binaries.add(get)
		st.after = append(st.after, get)
		needed[m.Name] += room
	})
	for _, m := range p.members {
		if n := needed[m.Name]; m.seen.FreeBytes < n {
			p.find(lifecycle.Errorf(m.Name, "not enough room for the k0s binary").
				Because(fmt.Sprintf("%d MiB are free on the filesystem of /usr/local/bin, %d MiB are needed.", m.seen.FreeBytes>>20, n>>20)).
				Try("Make room on the host; nothing was changed."))
		}
	}
	p.work = slices.Concat([]*stage{hosts, binaries}, p.beforeHops(asked))
}

// beforeHops puts the questions before the first stage that is for one of the versions asked: its backup, or the first machine that gets
// it. What comes before that, such as a node that an interrupted run left closed, does not wait for the answers.
func (p *planner) beforeHops(asked *stage) []*stage {
	hops := map[lifecycle.Version]bool{}
	for _, st := range asked.steps {
		hops[st.Version] = true
	}
	i := slices.IndexFunc(p.work, func(s *stage) bool {
		return slices.ContainsFunc(s.steps, func(st *step) bool {
			return hops[st.hop] || st.Action == lifecycle.ActionUpgrade && hops[st.Version]
		})
	})
	return slices.Insert(slices.Clone(p.work), max(i, 0), asked)
}

// preflight is the step that asks a version whether it can run on a member. All are asked at once, so that all refusals are told together.
// A member that has the version in place is not asked: it was, before that.
func (p *planner) preflight(m *member, v lifecycle.Version) *step {
	st := p.do(lifecycle.ActionPreflight, m, fmt.Sprintf("k0s %s says itself what it needs of the machine", v))
	st.Version, st.hop = v, v
	return st
}

func (p *planner) member(name string) *member {
	if m := p.named[name]; m != nil {
		return m
	}
	panic("plan: a step for a host that is not declared: " + name) // steps are made from members: a bug, not a condition
}
