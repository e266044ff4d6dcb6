package k0s

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// Facts asks every machine, side by side, with one command each. A machine that does not answer is a fact, not an error.
func (s *Session) Facts(ctx context.Context) (lifecycle.MachineFacts, error) {
	all := s.ask(ctx, s.machines)
	if err := lifecycle.WhyEnded(ctx); err != nil {
		return lifecycle.MachineFacts{}, err
	}
	out := lifecycle.MachineFacts{Hosts: make([]lifecycle.HostState, len(all))}
	for i, f := range all {
		out.Hosts[i] = f.host
		if out.Credentials.IsZero() {
			out.Credentials = f.credentials
		}
	}
	out.Etcd = etcdOf(s.machines, all)
	return out, nil
}

// HostFacts asks one machine.
func (s *Session) HostFacts(ctx context.Context, host string) (lifecycle.HostState, error) {
	m, err := s.machine(host)
	if err != nil {
		return lifecycle.HostState{}, err
	}
	f := s.look(ctx, m)
	return f.host, lifecycle.WhyEnded(ctx)
}

// Credentials asks the controllers for the administrator's credentials. Zero: all of them answered, and none has any. The error says why
// what they have is not taken, or which of them could not be asked, when that is all there is.
func (s *Session) Credentials(ctx context.Context) (lifecycle.Credentials, error) {
	var doubts lifecycle.Diagnostics
	var silent []lifecycle.HostState
	controllers := s.controllers()
	for _, f := range s.ask(ctx, controllers) {
		if !f.credentials.IsZero() {
			return f.credentials, nil
		}
		doubts = append(doubts, f.host.Doubts...)
		if !f.host.Reached() {
			silent = append(silent, f.host)
		}
	}
	if len(silent) > 0 && ctx.Err() == nil {
		doubts = append(doubts, lifecycle.Errorf(s.site.Name, "the API can't be reached: %d of %s could not be asked", len(silent),
			lifecycle.Count(len(controllers), "controller")).Because(lifecycle.Reasons(silent)...).Try("kiban status "+s.site.Name))
	}
	return lifecycle.Credentials{}, errors.Join(doubts.Err(), lifecycle.WhyEnded(ctx))
}

// EtcdMembers asks the controllers for etcd's member list.
func (s *Session) EtcdMembers(ctx context.Context) (lifecycle.EtcdState, error) {
	var controllers []*machine
	for _, m := range s.machines {
		if m.host.Role.IsController() {
			controllers = append(controllers, m)
		}
	}
	all := s.ask(ctx, controllers)
	return etcdOf(controllers, all), lifecycle.WhyEnded(ctx)
}

// ask looks at machines, as many at once as the session allows. The answers are in the machines' order.
func (s *Session) ask(ctx context.Context, machines []*machine) []facts {
	out := make([]facts, len(machines))
	slots := make(chan struct{}, s.opts.Parallel)
	var wg sync.WaitGroup
	for i, m := range machines {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			out[i] = s.look(ctx, m)
			if len(machines) > keepConnections && !m.host.Role.IsController() {
				m.drop(false)
			}
		})
	}
	wg.Wait()
	return out
}

// answerWithin bounds the wait for a connected host's facts. The script itself waits a few seconds at most for each thing that may
// hang, so a host that needs longer has other trouble.
const answerWithin = 75 * time.Second

// look asks one machine: one connection, one command.
func (s *Session) look(ctx context.Context, m *machine) facts {
	if err := m.connect(ctx); err != nil {
		problem, why := unreachable(err, m.ssh, s.site.SSH.KnownHosts)
		return facts{host: lifecycle.HostState{Name: m.host.Name, Problem: problem, Why: why}}
	}
	f, understood := m.askFacts(ctx, answerWithin)
	if !understood && !m.foreignShell.Load() {
		m.foreignShell.Store(true)
		again, understood := m.askFacts(ctx, answerWithin)
		if understood {
			f = again
		} else {
			m.foreignShell.Store(false)
		}
	}
	f.host.Name = m.host.Name
	return f
}

// askFacts asks for the facts. understood is false where the machine ran something else than it was asked to: its user's login shell may be
// none that reads what POSIX shells do.
func (m *machine) askFacts(ctx context.Context, within time.Duration) (_ facts, understood bool) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("it did not answer within %s", within))
	defer cancel()
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	q := question{host: m.host, paths: m.paths, nonce: hex.EncodeToString(random[:])}
	begin := time.Now()
	ctx, enough := context.WithCancelCause(ctx)
	defer enough(nil)
	stdout, stderr := &answer{limit: maxAnswer, over: enough}, &answer{limit: 4096}
	w, err := m.start(ctx, factsCommand(q), nil, stdout, stderr)
	if err != nil && ctx.Err() == nil && lost(err) { // the connection ended, and there is no other: nobody answered
		problem, why := unreachable(err, m.ssh, "")
		return facts{host: lifecycle.HostState{Problem: problem, Why: why}}, true
	}
	if err == nil {
		err = w.Wait()
	}
	f := parseFacts(stdout.bytes(), q)
	if !readsPOSIX(f.shell) {
		m.foreignShell.Store(true)
	}
	if f.host.Problem == "" {
		f.host.ClockOffset = clockOffset(f.clock, begin, stdout.first)
		return f, true
	}
	if cause := context.Cause(ctx); cause != nil {
		f.host.Why = cause.Error()
		return f, true
	}
	if err != nil {
		f.host.Why += ": " + printable(err.Error())
		if why, ok := refused(f.uid, string(stderr.bytes()), m.ssh); ok {
			f.host.Problem, f.host.Why = lifecycle.HostSudo, why
		}
	}
	if f.uid == "" {
		if first := cmp.Or(firstLine(stderr.bytes()), firstLine(stdout.bytes())); first != "" {
			f.host.Why += fmt.Sprintf(" (it says %q; kiban needs a login shell, and none of the kind that only shows a message)", first)
		}
	}
	return f, f.uid != "" || w == nil || errors.Is(err, errLost) // what did not run is not asked twice
}

// clockOffset is the host's clock minus ours. The host read its clock between begin and the first byte that came back.
func clockOffset(clock, begin, first time.Time) int {
	if clock.IsZero() || first.IsZero() {
		return 0
	}
	middle := begin.Add(first.Sub(begin) / 2)
	// the host's clock is cut to whole seconds: half a second is the likeliest rest
	return int(math.Round(clock.Add(500 * time.Millisecond).Sub(middle).Seconds()))
}

// answer is a bounded buffer that notes when it got its first byte. What is beyond its limit is dropped, and over, if any, is told: nobody
// needs to wait for an answer that does not end.
type answer struct {
	mu    sync.Mutex
	b     bytes.Buffer
	first time.Time
	limit int
	over  func(error)
}

func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.first.IsZero() {
		a.first = time.Now()
	}
	room := a.limit - a.b.Len()
	a.b.Write(p[:min(len(p), room)])
	if len(p) > room && a.over != nil {
		a.over(tooMuch{fmt.Sprintf("more than %d bytes", a.limit)})
		a.over = nil
	}
	return len(p), nil
}

func (a *answer) bytes() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.b.Bytes()
}

// etcdOf takes the member list from the first controller that has one.
func etcdOf(machines []*machine, all []facts) lifecycle.EtcdState {
	var why []string
	installed := false
	for i, f := range all {
		name := machines[i].host.Name
		switch {
		case !machines[i].host.Role.IsController():
		case f.etcd != nil:
			return lifecycle.EtcdState{Members: f.etcd}
		case f.etcdProblem != "":
			why = append(why, fmt.Sprintf("%s: %s", name, f.etcdProblem))
		case !f.host.Reached():
			why = append(why, fmt.Sprintf("%s: %s", name, f.host.Why))
		case f.host.Installed() && f.host.Service != lifecycle.ServiceRunning:
			why = append(why, fmt.Sprintf("%s: k0s is %s", name, f.host.Service))
		case f.host.Installed():
			installed = true // it runs, without an etcd of its own
		}
	}
	if installed {
		return lifecycle.EtcdState{}
	}
	return lifecycle.EtcdState{Unknown: strings.Join(why, "; ")}
}
