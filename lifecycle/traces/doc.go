// Package traces tells of runs in OpenTelemetry's words, for whoever collects traces: a run is a trace, its steps are spans, and so are
// the
// waits for gates within them. It is the only importer of OpenTelemetry.
package traces
