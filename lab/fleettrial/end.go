package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// stand is how one site stands in the end.
type stand struct {
	// turn and hold are what "kiban fleet next" says.
	turn, hold string
	// version is what its machine runs, and ready what its API says of the node.
	version string
	ready   bool
}

func (s stand) String() string {
	ready := "Ready"
	if !s.ready {
		ready = "not Ready"
	}
	return fmt.Sprintf("%s, %s, %s", strings.TrimSpace(s.turn+" "+s.hold), s.version, ready)
}

// trial is how one way to roll the version out ended.
type trial struct {
	name, told string
	took       time.Duration
	end        map[string]stand
}

// harmed are the sites of the fleet that run the version and whose node is not Ready.
func (t trial) harmed() []string {
	return t.those(func(s stand) bool { return s.version != former && !s.ready })
}

// through are the sites that run the version and are well.
func (t trial) through() []string {
	return t.those(func(s stand) bool { return s.version == next && s.ready })
}

func (t trial) those(is func(stand) bool) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(t.end)) {
		if is(t.end[name]) {
			list = append(list, name)
		}
	}
	return list
}

// differences tells of each site that ended otherwise.
func differences(want, got map[string]stand) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if want[name] != got[name] {
			list = append(list, fmt.Sprintf("%s: %s, and not %s", name, got[name], want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			list = append(list, name+" was not there before")
		}
	}
	return list
}

// checked reports as an error that holding by likeness was worse than what it is held against: more sites harmed than by stopping waves,
// or fewer through than with nothing that stops it.
func checked(ts []trial) error {
	likeness, waves, nothing := ts[0], ts[1], ts[2]
	if len(likeness.harmed()) > len(waves.harmed()) || len(likeness.through()) < len(nothing.through()) {
		return fmt.Errorf("holding by likeness harmed %v and got %d sites through", likeness.harmed(), len(likeness.through()))
	}
	return nil
}
