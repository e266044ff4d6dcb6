package kube

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kiban.dev/kiban/lifecycle"
)

// trio is three API servers over one storage, as three controllers are, and a client of them.
type trio struct {
	api    *fakeAPI
	faults [3]atomic.Pointer[http.HandlerFunc] // what a server does instead of serving
	served [3]atomic.Int32
	stop   [3]func()
	client *Client
}

func newTrio(t *testing.T, opts Options) *trio {
	t.Helper()
	f, a := newFakeAPI(), newAuthority(t)
	f.put("nodes", object{"metadata": map[string]any{"name": "worker-1"}, "spec": map[string]any{}, "status": map[string]any{}})
	tr := &trio{api: f}
	var servers []Server
	for i := range 3 {
		addr, s := a.serve(t, certificateName, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			tr.served[i].Add(1)
			if h := tr.faults[i].Load(); h != nil {
				(*h)(w, r)
				return
			}
			f.ServeHTTP(w, r)
		}))
		tr.stop[i] = func() { s.CloseClientConnections(); s.Close() }
		servers = append(servers, Server{Host: []string{"controller-1", "controller-2", "controller-3"}[i], Address: addr})
	}
	c := New(given(a.kubeconfig("127.0.0.1:1")), servers, opts)
	t.Cleanup(c.Close)
	tr.client = c
	return tr
}

func (tr *trio) fault(i int, h http.HandlerFunc) {
	if h == nil {
		tr.faults[i].Store(nil)
		return
	}
	tr.faults[i].Store(&h)
}

// ask makes a read and a write, and returns how long they took.
func (tr *trio) ask(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	if _, err := tr.client.Nodes(t.Context()); err != nil {
		t.Errorf("read: %v", err)
	}
	if err := tr.client.Cordon(t.Context(), "worker-1", lifecycle.Mark{Run: time.Now().String()}); err != nil {
		t.Errorf("write: %v", err)
	}
	return time.Since(began)
}

func TestFailover(t *testing.T) {
	code := func(code int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			status(w, code, "", "not now", nil)
		}
	}
	for name, tc := range map[string]struct {
		fault http.HandlerFunc // nil: the server is gone
		most  time.Duration
	}{
		"the server is gone":          {nil, time.Second},
		"it is stopping":              {code(http.StatusTooManyRequests, "5"), time.Second},
		"its etcd is away":            {code(http.StatusServiceUnavailable, ""), 4 * time.Second},
		"it breaks off in the middle": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := newTrio(t, Options{})
			tr.ask(t) // by now the first one is the favourite, with an open connection
			if tc.fault == nil {
				tr.stop[0]()
			} else {
				tr.fault(0, tc.fault)
			}
			if d := tr.ask(t); d > tc.most {
				t.Errorf("it took %s", d)
			}
			before := tr.served[0].Load()
			if d := tr.ask(t); d > time.Second || tr.served[0].Load() != before {
				t.Errorf("the one that failed was tried again at once, or it took long: %s", d)
			}
		})
	}
}

// TestRefusalsAreNotShoppedAround: an answer about the request itself is the same everywhere.
func TestRefusalsAreNotShoppedAround(t *testing.T) {
	tr := newTrio(t, Options{})
	if _, err := tr.client.Node(t.Context(), "no-such-node"); err == nil {
		t.Fatal("no error")
	}
	if a, b := tr.served[1].Load(), tr.served[2].Load(); a+b != 0 {
		t.Errorf("the others were asked %d and %d times", a, b)
	}
}

// TestSilentServer: a controller that lost its power answers nothing, not even with a refusal. An open connection to it is
// given up by the ping, a new one by the connect timeout.
func TestSilentServer(t *testing.T) {
	var silent atomic.Bool
	dial := func(ctx context.Context, host, network, addr string) (net.Conn, error) {
		if silent.Load() && host == "controller-1" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil || host != "controller-1" {
			return conn, err
		}
		return &mutable{Conn: conn, mute: &silent}, nil
	}
	tr := newTrio(t, Options{Dial: dial})
	tr.ask(t)
	silent.Store(true)
	if d := tr.ask(t); d > time.Minute {
		t.Errorf("the open connection cost %s", d)
	}
	if d := tr.ask(t); d >= dialTimeout {
		t.Errorf("the next call cost %s", d)
	}
	began := time.Now()
	s := tr.client.Servers(t.Context())
	if d := time.Since(began); d > time.Minute || s[0].Ready || s[0].Why == "" || !s[1].Ready || !s[2].Ready {
		t.Errorf("servers after %s: %+v", d, s)
	}
}

// mutable is a connection whose other end can fall silent.
type mutable struct {
	net.Conn
	mute *atomic.Bool
}

func (m *mutable) Read(b []byte) (int, error) {
	for {
		n, err := m.Conn.Read(b)
		if !m.mute.Load() || err != nil {
			return n, err
		}
	}
}

func (m *mutable) Write(b []byte) (int, error) {
	if m.mute.Load() {
		return len(b), nil
	}
	return m.Conn.Write(b)
}

// TestNobodyAnswers: the end of the tries is an error, not a hang.
func TestNobodyAnswers(t *testing.T) {
	tr := newTrio(t, Options{})
	for i := range 3 {
		tr.stop[i]()
	}
	began := time.Now()
	facts, err := tr.client.Facts(t.Context())
	if err == nil || facts.API.Unknown == "" || len(facts.API.Servers) != 3 || facts.API.Servers[2].Why == "" ||
		time.Since(began) > time.Minute {
		t.Errorf("after %s: %v, %+v", time.Since(began), err, facts.API)
	}
}

// TestLateAnswers: who does not answer in time is told in words, with the time; errors.Is knows it for what it is.
func TestLateAnswers(t *testing.T) {
	tr := newTrio(t, Options{})
	tr.ask(t)
	for i := range 3 {
		tr.fault(i, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	}
	ctx, cancel := lifecycle.Within(t.Context(), 100*time.Millisecond, "no answer")
	defer cancel()
	_, err := tr.client.Nodes(ctx)
	if err == nil || !strings.Contains(err.Error(), "no answer within 100ms") || strings.Contains(err.Error(), "deadline") ||
		!errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestCertificates: a server must be the cluster's. Its certificate is for "kubernetes", whatever address it is dialled by;
// a declared endpoint is verified by its own name.
func TestCertificates(t *testing.T) {
	f, a, other := newFakeAPI(), newAuthority(t), newAuthority(t)
	right, _ := a.serve(t, certificateName, f)
	wrongName, _ := a.serve(t, "localhost", f)
	wrongCA, _ := other.serve(t, certificateName, f)
	_, port, _ := net.SplitHostPort(wrongName)
	for name, tc := range map[string]struct {
		addr, endpoint string
		ok             bool
	}{
		"the cluster's":             {right, "", true},
		"another name":              {wrongName, "", false},
		"another CA":                {wrongCA, "", false},
		"the endpoint's own name":   {right, "https://localhost:" + port, true},
		"an endpoint of other name": {right, "https://" + right, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := New(given(a.kubeconfig(right)), []Server{{Host: "c1", Address: tc.addr}}, Options{Endpoint: tc.endpoint})
			if err := c.connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, err := c.clusterUID(ctx); (err == nil) != tc.ok {
				t.Errorf("error %v, want ok=%v", err, tc.ok)
			}
		})
	}
}

func TestConnectRefuses(t *testing.T) {
	a := newAuthority(t)
	if err := New(given([]byte("{")), nil, Options{}).connect(t.Context()); err == nil {
		t.Error("a broken kubeconfig was taken")
	}
	err := New(given(a.kubeconfig("127.0.0.1:1")), nil, Options{Endpoint: "tokyo:6443"}).connect(t.Context())
	wantDiagnostic(t, err, lifecycle.SeverityError, "endpoint is not a URL")
}

// TestServers: each API server answers for itself.
func TestServers(t *testing.T) {
	tr := newTrio(t, Options{})
	tr.fault(1, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "[+]ping ok\n[-]etcd failed: reason withheld\n[-]poststarthook/x failed: not yet\nreadyz check failed\n")
	})
	tr.fault(2, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
	got := tr.client.Servers(t.Context())
	for i, want := range []lifecycle.APIServer{
		{Host: "controller-1", Version: "v1.36.3+k0s", Ready: true},
		{Host: "controller-2", Why: "failing checks: etcd, poststarthook/x"},
		{Host: "controller-3", Why: "/readyz answers 403 Forbidden"},
	} {
		if got[i] != want {
			t.Errorf("got %+v, want %+v", got[i], want)
		}
	}
}

func TestFailingChecks(t *testing.T) {
	many := "[+]ping ok\n" + strings.Repeat("[-]x failed: reason withheld\n", 6)
	if got, want := failingChecks(500, []byte(many)), "failing checks: x, x, x, x and 2 more"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSharedLook: callers that wait share the answer that was begun after they came; an error is not shared.
func TestSharedLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShared[int]()
		var asked atomic.Int32
		first, release := make(chan struct{}), make(chan struct{})
		results := make(chan int, 10)
		go func() {
			v, _ := s.get(t.Context(), func(context.Context) (int, error) { close(first); <-release; return int(asked.Add(1)), nil })
			results <- v
		}()
		<-first
		for range 9 {
			go func() {
				v, _ := s.get(t.Context(), func(context.Context) (int, error) { return int(asked.Add(1)), nil })
				results <- v
			}()
		}
		time.Sleep(time.Millisecond) // all have come, and wait
		close(release)
		count := map[int]int{}
		for range 10 {
			count[<-results]++
		}
		if asked.Load() != 2 || count[1] != 1 || count[2] != 9 {
			t.Errorf("asked %d times, answers %v; want the one that came first alone and the others together", asked.Load(), count)
		}
		broken := errors.New("broken")
		if _, err := s.get(t.Context(), func(context.Context) (int, error) { return 0, broken }); !errors.Is(err, broken) {
			t.Error(err)
		}
		cancelled, cancel := context.WithCancel(t.Context())
		s.turn <- struct{}{}
		cancel()
		if _, err := s.get(cancelled, nil); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestPodsInChunks: all chunks are read, and a list whose revision expired is begun anew.
func TestPodsInChunks(t *testing.T) {
	f := newFakeAPI()
	c := connect(t, f)
	for i := range 2*podChunk + 1 {
		f.put("pods", object{"metadata": map[string]any{"namespace": "shop", "name": "web-" + strings.Repeat("x", i%7) + time.Duration(i).
			String()}, "spec": map[string]any{"nodeName": "worker-1"}})
	}
	for _, expire := range []bool{false, true} {
		f.expireNext = expire
		pods, err := c.listPods(t.Context(), "", "worker-1")
		if err != nil || len(pods) != 2*podChunk+1 {
			t.Errorf("%d pods, %v", len(pods), err)
		}
	}
}
