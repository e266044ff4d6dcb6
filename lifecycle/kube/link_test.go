package kube

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// source counts how often it was asked, and gives what the test says at that time.
type source struct {
	asked atomic.Int32
	mu    sync.Mutex
	give  func(context.Context) (lifecycle.Credentials, error)
}

func (s *source) credentials(ctx context.Context) (lifecycle.Credentials, error) {
	s.asked.Add(1)
	s.mu.Lock()
	give := s.give
	s.mu.Unlock()
	return give(ctx)
}

func (s *source) set(give func(context.Context) (lifecycle.Credentials, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.give = give
}

func failing(err error) func(context.Context) (lifecycle.Credentials, error) {
	return func(context.Context) (lifecycle.Credentials, error) { return lifecycle.Credentials{}, err }
}

// TestConnectsWhenFirstUsed: nothing is asked before the first call; what fails is asked again by the next; what is found is kept.
func TestConnectsWhenFirstUsed(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	s := &source{}
	c := New(s.credentials, []Server{{Host: "controller-1", Address: addr}}, Options{})
	c.Close()
	if n := s.asked.Load(); n != 0 {
		t.Fatalf("the source was asked %d times before there was a call", n)
	}
	away := errors.New("the machines are away")
	for i, step := range []struct {
		give func(context.Context) (lifecycle.Credentials, error)
		want error
	}{
		{failing(away), away},
		{failing(nil), errNoAPI},
		{failing(away), away},
		{given(a.kubeconfig(addr)), nil},
	} {
		s.set(step.give)
		if _, err := c.Nodes(t.Context()); err != step.want {
			t.Errorf("call %d: got %v, want %v", i+1, err, step.want)
		}
		if n := s.asked.Load(); n != int32(i+1) {
			t.Errorf("after call %d the source was asked %d times", i+1, n)
		}
	}
	s.set(failing(away))
	c.Close()
	if _, err := c.Nodes(t.Context()); err != nil || s.asked.Load() != 4 || len(c.Servers(t.Context())) != 1 {
		t.Errorf("a client that is connected asked for another way: %v, asked %d times", err, s.asked.Load())
	}
}

// TestConnectTakesAKubeconfigAtHand: then the source is never asked; a bad one leaves the client as it was.
func TestConnectTakesAKubeconfigAtHand(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	s := &source{give: failing(errors.New("asked"))}
	c := New(s.credentials, nil, Options{})
	defer c.Close()
	if err := c.Connect(outside([]byte("{"))); err == nil || c.link.up() {
		t.Errorf("a broken kubeconfig was taken: %v", err)
	}
	kubeconfig := a.kubeconfig(addr)
	kubeconfig = append(kubeconfig[:len(kubeconfig):len(kubeconfig)], "# one more\n"...)
	for range 2 {
		if err := c.Connect(outside(kubeconfig)); err != nil {
			t.Fatal(err)
		}
		kubeconfig = []byte("{") // of no interest any more
	}
	if !c.link.up() || s.asked.Load() != 0 {
		t.Errorf("connected: %v, and the source was asked %d times", c.link.up(), s.asked.Load())
	}
}

// TestConnectsOnceForAll: calls that come at the same time connect once; and while there is no API they ask twice at most: those that
// wait for a question that was begun before they came share the next one.
func TestConnectsOnceForAll(t *testing.T) {
	a := newAuthority(t)
	addr, _ := a.serve(t, certificateName, newFakeAPI())
	const callers = 16
	for name, tc := range map[string]struct {
		give func(context.Context) (lifecycle.Credentials, error)
		want error
		most int32
	}{
		"found": {given(a.kubeconfig(addr)), nil, 1},
		"none":  {failing(nil), errNoAPI, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, hold := &source{}, make(chan struct{})
				s.set(func(ctx context.Context) (lifecycle.Credentials, error) { <-hold; return tc.give(ctx) })
				c := New(s.credentials, []Server{{Host: "controller-1", Address: addr}}, Options{})
				defer c.Close()
				var wait sync.WaitGroup
				for range callers {
					wait.Go(func() {
						if err := c.connect(t.Context()); err != tc.want {
							t.Errorf("got %v, want %v", err, tc.want)
						}
					})
				}
				time.Sleep(time.Millisecond) // all have come, and wait
				close(hold)
				wait.Wait()
				if n := s.asked.Load(); n < 1 || n > tc.most {
					t.Errorf("%d callers asked %d times, want %d at most", callers, n, tc.most)
				}
			})
		})
	}
}

// TestWaitForTheTurnEnds: a caller whose time is up does not wait for the one that asks, and its end is nobody else's answer.
func TestWaitForTheTurnEnds(t *testing.T) {
	s, hold := &source{}, make(chan struct{})
	s.set(func(ctx context.Context) (lifecycle.Credentials, error) {
		select {
		case <-hold:
			return lifecycle.Credentials{}, nil
		case <-ctx.Done():
			return lifecycle.Credentials{}, ctx.Err()
		}
	})
	c := New(s.credentials, nil, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	asking := make(chan error, 1)
	go func() { asking <- c.connect(ctx) }()
	for s.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	short, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer end()
	if err := c.connect(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller with little time got %v", err)
	}
	patient := make(chan error, 1)
	go func() { patient <- c.connect(t.Context()) }()
	time.Sleep(20 * time.Millisecond)
	cancel()
	if err := <-asking; !errors.Is(err, context.Canceled) {
		t.Errorf("the one that asked got %v", err)
	}
	close(hold)
	if err := <-patient; err != errNoAPI {
		t.Errorf("the one that waited got %v", err)
	}
}

// TestEveryCallConnects: no exported method reaches for a client that is not there, also one that is written tomorrow.
func TestEveryCallConnects(t *testing.T) {
	away := errors.New("the machines are away")
	s := &source{give: failing(away)}
	c := New(s.credentials, []Server{{Host: "controller-1", Address: "127.0.0.1:1"}}, Options{})
	v, tried := reflect.ValueOf(c), 0
	for i := range v.NumMethod() {
		name, m := v.Type().Method(i).Name, v.Method(i)
		if m.Type().NumIn() == 0 || m.Type().In(0) != reflect.TypeFor[context.Context]() {
			continue // Close, Connect
		}
		tried++
		args := []reflect.Value{reflect.ValueOf(t.Context())}
		for j := 1; j < m.Type().NumIn(); j++ {
			args = append(args, reflect.Zero(m.Type().In(j)))
		}
		before := s.asked.Load()
		out := m.Call(args)
		if s.asked.Load() == before {
			t.Errorf("%s did not connect", name)
		}
		switch err := out[len(out)-1].Interface().(type) {
		case error:
			if err != away {
				t.Errorf("%s: got %v", name, err)
			}
		case []lifecycle.APIServer:
			if err != nil {
				t.Errorf("%s: got %v", name, err)
			}
		case []lifecycle.From[[]lifecycle.APIRequest]:
			if len(err) != 1 || err[0].Unknown != away.Error() {
				t.Errorf("%s: got %v", name, err)
			}
		case []lifecycle.Promise:
			for _, p := range err {
				if p.State != lifecycle.GateFailed {
					t.Errorf("%s: promise %q is %s: %s", name, p.Name, p.State, p.Reason)
				}
			}
		default:
			t.Errorf("%s ends with %v", name, out)
		}
	}
	if tried < 30 {
		t.Errorf("only %d methods were tried", tried)
	}
}
