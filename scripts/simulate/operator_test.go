package simulate

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kiban.dev/kiban/lifecycle/session"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// operator is somebody who types `kiban apply`, again and again. Some of the processes are killed, or stopped for a while.
func (s *sim) operator(ctx context.Context, who string) {
	r := s.rand("operator " + who)
	for n := 1; s.sleep(ctx, within(r, time.Second, 90*time.Second)); n++ {
		p := s.process(ctx, who, n)
		running, end := context.WithCancel(ctx)
		if s.rules.kills && r.IntN(2) == 0 {
			after := within(r, time.Second, 6*time.Minute)
			go s.later(running, after, func() { s.killed(p) })
		}
		if s.rules.pauses && r.IntN(2) == 0 {
			after, lasts := within(r, time.Second, 5*time.Minute), within(r, 5*time.Second, 4*time.Minute)
			go s.later(running, after, func() { s.stopped(p, lasts) })
		}
		wait := time.Duration(r.IntN(2)) * 5 * time.Minute
		res, err := s.apply(running, p, wait) // what became of it is in the history
		end()
		if err == nil && res.Run == "" {
			s.sleep(ctx, within(r, 10*time.Second, 4*time.Minute)) // there is nothing to do
		}
	}
}

func (s *sim) later(ctx context.Context, d time.Duration, do func()) {
	if s.sleep(ctx, d) {
		s.with(do)
	}
}

// process is a new kiban on the repository's head.
func (s *sim) process(_ context.Context, who string, n int) *process {
	p := &process{sim: s, who: who, name: fmt.Sprintf("%s.%d", who, n)}
	s.with(func() {
		p.site = s.w.site
		s.processes = append(s.processes, p)
	})
	return p
}

// killed ends a process at once.
func (s *sim) killed(p *process) {
	if p.kill != nil && !p.dead {
		s.record("%s is killed", p.name)
		p.dead = true
		p.kill()
	}
}

// stopped is SIGSTOP, and SIGCONT a while later.
func (s *sim) stopped(p *process, lasts time.Duration) {
	s.record("%s is stopped for %s", p.name, lasts.Round(time.Second))
	p.until = time.Now().Add(lasts)
	p.resumed = p.until
}

// apply runs `kiban apply` to its end.
func (s *sim) apply(ctx context.Context, p *process, wait time.Duration) (session.Result, error) {
	ctx, p.kill = context.WithCancel(ctx)
	defer p.kill()
	defer s.with(func() { p.kill = nil })
	opts := session.Options{Fleet: filepath.Join(s.dir, p.who), Who: p.who, Where: "ws", LockTimeout: wait}
	s.with(func() { s.record("%s begins at %s", p.name, p.site.Revision) })
	one := session.With(p.site, opts, p.ports())
	res, err := one.Apply(ctx, session.ApplyOptions{})
	s.with(func() {
		p.over = true
		s.record("%s ends: %s", p.name, cmp.Or(res.Summary, "nothing done"))
		if err != nil {
			s.remark(err.Error())
		}
	})
	return res, err
}

// settleTries bounds how often the same command is given when nothing goes wrong any more, settleWithin how long each may take.
const (
	settleTries  = 8
	settleWithin = 2 * time.Hour
)

// settle gives the same command until there is nothing to do, and holds that the site is then as declared.
func (s *sim) settle(ctx context.Context) {
	s.sleep(ctx, time.Minute)
	for n := range settleTries {
		p := s.process(ctx, "dave", n+1)
		bounded, cancel := context.WithTimeout(ctx, settleWithin)
		res, err := s.apply(bounded, p, 10*time.Minute)
		cancel()
		if err == nil && res.Run == "" {
			s.with(s.ended)
			return
		}
		s.sleep(ctx, 30*time.Second)
	}
	s.with(func() { s.fail("the same command does not come to an end") })
}

// ended holds that the site is as declared, and nothing is left behind.
func (s *sim) ended() {
	w := s.w
	for _, h := range w.site.Cluster.Hosts {
		m := w.machines[h.Name]
		d := m.disk
		if h.Reset {
			if !w.isGone(h.Name) {
				s.fail("%s was to be removed, and is there", h.Name)
			}
			continue
		}
		if m.running(time.Now()) != w.site.Cluster.Version || d.Binary != w.site.Cluster.Version {
			s.fail("%s ends at %s, with %s on its disk", h.Name, m.running(time.Now()), d.Binary)
		}
		if d.Token || len(d.Staged) > 0 || !d.Former.IsZero() || !d.Kept.IsZero() {
			s.fail("%s ends with token %t, staged %v, former %s, settings of %s", h.Name, d.Token, d.Staged, d.Former, d.Kept)
		}
		if h.Role.IsController() && (d.ConfigDigest != h.ConfigDigest || !slices.Contains(w.etcd, h.Name)) {
			s.fail("%s ends without its configuration, or outside of etcd", h.Name)
		}
		for _, f := range h.Files {
			if d.File(f.Path).Digest != f.Digest || f.Restart && m.loaded[f.Path] != f.Digest {
				s.fail("%s ends without %s, or k0s has not read it", h.Name, f.Path)
			}
		}
		if n := w.nodes[h.Name]; h.Role.RunsWorkloads() && (n == nil || !n.Ready || !n.Mark.IsZero() || n.Unschedulable != w.closed[h.Name]) {
			s.fail("%s ends as the node %+v", h.Name, n)
		}
	}
	for _, member := range w.etcd {
		if h, ok := w.site.Cluster.Host(member); !ok || h.Reset {
			s.fail("%s ends in etcd", member)
		}
	}
	for name := range w.nodes {
		if h, ok := w.site.Cluster.Host(name); !ok || h.Reset {
			s.fail("%s ends as a node", name)
		}
	}
	if holder := w.lease.lock.Holder; strings.HasPrefix(holder, "dave") {
		s.fail("%s has ended, and holds the lock", holder)
	}
	s.record("as declared: %s", strings.Join(w.etcd, " "))
}
