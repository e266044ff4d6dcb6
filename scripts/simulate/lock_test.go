package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"kiban.dev/kiban/lifecycle"
	"kiban.dev/kiban/lifecycle/lock"
)

// The site's lock as a register with an epoch: whoever acts does so with the epoch of his lock, and finds who acted there before him. A
// history is good when its operations can be put in one order, each between its call and its return, in which nobody acts, on a controller
// or on a worker, but the one who took the lock last, epochs only rise, and everybody finds what the order says.
//
// A controller that loses power forgets what lay under /run, the epoch too: after that it may be one that there was before. Who may act is
// as it was.

// acquired, acted and forgot are the inputs of operations; what acted found is its output, a run.
type acquired struct {
	run   string
	epoch int
}

type acted struct {
	run   string
	epoch int
	on    string
}

type forgot struct{ machine string }

// register is the state of the model.
type register struct {
	run   string
	epoch int
	last  string // who acted last, by machine: "controller-1=alice.1 controller-2=bob.1"
}

func lockModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return register{} },
		Step: func(state, input, output any) (bool, any) {
			s := state.(register)
			switch in := input.(type) {
			case acquired:
				return in.epoch > s.epoch, register{in.run, in.epoch, s.last}
			case acted:
				good := in.run == s.run && in.epoch >= s.epoch && lastOn(s.last, in.on) == output.(string)
				return good, register{s.run, in.epoch, with(s.last, in.on, in.run)}
			case forgot:
				return true, register{s.run, 0, s.last}
			}
			return false, s
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v %v", input, output) },
	}
}

func lastOn(all, on string) string {
	for word := range strings.FieldsSeq(all) {
		if run, ok := strings.CutPrefix(word, on+"="); ok {
			return run
		}
	}
	return ""
}

func with(all, on, run string) string {
	words := slices.DeleteFunc(strings.Fields(all), func(w string) bool { return strings.HasPrefix(w, on+"=") })
	words = append(words, on+"="+run)
	slices.Sort(words)
	return strings.Join(words, " ")
}

// contest is a bubble in which runs do nothing but hold the lock and act.
type contest struct {
	*sim
	history []porcupine.Operation
	last    map[string]string // who acted last, by machine
}

// playLock is a history of the lock from a seed, and whether it is one of the register.
func playLock(seed uint64) (good bool, out outcome, operations int) {
	s := newSim(seed, "")
	r := s.rand("lock")
	s.rules = randomRules(r)
	s.rules.operators, s.rules.lasts = 2+r.IntN(2), time.Duration(4+r.IntN(8))*time.Minute
	c := &contest{sim: s, last: map[string]string{}}
	s.w = newWorld(s, lockSite([]int{1, 3, 3, 5}[r.IntN(4)]))
	s.w.brought()
	s.w.onPowerCut = func(m *machine) {
		if m.disk.ServiceName == "k0scontroller" {
			now := time.Since(s.began).Nanoseconds()
			c.history = append(c.history, porcupine.Operation{ClientId: -1, Input: forgot{m.name}, Call: now, Output: "",
				Return: now})
		}
	}
	ctx, end := context.WithCancel(context.Background())
	var nature sync.WaitGroup
	nature.Go(func() { s.nature(ctx) })
	disturbed, stop := context.WithTimeout(ctx, s.rules.lasts)
	var all sync.WaitGroup
	for _, f := range s.faults() {
		all.Go(func() { f(disturbed) })
	}
	if r.IntN(2) == 0 {
		all.Go(func() { s.apiAway(disturbed) })
	}
	for i := range s.rules.operators {
		all.Go(func() { c.contender(disturbed, []string{"alice", "bob", "carol"}[i]) })
	}
	all.Wait()
	stop()
	s.with(s.calm)
	s.sleep(ctx, 3*time.Minute) // what is on its way arrives
	end()
	nature.Wait()
	if good = porcupine.CheckOperations(lockModel(), c.history); !good {
		for _, o := range c.history {
			s.remark(fmt.Sprintf("%10.3f to %10.3f %T%+v found %q", float64(o.Call)/1e9, float64(o.Return)/1e9, o.Input, o.Input, o.Output))
		}
	}
	return good, outcome{seed: seed, history: s.lines, broken: s.broken, digest: s.digest()}, len(c.history)
}

// lockSite has so many controllers, and a worker.
func lockSite(controllers int) lifecycle.Site {
	s := lifecycle.Site{Name: "lab", Cluster: lifecycle.Cluster{Name: "lab", Version: versions()[0]}}
	for range controllers {
		s.Cluster.Hosts = append(s.Cluster.Hosts, newHost(s, lifecycle.RoleController))
	}
	s.Cluster.Hosts = append(s.Cluster.Hosts, newHost(s, lifecycle.RoleWorker))
	return s
}

// brought has the site run as it is declared.
func (w *world) brought() {
	for _, h := range w.site.Cluster.Hosts {
		m := w.machines[h.Name]
		w.unit(m, h)
		m.disk.Binary, m.joined = w.site.Cluster.Version, true
		if h.Role.IsController() {
			w.etcd = append(w.etcd, h.Name)
		}
		w.start(m)
		m.boot = 0
	}
}

// apiAway has the API answer nobody now and then, while the machines do.
func (s *sim) apiAway(ctx context.Context) {
	r := s.rand("api")
	for s.sleep(ctx, within(r, 10*time.Second, 3*time.Minute)) {
		lasts := within(r, 5*time.Second, 2*time.Minute)
		s.with(func() { s.w.silent = true; s.record("the API is away for %s", lasts.Round(time.Second)) })
		s.sleep(ctx, lasts)
		s.with(func() { s.w.silent = false; s.record("the API is back") })
	}
}

// contender takes the lock again and again, acts with it, and gives it up; some are killed or stopped with it.
func (c *contest) contender(ctx context.Context, who string) {
	r := c.rand("operator " + who)
	for n := 1; c.sleep(ctx, within(r, 100*time.Millisecond, 20*time.Second)); n++ {
		p := c.process(ctx, who, n)
		running, kill := context.WithCancel(ctx)
		c.with(func() { p.kill = kill })
		if c.rules.kills && r.IntN(3) == 0 {
			after := within(r, time.Second, time.Minute)
			go c.later(running, after, func() { c.killed(p) })
		}
		if c.rules.pauses && r.IntN(3) == 0 {
			after, lasts := within(r, time.Second, 40*time.Second), within(r, 5*time.Second, 2*time.Minute)
			go c.later(running, after, func() { c.stopped(p, lasts) })
		}
		c.run(running, p, time.Duration(r.IntN(2))*time.Minute, 1+r.IntN(8))
		kill()
	}
}

// run takes the lock and acts so many times.
func (c *contest) run(ctx context.Context, p *process, wait time.Duration, times int) {
	seen, err := site{p}.Observe(ctx)
	if err != nil {
		return
	}
	called := time.Now()
	one := p.ports().Lock.Contend(lock.Claim{Site: "lab", Wait: wait, Lock: lifecycle.Lock{Who: p.who}})
	fence, release, err := one.Take(ctx, seen)
	if err != nil {
		return
	}
	defer release()
	p.fence = fence
	held := map[string]bool{}
	c.holds(p, held, called)
	r := c.rand("acts of " + p.name)
	api := seen.API.Unknown == ""
	for n := range times {
		hosts := p.site.Cluster.Hosts
		h := hosts[r.IntN(len(hosts))]
		if !api {
			h = hosts[0] // who has no API starts controllers and no more
		}
		if !c.act(ctx, p, held, h, n) || !c.sleep(ctx, within(r, 100*time.Millisecond, 8*time.Second)) {
			return
		}
	}
}

// holds notes what of the lock the run has taken since called.
func (c *contest) holds(p *process, held map[string]bool, called time.Time) {
	if !held["controllers"] && p.fence.Holds(true) {
		held["controllers"] = true
		c.with(func() { c.add(p, acquired{p.name, p.fence.Epoch()}, called, "") })
	}
}

// act is one step: the fence is asked, then the machine is sent one command with the lock's epoch.
func (c *contest) act(ctx context.Context, p *process, held map[string]bool, h lifecycle.Host, n int) bool {
	fence, asked := p.fence, time.Now()
	step := lifecycle.Step{ID: fmt.Sprintf("%s/%d", h.Name, n), Target: h.Name, Action: lifecycle.ActionStart}
	if err := fence.Check(ctx, step); err != nil {
		return false
	}
	c.holds(p, held, asked)
	guarded, done := fence.Guard(ctx, step)
	defer done()
	epoch, sent := fence.Epoch(), time.Now()
	err := p.send(guarded, step.ID, h.Name, func() error {
		m := c.w.machines[h.Name]
		if m.epoch > epoch {
			c.record("%s comes too late to %s with epoch %d: it knows %d", p.name, h.Name, epoch, m.epoch)
			return errorf("%s knows epoch %d", h.Name, m.epoch)
		}
		m.epoch = epoch
		c.record("%s acts on %s with epoch %d", p.name, h.Name, epoch)
		c.add(p, acted{p.name, epoch, h.Name}, sent, c.last[h.Name])
		c.last[h.Name] = p.name
		return nil
	})
	return err == nil
}

// add notes an operation that ends now. It is called with sim.mu held.
func (c *contest) add(p *process, input any, called time.Time, output string) {
	c.history = append(c.history, porcupine.Operation{ClientId: slices.Index(c.processes, p), Input: input,
		Call:   called.Sub(c.began).Nanoseconds(),
		Output: output, Return: time.Since(c.began).Nanoseconds()})
}

// TestLockHistories: whatever befalls those who contend for it, the lock is a register with an epoch.
func TestLockHistories(t *testing.T) {
	const hand = 100
	total := atomic.Int64{}
	t.Run("of", func(t *testing.T) {
		for from := *first; from < *first+*histories; from += hand {
			t.Run(fmt.Sprint(from), func(t *testing.T) {
				t.Parallel()
				for seed := from; seed < min(from+hand, *first+*histories); seed++ {
					total.Add(int64(checked(t, seed)))
				}
			})
		}
	})
	t.Logf("%d histories of %d operations", *histories, total.Load())
}

// checked plays a history of the lock, and gives how many operations it has.
func checked(t *testing.T, seed uint64) (operations int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		good, o, n := playLock(seed)
		if !good || len(o.broken) > 0 {
			t.Errorf("%s\nThe history of the lock of seed %d is none of a register with an epoch: %v", strings.Join(o.history, "\n"), seed, o.broken)
		}
		operations = n
	})
	return operations
}

// TestFoundHistories checks the histories that something was found with, once mended.
func TestFoundHistories(t *testing.T) {
	for what, seeds := range map[string][]uint64{
		"two runs had the lock with one epoch: a free lock looked the same before and after another had it": {513, 827, 1112},
		"a run that had stood still acted on what it had seen before":                                       {1267},
		"a run that had stood still took a cleared lock again that another had had":                         {387, 108990},
		"two runs cut off from each other's lock both acted on a worker":                                    {100043},
	} {
		for _, seed := range seeds {
			if checked(t, seed); t.Failed() {
				t.Fatal(what)
			}
		}
	}
}

// TestLockModel: the model takes what a lock may do, and nothing else. A checker that takes everything would prove nothing.
func TestLockModel(t *testing.T) {
	op := func(client int, in any, out string, call, ret int64) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: in, Output: out, Call: call, Return: ret}
	}
	a, b := acquired{"a", 1}, acquired{"b", 2}
	for name, tt := range map[string]struct {
		history []porcupine.Operation
		good    bool
	}{
		"one after another": {[]porcupine.Operation{op(0, a, "", 0, 1), op(0, acted{"a", 1, "m"}, "", 2, 3), op(1, b, "", 4, 5),
			op(1, acted{"b", 2, "m"}, "a", 6, 7)}, true},
		"late, and nobody saw it": {[]porcupine.Operation{op(0, a, "", 0, 1), op(0, acted{"a", 1, "m"}, "", 2, 9), op(1, b, "", 4, 5)},
			true},
		"after the other has acted there": {[]porcupine.Operation{op(0, a, "", 0, 1), op(1, b, "", 4, 5), op(1, acted{"b", 2, "m"}, "", 6,
			7),
			op(0, acted{"a", 1, "m"}, "b", 3, 9)}, false},
		"begun after the lock was taken over": {[]porcupine.Operation{op(0, a, "", 0, 1), op(1, b, "", 4, 5),
			op(0, acted{"a", 1, "m"}, "", 6, 7)}, false},
		"without the lock": {[]porcupine.Operation{op(0, a, "", 0, 1), op(1, acted{"b", 2, "w"}, "", 2, 3)}, false},
		"on another machine, after it was taken over": {[]porcupine.Operation{op(0, a, "", 0, 1), op(0, acted{"a", 1, "w"}, "", 2, 3),
			op(1, b, "", 4, 5), op(1, acted{"b", 2, "m"}, "", 6, 7), op(0, acted{"a", 1, "w"}, "a", 8, 9)}, false},
		"an epoch again after it was forgotten": {[]porcupine.Operation{op(0, a, "", 0, 1), op(9, forgot{"m"}, "", 2, 2),
			op(1, acquired{"b", 1}, "", 4, 5), op(1, acted{"b", 1, "m"}, "", 6, 7)}, true},
		"the former one after it was forgotten": {[]porcupine.Operation{op(0, a, "", 0, 1), op(9, forgot{"m"}, "", 2, 2),
			op(1, acquired{"b", 1}, "", 4, 5), op(0, acted{"a", 1, "m"}, "", 6, 7)}, false},
		"an epoch twice": {[]porcupine.Operation{op(0, a, "", 0, 1), op(1, acquired{"b", 1}, "", 4, 5)}, false},
	} {
		if got := porcupine.CheckOperations(lockModel(), tt.history); got != tt.good {
			t.Errorf("%s: %t", name, got)
		}
	}
}
