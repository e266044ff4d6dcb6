package main

import (
	"errors"
	"fmt"

	"kiban.dev/kiban/lab/machine"
)

// The versions that sites have, and are to get. The latter fails on the machines that are alike.
const (
	former = "v1.35.7+k0s.0"
	next   = "v1.36.3+k0s.2"
)

// shape is how the fleet is made.
type shape struct {
	net                       string
	sites, waves, alike, full int
	parallel                  int
}

// member is one site, which has one machine of the same name.
type member struct {
	name string
	wave int
	// alike: it has the kind of machine that the version fails on.
	alike bool
	// full: it has Kubernetes' own programs.
	full    bool
	address string
}

func (s shape) check() error {
	switch {
	case s.waves < 1 || s.sites < s.waves || s.sites > 50 || s.sites%s.waves != 0:
		return errors.New("-sites is a multiple of -waves, and 50 at most: a lab has no more controllers")
	case s.alike < 1 || s.alike > 2*s.waves || s.alike > s.sites:
		return errors.New("-alike is 1 at least, and two a wave at most")
	case s.full < 0 || s.full > s.sites || s.parallel < 1:
		return errors.New("-full is no more than -sites, -parallel 1 at least")
	}
	return nil
}

// members are the sites in the order of their waves. Of those that are alike there is one in each wave, a third of the way through it; of
// more, the last waves have a second one.
func (s shape) members() []member {
	var list []member
	each := s.sites / s.waves
	for i := range s.sites {
		wave, n := i/each+1, i%each
		m := member{name: fmt.Sprintf("site-%d-%d", wave, n), wave: wave, full: i < s.full, address: fmt.Sprintf("%s.%d", s.net, 11+i)}
		first, second := each/3, min(each/3+max(each/3+1, 1), each-1)
		m.alike = n == first && wave <= s.alike || n == second && second != first && wave > 2*s.waves-s.alike
		list = append(list, m)
	}
	return list
}

// machines are the lab's: those that are alike differ from the others by their architecture, and so by their kernel.
func (s shape) machines() []machine.Spec {
	var list []machine.Spec
	for _, m := range s.members() {
		spec := machine.Spec{Name: m.name, Role: machine.RoleController, Arch: "amd64", Light: !m.full}
		if m.alike {
			spec.Arch = "arm64"
		}
		list = append(list, spec)
	}
	return list
}
