package simulate

import (
	"context"
	"math/rand/v2"
	"time"
)

// faults are what goes wrong in this world, each by a clock of its own.
func (s *sim) faults() []func(context.Context) {
	var out []func(context.Context)
	add := func(on bool, name string, every time.Duration, f func(ctx context.Context, r *rand.Rand)) {
		if on {
			out = append(out, func(ctx context.Context) {
				r := s.rand("fault " + name)
				for s.sleep(ctx, within(r, every/8, every*2)) {
					f(ctx, r)
				}
			})
		}
	}
	add(s.rules.partitions, "network", 3*time.Minute, s.partition)
	add(s.rules.power, "power", 5*time.Minute, s.powerCut)
	add(s.rules.disks, "disk", 4*time.Minute, s.fullDisk)
	add(s.rules.cordons, "administrator", 4*time.Minute, s.administrator)
	add(s.rules.clocks, "clock", 4*time.Minute, s.clockStep)
	return out
}

// partition cuts an operator off from the API, from some or all machines, or from both.
func (s *sim) partition(ctx context.Context, r *rand.Rand) {
	who := []string{"alice", "bob", "carol"}[r.IntN(s.rules.operators)]
	kind, lasts := r.IntN(4), within(r, 5*time.Second, 3*time.Minute)
	var cut []string
	s.with(func() {
		if kind != 1 {
			cut = append(cut, who+" api")
		}
		for _, name := range s.w.names() {
			if kind == 1 || kind == 2 || kind == 3 && r.IntN(2) == 0 {
				cut = append(cut, who+" "+name)
			}
		}
		for _, c := range cut {
			s.net[c] = true
		}
		s.record("cut for %s: %v", lasts.Round(time.Second), cut)
	})
	if !s.sleep(ctx, lasts) {
		return // calm ends it: who of several that end in one moment is told first would be chance
	}
	s.with(func() {
		for _, c := range cut {
			delete(s.net, c)
		}
		s.record("%s: the network is whole", who)
	})
}

// powerCut switches a machine off for a while, or reboots it.
func (s *sim) powerCut(ctx context.Context, r *rand.Rand) {
	var m *machine
	lasts := within(r, 10*time.Second, 4*time.Minute)
	s.with(func() {
		names := s.w.names()
		m = s.w.machines[names[r.IntN(len(names))]]
		s.record("%s loses power for %s", m.name, lasts.Round(time.Second))
		s.w.power(m, false)
	})
	if !s.sleep(ctx, lasts) {
		return
	}
	s.with(func() {
		s.record("%s has power", m.name)
		s.w.power(m, true)
	})
}

func (s *sim) fullDisk(ctx context.Context, r *rand.Rand) {
	var m *machine
	s.with(func() {
		names := s.w.names()
		m = s.w.machines[names[r.IntN(len(names))]]
		m.full = true
		s.record("the disk of %s is full", m.name)
	})
	if !s.sleep(ctx, within(r, 10*time.Second, 4*time.Minute)) {
		return
	}
	s.with(func() { m.full = false; s.record("the disk of %s has room", m.name) })
}

// administrator cordons a worker by hand, or opens one again. Enough stay open for pods to move to.
func (s *sim) administrator(_ context.Context, r *rand.Rand) {
	s.with(func() {
		workers := s.w.site.Cluster.Workers()
		if len(workers) == 0 {
			return
		}
		h := workers[r.IntN(len(workers))].Name
		n := s.w.nodes[h]
		switch {
		case n == nil || !s.w.apiUp() || !n.Mark.IsZero():
		case s.w.closed[h]:
			delete(s.w.closed, h)
			n.Unschedulable, n.version, n.opened = false, n.version+1, time.Now()
			s.record("an administrator opens %s", h)
		case len(s.w.closed)+1+s.w.site.Policy.Workers.AtOnce(len(workers)) < len(workers):
			s.w.closed[h] = true
			n.Unschedulable, n.version = true, n.version+1
			s.record("an administrator closes %s", h)
		}
	})
}

// clockStep sets a machine's clock wrong, or right again.
func (s *sim) clockStep(_ context.Context, r *rand.Rand) {
	s.with(func() {
		names := s.w.names()
		m := s.w.machines[names[r.IntN(len(names))]]
		m.skew = []time.Duration{0, 0, 3 * time.Second, -3 * time.Second, time.Hour, -time.Hour}[r.IntN(6)]
		s.record("the clock of %s is off by %s", m.name, m.skew)
	})
}

// changes are what is merged meanwhile.
func (s *sim) changes(ctx context.Context) {
	r := s.rand("changes")
	for range s.rules.changes {
		if !s.sleep(ctx, within(r, time.Minute, s.rules.lasts/time.Duration(s.rules.changes))) {
			return
		}
		s.with(func() {
			if next, ok := s.w.change(r); ok {
				s.w.declare(next)
				s.record("merged: %s", describe(next))
			}
		})
	}
}
