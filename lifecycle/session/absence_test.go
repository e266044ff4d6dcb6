package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// booting is a bench whose worker comes back at a moment; before that it is away, out of service by `kiban node`.
type booting struct {
	*bench
	back time.Time
}

func (b booting) Observe(ctx context.Context) (lifecycle.State, error) {
	st, err := b.bench.Observe(ctx)
	st.Hosts = []lifecycle.HostState{{Name: "worker-1"}}
	st.Nodes = []lifecycle.NodeState{{Name: "worker-1", Mark: lifecycle.Mark{Run: "maintenance:r1", Reason: "kiban node reboot"}}}
	if time.Now().Before(b.back) {
		st.Hosts[0].Problem, st.Hosts[0].Why = lifecycle.HostUnreachable, "connection refused"
	}
	return st, err
}

// A reboot that is given again while the machine reboots waits for it, says so once, and goes on; also when the machine goes down between
// the plan and the lock. When it does not come back in time, what is planned then says so.
func TestNodeAwaitsItsMachine(t *testing.T) {
	refused := planOf("f")
	refused.Diagnostics = lifecycle.Diagnostics{lifecycle.Blockedf("worker-1", "the machine cannot be reached")}
	goes := planOf("g", "worker-1/reboot")
	for name, c := range map[string]struct {
		back  time.Duration
		verb  lifecycle.NodeVerb
		plans []lifecycle.Plan
		calls string
		ends  time.Duration // at the earliest
		told  int
		stop  bool
	}{
		"back soon": {back: 5 * time.Second, verb: lifecycle.NodeReboot, plans: []lifecycle.Plan{refused, goes, goes}, told: 1,
			ends: 5 * time.Second, calls: "look plan await look look look look plan await take look plan run release"},
		"there": {verb: lifecycle.NodeReboot, plans: []lifecycle.Plan{goes, goes}, calls: "look plan await take look plan run release"},
		"never": {back: time.Hour, verb: lifecycle.NodeMaintain, plans: []lifecycle.Plan{refused}, told: 1, stop: true, ends: 10 * time.Minute},
		"not waited for": {back: time.Hour, verb: lifecycle.NodeDrain, plans: []lifecycle.Plan{refused}, stop: true,
			calls: "look plan await"},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			b := &bench{plans: c.plans}
			var told []string
			s := b.open(t, Options{Hooks: Hooks{Note: func(text string) {
				if strings.Contains(text, "is away") {
					told = append(told, text)
				}
			}}})
			s.parts.Site = booting{b, began.Add(c.back)}
			_, err := s.Node(t.Context(), lifecycle.NodeTask{Verb: c.verb, Host: "worker-1", BootTimeout: 10 * time.Minute})
			if stopped := errors.As(err, &PlanError{}); stopped != c.stop || err != nil && !c.stop {
				t.Errorf("%s: %v", name, err)
			}
			if len(told) != c.told || time.Since(began) < c.ends {
				t.Errorf("%s: after %s, told %q", name, time.Since(began), told)
			}
			if c.calls != "" {
				b.want(t, name, c.calls)
			}
		})
	}
}

// One that goes down after its plan was shown is waited for under the lock.
func TestNodeAwaitsItsMachineUnderTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{plans: []lifecycle.Plan{planOf("f", "worker-1/reboot"), planOf("g"), planOf("f", "worker-1/reboot")}}
		s := b.open(t, Options{})
		site := &booting{bench: b}
		s.parts.Site = site
		s.opts.Hooks.Confirm = func(context.Context, lifecycle.Plan) error {
			site.back = time.Now().Add(3 * time.Second)
			return nil
		}
		r, err := s.Node(t.Context(), lifecycle.NodeTask{Verb: lifecycle.NodeReboot, Host: "worker-1", BootTimeout: time.Minute})
		if err != nil || r.Run == "" {
			t.Errorf("%+v, %v", r, err)
		}
		b.want(t, "under the lock", "look plan await take look plan look look look plan run release")
	})
}

// Whoever ends the wait ends it at once.
func TestNodeStopsAwaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		b := &bench{plans: []lifecycle.Plan{planOf("f")}}
		s := b.open(t, Options{})
		s.parts.Site = booting{b, time.Now().Add(time.Hour)}
		time.AfterFunc(time.Minute, stop)
		_, err := s.Node(ctx, lifecycle.NodeTask{Verb: lifecycle.NodeReboot, Host: "worker-1", BootTimeout: 10 * time.Minute})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
