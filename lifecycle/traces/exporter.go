package traces

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"

	"kiban.dev/kiban/lifecycle"
)

// Variables that OpenTelemetry names: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ and
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/. The SDK reads those that are not here: headers, certificates, time limits.
const (
	endpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	protocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	disabled       = "OTEL_SDK_DISABLED"
	service        = "OTEL_SERVICE_NAME"
	// parent is the span that a run belongs to, in the form of W3C Trace Context, such as a pipeline's job.
	parent = "TRACEPARENT"
)

// flushWithin is how long a run that has ended waits until its last spans are delivered.
const flushWithin = 5 * time.Second

// Wanted reports whether the environment names a collector.
func Wanted(getenv func(string) string) bool {
	return (getenv(endpoint) != "" || getenv(tracesEndpoint) != "") && !strings.EqualFold(getenv(disabled), "true")
}

// Exporter delivers spans to the collector that the environment names.
type Exporter struct {
	provider *trace.TracerProvider
	parent   context.Context
	failed   failures
}

// Open makes an exporter by OpenTelemetry's own variables. version is kiban's. It connects to nothing yet. What it can't do is an error:
// a
// protocol other than http/protobuf.
func Open(ctx context.Context, getenv func(string) string, version string) (*Exporter, error) {
	for _, name := range []string{tracesProtocol, protocol} {
		if p := getenv(name); p != "" && p != "http/protobuf" {
			return nil, lifecycle.Errorf("", "traces can't be delivered by %s", p).Because(name + " asks for it; kiban speaks http/protobuf.").
				Try(fmt.Sprintf("Leave %s away, and name the collector's port for HTTP, which most often is 4318.", name))
		}
	}
	client, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, lifecycle.Errorf("", "traces can't be delivered").From(err).Try("Check the variables that begin with OTEL_EXPORTER_OTLP_.")
	}
	e := &Exporter{parent: propagation.TraceContext{}.Extract(context.WithoutCancel(ctx),
		propagation.MapCarrier{"traceparent": getenv(parent)})}
	e.provider = trace.NewTracerProvider(trace.WithBatcher(watched{client, &e.failed}), trace.WithResource(described(getenv, version)))
	return e, nil
}

// described is what sends the spans.
func described(getenv func(string) string, version string) *resource.Resource {
	attributes := []attribute.KeyValue{attribute.String("service.version", version)}
	if getenv(service) == "" {
		attributes = append(attributes, attribute.String("service.name", "kiban"))
	}
	if host, err := os.Hostname(); err == nil { // not knowing it is no reason to tell nothing
		attributes = append(attributes, attribute.String("host.name", host))
	}
	r, err := resource.Merge(resource.Environment(), resource.NewSchemaless(attributes...))
	if err != nil {
		return resource.NewSchemaless(attributes...)
	}
	return r
}

// Close delivers what is left, within some seconds. The error says what was not delivered, and why: it is no reason for a run to fail.
func (e *Exporter) Close() error {
	ctx, cancel := lifecycle.Within(context.Background(), flushWithin, "no answer")
	defer cancel()
	err := e.provider.Shutdown(ctx)
	if err = errors.Join(e.failed.first(), err); err != nil {
		return lifecycle.Warnf("", "traces of this run were not delivered").From(err).
			Try("See to the collector that " + endpoint + " names. The journal in .kiban/runs has all of it.")
	}
	return nil
}

// watched keeps why spans could not be delivered, which the SDK would only log.
type watched struct {
	*otlptrace.Exporter
	failed *failures
}

// ExportSpans delivers spans.
func (w watched) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	err := w.Exporter.ExportSpans(ctx, spans)
	w.failed.add(err)
	return nil // it is told at the end
}

// failures remembers the first of several.
type failures struct {
	mu  sync.Mutex
	err error
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *failures) first() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
