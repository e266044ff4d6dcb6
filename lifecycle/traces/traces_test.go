package traces

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	v1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"kiban.dev/kiban/lifecycle"
)

// collecting is a collector as OTLP over HTTP knows it.
type collecting struct {
	mu      sync.Mutex
	spans   []*v1.Span
	service map[string]string
	refuse  int
}

func (c *collecting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	var req collector.ExportTraceServiceRequest
	if err = errors.Join(err, proto.Unmarshal(b, &req)); err != nil || c.refuse > 0 || r.URL.Path != "/v1/traces" {
		w.WriteHeader(max(c.refuse, http.StatusBadRequest))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rs := range req.ResourceSpans {
		for _, a := range rs.Resource.Attributes {
			c.service[a.Key] = a.Value.GetStringValue()
		}
		for _, ss := range rs.ScopeSpans {
			c.spans = append(c.spans, ss.Spans...)
		}
	}
}

// collect has a run of the events delivered to a collector, and gives what it got.
func collect(t *testing.T, c *collecting, env map[string]string, events []lifecycle.Event) error {
	t.Helper()
	c.service = map[string]string{}
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv(endpoint, server.URL)
	getenv := func(name string) string {
		if name == endpoint {
			return server.URL
		}
		return env[name]
	}
	e, err := Open(t.Context(), getenv, "v1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	sink := e.Sink()
	for _, ev := range events {
		if err := sink(ev); err != nil {
			t.Fatal(err)
		}
	}
	return e.Close()
}

func at(second int) time.Time { return time.Date(2026, 11, 30, 5, 0, second, 0, time.UTC) }

func event(second int, kind lifecycle.EventKind, step string) lifecycle.Event {
	e := lifecycle.Event{Format: lifecycle.EventFormat, Time: at(second), Run: "r1", Site: "tokyo", Kind: kind, Step: step}
	if target, action, is := strings.Cut(step, "/"); is {
		e.Target, e.Action = target, lifecycle.Action(action)
	}
	return e
}

// aRun begins, waits for a gate, does a step, fails at another, and skips a third.
func aRun() []lifecycle.Event {
	begun := event(0, lifecycle.EventBegun, "")
	begun.Header = &lifecycle.RunHeader{Doing: "apply", Revision: "3f2a", Who: "ann"}
	waits := event(3, lifecycle.EventWaiting, "w1/drain")
	waits.Message, waits.Detail, waits.Elapsed = "etcd has quorum", "one of three", 2*time.Second
	failed := event(9, lifecycle.EventFailed, "w1/upgrade")
	failed.Diagnostic = new(lifecycle.Errorf("w1", "k0s does not start").Because("flag --token=hunter2abc is unknown"))
	summary := event(10, lifecycle.EventSummary, "")
	summary.Result, summary.Message = lifecycle.RunFailed, "1 of 3 steps done"
	return []lifecycle.Event{begun, event(0, lifecycle.EventPlanned, "w1/drain"), event(0, lifecycle.EventPlanned, "w1/upgrade"), waits,
		event(4, lifecycle.EventStarted, "w1/drain"), event(6, lifecycle.EventFinished, "w1/drain"),
		event(7, lifecycle.EventStarted, "w1/upgrade"), failed, event(9, lifecycle.EventSkipped, "w1/uncordon"), summary}
}

// TestRunAsATrace: a collector sees the run, its steps within it and the wait within its step, each as long as it took.
func TestRunAsATrace(t *testing.T) {
	var c collecting
	const within = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if err := collect(t, &c, map[string]string{parent: within}, aRun()); err != nil {
		t.Fatal(err)
	}
	byName := map[string]*v1.Span{}
	var lines []string
	for _, s := range c.spans {
		byName[s.Name] = s
		lines = append(lines, s.Name+" "+time.Duration(s.EndTimeUnixNano-s.StartTimeUnixNano).String()+" "+s.Status.GetCode().String())
	}
	slices.Sort(lines)
	want := []string{"apply tokyo 10s STATUS_CODE_ERROR", "w1/drain 5s STATUS_CODE_UNSET", "w1/upgrade 2s STATUS_CODE_ERROR",
		"wait: etcd has quorum 3s STATUS_CODE_UNSET"}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
	run := byName["apply tokyo"]
	if run == nil || string(byName["w1/drain"].GetParentSpanId()) != string(run.SpanId) ||
		string(byName["wait: etcd has quorum"].GetParentSpanId()) != string(byName["w1/drain"].SpanId) {
		t.Error("the spans are not within each other")
	}
	if c.service["service.name"] != "kiban" || c.service["service.version"] != "v1.2.3" {
		t.Errorf("sent by %v", c.service)
	}
	for _, s := range c.spans {
		if got := s.TraceId; len(got) != 16 || got[0] != 0x0a || got[15] != 0x9c {
			t.Errorf("%s is of trace %x, not of the job's", s.Name, got)
		}
		if strings.Contains(s.String(), "hunter2") {
			t.Errorf("%s tells a secret: %s", s.Name, s)
		}
	}
}

// TestCutOff: what a run that was stopped left open is ended with it.
func TestCutOff(t *testing.T) {
	var c collecting
	events := aRun()
	if err := collect(t, &c, nil, []lifecycle.Event{events[0], events[3], events[4], events[len(events)-1]}); err != nil {
		t.Fatal(err)
	}
	if len(c.spans) != 3 {
		t.Errorf("%v", c.spans)
	}
}

// A collector that refuses is a warning that says so, at the end; a protocol that kiban does not speak is an error before.
func TestNotDelivered(t *testing.T) {
	c := collecting{refuse: http.StatusForbidden}
	err := collect(t, &c, nil, aRun())
	ds := lifecycle.AsDiagnostics(err, "")
	if len(ds) != 1 || ds[0].Severity != lifecycle.SeverityWarning || !strings.Contains(ds[0].Error()+ds[0].Detail, "403") {
		t.Errorf("%+v", ds)
	}
	grpc := func(name string) string { return map[string]string{endpoint: "http://x:4317", protocol: "grpc"}[name] }
	if _, err := Open(t.Context(), grpc, ""); err == nil || !strings.Contains(err.Error(), "grpc") {
		t.Errorf("%v", err)
	}
}

func TestWanted(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false}, {map[string]string{endpoint: "http://x:4318"}, true}, {map[string]string{tracesEndpoint: "http://x/v1/traces"}, true},
		{map[string]string{endpoint: "http://x:4318", disabled: "TRUE"}, false},
	} {
		if got := Wanted(func(name string) string { return tt.env[name] }); got != tt.want {
			t.Errorf("%v: %v", tt.env, got)
		}
	}
}
