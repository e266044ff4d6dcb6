package lifecycle

import (
	"slices"
	"testing"
)

func TestNext(t *testing.T) {
	racks := []Domain{{"a", []string{"w1", "w3"}}, {"b", []string{"w2", "w4"}}}
	for name, c := range map[string]struct {
		stage Stage
		p     Progress
		want  []string
	}{
		"serial":                {Stage{Width: 1}, Progress{Waiting: []string{"w1", "w2"}}, []string{"w1", "w2"}},
		"serial, one under way": {Stage{Width: 1}, Progress{Waiting: []string{"w2"}, Running: []string{"w1"}}, nil},
		"none left":             {Stage{}, Progress{Running: []string{"w1"}}, nil},
		"canary first":          {Stage{Width: 3, Canary: 1}, Progress{Waiting: []string{"w2"}, Running: []string{"w1"}}, nil},
		"the window is open": {Stage{Width: 3, Canary: 1}, Progress{Waiting: []string{"w3"}, Running: []string{"w2"}, Finished: 1},
			[]string{"w3"}},
		"no limit":                 {Stage{}, Progress{Waiting: []string{"x"}, Running: make([]string, AtOnce-1)}, []string{"x"}},
		"no limit but that of SSH": {Stage{}, Progress{Waiting: []string{"x"}, Running: make([]string, AtOnce)}, nil},
		"the first one's domain":   {Stage{Width: 4, Domains: racks}, Progress{Waiting: []string{"w2", "w3", "w4"}}, []string{"w2", "w4"}},
		"the domain that is under way": {Stage{Width: 4, Domains: racks},
			Progress{Waiting: []string{"w2", "w3", "w4"}, Running: []string{"w1"}}, []string{"w3"}},
		"another domain waits for it": {Stage{Width: 4, Domains: racks}, Progress{Waiting: []string{"w2", "w4"}, Running: []string{"w1"}},
			nil},
		"those of no domain are one, too": {Stage{Width: 4, Domains: racks}, Progress{Waiting: []string{"x", "w1", "y"}}, []string{"x", "y"}},
		"those that are out fill the window": {Stage{Width: 2}, Progress{Waiting: []string{"w1", "w2", "w3"}, Out: []string{"w1", "w2"}},
			[]string{"w1", "w2"}},
		"one that is out waits, and so does the window": {Stage{Width: 2},
			Progress{Waiting: []string{"w1", "w3"}, Running: []string{"w2"}, Out: []string{"w1", "w2"}}, []string{"w1"}},
		"one that is out leaves room": {Stage{Width: 3}, Progress{Waiting: []string{"w1", "w3"}, Running: []string{"w2"},
			Out: []string{"w1", "w2"}}, []string{"w1", "w3"}},
		"those that were out have had their turn": {Stage{Width: 2}, Progress{Waiting: []string{"w3", "w4"}, Out: []string{"w1", "w2"},
			Finished: 2}, []string{"w3", "w4"}},
		"more are out than may be": {Stage{Width: 1, Canary: 1}, Progress{Waiting: []string{"w1", "w2", "w3"}, Out: []string{"w1", "w2"}},
			[]string{"w1", "w2"}},
		"what is out of another domain takes up its place": {Stage{Width: 2, Domains: racks},
			Progress{Waiting: []string{"w2", "w3"}, Running: []string{"w1"}, Out: []string{"w1", "w2"}}, nil},
	} {
		if got := c.stage.Next(c.p); !slices.Equal(got, c.want) {
			t.Errorf("%s: next %v, want %v", name, got, c.want)
		}
	}
	p := Progress{Waiting: []string{"w1", "w2"}}
	q := p.Started("w1").Ended("w1")
	if len(q.Waiting) != 1 || len(q.Running) != 0 || q.Finished != 1 || len(p.Waiting) != 2 {
		t.Errorf("after w1: %+v; before: %+v", q, p)
	}
}

// Where what runs and what lies on the disk differ, a host is at the lower one: it is not past that.
func TestLevel(t *testing.T) {
	v135, v136 := Version{1, 35, 1, "", 0}, Version{1, 36, 1, "", 0}
	for name, c := range map[string]struct {
		h    HostState
		want Version
	}{
		"no member":             {HostState{Binary: v136}, Version{}},
		"runs":                  {HostState{ServiceName: "k0sworker", Binary: v136, Running: v136}, v136},
		"does not run":          {HostState{ServiceName: "k0sworker", Binary: v136}, v136},
		"data only":             {HostState{Data: true, Binary: v135}, v135},
		"newer on the disk":     {HostState{ServiceName: "k0sworker", Binary: v136, Running: v135}, v135},
		"older on the disk":     {HostState{ServiceName: "k0sworker", Binary: v135, Running: v136}, v135},
		"a binary that is none": {HostState{ServiceName: "k0sworker", Running: v136}, v136},
	} {
		if got := c.h.Level(); got != c.want {
			t.Errorf("%s: at %s, want %s", name, got, c.want)
		}
	}
	for v, want := range map[Version]bool{v135: true, v136: true, {1, 34, 9, "", 0}: false, {2, 0, 0, "", 0}: true,
		{1, 35, 0, "rc.1", 0}: true} {
		if v.NeedsCgroupV2() != want {
			t.Errorf("%s needs cgroup v2: %t", v, !want)
		}
	}
}
