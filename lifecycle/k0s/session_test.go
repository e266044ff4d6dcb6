package k0s

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"kiban.dev/kiban/lifecycle"
)

const v135, v136 = "v1.35.7+k0s.0", "v1.36.3+k0s.2"

// TestObservingIsOneCommand: one connection, one command a host, and nothing is written.
func TestObservingIsOneCommand(t *testing.T) {
	f := newFarm(t, "c1", "w1")
	s := f.open(v135)
	got, err := s.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range got.Hosts {
		if !h.Reached() || h.Arch == "" || h.Service != lifecycle.ServiceAbsent || h.Installed() {
			t.Errorf("%+v", h)
		}
		if o := h.ClockOffset; o < -1 || o > 1 {
			t.Errorf("%s: the clock of this machine is %d s off itself", h.Name, o)
		}
	}
	for name, m := range f.fakes {
		if n := len(m.sent()); n != 1 {
			t.Errorf("%s was sent %d commands: %q", name, n, m.sent())
		}
	}
	if got.Etcd.Unknown != "" || !got.Credentials.IsZero() {
		t.Errorf("nothing is installed, yet %+v", got)
	}
	if len(f.audit) != 0 {
		t.Errorf("observing sent commands of a step: %v", f.audit)
	}
}

func TestProblems(t *testing.T) {
	f := newFarm(t, "c1", "w1", "w2", "w3")
	f.trust("c1", "w2", "w3") // w1 is unknown
	other := newSigner(t)
	for name, change := range map[string]func(*fake){
		"w2": func(m *fake) { m.hostKey = other },
		"w3": func(m *fake) { m.allowed = other.PublicKey() },
	} {
		f.fakes[name].set(func() { change(f.fakes[name]) })
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // accepts, and says nothing
	f.fakes["c1"].port = l.Addr().(*net.TCPAddr).Port
	begin := time.Now()
	got, err := f.open(v135).Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d > time.Minute {
		t.Errorf("it took %s to find a host unreachable, with a connect timeout of 2 s", d)
	}
	want := map[string]struct {
		problem lifecycle.HostProblem
		text    string
	}{
		"c1": {lifecycle.HostUnreachable, "no connection to 127.0.0.1"},
		"w1": {lifecycle.HostKeyUnknown, "is not in"},
		"w2": {lifecycle.HostKeyUnknown, "known_hosts, line 2"},
		"w3": {lifecycle.HostAuth, "refuses user root with key " + filepath.Join(f.dir, "id")},
	}
	for _, h := range got.Hosts {
		if w := want[h.Name]; h.Problem != w.problem || !strings.Contains(h.Why, w.text) {
			t.Errorf("%s: %q %q, want %q with %q", h.Name, h.Problem, h.Why, w.problem, w.text)
		}
	}
	if !strings.Contains(got.Etcd.Unknown, "c1") {
		t.Errorf("etcd is not unknown though the only controller is unreachable: %+v", got.Etcd)
	}
}

// TestHazard_H1_EverythingIsReadThroughSudo holds H1: a user other than root reads everything through sudo, k0s.yaml included, or is told
// why not.
func TestHazard_H1_EverythingIsReadThroughSudo(t *testing.T) {
	f := newFarm(t, "w1")
	f.fakes["w1"].write("bin/id", "#!/bin/sh\necho 1000\n", 0o755)
	f.fakes["w1"].write("bin/sudo", "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n", 0o755)
	f.order = append(f.order, "c1")
	f.fakes["c1"] = newFake(t, "c1", f.key)
	f.trust("w1", "c1")
	h, err := f.open(v135).HostFacts(t.Context(), "w1")
	if err != nil {
		t.Fatal(err)
	}
	if h.Problem != lifecycle.HostSudo || !strings.Contains(h.Why, "a password is required") {
		t.Errorf("%q %q", h.Problem, h.Why)
	}
	f.fakes["w1"].write("bin/sudo", "#!/bin/sh\n[ \"$1\" = -n ] && [ \"$2\" = -- ] && shift 2 && exec \"$@\"\n", 0o755)
	if h, _ = f.open(v135).HostFacts(t.Context(), "w1"); !h.Reached() {
		t.Errorf("with sudo: %q %q", h.Problem, h.Why)
	}
	if sent := f.fakes["w1"].sent(); len(sent) != 2 || !strings.Contains(sent[1], `else exec sudo -n -- sh -c "$S" sh "$@"`) {
		t.Errorf("the script does not run as a whole under sudo, in one command: %q", sent)
	}
}

// TestHazard_H34_HangingHostHoldsNobody: neither a command that hangs nor a host that dies under it holds a caller for longer than it
// wants (H34).
func TestHazard_H34_HangingHostHoldsNobody(t *testing.T) {
	f := newFarm(t, "c1")
	m := f.fakes["c1"]
	s := f.open(v135)
	if h, _ := s.HostFacts(t.Context(), "c1"); !h.Reached() {
		t.Fatal(h.Why)
	}
	m.set(func() { m.hang = true })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := s.HostFacts(ctx, "c1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v, want the context's", err)
	}
	if d := time.Since(begin); d > time.Minute {
		t.Errorf("it took %s to give up", d)
	}
	host, err := s.machine("c1")
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := host.askFacts(t.Context(), 300*time.Millisecond); f.host.Problem != lifecycle.HostFacts ||
		f.host.Why != "it did not answer within 300ms" {
		t.Errorf("a host that hangs is %q %q", f.host.Problem, f.host.Why)
	}
	m.set(func() { m.hang = false })
	if h, err := s.HostFacts(t.Context(), "c1"); err != nil || !h.Reached() {
		t.Fatalf("the session does not recover: %v %q", err, h.Why)
	}
	m.set(func() { m.deaf = true })
	begin = time.Now()
	h, err := s.HostFacts(t.Context(), "c1")
	if err != nil || h.Reached() || time.Since(begin) > time.Minute {
		t.Errorf("a dead host: %v, %+v, after %s", err, h, time.Since(begin))
	}
}

// TestHazard_H27_NoGoroutineStays holds H27: the library keeps one for each command that has no context.
func TestHazard_H27_NoGoroutineStays(t *testing.T) {
	f := newFarm(t, "c1")
	s := f.open(v135)
	f.do(s, v135, "c1/stage")
	before := runtime.NumGoroutine()
	for range 10 {
		f.do(s, v135, "c1/tidy")
	}
	var after int
	for range 500 {
		if after = runtime.NumGoroutine(); after <= before+5 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines became %d", before, after)
}

func TestDial(t *testing.T) {
	f := newFarm(t, "c1")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err == nil {
			_, _ = io.WriteString(c, "hello")
			c.Close()
		}
	}()
	s := f.open(v135)
	c, err := s.Dial(t.Context(), "c1", "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if b, _ := io.ReadAll(c); string(b) != "hello" {
		t.Errorf("got %q", b)
	}
	if _, err := s.Dial(t.Context(), "nobody", "tcp", "x:1"); err == nil {
		t.Error("dialled through a host that the site does not have")
	}
}
